"""The name that a TLS client asks for, read from its first message before TLS begins, and the context it gets by it.

OpenSSL's own way, `SSLContext.sni_callback`, is no way here: aiofastnet makes its connections beneath Python's, and the
interpreter dies in the callback.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from typing import Final

from wsgui.certificates.port import PortContexts

HANDSHAKE_RECORD: Final = 22
CLIENT_HELLO: Final = 1
SERVER_NAME: Final = 0
HOST_NAME: Final = 0
MAX_HELLO_BYTES: Final = 64 * 1024
"""What is looked at; a longer message is OpenSSL's to judge."""
FIRST_WAIT_SECONDS: Final = 0.002
LONGEST_WAIT_SECONDS: Final = 0.25
PATIENCE_SECONDS: Final = 10.0


async def chosen_context(contexts: PortContexts, sock: socket.socket) -> ssl.SSLContext:
    """Return the context that a client gets; nothing is taken from its socket.

    Of several certificates it is the one for the name that the client asks for, else for the address it came to.
    """
    if len(contexts.shown) == 1:
        return contexts.default
    name = await _asked_name(sock)
    host = sock.getsockname()
    return contexts.choose(name, host[0] if isinstance(host, tuple) else "")


async def _asked_name(sock: socket.socket) -> str:
    """Wait until the client's first message is there; empty when it names nobody, or takes too long over it."""
    hello = Hello()  # not read anew at each look: ten thousand records of one byte would keep the loop busy
    wait, end = FIRST_WAIT_SECONDS, time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = sock.recv(MAX_HELLO_BYTES, socket.MSG_PEEK)
        name = hello.name(data)
        if name is not None:
            return name
        # What is only looked at stays there to be read, so that readiness says nothing about the rest.
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)
    return ""


def server_name(data: bytes) -> str | None:
    """Return the host name in a ClientHello (RFC 6066, 3; RFC 8446, 4.1.2).

    Args:
        data: What a client has sent so far.

    Returns:
        An empty string when it asks for none, or sends something else or something damaged; None while more is needed.
    """
    return Hello().name(data)


class _DamagedError(Exception):
    pass


class _Reader:
    """Reads numbers and vectors of the TLS presentation language (RFC 8446, 3)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.rest:
            raise _DamagedError
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Reader:
        return _Reader(self.take(self.number(size)))


class Hello:
    """A client's first message as it comes in, from however many records; each byte is looked at once."""

    def __init__(self) -> None:
        self._message = bytearray()
        self._at = 0
        self._left = 0  # of the record that is begun

    def name(self, data: bytes) -> str | None:
        """Return what `server_name` does; `data` begins with all that was given before."""
        try:
            return _name_in(bytes(self._message[4:])) if self._is_whole(data) else None
        except (_DamagedError, UnicodeDecodeError):
            return ""

    def _is_whole(self, data: bytes) -> bool:
        message = self._message
        while self._at < len(data):
            if not self._left:
                if data[self._at] != HANDSHAKE_RECORD:
                    raise _DamagedError
                if len(data) < self._at + 5:
                    break
                self._left = int.from_bytes(data[self._at + 3 : self._at + 5], "big")
                if not self._left:
                    raise _DamagedError
                self._at += 5
            piece = data[self._at : self._at + self._left]
            message += piece
            self._at += len(piece)
            self._left -= len(piece)
            if message and message[0] != CLIENT_HELLO:
                raise _DamagedError
            needed = 4 + int.from_bytes(message[1:4], "big")
            if len(message) >= 4 and len(message) >= needed:
                del message[needed:]
                return True
        if len(data) >= MAX_HELLO_BYTES:
            raise _DamagedError
        return False


def _name_in(hello: bytes) -> str:
    reader = _Reader(hello)
    reader.take(2 + 32)  # version, random
    for size in (1, 2, 1):  # session ID, cipher suites, compression methods
        reader.vector(size)
    if not reader.rest:
        return ""
    extensions = reader.vector(2)
    while extensions.rest:
        kind, body = extensions.number(2), extensions.vector(2)
        if kind == SERVER_NAME:
            names = body.vector(2)
            while names.rest:
                kind, name = names.number(1), names.vector(2)
                if kind == HOST_NAME:
                    return name.take(name.rest).decode("ascii")
    return ""
