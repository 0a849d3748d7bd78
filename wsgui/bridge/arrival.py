"""What a client of a port with a certificate says first: plain HTTP, or TLS, which is opened in the right context."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import aiofastnet

from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.client_hello import chosen_context
from wsgui.bridge.ends import STALL_SECONDS
from wsgui.bridge.transport_end import INCOMING_BIO_BYTES, TransportEnd
from wsgui.certificates.port import PortContexts

TLS_FIRST_BYTES: Final = (b"\x16", b"\x80")
"""A TLS record of type handshake (RFC 8446, section 5.1); an SSLv2 hello, which the handshake then refuses."""
FOREVER_SECONDS: Final = 365 * 86400.0
"""What a transport is told as its deadline: the bridge's clock keeps the profile's, and None would be its own."""


class Arrival:
    """One client from its accepted socket until it is known how it speaks. Exactly one of the handlers is called.

    Args:
        sock: Non-blocking; owned by this object until it is handed on.
        contexts: The port's.
        plain: Takes the socket of a client that speaks no TLS; what it has said is still there to be read.
        secure: Takes the end of one with which TLS stands, before any data.
        failed: Takes why TLS could not be; None when the client left before it said anything.
    """

    __slots__ = ("_buffer", "_contexts", "_failed", "_loop", "_plain", "_secure", "_sock", "_task")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        buffer: ReadBuffer,
        sock: socket.socket,
        contexts: PortContexts,
        *,
        plain: Callable[[socket.socket], None],
        secure: Callable[[TransportEnd], None],
        failed: Callable[[BaseException | None], None],
    ) -> None:
        self._loop = loop
        self._buffer = buffer
        self._sock: socket.socket | None = sock
        self._contexts = contexts
        self._plain = plain
        self._secure = secure
        self._failed = failed
        self._task: asyncio.Task[None] | None = None

    @property
    def is_encrypting(self) -> bool:
        """Whether the client has begun with TLS, which does not stand yet."""
        return self._task is not None

    def begin(self) -> None:
        """Look at the first byte; it may be there already."""
        sock = self._sock
        assert sock is not None
        try:
            first = sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            self._loop.add_reader(sock.fileno(), self._readable)
            return
        except OSError:
            first = b""
        if not first:
            self.close()
            self._failed(None)
        elif first in TLS_FIRST_BYTES:
            self._task = self._loop.create_task(self._encrypt())
        else:
            self._sock = None
            self._plain(sock)

    def _readable(self) -> None:
        assert self._sock is not None
        self._loop.remove_reader(self._sock.fileno())
        self.begin()

    async def _encrypt(self) -> None:
        sock, self._sock = self._sock, None  # only now: a task that is cancelled before it begins closes nothing
        assert sock is not None
        try:
            await aiofastnet.connect_accepted_socket(
                self._loop,
                lambda: TransportEnd(self._loop, self._made, self._buffer),
                sock,
                ssl=await chosen_context(self._contexts, sock),
                ssl_handshake_timeout=FOREVER_SECONDS,
                ssl_shutdown_timeout=STALL_SECONDS,  # flushing included; who does not answer is closed by our clock
                ssl_incoming_bio_size=INCOMING_BIO_BYTES,
            )
        except Exception as error:  # noqa: BLE001 - whatever the library raises, this client is over
            sock.close()
            self._task = None
            self._failed(error)
        except asyncio.CancelledError:
            sock.close()
            raise

    def _made(self, end: TransportEnd) -> None:
        if self._task is None:
            # Given up meanwhile: a transport that lives on would keep the number of a socket that is closed below it.
            end.close()
            return
        self._task = None
        self._secure(end)

    def close(self) -> None:
        """Give up on the client; no handler is called any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None
