"""websockify 0.13 and ours, each started with the same line in a folder of its own, and one client for both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.support.raw import DEADLINE, RawClient
from wsgui.cli.websockify import ANY_PAGE

Seen = dict[str, object]
"""What a script has seen, by name."""
PROGRAMS: dict[str, tuple[str, ...]] = {
    "theirs": (sys.executable, "-m", "websockify"),
    "ours": (sys.executable, "-m", "wsgui", "websockify"),
}
STARTED = "proxying from"
"""Both say so once they listen."""
ENDING_SECONDS = 60.0
"""Long, as a process that is measured writes what it has covered when it ends, to a disk that may be busy."""

_DATE = re.compile(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]")
_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives out by itself."""


def free_port() -> int:
    """A port that nobody listens at, on any address."""
    while True:
        port = random.choice(_PORTS)
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", port))  # and so on 0.0.0.0
            return port


class SignalLostError(Exception):
    """A signal came while websockify's main loop was not ready for it.

    Its handler raises an exception wherever the process is just then. Outside the loop's `try` that ends it with a
    traceback and status 1; inside somebody's `except Exception` it is swallowed, and later ones are ignored.
    """


@dataclass
class Side:
    """One of the two programs.

    Args:
        name: theirs or ours.
        here: Its working directory.
        replaced: Words of the line that are another text on each side; in what it says they are put back.
    """

    name: str
    here: Path
    port: int = field(default_factory=free_port)
    replaced: dict[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    process: asyncio.subprocess.Process | None = None
    _reading: list[asyncio.Task[None]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.here.mkdir(parents=True, exist_ok=True)
        self.replaced = {"HERE": str(self.here), "PORT": str(self.port)} | self.replaced

    # The process

    async def start(self, line: Sequence[str], *, before: Sequence[str] = (), **settings: Any) -> None:
        """Start the program with `line`, in which PORT is its port and HERE its folder; by the command `before`."""
        # Measuring theirs is of no use, and has its forked processes write files of coverage into one another.
        left_out = ("WSGUI_", "LISTEN_", "COVERAGE_") if self.name == "theirs" else ("WSGUI_", "LISTEN_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        own = {f"WSGUI_{kind}_DIR": str(self.here / ".wsgui") for kind in ("CONFIG", "DATA", "RUNTIME")}
        settings.setdefault("stdin", asyncio.subprocess.DEVNULL)
        self.process = await asyncio.create_subprocess_exec(
            *before,
            *PROGRAMS[self.name],
            *(self.put_in(word) for word in line),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.here,
            env=kept | own | {"PYTHONUNBUFFERED": "1"} | dict(self.environment),
            start_new_session=True,
            **settings,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._reading = [
            asyncio.create_task(self._read(self.process.stdout, self.out)),
            asyncio.create_task(self._read(self.process.stderr, self.err)),
        ]
        for task in self._reading:
            task.add_done_callback(lambda _: self._news.set())

    def put_in(self, word: str) -> str:
        for name, text in self.replaced.items():
            word = word.replace(name, text)
        return word

    def taken_out(self, text: str) -> str:
        """`text` with the names of what differs between the sides, such as ports and dates, in their place."""
        for name, its in self.replaced.items():
            text = text.replace(its, name)
        return _DATE.sub("[DATE]", text)

    async def listens(self) -> None:
        """Wait until it has said so."""
        await self.said(STARTED)

    async def said(self, words: str, count: int = 1) -> None:
        """Wait until `words` stand on stderr for the `count`th time."""
        await self.until(words, lambda: self.err.count(words.encode()) >= count)

    async def until(self, what: str, look: Callable[[], bool]) -> None:
        """Wait until what it prints makes `look` true."""
        async with asyncio.timeout(DEADLINE):
            while not look():
                if self.over and not look():
                    raise AssertionError(f"{self.name} never said {what!r}, but {self.err.decode()!r}")
                self._news.clear()
                await self._news.wait()

    @property
    def over(self) -> bool:
        """Whether it has ended, with all that it printed read."""
        return all(task.done() for task in self._reading)

    async def ended(self) -> int:
        """Its exit code."""
        assert self.process is not None
        try:
            async with asyncio.timeout(ENDING_SECONDS):
                code = await self.process.wait()
                await asyncio.gather(*self._reading)
        except TimeoutError:
            raise AssertionError(f"{self.name} does not end; it has said {self.err.decode()!r}") from None
        return code

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        try:
            code = await self.ended()
        except AssertionError:
            if self.name == "theirs":
                raise SignalLostError from None
            raise
        if self.name == "theirs" and code == 1 and b"WebSockifyServer.Terminate" in self.err:
            raise SignalLostError
        return code

    async def kill(self) -> None:
        """End it and all it has started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.gather(*self._reading, return_exceptions=True)

    @property
    def lines(self) -> list[str]:
        """What it has logged, the same for both sides as far as can be, without the warning that ours begins with."""
        return [line for line in self.taken_out(self.err.decode()).splitlines() if line != ANY_PAGE]

    def line_with(self, words: str) -> str:
        """The first logged line in which `words` stand; empty when there is none."""
        return next((line for line in self.lines if words in line), "")

    async def _read(self, stream: asyncio.StreamReader, into: bytearray) -> None:
        while piece := await stream.read(65536):
            into += piece
            self._news.set()

    # The client

    @asynccontextmanager
    async def client(
        self, *, tls: ssl.SSLContext | None = None, path: Path | None = None, source: str = "127.0.0.1"
    ) -> AsyncIterator[RawClient]:
        """A connection from `source` to it that has not said anything yet; with `path` to its unix socket."""
        if path is not None:
            reader, writer = await asyncio.open_unix_connection(path)
        else:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1",
                self.port,
                ssl=tls,
                server_hostname="localhost" if tls else None,
                local_addr=(source, 0),
            )
        async with RawClient(reader, writer, "localhost") as client:
            yield client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def listener(side: Side) -> psutil.Process | None:
    """The process that listens at a side's port."""
    for found in psutil.net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr.port == side.port and found.pid:
            return psutil.Process(found.pid)
    return None


Script = Callable[[Side], Awaitable[Seen]]
Prepare = Callable[[Path], None]
