"""A wrapped program, beside websockify 0.13, which gets our preload library: it was never installed with its own."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.integration.websockify.client import came_to, session
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import PROGRAMS, Seen, Side
from tests.support.raw import client_frame
from wsgui.command.rebind import library

PROGRAM = """
import os, socket, sys

with open("starts", "a") as starts:
    starts.write("x")
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    own = server.getsockname()[1]
    client, _ = server.accept()
    with client:
        while data := client.recv(65536):
            client.sendall(data)
sys.exit(int(sys.argv[2]))
"""
THEIR_SCRIPT = "from websockify.websocketproxy import websockify_init\nwebsockify_init()\n"


@pytest.fixture
def wrapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their script in a folder that has a rebind.so, which is where they look for it."""
    found = library()
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "websockify").write_text(THEIR_SCRIPT)
    shutil.copy(found, folder / "rebind.so")
    monkeypatch.setitem(PROGRAMS, "theirs", (sys.executable, str(folder / "websockify")))


def prepare(folder: Path) -> None:
    (folder / "program.py").write_text(PROGRAM)


async def echo_of(side: Side) -> str | int:
    async with session(side) as client:
        client.send(client_frame(2, b"hello"))
        return await came_to(client)


async def until_echo(side: Side) -> str:
    """Connect until the program is there."""
    async with asyncio.timeout(20):
        while (came := await echo_of(side)) != "hello":
            await asyncio.sleep(0.05)
    return came


def starts(side: Side) -> int:
    return len((side.here / "starts").read_text())


@pytest.mark.usefixtures("wrapping")
async def test_wrap_exit(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"echo": await until_echo(side), "exit code": await side.ended(), "starts": starts(side)}
        return seen | {"connecting": side.line_with("connecting to command").partition(" (port")[0]}

    line = ("127.0.0.1:PORT", "--", sys.executable, "program.py", "PORT", "7")
    await compare(line, script, prepare=prepare)


@pytest.mark.usefixtures("wrapping")
async def test_wrap_ignore(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"echo": await until_echo(side)}
        async with asyncio.timeout(20):
            while (after := await echo_of(side)) != 1011:  # the last ones may still be in its queue
                await asyncio.sleep(0.05)
        return seen | {"after its end": after, "exit code": await side.stop(), "starts": starts(side)}

    line = ("127.0.0.1:PORT", "--wrap-mode", "ignore", "--", sys.executable, "program.py", "PORT", "0")
    await compare(line, script, prepare=prepare)


@pytest.mark.usefixtures("wrapping")
async def test_wrap_respawn(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"first": await until_echo(side), "second": await until_echo(side)}
        return seen | {"exit code": await side.stop(), "starts": starts(side)}

    line = ("PORT", "--wrap-mode=respawn", "--", sys.executable, "program.py", "PORT", "0")
    await compare(line, script, prepare=prepare)


@pytest.mark.usefixtures("wrapping")
async def test_a_program_that_is_not_there(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        return {"exit code": await side.ended()}

    await compare(("127.0.0.1:PORT", "--", "no-such-program"), script, listens=False)
