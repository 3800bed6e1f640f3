"""Logging in and out, and which server is asked."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from unittest import mock

from rotoclear.client import CertificateRefused, ConnectionFailed, TimedOut, TooManyAttempts
from rotoclear.command.remote import keyrings
from rotoclear.command.remote.keyrings import usable
from tests.command.remote.played import PASSWORDS, SERVER, PlayedTestCase

FINGERPRINT = ":".join(["AB"] * 32)


class LoginTests(PlayedTestCase):
    def test_stays(self) -> None:
        told = self.good("login", "anna", stdin=PASSWORDS["anna"] + "\n")
        self.assertIn(f"logged in at {SERVER} as anna (operator)", told)
        self.assertNotIn("token-", told)
        who = json.loads(self.good("whoami", "--json"))
        self.assertEqual(
            (who["server"], who["username"], who["role"]), (SERVER, "anna", "operator")
        )
        self.assertIn("Device_rw", who["permissions"])

    def test_file_is_the_users_alone(self) -> None:
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.login()
        path = self.home / ".local/state/rotoclear-logins/logins.json"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        self.assertEqual(list(path.parent.iterdir()), [path])
        self.assertNotIn(PASSWORDS["anna"], path.read_text())

    def test_where_xdg_says(self) -> None:
        state = self.home / "xdg"
        self.good("login", "anna", stdin=PASSWORDS["anna"], XDG_STATE_HOME=str(state))
        self.assertTrue((state / "rotoclear-logins/logins.json").exists())
        self.assertEqual(self.good("get", "fps"), "30\n")
        self.assertIsNone(self.server.targets[-1].login)

    def test_password_of_a_file(self) -> None:
        file = self.home / "password"
        file.write_text(PASSWORDS["joe"] + "\nsomething else\n")
        self.good("login", "joe", "--password-file", str(file))
        self.good("login", "joe", "--password-file", "-", stdin=PASSWORDS["joe"])
        text = self.refused(1, "login", "joe", "--password-file", str(self.home / "nothing"))
        self.assertIn("nothing: No such file", text)

    def test_wrong_password(self) -> None:
        text = self.refused(4, "login", "anna", stdin="wrong")
        self.assertIn("the password is wrong", text)
        self.refused(1, "login", "anna", stdin="")
        self.assertIn("no USER", self.refused(2, "login", stdin="wrong"))
        self.assertIn("anonymous", self.good("whoami"))

    def test_too_many(self) -> None:
        self.server.unreachable = TooManyAttempts("Try again in 90 seconds", 90.0)
        self.assertIn("90 seconds", self.refused(4, "login", "anna", stdin="wrong"))

    def test_no_password_for_a_server_that_is_not_there(self) -> None:
        self.server.unreachable = ConnectionFailed("http://localhost:8080 does not answer")
        with mock.patch("rotoclear.command.remote.login.ask_present_password") as asked:
            self.refused(3, "login", "anna")
        asked.assert_not_called()

    def test_in_clear_only_if_told_to(self) -> None:
        options = ("--server", "http://192.0.2.7")
        text = self.refused(2, "login", "anna", *options, stdin=PASSWORDS["anna"])
        self.assertIn("--plaintext", text)
        self.assertEqual(self.server.targets, [])
        self.good("login", "anna", *options, "--plaintext", stdin=PASSWORDS["anna"])
        for private in ("http://127.0.0.1:1", "http://[::1]", "https://192.0.2.7"):
            self.good("login", "anna", "--server", private, stdin=PASSWORDS["anna"])

    def test_ended_meanwhile(self) -> None:
        self.login()
        self.server.tokens.clear()
        text = self.refused(4, "get", "fps")
        self.assertIn("has ended; rotoclear login anna", text)

    def test_replaced(self) -> None:
        self.login("anna")
        self.login("joe")
        self.assertIn("joe", self.good("whoami"))

    def test_logout(self) -> None:
        self.login()
        self.assertEqual(self.good("logout"), "")
        self.assertEqual(self.server.tokens, {})
        self.assertIn("anonymous", self.good("whoami"))
        self.assertIn("nobody", self.refused(4, "logout"))

    def test_logout_of_what_has_ended(self) -> None:
        self.login()
        self.server.tokens.clear()
        self.good("logout")
        self.refused(4, "logout")

    def test_logout_without_a_server(self) -> None:
        self.login()
        self.server.unreachable = ConnectionFailed("nobody there")
        self.assertIn("forgotten here", self.refused(3, "logout"))
        self.refused(4, "logout")

    def test_broken_file(self) -> None:
        self.login()
        path = self.home / ".local/state/rotoclear-logins/logins.json"
        for content in ("{", "[]", '{"servers": {"http://localhost:8080": {"token": 1}}}'):
            path.write_text(content)
            self.assertIn(str(path), self.refused(1, "get", "fps"))


class KeyringTests(PlayedTestCase):
    """With a keyring that is played."""

    def setUp(self) -> None:
        super().setUp()
        self.secrets: dict[str, str] = {}
        self.locked = False
        patch = mock.patch("rotoclear.command.remote.keyrings.usable", return_value=self)
        patch.start()
        self.addCleanup(patch.stop)

    def get(self, name: str) -> str | None:
        self._check()
        return self.secrets.get(name)

    def put(self, name: str, secret: str) -> None:
        self._check()
        self.secrets[name] = secret

    def remove(self, name: str) -> None:
        self.secrets.pop(name, None)

    def _check(self) -> None:
        if self.locked:
            raise keyrings.KeyringFailed("it is locked")

    def _file(self) -> str:
        return (self.home / ".local/state/rotoclear-logins/logins.json").read_text()

    def test_token_is_there_alone(self) -> None:
        told = self.good("login", "anna", stdin=PASSWORDS["anna"])
        self.assertIn("the keyring", told)
        self.assertEqual(list(self.secrets), [SERVER])
        self.assertNotIn(self.secrets[SERVER], self._file())
        self.assertIn("anna", self.good("whoami"))
        self.good("logout")
        self.assertEqual(self.secrets, {})

    def test_locked_at_the_login(self) -> None:
        self.locked = True
        self.login()
        self.assertIn("token-0", self._file())
        self.assertIn("anna", self.good("whoami"))

    def test_locked_later(self) -> None:
        self.login()
        self.locked = True
        self.assertIn("it is locked", self.refused(1, "get", "fps"))

    def test_gone_later(self) -> None:
        self.login()
        self.secrets.clear()
        self.assertIn("rotoclear login", self.refused(1, "get", "fps"))
        self.good("logout")


class UsableKeyringTests(PlayedTestCase):
    """What the library offers."""

    def test_priorities(self) -> None:
        import keyring
        from keyring.backend import KeyringBackend
        from keyring.backends import fail

        class Good(KeyringBackend):
            priority = 5  # type: ignore[assignment]

            def __init__(self) -> None:
                self.kept: dict[tuple[str, str], str] = {}

            def get_password(self, service: str, username: str) -> str | None:
                return self.kept.get((service, username))

            def set_password(self, service: str, username: str, password: str) -> None:
                self.kept[service, username] = password

            def delete_password(self, service: str, username: str) -> None:
                del self.kept[service, username]

        class Plain(Good):
            priority = 0.5  # type: ignore[assignment]

        with mock.patch.object(keyring, "get_keyring", Good):
            ring = usable()
        assert ring is not None
        ring.put("x", "secret")
        self.assertEqual(ring.get("x"), "secret")
        ring.remove("x")
        self.assertIsNone(ring.get("x"))
        for unsafe in (Plain, fail.Keyring):
            with mock.patch.object(keyring, "get_keyring", unsafe):
                self.assertIsNone(usable())


class ChoiceTests(PlayedTestCase):
    def asked(self, *words: str, **environ: str) -> str:
        """Whom the command has asked."""
        self.good("get", "fps", *words, **environ)
        return self.server.targets[-1].server

    def test_order(self) -> None:
        self.assertEqual(self.asked(), SERVER)
        self.login("anna", "--server", "https://camera.example.com")
        self.assertEqual(self.asked(), "https://camera.example.com")
        environ = {"ROTOCLEAR_SERVER": "https://environ"}
        self.assertEqual(self.asked(**environ), "https://environ")
        self.assertEqual(self.asked("--server", "https://option", **environ), "https://option")

    def test_the_login_before(self) -> None:
        for server in ("https://one", "https://two"):
            self.login("anna", "--server", server)
        self.good("logout")
        self.assertEqual(self.asked(), "https://one")
        self.good("logout")
        self.assertEqual(self.asked(), SERVER)

    def test_one_form(self) -> None:
        for text, form in (
            ("camera.example.com", "https://camera.example.com"),
            ("CAMERA:8443", "https://camera:8443"),
            ("wss://camera:443/api/v1", "https://camera"),
            ("ws://camera/", "http://camera"),
            ("http://[::1]:80", "http://[::1]"),
        ):
            self.assertEqual(self.asked("--server", text), form)

    def test_no_address(self) -> None:
        for text in ("ftp://x", "https://", "https://x:99999", "https://x?y", "https://x y"):
            self.assertIn("https://", self.refused(2, "get", "fps", "--server", text))
        text = self.refused(2, "get", "fps", "--server", "https://anna:secret@camera")
        self.assertIn("rotoclear login", text)
        self.assertNotIn("secret", text)

    def test_trust_is_remembered(self) -> None:
        server = ("--server", "https://camera")
        text = "sha256:" + FINGERPRINT.lower()
        self.login("anna", *server, "--fingerprint", text)
        self.asked()
        self.assertEqual(self.server.targets[-1].fingerprint, FINGERPRINT)
        cafile = self.home / "ca.pem"
        cafile.write_text("")
        self.asked("--cafile", str(cafile))
        self.assertEqual(self.server.targets[-1].cafile, str(cafile))
        self.assertEqual(self.server.targets[-1].fingerprint, "")
        self.asked("--server", "https://other")
        self.assertEqual(self.server.targets[-1].fingerprint, "")

    def test_trust_that_makes_no_sense(self) -> None:
        https = ("get", "fps", "--server", "https://camera")
        self.assertIn("64", self.refused(2, *https, "--fingerprint", "AB:CD"))
        self.assertIn("No such file", self.refused(2, *https, "--cafile", "/nonexistent/ca"))
        self.assertIn(
            "exclude",
            self.refused(2, *https, "--cafile", "/dev/null", "--fingerprint", FINGERPRINT),
        )
        text = self.refused(2, "get", "fps", "--server", "http://x", "--fingerprint", FINGERPRINT)
        self.assertIn("https://", text)

    def test_of_this_machine(self) -> None:
        for option in ("--data-dir", "--config"):
            result = self.run_command(option, "/nonexistent", "get", "fps")
            self.assertEqual(result.code, 2)
            self.assertIn("--server", result.err)


class ErrorTests(PlayedTestCase):
    def test_network(self) -> None:
        for error in (ConnectionFailed("nobody there"), TimedOut("no answer")):
            self.server.unreachable = error
            self.assertIn(SERVER, self.refused(3, "get", "fps"))

    def test_certificate(self) -> None:
        self.server.unreachable = CertificateRefused("self-signed certificate")
        https = ("get", "fps", "--server", "https://camera")
        with mock.patch("rotoclear.command.remote.session.offered", return_value=FINGERPRINT):
            text = self.refused(3, *https)
            self.assertIn(FINGERPRINT, text)
            self.assertIn("--cafile", text)
            text = self.refused(3, *https, "--fingerprint", ":".join(["CD"] * 32))
            self.assertNotIn(FINGERPRINT, text)  # that would only ask to be believed
            self.assertIn("replaced on purpose", text)
        with mock.patch("rotoclear.command.remote.session.offered", return_value=None):
            self.assertNotIn("fingerprint ", self.refused(3, *https))

    def test_library_is_missing(self) -> None:
        with mock.patch.dict("sys.modules", {"aiohttp": None}):
            self.assertIn("rotoclear[client]", self.refused(1, "get", "fps"))

    def test_timeout(self) -> None:
        for text in ("0", "x", "1e9", "nan"):
            self.assertEqual(self.run_command("get", "fps", "--timeout", text).code, 2)
        self.good("get", "fps", "--timeout", "2.5")
        self.assertEqual(self.server.targets[-1].timeout, 2.5)


class StatusTests(PlayedTestCase):
    def test_for_everybody(self) -> None:
        told = self.good("status")
        self.assertIn(f"rotoclear 0.1.0 at {SERVER}, up 1:02:03, cameras 1, 2", told)
        self.assertIn("logged in", told)

    def test_with_a_login(self) -> None:
        self.login()
        told = self.good("status")
        self.assertIn("recording paused, 3 connected", told)
        self.assertIn("heads:\nNUMBER\n1", told)
        self.assertEqual(json.loads(self.good("status", "--json"))["uptime"], 3723.4)

    def test_of_this_machine(self) -> None:
        for words in (("--local",), ("--data-dir", str(self.home / "nothing"))):
            self.assertIn("no server is running", self.refused(3, "status", *words))
        self.refused(2, "status", "--local", "--server", "https://camera")
        self.assertEqual(self.server.targets, [])
        self.assertFalse(Path(self.home / "nothing").exists())
