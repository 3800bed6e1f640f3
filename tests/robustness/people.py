"""Users for storms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.harness import Server

PASSWORD: Final = "a password for storms"

PEOPLE: Final = {
    "administrator": "admin",
    "operator": "storm-operator",
    "viewer": "storm-viewer",
}
"""A user for each role."""


def add_people(server: Server) -> dict[str, str]:
    """Add the users that the first start has not added; a new token of each, by role."""
    tokens = {"administrator": server.login()}
    for role, name in PEOPLE.items():
        if name == "admin":
            continue
        answer = server.request(
            "POST",
            "/api/users",
            {"name": name, "role": role, "password": PASSWORD},
            token=tokens["administrator"],
        )
        assert answer.status == 201, answer
        tokens[role] = server.login(name, PASSWORD)
    # Both threads that check passwords keep the memory that one takes.
    with ThreadPoolExecutor() as pool:
        list(pool.map(server.login, ["storm-viewer"] * 8, [PASSWORD] * 8))
    return tokens
