"""
What becomes of a connection when its token or its user changes: protocol.md section 4.

The real users and tokens, over the wire; what changes them comes over HTTP.
"""

from __future__ import annotations

from rotoclear.api.fanout import Fanout
from rotoclear.api.roster import Roster
from rotoclear.api.site import make_site
from rotoclear.api.upgrade import WebSocketEndpoint
from rotoclear.api.websocket import ApiFactory
from rotoclear.auth.sessions import MOST
from rotoclear.state.permissions import ROLES
from tests.api import wire
from tests.api.http import Client
from tests.api.stored import File
from tests.api.test_http_accounts import PASSWORD, RealUsersTestCase

ENDED = {"authenticated": False, "permissions": ["Device_r"]}


class Rights(RealUsersTestCase):
    def make_site(self):
        """With a real endpoint: as the whole server, but for the network."""
        self.roster = Roster()
        fanout = Fanout(self.model, self.metrics)
        endpoint = WebSocketEndpoint(ApiFactory(self.context, fanout, self.roster))
        return make_site(self.clock, self.context, endpoint)

    def connect(self, token: str) -> wire.Client:
        """A connection that has logged in with a token."""
        client = wire.Client(self)  # type: ignore[arg-type]
        (answer,) = client.say({"token": token})
        self.assertIs(answer["authenticated"], True)
        return client

    def assert_ended(self, *clients: wire.Client) -> None:
        """Told, still open, and no more than anybody from now on."""
        for client in clients:
            self.assertEqual(client.messages(), [ENDED])
            (error,) = client.say({"gain": 7})
            self.assertEqual(error["error"], "Permission denied")
        self.model.commit({"storage-free": self.model["storage-free"] + 1, "gain": 3})
        for client in clients:
            self.assertEqual(client.messages(), [{"gain": 3}])
            self.assertIsNone(client.close_code)
        self.model.commit({"gain": 50})
        self.clock.advance(0)
        for client in clients:
            client.receive()

    def test_token_of_http(self) -> None:
        """The seed's way: log in over HTTP, then connect with the token."""
        anna = self.add(role="operator")
        client = wire.Client(self)  # type: ignore[arg-type]
        (answer,) = client.say({"username": "anna", "token": anna.token})
        self.assertEqual(answer["token"], anna.token)
        self.assertEqual(answer["permissions"], sorted(ROLES["operator"]))
        self.assertEqual(client.say({"gain": 7})[0], {"gain": 7, "info": ["gain"]})

    def test_logout(self) -> None:
        """All connections of that token, and of no other."""
        anna = self.add(role="operator")
        clients = [self.connect(anna.token), self.connect(anna.token)]
        other = self.connect(self.log_in("anna", PASSWORD).token)
        self.assertEqual(anna.post("/api/logout").status, 204)
        self.assert_ended(*clients)
        other.messages()
        self.assertEqual(other.say({"gain": 7})[0]["info"], ["gain"])

    def test_ones_own_password(self) -> None:
        anna = self.add(role="operator")
        clients = [
            self.connect(anna.token),
            self.connect(self.log_in("anna", PASSWORD).token),
        ]
        change = {"old": PASSWORD, "new": "battery staple"}
        self.assertEqual(anna.post("/api/password", change).status, 204)
        self.assert_ended(*clients)

    def test_password_by_an_administrator(self) -> None:
        client = self.connect(self.add(role="operator").token)
        change = {"password": "battery staple"}
        self.assertEqual(self.admin.request("PATCH", "/api/users/anna", change).status, 200)
        self.assert_ended(client)

    def test_deletion(self) -> None:
        client = self.connect(self.add(role="operator").token)
        self.assertEqual(self.admin.request("DELETE", "/api/users/anna").status, 204)
        self.assert_ended(client)

    def test_role(self) -> None:
        client = self.connect(self.add(role="operator").token)
        self.admin.request("PATCH", "/api/users/anna", {"role": "viewer"})
        told = {"authenticated": True, "permissions": sorted(ROLES["viewer"])}
        self.assertEqual(client.messages(), [told])
        self.assertEqual(client.say({"gain": 7})[0]["error"], "Permission denied")

    def test_waiting_messages(self) -> None:
        """What had been sent before, and waits for its turn, has lost its rights, too."""
        anna = self.add(role="operator")
        client = self.connect(anna.token)
        client.say(*[{"get": []}] * 99)
        client.say({"gain": 7})
        anna.post("/api/logout")
        self.clock.advance(2)
        told, error = client.messages()
        self.assertEqual(told, ENDED)
        self.assertEqual(error["error"], "Permission denied")
        self.assertEqual(self.model["gain"], 50)

    def test_too_many_tokens(self) -> None:
        """The idlest of 32 gives way; a connected one comes last."""
        connected = self.add(role="operator")
        client = self.connect(connected.token)
        self.clock.advance(1)
        idlest = self.log_in("anna", PASSWORD)
        self.clock.advance(1)
        for _ in range(MOST - 2):
            self.log_in("anna", PASSWORD)
        self.assertEqual(idlest.get("/api/status").status, 200)
        self.clock.advance(1)
        others = [self.log_in("anna", PASSWORD) for _ in range(MOST - 1)]
        self.assertEqual(idlest.get("/api/status").status, 401)
        self.assertEqual(client.messages(), [])
        clients = [self.connect(other.token) for other in others]
        self.log_in("anna", PASSWORD)
        self.assert_ended(client)
        clients[0].messages()
        self.assertEqual(clients[0].say({"gain": 7})[0]["info"], ["gain"])

    def test_a_connected_socket_keeps_its_token(self) -> None:
        idle = int(self.configuration.login.token_idle)
        anna = self.add(role="operator")
        client = self.connect(anna.token)
        for _ in range(2 * idle // 10):
            self.clock.advance(10)
            client.exchange()
        self.assertEqual(client.say({"gain": 7})[0]["info"], ["gain"])
        client.lose()
        self.clock.advance(idle - 1)
        again = self.connect(anna.token)
        again.lose()
        self.clock.advance(idle)
        late = wire.Client(self)  # type: ignore[arg-type]
        (answer,) = late.say({"token": anna.token})
        self.assertEqual(answer, {"authenticated": False, "error": "Invalid credentials"})


class Downloads(RealUsersTestCase):
    """What becomes of a file that is on its way to somebody."""

    def download(self, client: Client, path: str = "/api/recordings/a") -> File:
        """One whose next piece the volume has not delivered yet."""
        file = self.library.files["a"] = File(b"film", slow=True)
        client.ask("GET", path)
        self.assertEqual(len(file.waiting), 1)
        return file

    def ticket_of(self, anna: Client) -> str:
        path = "/api/recordings/a"
        ticket = anna.post("/api/tickets", {"path": path}).json["ticket"]
        return f"{path}?ticket={ticket}"

    def test_ends_with_its_token(self) -> None:
        anna = self.add()
        with_ticket = Client(self.site)
        files = [self.download(with_ticket, self.ticket_of(anna)), self.download(anna)]
        other = self.log_in("anna", PASSWORD)
        file_of_other = self.download(other)
        Client(self.site, token=anna.token).post("/api/logout")
        self.assertTrue(anna.transport.disconnected)
        self.assertTrue(with_ticket.transport.disconnected)
        self.assertEqual([file.closed for file in files], [True, True])
        self.assertFalse(other.transport.disconnected)
        self.admin.request("PATCH", "/api/users/anna", {"password": "battery staple"})
        self.assertTrue(other.transport.disconnected)
        self.assertTrue(file_of_other.closed)

    def test_ends_with_its_user(self) -> None:
        anna = self.add()
        file = self.download(anna)
        self.admin.request("DELETE", "/api/users/anna")
        self.assertTrue(anna.transport.disconnected)
        self.assertTrue(file.closed)

    def test_keeps_its_token(self) -> None:
        """However long it takes; with a ticket, too."""
        idle = self.configuration.login.token_idle
        token = self.add().token

        def anna() -> Client:
            return Client(self.site, token=token)

        for with_ticket in (False, True):
            client = Client(self.site) if with_ticket else anna()
            path = self.ticket_of(anna()) if with_ticket else "/api/recordings/a"
            file = self.download(client, path)
            self.clock.pump([idle / 10] * 20)
            file.answer()
            (answer,) = client.responses()
            self.assertEqual(answer.body, b"film")
        self.clock.advance(idle - 1)
        self.assertEqual(anna().get("/api/state").status, 200)
        self.clock.advance(idle)
        self.assertEqual(anna().get("/api/state").status, 401)
