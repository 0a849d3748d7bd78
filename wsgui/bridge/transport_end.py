"""An end of a relay over a TLS transport of aiofastnet's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.ends import DataHandler, EndHandler, nothing

INCOMING_BIO_BYTES: Final = 512 * 1024
"""aiofastnet's room for TLS records not decrypted yet; twice its default uploads 1.1 times as fast."""


class TransportEnd(asyncio.BufferedProtocol):
    """A transport of aiofastnet's: TLS, on whatever loop.

    It shares the read buffer both ways, which is safe with aiofastnet only: its TLS transport decrypts into what
    `get_buffer` returns and calls `buffer_updated` at once, and its `write` encrypts at once and copies what does not
    fit. (The standard library's and uvloop's transports may keep what they were given: that stalled a prototype.)

    Args:
        on_made: Called with this end once the connection stands (for TLS: after the handshake), before any data.
        buffer: The loop's read buffer.
    """

    __slots__ = (
        "_buffer",
        "_congested",
        "_loop",
        "_on_closed",
        "_on_made",
        "_paused",
        "_transport",
        "closed",
        "on_data",
        "on_drained",
        "on_end",
    )

    _transport: asyncio.Transport

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_made: Callable[[TransportEnd], None], buffer: ReadBuffer
    ) -> None:
        self.closed = False
        self.on_data: DataHandler = nothing
        self.on_end: EndHandler = nothing
        self.on_drained: Callable[[], None] = nothing
        self._on_closed: Callable[[], None] = nothing
        self._loop = loop
        self._on_made = on_made
        self._buffer = buffer
        self._paused = False
        self._congested = False

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self.pause()
        self._on_made(self)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._buffer.area

    def buffer_updated(self, nbytes: int) -> None:
        self.on_data(START + nbytes)

    def eof_received(self) -> bool:
        self.on_end(None)
        return False  # TLS cannot stay half open; what is pending is still flushed

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closed:
            return
        on_end = self.on_end
        self._forget()
        on_end(exc if isinstance(exc, OSError) else None)

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False
        self.on_drained()

    # End

    @property
    def ssl_object(self) -> object:
        """What tells of the peer's certificate, as `ssl.SSLObject` does; None once closed."""
        return None if self.closed else self._transport.get_extra_info("ssl_object")

    @property
    def farewell(self) -> str:
        return ""

    @property
    def pending(self) -> int:
        return 0 if self.closed else self._transport.get_write_buffer_size()

    def send(self, data: bytes | memoryview) -> bool:
        if self.closed:
            return True
        self._transport.write(data)
        return not self._congested

    def resume(self) -> None:
        if self._paused and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def pause(self) -> None:
        if not self._paused and not self.closed:
            self._paused = True
            self._transport.pause_reading()

    def probe(self, *, even_paused: bool = False) -> None:
        """Nothing to do: the transport fails by its own writes and timeouts."""

    def finish(self) -> None:
        if not self.closed:
            self._transport.close()  # flushes, then close_notify

    def linger(self, on_closed: Callable[[], None] = nothing, *, peer_is_done: bool = False) -> None:
        if self.closed:
            on_closed()
            return
        self._on_closed = on_closed
        self.on_data = self.on_end = self.on_drained = nothing
        self.resume()
        self.finish()

    def close(self) -> None:
        if not self.closed:
            transport = self._transport
            self._forget()
            transport.abort()

    def _forget(self) -> None:
        self.closed = True
        on_closed = self._on_closed
        self.on_data = self.on_end = self.on_drained = self._on_closed = nothing
        on_closed()
