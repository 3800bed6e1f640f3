"""The catalogue, downloads and deletions over HTTP."""

from __future__ import annotations

import gc

from twisted.internet.defer import Deferred

from rotoclear.api.download import PIECE
from rotoclear.api.http_range import Span, Unsatisfiable, names, requested
from rotoclear.api.resources import media
from rotoclear.media.catalogue import Entry
from rotoclear.media.files.shelf import FileError
from rotoclear.state.errors import DeviceError, NotAvailable
from tests.api.http import Client
from tests.api.site import SiteTestCase
from tests.api.stored import File, Library
from tests.media.stored import entry

FILM = bytes(range(256)) * 4
TAG = '"a-1024"'


class MediaTestCase(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.put(entry("a", size=len(FILM)), FILM)

    def make_library(self) -> Library:
        return Library()

    def put(self, one: Entry, content: bytes, *, slow: bool = False) -> File:
        self.library.entries.append(one)
        self.library.files[one.id] = File(content, slow)
        return self.library.files[one.id]


class CatalogueTests(MediaTestCase):
    def test_row(self) -> None:
        self.library.entries[:] = [
            entry(
                "a",
                began=1_700_000_000.25,
                ended=1_700_000_012.75,
                duration=12.34567,
                size=99,
                rate=30,
                user="anna",
                continues="z",
                reason="The volume is full",
            )
        ]
        answer = self.client("viewer").get("/api/recordings")
        self.assertEqual(answer.status, 200)
        self.assertEqual(
            answer.json,
            {
                "recordings": [
                    {
                        "id": "a",
                        "began": "2023-11-14T22:13:20.250Z",
                        "ended": "2023-11-14T22:13:32.750Z",
                        "duration": 12.346,
                        "size": 99,
                        "width": 64,
                        "height": 48,
                        "fps": 30,
                        "camera": 1,
                        "volume": "One",
                        "file": "2026/11/24/a.mp4",
                        "available": True,
                        "state": "complete",
                        "reason": "The volume is full",
                        "sha256": "ab" * 32,
                        "user": "anna",
                        "continues": "z",
                        "url": "/api/recordings/a",
                    }
                ],
                "total": 1,
                "next": None,
            },
        )

    def test_one_that_runs_and_one_that_is_away(self) -> None:
        self.library.entries.append(entry("b", state="recording"))
        rows = self.client("viewer").get("/api/recordings").json["recordings"]
        self.assertEqual([row["available"] for row in rows], [True, False])
        self.assertEqual([row["ended"] for row in rows], [None, None])

    def test_pages(self) -> None:
        self.library.entries[:] = [entry(name) for name in "edcba"]
        client = self.client("viewer")
        seen, following = [], ""
        for size in (2, 2, 1):
            answer = client.get(f"/api/recordings?limit=2&before={following}").json
            self.assertEqual(len(answer["recordings"]), size)
            self.assertEqual(answer["total"], 5)
            seen += [row["id"] for row in answer["recordings"]]
            following = answer["next"]
        self.assertEqual(seen, list("edcba"))
        self.assertIsNone(following)
        self.assertIsNone(client.get("/api/recordings?limit=5").json["next"])

    def test_page_of_a_usual_size(self) -> None:
        self.library.entries[:] = [entry(f"{n}") for n in range(60)]
        rows = self.client("viewer").get("/api/recordings").json["recordings"]
        self.assertEqual(len(rows), media.PAGE)

    def test_kinds_are_apart(self) -> None:
        self.put(entry("p", kind="snapshot", file="x/p.jpg"), b"jpeg")
        client = self.client("viewer")
        rows = client.get("/api/snapshots").json["snapshots"]
        self.assertEqual([row["url"] for row in rows], ["/api/snapshots/p"])
        answer = client.get("/api/snapshots/p")
        self.assertEqual((answer.status, answer.body), (200, b"jpeg"))
        self.assertEqual(answer.headers["content-type"], "image/jpeg")
        self.assert_error(client.get("/api/snapshots/a"), 404, "Not found", "snapshot")

    def test_bad_questions(self) -> None:
        client = self.client("viewer")
        for query in ("limit=0", "limit=501", "limit=-1", "limit=x", "limit=1e2", "before=nobody"):
            answer = client.get(f"/api/recordings?{query}")
            self.assert_error(answer, 400, "Invalid request")
        self.assert_error(client.get("/api/recordings/a/b"), 404, "Not found")
        self.assert_error(client.get("/api/recordings/a%2e"), 404, "Not found")
        self.assert_error(client.get("/api/recordings/"), 404, "Not found")

    def test_permissions(self) -> None:
        for path in ("/api/recordings", "/api/recordings/a", "/api/snapshots", "/api/snapshots/a"):
            self.assert_error(self.client().get(path), 401, "Permission denied", "Media_r")
        for role, status in ((None, 401), ("viewer", 403), ("operator", 204)):
            answer = self.client(role).request("DELETE", "/api/recordings/a")
            self.assertEqual(answer.status, status)
        self.assertEqual(self.library.removed, [("recording", "a", "operator")])
        self.assertEqual(self.library.forgotten, [])

    def test_forget(self) -> None:
        """For a volume that is lost for good."""
        operator = self.client("operator")
        answer = operator.request("DELETE", "/api/recordings/a?forget=perhaps")
        self.assert_error(answer, 400, "Invalid request", "forget must be true or false")
        self.assertEqual(self.library.removed, [])
        self.assertEqual(operator.request("DELETE", "/api/recordings/a?forget=true").status, 204)
        self.assertEqual(self.library.forgotten, ["a"])
        self.assertEqual(operator.request("DELETE", "/api/recordings/a?forget=false").status, 204)
        self.assertEqual(self.library.forgotten, ["a"])


class DownloadTests(MediaTestCase):
    def get(self, method: str = "GET", **headers: str):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client("viewer").request(method, "/api/recordings/a", headers=sent)

    def test_whole(self) -> None:
        answer = self.get()
        self.assertEqual((answer.status, answer.body), (200, FILM))
        expected = {
            "content-type": "video/mp4",
            "content-length": "1024",
            "accept-ranges": "bytes",
            "etag": TAG,
            "content-disposition": 'attachment; filename="a.mp4"',
            "repr-digest": "sha-256=:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=:",
        }
        self.assertEqual({name: answer.headers.get(name) for name in expected}, expected)
        self.assertTrue(self.file.closed)

    def test_part(self) -> None:
        for asked, begin, end in (
            ("bytes=0-", 0, 1024),
            ("bytes=10-19", 10, 20),
            ("bytes=1000-", 1000, 1024),
            ("bytes=1000-5000", 1000, 1024),
            ("bytes=-24", 1000, 1024),
            ("bytes=-5000", 0, 1024),
        ):
            answer = self.get(Range=asked)
            self.assertEqual(answer.status, 206, asked)
            self.assertEqual(answer.body, FILM[begin:end])
            self.assertEqual(answer.headers["content-range"], f"bytes {begin}-{end - 1}/1024")
            self.assertEqual(answer.headers["content-length"], str(end - begin))

    def test_no_part(self) -> None:
        """What is no range, or several, is not looked at."""
        for asked in ("bytes=", "bytes=-", "bytes=5-1", "bytes=0-1,5-6", "lines=0-1", "x"):
            answer = self.get(Range=asked)
            self.assertEqual((answer.status, answer.body), (200, FILM), asked)

    def test_beyond_the_end(self) -> None:
        for asked in ("bytes=1024-", "bytes=5000-6000", "bytes=-0"):
            answer = self.get(Range=asked)
            self.assert_error(answer, 416, "Range not satisfiable", "1024")
            self.assertEqual(answer.headers["content-range"], "bytes */1024")
            self.assertTrue(self.file.closed)

    def test_if_range(self) -> None:
        self.assertEqual(self.get(Range="bytes=0-1", If_Range=TAG).status, 206)
        self.assertEqual(self.get(Range="bytes=0-1", If_Range='"other"').status, 200)
        self.assertEqual(self.get(Range="bytes=5000-", If_Range='"other"').status, 200)

    def test_not_modified(self) -> None:
        answer = self.get(If_None_Match=f'"x", {TAG}')
        self.assertEqual((answer.status, answer.body), (304, b""))
        self.assertEqual(answer.headers["etag"], TAG)
        self.assertTrue(self.file.closed)
        self.assertEqual(self.get(If_None_Match='"x"').status, 200)

    def test_head(self) -> None:
        answer = self.get("HEAD", Range="bytes=0-1")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["content-length"], "1024")
        self.assertEqual(self.file.asked, [])
        self.assertTrue(self.file.closed)

    def test_connection_is_kept(self) -> None:
        client = self.client("viewer")
        for _ in range(3):
            self.assertEqual(client.get("/api/recordings/a").body, FILM)
            self.assertEqual(client.get("/api/recordings/a", Range="bytes=0-1").body, FILM[:2])

    def test_name_is_harmless(self) -> None:
        self.library.entries[:] = [entry("a", file='x/a"\r\nSet-Cookie: ä.mp4')]
        answer = self.get()
        self.assertEqual(
            answer.headers["content-disposition"], 'attachment; filename="a___Set-Cookie___.mp4"'
        )

    def test_ticket(self) -> None:
        path = "/api/recordings/a"
        ticket = self.client("viewer").post("/api/tickets", {"path": path}).json["ticket"]
        client = self.client()
        for _ in range(2):
            answer = client.get(f"{path}?ticket={ticket}", Range="bytes=2-3")
            self.assertEqual((answer.status, answer.body), (206, FILM[2:4]))
        self.put(entry("b"), b"")
        self.assertEqual(client.get(f"/api/recordings/b?ticket={ticket}").status, 401)
        self.assertEqual(client.request("DELETE", f"{path}?ticket={ticket}").status, 401)

    def test_cannot_be_had(self) -> None:
        self.library.trouble = NotAvailable("It is being recorded")
        for method in ("GET", "DELETE"):
            answer = self.client("operator").request(method, "/api/recordings/a")
            self.assert_error(answer, 409, "Not available", "being recorded")
        self.library.trouble = DeviceError("One: The volume does not answer")
        for method in ("GET", "DELETE"):
            answer = self.client("operator").request(method, "/api/recordings/a")
            self.assert_error(answer, 502, "Device error", "does not answer")

    def test_is_not_there(self) -> None:
        for method in ("GET", "DELETE"):
            answer = self.client("operator").request(method, "/api/recordings/b")
            self.assert_error(answer, 404, "Not found", "recording")

    def test_too_many(self) -> None:
        self.patch(media, "DOWNLOADS", 2)
        self.put(entry("b"), FILM, slow=True)
        waiting = [self.client("viewer") for _ in range(2)]
        for client in waiting:
            client.ask("GET", "/api/recordings/b")
        answer = self.get()
        self.assert_error(answer, 503, "Busy")
        self.assertEqual(answer.headers["retry-after"], "5")
        waiting[0].hang_up()
        self.assertEqual(self.get().status, 200)

    def test_too_many_at_once(self) -> None:
        """Those whose file the volume has not opened yet count, too: each takes a handle of it."""
        self.library.opening = Deferred()
        waiting = [self.client("viewer") for _ in range(media.DOWNLOADS)]
        for client in waiting:
            client.ask("GET", "/api/recordings/a")
        answer = self.get()
        self.assert_error(answer, 503, "Busy")
        self.assertEqual(answer.headers["retry-after"], "5")
        self.library.opening.callback(None)
        for client in waiting:
            self.assertEqual(client.responses()[0].body, FILM)
        self.assertEqual(self.get().status, 200)

    def test_those_that_came_to_nothing_do_not_count(self) -> None:
        self.patch(media, "DOWNLOADS", 1)
        self.library.trouble = DeviceError("One: The volume does not answer")
        self.assertEqual(self.get().status, 502)
        self.library.trouble = None
        self.assertEqual(self.client("viewer").get("/api/recordings/b").status, 404)
        self.assertEqual(self.get(Range="bytes=5000-").status, 416)
        self.assertEqual(self.get("HEAD").status, 200)
        self.assertEqual(self.get(If_None_Match=TAG).status, 304)
        self.assertEqual(self.get().status, 200)


class SlowClientTests(MediaTestCase):
    """A client that does not take what it has asked for."""

    def setUp(self) -> None:
        super().setUp()
        self.large = self.put(entry("l"), b"x" * (PIECE * 5 + 7))

    def ask(self) -> Client:
        client = self.client("viewer")
        client.ask("GET", "/api/recordings/l")
        return client

    def slow(self) -> Client:
        """One that is full after the first piece: as a transport tells it."""
        client = self.client("viewer")
        write = client.transport.write

        def full(data: bytes) -> None:
            write(data)
            if len(data) >= PIECE:
                client.channel.pauseProducing()

        client.transport.write = full  # type: ignore[method-assign]
        client.ask("GET", "/api/recordings/l")
        return client

    def test_quick(self) -> None:
        (answer,) = self.ask().responses()
        self.assertEqual(answer.body, self.large.content)
        self.assertEqual(max(length for _, length in self.large.asked), PIECE)

    def test_is_waited_for(self) -> None:
        client = self.slow()
        for number in range(1, 6):
            self.assertEqual(len(self.large.asked), number, "not before it has taken the last")
            client.channel.resumeProducing()
        (answer,) = client.responses()
        self.assertEqual(answer.body, self.large.content)
        self.assertTrue(self.large.closed)
        self.assertEqual(self.pending(), [])

    def test_standstill(self) -> None:
        client = self.slow()
        self.clock.advance(29)
        client.channel.resumeProducing()
        self.clock.advance(29)
        self.assertFalse(self.large.closed, "it has taken something")
        self.assertFalse(client.transport.disconnected)
        self.clock.advance(2)
        self.assertTrue(client.transport.disconnected)
        self.assertTrue(self.large.closed)

    def test_hangs_up(self) -> None:
        client = self.slow()
        client.hang_up()
        self.assertTrue(self.large.closed)
        self.assertEqual(self.pending(), [])

    def test_hangs_up_while_it_is_read(self) -> None:
        self.large.slow = True
        client = self.ask()
        self.large.answer()
        client.hang_up()
        self.assertEqual(self.large.cancelled, 1)
        self.assertTrue(self.large.closed)

    def test_hangs_up_while_it_is_opened(self) -> None:
        self.library.opening = Deferred()
        client = self.ask()
        client.hang_up()
        self.library.opening.callback(None)
        self.assertTrue(self.large.closed)
        self.assertEqual(self.large.asked, [])

    def test_loses_the_right_to_it(self) -> None:
        """By another role, or the end of its token."""
        session = self.accounts.sessions["v1ewer"]
        client = self.slow()
        session.role = "operator"
        session.attached[0]()
        self.assertFalse(client.transport.disconnected)
        session.role = "anonymous"
        session.attached[0]()
        self.assert_cut(client)
        session.role = "viewer"
        client = self.slow()
        session.end()
        self.assert_cut(client)
        self.assertEqual(session.attached, [])

    def test_loses_the_right_to_it_while_it_is_read(self) -> None:
        self.large.slow = True
        client = self.ask()
        self.accounts.sessions["v1ewer"].end()
        self.assertEqual(self.large.cancelled, 1)
        self.assert_cut(client)

    def test_loses_the_right_to_it_while_it_is_opened(self) -> None:
        self.library.opening = Deferred()
        client = self.ask()
        self.accounts.sessions["v1ewer"].end()
        self.library.opening.callback(None)
        self.assertEqual(self.large.asked, [])
        self.assert_cut(client)

    def test_is_not_its_sessions_any_more(self) -> None:
        session = self.accounts.sessions["v1ewer"]
        self.ask()
        self.assertEqual(session.attached, [])
        client = self.slow()
        self.assertEqual(len(session.attached), 1)
        client.hang_up()
        self.assertEqual(session.attached, [])

    def assert_cut(self, client: Client) -> None:
        self.assertTrue(client.transport.disconnected)
        self.assertTrue(self.large.closed)
        self.assertEqual(self.pending(), [])

    def test_volume_fails(self) -> None:
        """What is missing must be seen: the connection is cut."""
        self.large.slow = True
        client = self.ask()
        self.large.answer()
        self.large.waiting.pop().errback(FileError("What reads the volume has failed"))
        self.assertTrue(client.transport.disconnected)
        self.assertTrue(self.large.closed)
        self.assertLess(len(client.transport.value()), 2 * PIECE)

    def test_file_has_become_shorter(self) -> None:
        self.large.slow = True
        client = self.ask()
        self.large.waiting.pop().callback(b"")
        self.assertTrue(client.transport.disconnected)
        self.assertTrue(self.large.closed)

    def pending(self) -> list[object]:
        gc.collect()
        return [call for call in self.clock.getDelayedCalls() if "stands_still" in repr(call.func)]


class RangeTests(SiteTestCase):
    def test_nothing_of_nothing(self) -> None:
        self.assertIsNone(requested(None, 0))
        for asked in (b"bytes=0-", b"bytes=-1"):
            with self.assertRaises(Unsatisfiable):
                requested(asked, 0)
        self.assertEqual(requested(b"bytes=0-0", 1), Span(0, 1))
        self.assertEqual(requested(b" Bytes = 0-0 ", 1), Span(0, 1))
        self.assertIsNone(requested(b"bytes=" + b"9" * 30 + b"-", 1))

    def test_names(self) -> None:
        self.assertTrue(names(b"*", b'"a"'))
        self.assertTrue(names(b'W/"a"', b'"a"'))
        self.assertFalse(names(b"a", b'"a"'))
        self.assertFalse(names(None, b'"a"'))
