"""Tells when plain sockets are readable or writable: an epoll of our own beneath the event loop, or the loop itself."""

from __future__ import annotations

import asyncio
import select
import weakref
from collections.abc import Callable
from typing import Final, Protocol, cast

EVENTS_AT_ONCE: Final = 256

Callback = Callable[[], None]


class Readiness(Protocol):
    """An event loop's calls of these names; adding replaces, removing what is not there does nothing."""

    def add_reader(self, fd: int, callback: Callback, /) -> object: ...
    def remove_reader(self, fd: int, /) -> object: ...
    def add_writer(self, fd: int, callback: Callback, /) -> object: ...
    def remove_writer(self, fd: int, /) -> object: ...


class EpollReadiness:
    """One epoll for all plain sockets of a loop, itself one reader of that loop (Linux).

    uvloop makes a handle for each `add_reader` and libuv tries each descriptor in its epoll and out again: a tenth of
    a short connection's CPU. And libuv tells an error once only, to whoever listens then; this one is level-triggered.
    """

    __slots__ = ("__weakref__", "_epoll", "_loop", "_masks", "_poll", "_readers", "_writers")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._masks: dict[int, int] = {}
        self._loop = weakref.ref(loop)
        self._open(loop)

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._poll = self._epoll.poll
        loop.add_reader(self._epoll.fileno(), self._ready)

    def rest(self) -> None:
        """Give the descriptor back when nothing is watched; watching again takes a new one."""
        if not self._masks and not self._epoll.closed:
            loop = self._loop()
            if loop is not None:
                loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _ready(self) -> None:
        readers, writers = self._readers.get, self._writers.get
        for fd, events in self._poll(0, EVENTS_AT_ONCE):
            # An earlier callback may have closed this descriptor, and it may be another socket's by now: callbacks
            # try, and are not surprised when there is nothing.
            try:
                if events != select.EPOLLOUT and (callback := readers(fd)) is not None:
                    callback()
                if events != select.EPOLLIN and (callback := writers(fd)) is not None:
                    callback()
            except Exception as error:  # noqa: BLE001  # the loop's handler logs it; the other sockets go on
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"a callback of descriptor {fd} failed", "exception": error}
                )

    def add_reader(self, fd: int, callback: Callback, /) -> None:
        self._readers[fd] = callback
        self._add(fd, select.EPOLLIN)

    def add_writer(self, fd: int, callback: Callback, /) -> None:
        self._writers[fd] = callback
        self._add(fd, select.EPOLLOUT)

    def remove_reader(self, fd: int, /) -> None:
        if self._readers.pop(fd, None) is not None:
            self._remove(fd, select.EPOLLIN)

    def remove_writer(self, fd: int, /) -> None:
        if self._writers.pop(fd, None) is not None:
            self._remove(fd, select.EPOLLOUT)

    def _add(self, fd: int, bit: int) -> None:
        before = self._masks.get(fd, 0)
        if before & bit:
            return
        if self._epoll.closed and (loop := self._loop()) is not None:
            self._open(loop)
        self._masks[fd] = mask = before | bit
        if before:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)

    def _remove(self, fd: int, bit: int) -> None:
        mask = self._masks[fd] & ~bit
        if mask:
            self._masks[fd] = mask
            self._epoll.modify(fd, mask)
        else:
            # Not with a mask of 0: errors and hang-ups would still be told, over and over.
            del self._masks[fd]
            self._epoll.unregister(fd)


_of_loops: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Readiness]] = weakref.WeakKeyDictionary()


def readiness_of(loop: asyncio.AbstractEventLoop) -> Readiness:
    """Return what tells the readiness of plain sockets on `loop`, one for each loop, made when first asked for."""
    found = _of_loops.get(loop)
    if found is None:
        found = EpollReadiness(loop) if hasattr(select, "epoll") else cast("Readiness", loop)
        _of_loops[loop] = found
    return found


def rest(loop: asyncio.AbstractEventLoop) -> None:
    """Hold no descriptor for `loop` while none of its sockets is watched."""
    found = _of_loops.get(loop)
    if isinstance(found, EpollReadiness):
        found.rest()
