"""Doing several things at once, until one of them decides that it is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

Work = Coroutine[Any, Any, object]


async def until_first(decisive: Sequence[Work], beside: Sequence[Work] = ()) -> None:
    """
    Run all of them until the first decisive one ends; then the others are cancelled.

    How that one has ended is how this ends: an exception is raised as it is,
    not in a group. Work beside may end whenever it likes, but not fail.
    """
    deciding = [asyncio.ensure_future(work) for work in decisive]
    tasks = [*deciding, *(asyncio.ensure_future(work) for work in beside)]
    try:
        await asyncio.wait(deciding, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
