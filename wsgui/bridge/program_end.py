"""An end of a relay over a program whose standard input and output are a socket; how every program takes its leave."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final

from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.ends import SocketEnd
from wsgui.command.child import Child

STATUS_SECONDS: Final = 1.0
"""How long the end of a program's output waits for the exit status, which is to be said with it."""
LAST_LOOK_SECONDS: Final = 0.1
"""How often it is looked, after a program has exited, whether all that it said is read."""


class Parting:
    """Tells of the end of a program's output once its exit status is known, or after STATUS_SECONDS; only once."""

    __slots__ = ("_child", "_loop", "_tell", "_timer", "begun")

    def __init__(self, loop: asyncio.AbstractEventLoop, child: Child) -> None:
        self.begun = False
        self._loop = loop
        self._child = child
        self._tell: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, tell: Callable[[], None]) -> None:
        if self.begun:
            return
        self.begun = True
        if self._child.exited.done():
            tell()
            return
        self._tell = tell
        self._timer = self._loop.call_later(STATUS_SECONDS, self._over)
        self._child.exited.add_done_callback(self._over)

    def _over(self, _: object = None) -> None:
        tell = self._tell
        self.cancel()
        if tell is not None:
            tell()

    def cancel(self) -> None:
        self._tell = None
        if self._timer is not None:
            self._timer.cancel()
            self._child.exited.remove_done_callback(self._over)
            self._timer = None


class ProgramEnd(SocketEnd):
    """The other side of the socket that is a program's standard input and output.

    It is over when nobody holds that socket any more, or when the program has exited and what it said is read: what
    it left running may hold the socket for ever.

    Args:
        child: The program.
        on_left: Called once when this end is closed, so that the program can be ended too.
    """

    __slots__ = ("_child", "_last_look", "_on_left", "_parting")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        buffer: ReadBuffer,
        child: Child,
        on_left: Callable[[], None],
    ) -> None:
        super().__init__(loop, sock, buffer)
        self._child = child
        self._on_left = on_left
        self._parting = Parting(loop, child)
        self._last_look: asyncio.TimerHandle | None = None
        child.exited.add_done_callback(self._exited)

    @property
    def farewell(self) -> str:
        return self._child.farewell if self._child.exited.done() else ""

    def _exited(self, _: object = None) -> None:
        self._last_look = None
        if self.closed or self._parting.begun:
            return
        if self._reading:
            with contextlib.suppress(OSError):
                try:
                    self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                except BlockingIOError:
                    self._ended(None)
                    return
        # What is there is read first, however slowly its client takes it.
        self._last_look = self._loop.call_later(LAST_LOOK_SECONDS, self._exited)

    def _ended(self, error: OSError | None) -> None:
        if self._lingers:
            super()._ended(error)
            return
        self.pause()
        # A reset is said where the program did not read all that it was sent: to the client that is an end as others.
        self._parting.begin(self._tell_end)

    def _tell_end(self) -> None:
        self.on_end(None)

    def resume(self) -> None:
        if not self._parting.begun or self._lingers:
            super().resume()

    def close(self) -> None:
        if not self.closed:
            self._parting.cancel()
            if self._last_look is not None:
                self._last_look.cancel()
            super().close()
            self._on_left()
