"""
All keys x all roles x reading and writing, over the wire.

What is expected is written out here from the protocol's sections 3 and 4, not
taken from the table that the server works by.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from rotoclear.state.keys import KEYS
from rotoclear.state.permissions import NOTHING
from tests.api.people import People, make_context
from tests.api.wire import Client, World

DEVICE = {
    "cam1-light": True,
    "cam2-light": True,
    "main-camera": 2,
    "cam1-sensor": 2,
    "cam2-sensor": 2,
    "resolution": "1280x720",
    "fps": 25,
    "pip-mode": "top-left",
    "brightness": 75,
    "contrast": 75,
    "sharpness": 75,
    "saturation": 75,
    "gain": 75,
    "red-gain": 75,
    "blue-gain": 75,
    "auto-exposure": False,
    "auto-white-balance": False,
    "noise-supression": True,
}
MEDIA = {"record": True, "snap": True, "jpeg-quality": 75}
DETECTED = {"cam1-exists": True, "cam2-exists": True}
NEWEST = {"last-recording": "x", "last-snapshot": "x"}
STORAGE = {"storage-exists": True, "storage-free": 1, "storage-name": "x"}
ALL = {**DEVICE, **MEDIA, **DETECTED, **NEWEST, **STORAGE}

READ = {
    "administrator": set(ALL),
    "operator": set(ALL),
    "viewer": set(ALL),
    "anonymous": {*DEVICE, *MEDIA, *DETECTED},
    "nobody": set(),
}
WRITE = {
    "administrator": {*DEVICE, *MEDIA},
    "operator": {*DEVICE, *MEDIA},
    "viewer": set(),
    "anonymous": set(),
    "nobody": set(),
}
TOKENS = {"administrator": "alice", "operator": "olga", "viewer": "victor"}


def connect(role: str) -> tuple[World, Client]:
    """Someone with that role; ``nobody`` is who has not logged in where anonymous is off."""
    clock, people = Clock(), People()
    if role == "nobody":
        people.anonymous = NOTHING
    world = World(clock, make_context(clock, people))
    client = world.connect()
    if role in TOKENS:
        client.say({"token": TOKENS[role]})
    return world, client


def test_complete() -> None:
    """Nothing is missing from what is expected: the seed's 23 keys, and the extras."""
    assert {key.name for key in KEYS} == set(ALL)
    assert len({*DEVICE, *MEDIA, *DETECTED}) == 23


@pytest.mark.parametrize("role", READ)
@pytest.mark.parametrize("key", ALL)
class TestMatrix:
    def test_query(self, role: str, key: str) -> None:
        _, client = connect(role)
        values, *errors = client.say({"get": [key]})
        if key in READ[role]:
            assert (set(values), errors) == ({key}, [])
        else:
            assert values == {}
            assert [(e["error"], e["key"]) for e in errors] == [("Permission denied", key)]

    def test_everything(self, role: str, key: str) -> None:
        _, client = connect(role)
        (values,) = client.say({"get": "*"})
        assert (key in values) == (key in READ[role])

    def test_update(self, role: str, key: str) -> None:
        world, client = connect(role)
        before = world.context.model[key]
        answer, *_ = client.say({key: ALL[key]})
        if key in WRITE[role]:
            assert answer == {key: ALL[key], "info": [key]}
        else:
            assert (answer["error"], answer["key"]) == ("Permission denied", key)
            assert answer["message"]
            assert world.context.model[key] == before

    def test_broadcast(self, role: str, key: str) -> None:
        """A change reaches exactly those who may read the key."""
        world, client = connect(role)
        world.context.model.commit({key: ALL[key]})
        assert client.messages() == ([{key: ALL[key]}] if key in READ[role] else [])
