"""Threads for code that blocks: a bounded number, and none that keeps the program from ending."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

IDLE_SECONDS: Final = 30.0
LAST_SECONDS: Final = 2.0
"""How long the program's end waits for calls that have begun."""


class Threads:
    """A few threads of its own, so that code that hangs holds up nothing but calls of its kind.

    Args:
        name: For people who look at the process.
        most: Threads at once; further calls wait for one. Each ends when it has had nothing to do for a while.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._work: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._ending = False
        _all.add(self)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in a thread, and return what it returns or raise what it raises (an Exception).

        A call that is cancelled before it began does not begin; one that has begun goes on, and nobody hears of it.
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def call() -> None:
            if result.cancelled():
                return
            try:
                value = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller
                if not isinstance(error, Exception):
                    error = RuntimeError(f"{type(error).__name__} in a thread")
                tell(_fail, error)
            else:
                tell(_succeed, value)

        def tell(how: Callable[[asyncio.Future[T], Any], None], what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(how, result, what)

        self._begin(call)
        return await result

    def _begin(self, work: Callable[[], None]) -> None:
        with self._changed:
            self._work.append(work)
            if self._idle < len(self._work) and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            else:
                self._changed.notify()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._work:
                self._idle += 1
                if self._ending:
                    self._changed.notify_all()
                told = self._changed.wait(IDLE_SECONDS)
                self._idle -= 1
                if not told and not self._work:
                    self._threads -= 1
                    return None
            return self._work.popleft()

    def end(self, seconds: float) -> bool:
        """Begin no call any more, and return whether those that have begun are over within `seconds`; blocking."""
        with self._changed:
            self._work.clear()
            self._ending = True
            return self._changed.wait_for(lambda: self._idle == self._threads, seconds)


_all: Final[weakref.WeakSet[Threads]] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Let calls come back: Python ends threads by unwinding them, and one in Rust or C++ aborts the process then."""
    deadline = time.monotonic() + LAST_SECONDS
    for each in tuple(_all):
        each.end(max(deadline - time.monotonic(), 0.0))


def _succeed(result: asyncio.Future[T], value: T) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[T], error: Exception) -> None:
    if not result.done():
        result.set_exception(error)
