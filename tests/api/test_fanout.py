"""The fan-out: protocol section 2, broadcast."""

from __future__ import annotations

import json
from collections.abc import Collection

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.fanout import Fanout
from rotoclear.api.metrics import Metrics
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import NOTHING, ROLES


class Receiver:
    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def broadcast(self, frame: bytes, names: Collection[str]) -> None:
        self.frames.append(frame)
        assert set(json.loads(frame[2:])) == set(names)

    @property
    def values(self) -> list[dict[str, object]]:
        return [json.loads(frame[2:]) for frame in self.frames]


class FanoutTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.model = Model(self.clock, KeyTable())
        self.metrics = Metrics()
        self.fanout = Fanout(self.model, self.metrics)

    def join(self, role: str) -> Receiver:
        receiver = Receiver()
        self.fanout.join(receiver, ROLES[role])
        return receiver

    def commit(self, **values: object) -> None:
        self.model.commit({k.replace("_", "-"): v for k, v in values.items()})  # type: ignore[misc]
        self.clock.advance(0)

    def test_everyone_who_may(self) -> None:
        """Each sees what it may read of a change, and those who may see nothing get nothing."""
        viewer, anonymous = self.join("viewer"), self.join("anonymous")
        nobody = Receiver()
        self.fanout.join(nobody, NOTHING)
        self.commit(gain=1, storage_free=5)
        self.commit(storage_free=6)
        self.assertEqual(viewer.values, [{"gain": 1, "storage-free": 5}, {"storage-free": 6}])
        self.assertEqual(anonymous.values, [{"gain": 1}])
        self.assertEqual(nobody.frames, [])

    def test_encoded_once(self) -> None:
        """All who see the same get the very same bytes, whatever else they hold."""
        receivers = [self.join(role) for role in ("viewer", "viewer", "operator", "anonymous")]
        self.commit(gain=1)
        self.assertEqual(len({id(r.frames[0]) for r in receivers}), 1)

    def test_leave(self) -> None:
        receiver = self.join("viewer")
        self.fanout.leave(receiver, ROLES["viewer"])
        self.fanout.leave(receiver, ROLES["viewer"])
        self.commit(gain=1)
        self.assertEqual(receiver.frames, [])

    def test_leaving_in_the_middle(self) -> None:
        """A connection that ends while it is being told harms nobody."""
        receivers = [self.join("viewer") for _ in range(3)]

        def leave(frame: bytes, names: Collection[str]) -> None:
            for receiver in receivers:
                self.fanout.leave(receiver, ROLES["viewer"])

        receivers[0].broadcast = leave  # type: ignore[method-assign]
        self.commit(gain=1)
        self.assertEqual(len(receivers[2].frames), 1)

    def test_counted(self) -> None:
        self.join("viewer")
        self.join("operator")
        self.commit(gain=1, contrast=2)
        self.assertEqual((self.metrics.changes, self.metrics.broadcasts), (2, 2))
