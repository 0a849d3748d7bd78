"""A WebSocket client that says exactly what a test wants it to, and targets to stand behind a tunnel."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from websockets.utils import apply_mask

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
DEADLINE = 20.0


def client_frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes | None = None) -> bytes:
    """A masked frame (RFC 6455, section 5.2)."""
    mask = os.urandom(4) if mask is None else mask
    length = len(payload)
    first = (0x80 if fin else 0) | opcode
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65536:
        head = bytes((first, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + length.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer's head."""

    status: int
    fields: dict[str, str]
    body: bytes = b""


class RawClient:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.reader = reader
        self.writer = writer
        self.host = host

    @classmethod
    async def connect(cls, url: str, *, tls: ssl.SSLContext | None = None, limit: int = 1 << 20) -> Self:
        """Open a TCP (or, with `tls`, a TLS) connection to where `url` points; nothing is sent yet."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, ssl=tls, server_hostname=parts.hostname if tls else None, limit=limit
        )
        return cls(reader, writer, parts.netloc)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def head(self, path: str = "/", *, drop: tuple[str, ...] = (), **fields: str) -> bytes:
        """A request that opens a WebSocket, with `fields` (underscores for dashes) over the usual ones."""
        usual = {
            "host": self.host,
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-version": "13",
            "sec-websocket-key": KEY,
        }
        usual |= {name.replace("_", "-").lower(): value for name, value in fields.items()}
        lines = [f"{name}: {value}" for name, value in usual.items() if name not in drop]
        return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")

    async def answer(self, *, body: bool = False) -> Answer:
        """Read the answer's head, and its body when asked."""
        async with asyncio.timeout(DEADLINE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
        data = b""
        if body:
            async with asyncio.timeout(DEADLINE):
                data = await self.reader.readexactly(int(fields.get("content-length", "0")))
        return Answer(int(lines[0].split(" ")[1]), fields, data)

    async def upgrade(self, **fields: str) -> Answer:
        """Open the WebSocket; fails when that is refused."""
        self.send(self.head(**fields))
        answer = await self.answer()
        assert answer.status == 101, answer
        return answer

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame from the server: opcode and payload."""
        async with asyncio.timeout(DEADLINE):
            first, second = await self.reader.readexactly(2)
            assert second < 128, "a server's frame must not be masked"
            length = second
            if second == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif second == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            payload = await self.reader.readexactly(length)
        assert first & 0x80, "the server does not fragment"
        return first & 0x0F, payload

    async def data(self, count: int) -> bytes:
        """Read `count` bytes of payload from data frames; pings in between are skipped."""
        data = b""
        while len(data) < count:
            opcode, payload = await self.frame()
            assert opcode in (2, 9), (opcode, payload)
            if opcode == 2:
                data += payload
        return data

    async def closed(self) -> tuple[int, str]:
        """Read until the server's Close frame: code and reason. Data in between is dropped."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big") if payload else 1005, payload[2:].decode()

    async def eof(self) -> bytes:
        """Read all that still comes, until the server has closed."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read(-1)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until the other side ends."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def tcp_target(serve: Serve = echo, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server on a free loopback port, with `serve` for each connection; yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
