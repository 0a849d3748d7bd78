"""An end of a relay over a program's terminal, which the client speaks telnet to."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable
from typing import Final

from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.ends import LINGER_SECONDS, DataHandler, EndHandler, nothing
from wsgui.bridge.program_end import LAST_LOOK_SECONDS, Parting
from wsgui.bridge.readiness import readiness_of
from wsgui.command.child import Child
from wsgui.command.telnet import TelnetServer
from wsgui.command.terminal import Size, set_size

READ_BYTES: Final = 64 * 1024
"""As much of a terminal's output, of which the kernel gives 4 KiB at a time, makes one frame."""
TYPED_BYTES: Final = 8 * 1024
"""So much of a client's telnet is read in one turn of the loop, as that costs some time a byte."""


class TerminalEnd:
    """A program's terminal, seen from the side of the window; owns its descriptor, and speaks telnet to the client.

    There is no half-close: what ends a program's input is a key. Closing hangs up. It is over when nobody holds the
    program's side any more, or when the program has exited and nothing comes.

    Args:
        fd: Of `terminal.open_terminal`.
        child: The program.
        on_left: Called once when this end is closed, so that the program can be ended too.
    """

    __slots__ = (
        "_buffer",
        "_child",
        "_heard",
        "_last_look",
        "_lingering",
        "_lingers",
        "_loop",
        "_most",
        "_on_closed",
        "_on_left",
        "_owed",
        "_parting",
        "_pumping",
        "_readiness",
        "_reading",
        "_received",
        "_replies",
        "_replying",
        "_telnet",
        "_typed",
        "closed",
        "fd",
        "on_data",
        "on_drained",
        "on_end",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fd: int,
        buffer: ReadBuffer,
        child: Child,
        on_left: Callable[[], None],
    ) -> None:
        self.fd = fd
        self.closed = False
        self.on_data: DataHandler = nothing
        self.on_end: EndHandler = nothing
        self.on_drained: Callable[[], None] = nothing
        self._on_closed: Callable[[], None] = nothing
        self._on_left = on_left
        self._loop = loop
        self._readiness = readiness_of(loop)
        self._buffer = buffer
        self._most = min(READ_BYTES, buffer.size // 4)  # encoded it may be twice as long
        self._child = child
        self._parting = Parting(loop, child)
        self._telnet = TelnetServer()
        self._replies = self._telnet.opening
        self._replying = False
        self._received = b""  # from the client, not looked at yet
        self._typed = b""  # looked at, for the program
        self._owed = False  # the sender was told to wait
        self._pumping = False
        self._reading = False
        self._lingers = False
        self._lingering: asyncio.TimerHandle | None = None
        self._heard = False
        self._last_look: asyncio.TimerHandle | None = None
        child.exited.add_done_callback(self._exited)

    @property
    def farewell(self) -> str:
        return self._child.farewell if self._child.exited.done() else ""

    @property
    def pending(self) -> int:
        return len(self._received) + len(self._typed)

    # To the program

    def send(self, data: bytes | memoryview) -> bool:
        if self.closed:
            return True
        self._received += bytes(data)
        if not self._pumping:
            self._pump()
        if not self.pending:
            return True
        self._owed = True
        return False

    def _pump(self) -> None:
        """Write what was typed, and look at the next piece once it is gone."""
        self._pumping = False
        if self.closed:
            return
        if not self._typed and self._received:
            piece, self._received = self._received[:TYPED_BYTES], self._received[TYPED_BYTES:]
            received = self._telnet.feed(piece)
            self._typed = received.data
            if received.sizes:
                with contextlib.suppress(OSError):  # gone: the reading side finds that out
                    set_size(self.fd, Size(*received.sizes[-1]))
            if received.replies:
                self._replies += received.replies
                self._reply_soon()
        if self._typed:
            try:
                taken = os.write(self.fd, self._typed)
            except BlockingIOError:
                taken = 0
            except OSError:
                self._received = b""
                taken = len(self._typed)
            self._typed = self._typed[taken:]
        if self._typed:
            self._pumping = True
            self._readiness.add_writer(self.fd, self._pump)
            return
        self._readiness.remove_writer(self.fd)
        if self._received:
            self._pumping = True
            self._loop.call_soon(self._pump)
        elif self._owed:
            self._owed = False
            self.on_drained()

    # From the program

    def _readable(self) -> None:
        view, count, ended = self._buffer.area, 0, False
        try:
            while count < self._most and (got := os.readv(self.fd, [view[count : self._most]])):
                count += got
            ended = not count
        except BlockingIOError:
            pass
        except OSError:
            ended = not count  # EIO: nobody holds the program's side; what was read before it is told first
        if count:
            self._heard = True
            self._deliver(bytes(view[:count]))
        elif ended:
            self._ended()

    def _exited(self, exited: object = None) -> None:
        """Look until nothing comes any more: a job that the program has left behind may hold its terminal for ever."""
        self._last_look = None
        if self.closed or self._parting.begun:
            return
        if exited is None and self._reading and not self._heard:
            self._ended()
            return
        self._heard = False
        self._last_look = self._loop.call_later(LAST_LOOK_SECONDS, self._exited)

    def _deliver(self, said: bytes) -> None:
        data, self._replies = self._replies + self._telnet.encode(said), b""
        end = START + len(data)
        self._buffer.data[START:end] = data
        try:
            self.on_data(end)
        except Exception as error:  # noqa: BLE001  # a fault of ours: told, and it costs this connection only
            self._loop.call_exception_handler({"message": "handling what a program said failed", "exception": error})
            self.pause()
            self.on_end(OSError(errno.EIO, "a fault of our own"))
            self.close()

    def _reply_soon(self) -> None:
        # Not from within `send`: what is sent lies in the buffer that an answer would be put into.
        if self._replies and self._reading and not self._replying:
            self._replying = True
            self._loop.call_soon(self._reply)

    def _reply(self) -> None:
        self._replying = False
        if self._replies and self._reading:
            self._deliver(b"")

    def _ended(self) -> None:
        self.pause()
        if self._lingers:
            self.close()
        else:
            self._parting.begin(self._tell_end)

    def _tell_end(self) -> None:
        self.on_end(None)

    def resume(self) -> None:
        if not self._reading and not self.closed and (not self._parting.begun or self._lingers):
            self._reading = True
            self._readiness.add_reader(self.fd, self._readable)
            self._reply_soon()

    def pause(self) -> None:
        if self._reading:
            self._reading = False
            self._readiness.remove_reader(self.fd)

    def probe(self, *, even_paused: bool = False) -> None:
        if self._reading:
            self._readable()

    # Endings

    def finish(self) -> None:
        """Nothing to do: a terminal has no end of input but its hanging up."""

    def linger(self, on_closed: Callable[[], None] = nothing, *, peer_is_done: bool = False) -> None:
        if not self.closed and self.pending:
            self._on_closed = on_closed
            self._lingers = True
            self.on_data = self.on_end = nothing
            self._owed = True
            self.on_drained = self.close
            self._lingering = self._loop.call_later(LINGER_SECONDS, self.close)
            self.resume()  # a program that is stuck in writing reads nothing
            return
        self.close()
        on_closed()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.pause()
        self._readiness.remove_writer(self.fd)
        self._parting.cancel()
        for timer in (self._lingering, self._last_look):
            if timer is not None:
                timer.cancel()
        self._received = self._typed = b""
        on_closed = self._on_closed
        self.on_data = self.on_end = self.on_drained = self._on_closed = nothing
        os.close(self.fd)
        on_closed()
        self._on_left()
