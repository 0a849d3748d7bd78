"""Waiting for what is to come true, with a deadline that names it."""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_SECONDS = 30.0
"""How long anything may take on a busy machine."""
LOOK_AGAIN_SECONDS = 0.05


def wait_until(what: str, look: Callable[[], T], *, seconds: float = DEADLINE_SECONDS) -> T:
    """Look until `look` returns something true, and return that; else fail, saying that `what` did not come."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        select.select([], [], [], LOOK_AGAIN_SECONDS)
    return seen


async def until(
    what: str, look: Callable[[], T] | Callable[[], Awaitable[T]], *, seconds: float = DEADLINE_SECONDS
) -> T:
    """As `wait_until`, while the event loop goes on; `look` may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
