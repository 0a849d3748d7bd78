"""Calls that block (disk, keyring, other programs), each in a thread of its own, awaited on Qt's loop."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T], *, name: str) -> T:
    """Run `call` in a new thread and return what it returns, or raise what it raises.

    The thread holds up neither others nor the program's end, as a keyring may wait for its user as long as it likes.
    Cancelling this leaves the thread to itself; what it brings is dropped.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 handed to who awaits, on the other thread
            _settle(functools.partial(future.set_exception, error))
        else:
            _settle(functools.partial(future.set_result, value))

    threading.Thread(target=run, name=name, daemon=True).start()
    return await asyncio.wrap_future(future)


def _settle(settle: Callable[[], None]) -> None:
    try:
        settle()
    except (InvalidStateError, RuntimeError):
        return  # cancelled meanwhile, or the loop is gone: nobody waits any more
