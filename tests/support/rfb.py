"""A VNC server that does what a test tells it, right or wrong; what viewers send is kept message by message."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

VERSION = b"RFB 003.008\n"  # RFC 6143, 7.1.1
NONE, VNC_AUTH, VENCRYPT = 1, 2, 19
PLAIN = 256
PIXELS = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)

SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT = 0, 2, 3, 4, 5, 6
OF_A_PERSON = frozenset({KEY, POINTER, CUT_TEXT, 251, 255})
"""Messages by which a person does something: also SetDesktopSize and QEMU's keys."""


@dataclass
class Viewer:
    """One viewer at this server, as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    messages: list[tuple[int, bytes]] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def begin(self, *, name: bytes = b"A desktop", size: tuple[int, int] = (64, 48)) -> None:
        """Greet, ask for nothing, and say what the desktop is."""
        await self.greet(NONE)
        await self.let_in(name=name, size=size)

    async def greet(self, security: int) -> None:
        self.send(VERSION)
        await self.reader.readexactly(12)
        self.send(bytes((1, security)))
        assert await self.reader.readexactly(1) == bytes((security,))

    async def let_in(self, *, name: bytes = b"A desktop", size: tuple[int, int] = (64, 48)) -> None:
        """Say what the desktop is, and wait until the viewer asks to see it."""
        self.send(struct.pack(">I", 0))
        await self.reader.readexactly(1)  # shared or not
        self.send(struct.pack(">HH", *size) + PIXELS + struct.pack(">I", len(name)) + name)
        while not self.messages or self.messages[-1][0] != UPDATE_REQUEST:
            await self._take()

    def refuse(self, reason: str) -> None:
        text = reason.encode()
        self.send(struct.pack(">II", 1, len(text)) + text)

    async def asked_plain(self) -> tuple[str, str]:
        """Ask for user and password as VeNCrypt's Plain does, without TLS; what was answered."""
        await self.greet(VENCRYPT)
        self.send(b"\0\2")
        assert await self.reader.readexactly(2) == b"\0\2"
        self.send(b"\0" + bytes((1,)) + struct.pack(">I", PLAIN))
        assert await self.reader.readexactly(4) == struct.pack(">I", PLAIN)
        user, password = struct.unpack(">II", await self.reader.readexactly(8))
        both = await self.reader.readexactly(user + password)
        return both[:user].decode(), both[user:].decode()

    def paint(self, colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> None:
        """Fill the desktop: one raw rectangle."""
        pixel = bytes((*colour, 0))
        self.send(struct.pack(">BxHHHHHi", 0, 1, 0, 0, *size, 0) + pixel * (size[0] * size[1]))

    def rectangle(self, size: tuple[int, int], encoding: int, data: bytes = b"") -> None:
        self.send(struct.pack(">BxHHHHHi", 0, 1, 0, 0, *size, encoding) + data)

    def cut_text(self, text: bytes) -> None:
        self.send(struct.pack(">B3xI", 3, len(text)) + text)

    def extended_cut_text(self, flags: int, data: bytes) -> None:
        self.send(struct.pack(">B3xiI", 3, -(4 + len(data)), flags) + data)

    async def listen(self) -> None:
        """Take the viewer's messages until it leaves."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._take()

    async def _take(self) -> None:
        kind = (await self.reader.readexactly(1))[0]
        self.messages.append((kind, await self._rest(kind)))

    async def _rest(self, kind: int) -> bytes:
        sizes = {SET_PIXEL_FORMAT: 19, UPDATE_REQUEST: 9, KEY: 7, POINTER: 5, 150: 9}
        if kind in sizes:
            return await self.reader.readexactly(sizes[kind])
        if kind == SET_ENCODINGS:
            count = struct.unpack(">xH", await self.reader.readexactly(3))[0]
            return await self.reader.readexactly(4 * count)
        if kind == CUT_TEXT:
            length = abs(struct.unpack(">3xi", await self.reader.readexactly(7))[0])
            return await self.reader.readexactly(length)
        raise AssertionError(f"message {kind} is not expected here")

    def keys(self) -> list[tuple[int, bool]]:
        """Keysyms that were pressed (True) and let go."""
        return [(struct.unpack(">3xI", rest)[0], bool(rest[0])) for kind, rest in self.messages if kind == KEY]


Script = Callable[[Viewer], Awaitable[None]]


@dataclass
class RfbServer:
    port: int = 0
    viewers: list[Viewer] = field(default_factory=list)


@asynccontextmanager
async def rfb_server(script: Script) -> AsyncIterator[RfbServer]:
    """Serve viewers on a free loopback port, each by `script`, after which the connection is closed."""
    made = RfbServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        viewer = Viewer(reader, writer)
        made.viewers.append(viewer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script(viewer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for viewer in made.viewers:
            viewer.writer.close()
