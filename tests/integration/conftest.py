"""What tests of whole processes share: wsgui as a subprocess in folders of its own, and targets to reach through it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

LEAVE_SECONDS = 10
SECONDS = 20.0
"""How long anything may take on a busy machine."""

RunWsgui = Callable[..., Awaitable["Process"]]
WriteProfile = Callable[..., Path]
StartEcho = Callable[..., Awaitable["Echo"]]


class Process:
    """A running wsgui, with all that it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._news = asyncio.Condition()
        assert process.stdout is not None
        assert process.stderr is not None
        self._reading = [
            asyncio.create_task(self._read(process.stdout, self.out)),
            asyncio.create_task(self._read(process.stderr, self.err)),
        ]

    @property
    def pid(self) -> int:
        return self.process.pid

    async def printed(self, pattern: str) -> re.Match[str]:
        """The first line on stdout, so far or from now on, in which `pattern` is found."""
        return await self._find(self.out, pattern)

    async def logged(self, pattern: str) -> re.Match[str]:
        """The first line on stderr, so far or from now on, in which `pattern` is found."""
        return await self._find(self.err, pattern)

    async def address(self, name: str) -> str:
        """The WebSocket address that was printed for the tunnel `name`."""
        found = await self.printed(rf"^{re.escape(name)}: http(s?://\S+)")
        return f"ws{found[1]}"

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        """The exit code, once everything that was printed has been read."""
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*self._reading)
            return await self.process.wait()

    async def leave(self) -> None:
        """End it as one does who is in a hurry, so that it takes its programs along; kill it if that does not help."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                for _ in range(2):
                    if self.process.returncode is None:
                        self.process.terminate()
                await self.ended()
        except (TimeoutError, ProcessLookupError):
            await self.kill()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        async for line in stream:
            lines.append(line.decode().rstrip("\n"))
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _find(self, lines: list[str], pattern: str) -> re.Match[str]:
        seen = 0
        async with self._news, asyncio.timeout(SECONDS):
            while True:
                for line in lines[seen:]:
                    seen += 1
                    if found := re.search(pattern, line):
                        return found
                if all(task.done() for task in self._reading):
                    raise AssertionError(f"{pattern!r} never came; out: {self.out}; err: {self.err}")
                await self._news.wait()


class Echo:
    """A TCP server that answers all it gets with its tag before it."""

    def __init__(self, tag: bytes = b"") -> None:
        self._tag = tag
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(self._tag + data)
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The process's environment: folders of its own, nothing of a service manager."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WSGUI_", "NOTIFY_", "LISTEN_"))}
    own = {f"WSGUI_{kind.upper()}_DIR": str(tmp_path / kind) for kind in ("config", "data", "runtime")}
    return kept | own


@pytest.fixture
async def run_wsgui(environment: dict[str, str]) -> AsyncIterator[RunWsgui]:
    """Starts `wsgui ARGUMENTS`; what still runs at the end is ended."""
    started: list[Process] = []

    async def run(
        *arguments: str, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None, **more: Any
    ) -> Process:
        command = [*prefix, sys.executable, "-m", "wsgui", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, **(env or {})},
            **more,
        )
        started.append(Process(process))
        return started[-1]

    yield run
    for process in started:
        await process.leave()


@pytest.fixture
def write_profile(tmp_path: Path) -> WriteProfile:
    """Writes a profile's file into the store: ``write_profile("lab", listen=…, target=…)``."""

    def write(stem: str, text: str = "", **fields: str) -> Path:
        folder = tmp_path / "config" / "profiles"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / f"{stem}.toml"
        lines = [f'{field} = "{value}"' for field, value in ({"listen": "127.0.0.1:0"} | fields).items()]
        file.write_text(text or "\n".join(lines) + "\n")
        return file

    return write


@pytest.fixture
async def start_echo() -> AsyncIterator[StartEcho]:
    """Starts echo servers, each with a tag of its own."""
    servers: list[Echo] = []

    async def start(tag: bytes = b"") -> Echo:
        server = Echo(tag)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def free_port() -> int:
    """A loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
