"""Telnet as a person has it: the system's own telnet client, led to a tunnel's WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.programs import need
from tests.support.waiting import DEADLINE_SECONDS


@dataclass
class Telnet:
    """A telnet client: what it shows, and what is typed into it."""

    process: asyncio.subprocess.Process
    shown: str = ""

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def shows(self, pattern: str) -> re.Match[str]:
        """Read on until `pattern` is in what came after the last match."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (found := re.search(pattern, self.shown)) is None:
                data = await self.process.stdout.read(4096)
                assert data, f"{pattern!r} never came: {self.shown!r}"
                self.shown += data.decode()
        self.shown = self.shown[found.end() :]
        return found

    async def ended(self) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.process.wait()


@asynccontextmanager
async def telnet(url: str, **more: Any) -> AsyncIterator[Telnet]:
    """Run `telnet` through the WebSocket at `url`, by a TCP port of our own; `more` goes to `websockets.connect`."""
    need("telnet")
    carrying: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carrying.add(task)
        async with connect(url, compression=None, **more) as client:
            up = asyncio.create_task(_up(reader, client))
            async for data in client:
                assert isinstance(data, bytes)
                writer.write(data)
            up.cancel()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        "telnet",
        "127.0.0.1",
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Telnet(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        server.close()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def _up(reader: asyncio.StreamReader, client: ClientConnection) -> None:
    while data := await reader.read(4096):
        await client.send(data)
    await client.close()
