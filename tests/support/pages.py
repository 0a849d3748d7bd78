"""A web server beside the tunnel: somebody else's pages, on a port of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BLANK = "<!doctype html><title>somebody's page</title><link rel=icon href=data:,>"


@asynccontextmanager
async def page_server(html: str = BLANK, *, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Answer every request with `html`; yields the port, which is free on `host`."""
    body = html.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head.encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a browser opens connections that it then does not use
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
