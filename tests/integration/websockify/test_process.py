"""How the process lives and ends, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.websockify.client import ask, echoed, ending, leave, session, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side, listener
from tests.support.programs import need
from tests.support.waiting import until

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET")


async def test_run_once(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"a plain request before": (await ask(side)).status}
        async with session(side) as client:
            seen["echo"] = await echoed(client)
            seen["close"] = await leave(client)
        seen["exit code"] = await side.ended()
        return seen | {"said": side.line_with("run-once")}

    await compare((*LINE, "--run-once"), script, words={"TARGET": str(echo)})


@pytest.mark.parametrize("option", ["--timeout", "--idle-timeout"])
async def test_nobody_comes(compare: Compare, echo: int, option: str) -> None:
    async def script(side: Side) -> Seen:
        return {"exit code": await side.ended(), "said": side.line_with(option)}

    await compare((*LINE, option, "1"), script, words={"TARGET": str(echo)})


async def test_timeout_while_somebody_is_connected(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await side.said("--timeout")
            seen: Seen = {"echo": await echoed(client), "close": await leave(client)}
        return seen | {"exit code": await side.ended()}

    await compare((*LINE, "--timeout=1"), script, words={"TARGET": str(echo)})


async def test_idle_timeout_waits_for_the_last(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await asyncio.sleep(2.5)  # longer than it waits when nobody is there: that it does not end is the point
            seen: Seen = {"echo": await echoed(client), "close": await leave(client)}
        return seen | {"exit code": await side.ended()}

    await compare((*LINE, "--idle-timeout=1"), script, words={"TARGET": str(echo)})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
async def test_signal(compare: Compare, echo: int, number: signal.Signals) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await echoed(client)
            assert side.process is not None
            side.process.send_signal(number)
            seen: Seen = {"exit code": await side.process.wait()}
            if number == signal.SIGHUP:  # theirs leaves the process of this client behind
                seen["the client sees"] = "its session goes on" if side.name == "theirs" else await ending(client)
            else:
                seen["the client sees"] = await ending(client)
        return seen

    await compare(LINE, script, words={"TARGET": str(echo)})


async def test_nohup(compare: Compare, echo: int) -> None:
    need("nohup")

    async def script(side: Side) -> Seen:
        assert side.process is not None
        side.process.send_signal(signal.SIGHUP)
        return {"after SIGHUP": await works(side), "exit code": await side.stop()}

    await compare(LINE, script, words={"TARGET": str(echo)}, settings=lambda _: {"before": ("nohup",)})


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[dict[str, psutil.Process]]:
    found: dict[str, psutil.Process] = {}
    yield found
    for process in found.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


async def test_daemon(compare: Compare, echo: int, daemons: dict[str, psutil.Process]) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"exit code": await side.ended()}
        process = await until("the daemon", lambda: listener(side))
        daemons[side.name] = process
        facts = Path(f"/proc/{process.pid}")
        seen["echo"] = await works(side)
        seen["its folder"] = side.taken_out(process.cwd())
        seen["umask"] = (facts / "status").read_text().partition("Umask:\t")[2][:4]
        seen["a session of its own"] = os.getsid(process.pid) not in (os.getsid(0), side.process and side.process.pid)
        seen["its streams"] = [os.readlink(facts / "fd" / number) for number in "012"]
        seen["said"], seen["says where to"] = side.lines[:4], bool(side.line_with("proxying"))
        process.send_signal(signal.SIGTERM)
        await until("its end", lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        seen["it ends"] = listener(side) is None
        return seen

    await compare((*LINE, "-D"), script, words={"TARGET": str(echo)}, listens=False)


async def test_daemon_without_its_port(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        return {"exit code": await side.ended()}

    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = (f"127.0.0.1:{taken.getsockname()[1]}", f"127.0.0.1:{echo}", "--daemon")
        await compare(line, script, listens=False)


async def test_inetd(compare: Compare, echo: int) -> None:
    listening: list[socket.socket] = []

    def settings(side: Side) -> dict[str, Any]:
        sock = socket.create_server(("127.0.0.1", side.port))
        listening.append(sock)
        return {"stdin": sock}

    async def script(side: Side) -> Seen:
        return {"echo": await works(side), "again": await works(side), "said": side.lines[:4]}

    try:
        await compare(("--inetd", "127.0.0.1:TARGET"), script, words={"TARGET": str(echo)}, settings=settings)
    finally:
        for sock in listening:
            sock.close()


@pytest.mark.parametrize("mode", ["", "0666"], ids=["default", "0666"])
async def test_unix_listen(compare: Compare, echo: int, mode: str) -> None:
    def prepare(folder: Path) -> None:
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(str(folder / "s"))

    async def script(side: Side) -> Seen:
        path = side.here / "s"
        seen: Seen = {"echo": await works(side, socket=path), "mode": oct(stat.S_IMODE(path.stat().st_mode))}
        await side.said("WebSocket connection")
        seen["said"] = side.line_with("WebSocket connection")
        await side.stop()
        return seen | {"the socket is there afterwards": path.exists()}

    line = ("--unix-listen", "s", "127.0.0.1:TARGET", *(["--unix-listen-mode", mode] if mode else []))
    await compare(line, script, prepare=prepare, words={"TARGET": str(echo)})


async def test_many_at_once(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(session(side)) for _ in range(20)]
            return {"echoes": {await echoed(client) for client in clients}}

    await compare(LINE, script, words={"TARGET": str(echo)})
