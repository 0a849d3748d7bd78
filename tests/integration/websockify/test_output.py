"""What is recorded, printed and logged, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.websockify.client import BINARY, ask, echoed, knock, leave, session
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side, listener
from tests.support.raw import client_frame
from tests.support.waiting import until

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET")


def without_times(text: str) -> list[str]:
    return [re.sub(r"^'([{}])\d+", r"'\1T", line) for line in text.splitlines()]


async def test_recording(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        await ask(side)  # the first connection is no session
        async with session(side) as client:
            for text in ("RFB 003.008\n", "it's \\ and 'quotes'", "\0\x01\x7f\t\r"):
                await echoed(client, text)
            client.send(client_frame(BINARY, bytes(range(256))))
            await client.data(256)
            await leave(client)
        recording = side.here / "rec.2"
        await until("the end of the recording", lambda: recording.exists() and "EOF" in recording.read_text())
        await side.said("opening record file")
        return {
            "files": sorted(path.name for path in side.here.glob("rec*")),
            "lines": without_times(recording.read_text()),
            "mode": oct(stat.S_IMODE(recording.stat().st_mode)),
            "said": side.line_with("opening record"),
        }

    umask = os.umask(0o022)
    try:
        await compare((*LINE, "--record", "rec"), script, words={"TARGET": str(echo)})
    finally:
        os.umask(umask)


async def test_a_recording_of_a_session_that_breaks_off(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await echoed(client)
            client.writer.transport.abort()
        recording = side.here / "rec.1"
        await until("the end of the recording", lambda: recording.exists() and "EOF" in recording.read_text())
        return {"lines": without_times(recording.read_text())}

    await compare((*LINE, "--record=rec"), script, words={"TARGET": str(echo)})


async def test_a_recording_at_the_end_of_the_program(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await echoed(client)
            code = await side.stop()
            return {"exit code": code, "lines": without_times((side.here / "rec.1").read_text())}

    await compare((*LINE, "--record=rec"), script, words={"TARGET": str(echo)})


async def test_a_link_in_the_place_of_a_recording(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "precious").write_text("precious")
        (folder / "rec.1").symlink_to("precious")

    async def script(side: Side) -> Seen:
        async with session(side) as client:
            await echoed(client)
            await leave(client)
        await side.stop()
        return {"what it leads to": (side.here / "precious").read_text()[:18]}

    await compare((*LINE, "--record=rec"), script, prepare=prepare, words={"TARGET": str(echo)})


async def test_traffic(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client:
            for text in ("one", "two", "three"):
                await echoed(client, text)
            client.send(client_frame(9, b"ping"))
            await client.frame()
            await echoed(client)
            await leave(client)

        def parts() -> tuple[str, str, str]:
            return side.out.decode().rpartition("Client send partial\n")

        await side.until("the last symbol", lambda: parts()[2].count("<") == 4)
        return {"legend": parts()[0], "symbols": parts()[2]}

    await compare((*LINE, "--traffic"), script, words={"TARGET": str(echo)})


async def test_verbose(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        await ask(side, "/page?token=x")
        await ask(side, "/page", "HEAD")
        await side.until("HEAD", lambda: b"HEAD" in side.err)
        async with session(side) as client:
            await echoed(client)
            await leave(client)
        await side.said("connecting to")
        return {
            "a request": side.line_with("GET"),
            "HEAD": side.line_with("HEAD"),
            "a session": side.line_with("WebSocket connection"),
            "the target": side.line_with("connecting to"),
        }

    await compare((*LINE, "--verbose"), script, words={"TARGET": str(echo)})


async def test_sessions_and_failures_in_the_log(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        await ask(side)
        async with session(side) as client:
            await client.closed()
        await side.said("Failed to connect")
        words = ("WebSocket connection", "connecting to:", "Failed to connect")
        lines = [re.sub(r"(Failed to connect to \S+NOBODY).*", r"\1", side.line_with(word)) for word in words]
        return {"lines": lines, "on stdout": side.out.decode()}

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        words = {"NOBODY": str(nobody.getsockname()[1])}
        await compare(("127.0.0.1:PORT", "127.0.0.1:NOBODY"), script, words=words)


async def test_log_file(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        log = side.here / "log"
        await knock(side)
        await side.said("connecting to")
        await until("the line in the file", lambda: "connecting to" in log.read_text())
        same = side.taken_out(log.read_text()).splitlines() == side.lines
        log.rename(side.here / "log.1")
        assert side.process is not None
        side.process.send_signal(signal.SIGUSR1)
        if side.name == "theirs":
            return {"the same lines": same, "after SIGUSR1": await side.ended()}
        await until("the new file", log.exists)
        await knock(side)
        await until("a line in the new file", lambda: "connecting to" in log.read_text())
        return {"the same lines": same, "after SIGUSR1": "a new file"}

    await compare((*LINE, "--log-file", "log"), script, words={"TARGET": str(echo)})


class Syslog:
    """A syslog server that keeps what it gets, from each side for itself."""

    def __init__(self, family: int, address: str | tuple[str, int]) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    async def until(self, words: bytes) -> list[bytes]:
        found: list[bytes] = []
        async with asyncio.timeout(20):
            while not found or words not in found[-1]:
                found.append(await asyncio.get_running_loop().sock_recv(self.socket, 65536))
        return found


@pytest.mark.parametrize("daemon", [False, True], ids=["front", "daemon"])
@pytest.mark.parametrize("form", ["unix", "udp", "unix legacy", "udp legacy"])
async def test_syslog(compare: Compare, echo: int, tmp_path: Path, form: str, daemon: bool) -> None:
    if daemon and form != "unix":
        pytest.skip("the same facility whatever the form")
    servers: dict[str, Syslog] = {}

    def prepare(folder: Path) -> None:
        if form.startswith("unix"):
            servers[folder.name] = Syslog(socket.AF_UNIX, str(folder / "log"))
        else:
            servers[folder.name] = Syslog(socket.AF_INET, ("127.0.0.1", 0))

    def settings(side: Side) -> dict[str, Any]:
        name = servers[side.name].socket.getsockname()
        side.replaced["SYSLOG"] = name if isinstance(name, str) else str(name[1])
        return {}

    async def script(side: Side) -> Seen:
        received = await servers[side.name].until(b"Backgrounding" if daemon else b"proxying")
        if daemon:
            (await until("the daemon", lambda: listener(side))).kill()
        text = [side.taken_out(re.sub(r"20\d\d-\S+Z", "[TIME]", each.decode())) for each in received]
        return {"messages": [re.sub(r"websockify( |\[)\d+", r"websockify\1PID", each) for each in text]}

    place = "SYSLOG" if form.startswith("unix") else "127.0.0.1:SYSLOG"
    line = (*LINE, "--syslog", place, *(["--legacy-syslog"] if "legacy" in form else []), *(["-D"] if daemon else []))
    words = {"TARGET": str(echo)}
    await compare(line, script, prepare=prepare, words=words, settings=settings, listens=False)
    for server in servers.values():
        server.socket.close()
