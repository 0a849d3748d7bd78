"""What the scripts do with either program: ask for a WebSocket, open one, fetch a file; and how they say what came."""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.websockify.sides import Side
from tests.support.raw import ACCEPT, DEADLINE, RawClient, client_frame

BINARY = 2
TEXT = 1
CLOSE = 8
PING = 9
PONG = 10


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; status 0 when the connection was closed without one."""

    status: int
    fields: dict[str, str]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name.lower(), "")


async def read_reply(client: RawClient, *, head_only: bool = False) -> Reply:
    try:
        answer = await client.answer()
    except (asyncio.IncompleteReadError, ConnectionError):
        return Reply(0, {}, b"")
    if head_only or answer.status in (101, 304):
        return Reply(answer.status, answer.fields, b"")
    async with asyncio.timeout(DEADLINE):
        length = answer.fields.get("content-length")
        body = await (client.reader.read(-1) if length is None else client.reader.readexactly(int(length)))
    return Reply(answer.status, answer.fields, body)


async def ask(
    side: Side, path: str = "/", method: str = "GET", *, tls: ssl.SSLContext | None = None, **fields: str
) -> Reply:
    """Send one plain request; `fields` have underscores for dashes."""
    async with side.client(tls=tls) as client:
        client.send(request(method, path, **fields))
        return await read_reply(client, head_only=method == "HEAD")


def request(method: str, path: str, **fields: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in ({"Host": "localhost"} | fields).items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def another_address() -> str:
    """One of this computer's own; where there is but one, that."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(256)}.1" if sys.platform == "linux" else "127.0.0.1"


async def knock(
    side: Side,
    path: str = "/",
    *,
    drop: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    socket: Path | None = None,
    source: str = "",
    **fields: str,
) -> str:
    """Ask for a WebSocket: the status, and the subprotocol that was chosen; "closed" without an answer.

    Each comes from an address of its own where `source` names none, as failures of one are answered later and later.
    """
    try:
        async with side.client(tls=tls, path=socket, source=source or another_address()) as client:
            client.send(client.head(path, drop=drop, **fields))
            reply = await read_reply(client)
    except (ssl.SSLError, ConnectionError):
        return "no connection"
    if reply.status == 0:
        return "closed"
    if reply.status == 101:
        assert reply["sec-websocket-accept"] == ACCEPT or "sec_websocket_key" in fields
        assert reply["upgrade"].lower() == "websocket"
        assert reply["connection"].lower() == "upgrade"
    return f"{reply.status} {reply['sec-websocket-protocol']}".rstrip()


async def knock_all(side: Side, tokens: Iterable[str]) -> dict[str, object]:
    """Ask for a WebSocket with each of `tokens`, all at once."""
    names = tuple(tokens)
    return dict(zip(names, await asyncio.gather(*(knock(side, f"/?token={name}") for name in names)), strict=True))


@asynccontextmanager
async def session(
    side: Side, path: str = "/", *, tls: ssl.SSLContext | None = None, socket: Path | None = None, **fields: str
) -> AsyncIterator[RawClient]:
    """An open WebSocket."""
    async with side.client(tls=tls, path=socket) as client:
        client.send(client.head(path, **fields))
        answer = await client.answer()
        assert answer.status == 101, (side.name, answer, side.err)
        yield client


async def echoed(client: RawClient, text: str = "hello") -> str:
    """Send `text` to a target that sends it back; what came."""
    client.send(client_frame(BINARY, text.encode()))
    return (await client.data(len(text))).decode()


async def leave(client: RawClient, code: int = 1000) -> tuple[int, str]:
    """Close the WebSocket; the Close that comes back."""
    client.send(client_frame(CLOSE, code.to_bytes(2, "big")))
    return await ending(client)


async def ending(client: RawClient) -> tuple[int, str]:
    """How the session ended: the code and reason of the server's Close, or 1006 without one."""
    try:
        return await client.closed()
    except (asyncio.IncompleteReadError, ConnectionError):
        return 1006, ""


async def works(side: Side, path: str = "/", **settings: object) -> str:
    """Whether a WebSocket leads to a target that sends everything back: the text, or how it ended."""
    async with session(side, path, **settings) as client:  # type: ignore[arg-type]
        client.send(client_frame(BINARY, b"hello"))
        try:
            return (await client.data(5)).decode()
        except (AssertionError, asyncio.IncompleteReadError, ConnectionError):
            return "no echo"


async def came_to(client: RawClient) -> str | int:
    """Read the first frame that is no ping: its text, or the code of a Close; 1006 without either."""
    while True:
        try:
            opcode, payload = await client.frame()
        except (asyncio.IncompleteReadError, ConnectionError):
            return 1006
        if opcode == CLOSE:
            return int.from_bytes(payload[:2], "big")
        if opcode != PING:
            return payload.decode("latin-1")
