"""Where a client of a tunnel arrives: targets that say who they are, and clients that hear it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from tests.support.engines import Running
from tests.support.raw import Answer, RawClient, Serve, client_frame, echo, tcp_target


class Refused(Exception):  # noqa: N818
    """A client that was not let in; `answer` is what it got instead, with its body."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Ended(Exception):  # noqa: N818
    """A client that was let in and sent away: close code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Session:
    """A client that was let in.

    Args:
        client: Its connection.
        greeting: What the target said first.
    """

    def __init__(self, client: RawClient, greeting: str) -> None:
        self.client = client
        self.greeting = greeting

    async def round_trip(self, data: bytes = b"there and back") -> None:
        """Send data to the target, and see it come back."""
        self.client.send(client_frame(2, data))
        assert await self.client.data(len(data)) == data


def by_token(token: str) -> str:
    """Return the request target that names this token."""
    return f"/?token={quote(token.encode('utf-8', 'surrogatepass'), safe='')}"


def greeter(name: str) -> Serve:
    """Return a server's handler that says its name (in a line) and then echoes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode() + b"\n")
        await echo(reader, writer)

    return serve


@asynccontextmanager
async def target(name: str) -> AsyncIterator[str]:
    """Run a TCP server that says its name and then echoes; yields `host:port`."""
    async with tcp_target(greeter(name)) as port:
        yield f"127.0.0.1:{port}"


@asynccontextmanager
async def targets(*names: str) -> AsyncIterator[dict[str, str]]:
    """Run several; yields the address of each."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(target(name)) for name in names}


@asynccontextmanager
async def arriving(
    tunnel: Running | str, path: str = "/", *, tls: ssl.SSLContext | None = None, **fields: str
) -> AsyncIterator[Session]:
    """Come in by a path, and hear which target that is.

    Raises:
        Refused: No upgrade.
        Ended: The session was closed at once.
    """
    url = tunnel if isinstance(tunnel, str) else tunnel.url
    async with await RawClient.connect(url, tls=tls) as client:
        client.send(client.head(path, **fields))
        answer = await client.answer()
        if answer.status != 101:
            body = await client.eof()
            raise Refused(Answer(answer.status, answer.fields, body))
        greeting = b""
        while not greeting.endswith(b"\n"):
            opcode, payload = await client.frame()
            if opcode == 8:
                raise Ended(int.from_bytes(payload[:2], "big"), payload[2:].decode())
            greeting += payload if opcode == 2 else b""
        yield Session(client, greeting.decode().rstrip("\n"))


async def outcome(tunnel: Running | str, path: str = "/", **more: object) -> str | int:
    """Return the name of the target that a client arrives at, else the status or the close code."""
    try:
        async with arriving(tunnel, path, **more) as session:  # type: ignore[arg-type]
            return session.greeting
    except Refused as refused:
        return refused.answer.status
    except Ended as ended:
        return ended.code
