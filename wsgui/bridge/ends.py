"""One end of a relay: a plain non-blocking socket on the loop's readiness calls, or a TLS transport."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Final, Protocol

from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.readiness import readiness_of

LINGER_SECONDS: Final = 2.0
"""How long an end that has said all it has to say waits for its peer to close."""
STALL_SECONDS: Final = 30.0
"""A peer that takes nothing of what is pending for it for so long is cut off."""
LINGER_BYTES: Final = 8 * 1024 * 1024
"""So much is taken meanwhile of what the peer still sends: what was under way, not an endless stream."""

DataHandler = Callable[[int], None]
"""Called with `end`: bytes lie at `buffer.view[START:end]` until it returns."""
EndHandler = Callable[[OSError | None], None]
"""Called once when the peer will send no more: None for a clean end of stream, else what went wrong."""


def nothing(*_: object) -> None:
    """A handler for who does not want to know."""


class End(Protocol):
    """What a handshake and a relay need of either kind of end.

    The owner sets `on_data`, `on_end` and `on_drained`. `closed` is true once `close` was called or the connection
    was lost; then no handler is called any more.
    """

    on_data: DataHandler
    on_end: EndHandler
    on_drained: Callable[[], None]

    @property
    def closed(self) -> bool: ...
    @property
    def pending(self) -> int:
        """Bytes accepted by `send` that the kernel has not taken yet."""
        ...

    @property
    def farewell(self) -> str:
        """Why the peer ended, for people, where it is a program; else, and as long as that is not known, empty."""
        ...

    def send(self, data: bytes | memoryview) -> bool:
        """Send `data`, or keep a copy of what the kernel does not take now.

        Returns:
            False when some of it has to wait: stop feeding, `on_drained` is called when it is gone. A peer that is
            gone takes nothing more: its end is reported by the reading side.
        """
        ...

    def resume(self) -> None:
        """Read (again)."""
        ...

    def pause(self) -> None:
        """Stop reading: the peer is held back by TCP."""
        ...

    def probe(self, *, even_paused: bool = False) -> None:
        """Look for an end of the connection that the loop did not tell, where it may have.

        libuv reports a reset (EPOLLERR) once, to whoever reads or writes then, and stops polling: a reader that was
        paused at that moment, or found bytes before the error, would never be called again. With `even_paused` a
        reset is told also when it is not being read, and what it sent before is lost.
        """
        ...

    def finish(self) -> None:
        """Say that nothing more will be sent (FIN, close_notify), after what is pending."""
        ...

    def linger(self, on_closed: Callable[[], None] = nothing, *, peer_is_done: bool = False) -> None:
        """Finish, discard what still arrives (LINGER_BYTES), and close when the peer has, or after LINGER_SECONDS.

        Closing at once would throw away, by a TCP reset, what the peer has not read yet, if it is still sending;
        `peer_is_done` says that it is not. `on_closed` is called when the end is closed, be it at once.
        """
        ...

    def close(self) -> None:
        """Close now; pending bytes are lost."""
        ...


class SocketEnd:
    """A plain TCP or unix socket, non-blocking, on `add_reader` and `add_writer`; owns the socket."""

    __slots__ = (
        "_broken",
        "_buffer",
        "_discardable",
        "_finishing",
        "_lingering",
        "_lingers",
        "_loop",
        "_on_closed",
        "_pending",
        "_readiness",
        "_reading",
        "_reading_on",
        "_recv_into",
        "_send",
        "closed",
        "fd",
        "on_data",
        "on_drained",
        "on_end",
        "sock",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, buffer: ReadBuffer) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.closed = False
        self.on_data: DataHandler = nothing
        self.on_end: EndHandler = nothing
        self.on_drained: Callable[[], None] = nothing
        self._on_closed: Callable[[], None] = nothing
        self._loop = loop
        self._readiness = readiness_of(loop)
        self._buffer = buffer
        self._recv_into = sock.recv_into
        self._send = sock.send
        self._pending: memoryview | None = None
        self._reading = False
        self._broken = False
        self._reading_on = False
        self._finishing = False
        self._discardable = LINGER_BYTES
        self._lingers = False
        self._lingering: asyncio.TimerHandle | None = None

    @property
    def farewell(self) -> str:
        return ""

    @property
    def pending(self) -> int:
        return len(self._pending) if self._pending is not None else 0

    def send(self, data: bytes | memoryview) -> bool:
        if self._pending is not None:
            self._pending = memoryview(b"".join((self._pending, data)))
            return False
        try:
            taken = self._send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self._break()
            return False
        if taken == len(data):
            return True
        if not self.closed:
            self._pending = memoryview(bytes(data[taken:]))
            self._readiness.add_writer(self.fd, self._writable)
        return False

    def _writable(self) -> None:
        pending = self._pending
        if pending is None:
            return
        try:
            taken = self._send(pending)
        except BlockingIOError:
            return
        except OSError:
            self._break()
            taken = len(pending)
        if taken != len(pending):
            self._pending = pending[taken:]
            return
        self._pending = None
        self._readiness.remove_writer(self.fd)
        if self._finishing:
            self._shut()
        self.on_drained()

    def read_now(self) -> None:
        """Read what may already be there, without waiting to be told that the socket is readable."""
        self._readable()

    def _readable(self) -> None:
        try:
            count = self._recv_into(self._buffer.area)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended(error)
            return
        if not count:
            self._ended(None)
            return
        try:
            self.on_data(START + count)
        except Exception as error:  # noqa: BLE001  # a fault of ours: told, and it costs this connection only
            self._loop.call_exception_handler({"message": "handling what a socket received failed", "exception": error})
            self._ended(OSError(errno.EIO, "a fault of our own"))
            self.close()
            return
        if self._broken:
            self._read_on_soon()

    def _break(self) -> None:
        """Read on unasked, now that a send has failed: up to what was still received, then to the error."""
        self._broken = True
        self._read_on_soon()

    def _read_on_soon(self) -> None:
        if self._reading and not self._reading_on:
            self._reading_on = True
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self._reading_on = False
        if self._reading:
            self._readable()

    def probe(self, *, even_paused: bool = False) -> None:
        if self._reading:
            self._readable()
        elif even_paused and not self.closed and (code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._ended(OSError(code, os.strerror(code)))

    def _ended(self, error: OSError | None) -> None:
        self.pause()
        self.on_end(error)

    def resume(self) -> None:
        if not self._reading and not self.closed:
            self._reading = True
            self._readiness.add_reader(self.fd, self._readable)
            if self._broken:
                self._read_on_soon()

    def pause(self) -> None:
        if self._reading:
            self._reading = False
            self._readiness.remove_reader(self.fd)

    def finish(self) -> None:
        if not self._finishing and not self.closed:
            self._finishing = True
            if self._pending is None:
                self._shut()

    def _shut(self) -> None:
        with contextlib.suppress(OSError):  # the peer may have closed already; the reading side finds that out
            self.sock.shutdown(socket.SHUT_WR)
        if self._lingering is None and self._lingers:
            self._lingering = self._loop.call_later(LINGER_SECONDS, self.close)

    def linger(self, on_closed: Callable[[], None] = nothing, *, peer_is_done: bool = False) -> None:
        if peer_is_done and self._pending is None:
            self.close()  # the kernel sends what it has, then FIN
        if self.closed:
            on_closed()
            return
        self._on_closed = on_closed
        self._lingers = True
        self.on_data = self._discard
        self.on_end = self._peer_closed
        self.on_drained = nothing
        self.finish()
        if self._pending is None and self._lingering is None:
            self._lingering = self._loop.call_later(LINGER_SECONDS, self.close)
        self.resume()

    def _discard(self, end: int) -> None:
        self._discardable -= end - START
        if self._discardable <= 0:
            # Not closed yet: a reset could take from the peer what it was sent and has not read.
            self.pause()

    def _peer_closed(self, error: OSError | None) -> None:
        if error is not None or self._pending is None:
            self.close()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.pause()
        if self._pending is not None:
            self._pending = None
            self._readiness.remove_writer(self.fd)
        if self._lingering is not None:
            self._lingering.cancel()
        on_closed = self._on_closed
        self.on_data = self.on_end = self.on_drained = self._on_closed = nothing
        self.sock.close()
        on_closed()
