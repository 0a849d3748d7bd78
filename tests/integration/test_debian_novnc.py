"""Debian's noVNC: its novnc_proxy runs unchanged with our websockify, and its page is served by its name."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page

from tests.support.browser import chromium
from tests.support.engines import running
from tests.support.programs import need
from tests.support.viewer import JPEG_TOLERANCE
from tests.support.vnc import VncDesktop, colourful, difference, vnc_desktop
from tests.support.waiting import DEADLINE_SECONDS, until

NOVNC = Path("/usr/share/novnc")
PROXY = NOVNC / "utils" / "novnc_proxy"
CANVAS = "#noVNC_container canvas"

pytestmark = pytest.mark.skipif(not PROXY.is_file(), reason="Debian's novnc is not installed")


@asynccontextmanager
async def novnc_proxy(folder: Path, *arguments: str) -> AsyncIterator[list[str]]:
    """Run the script as somebody would, with our program as the `websockify` that it finds; yields what it prints."""
    need("bash", "ps")
    program = Path(sys.executable).with_name("wsgui")
    if not program.exists():
        pytest.skip("wsgui is not installed beside this Python")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "websockify").symlink_to(program)
    process = await asyncio.create_subprocess_exec(
        str(PROXY),
        *arguments,
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    reading = asyncio.create_task(read(process.stdout, lines))
    try:
        await until("the address to open", lambda: any("vnc.html" in line for line in lines) or reading.done())
        assert process.returncode is None, lines
        yield lines
        process.send_signal(signal.SIGTERM)  # the script ends what it has started
        await asyncio.wait_for(process.wait(), DEADLINE_SECONDS)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        reading.cancel()


async def read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    async for line in stream:
        lines.append(line.decode(errors="replace").rstrip("\n"))


async def shows(page: Page, desktop: VncDesktop) -> None:
    """Wait until noVNC shows what the server shows."""
    await page.wait_for_selector(CANVAS, timeout=30_000)

    async def same() -> bool:
        data = await page.evaluate(f"document.querySelector('{CANVAS}').toDataURL('image/png')")
        with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as image:
            return difference(image.convert("RGB"), desktop.screenshot()) <= JPEG_TOLERANCE

    await until("noVNC showing what the server shows", same)


def free_port() -> int:
    with socket.create_server(("", 0)) as probe:  # the script listens everywhere, as websockify does
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_its_proxy_runs_unchanged_and_shows_a_desktop(tmp_path: Path) -> None:
    port = free_port()
    with vnc_desktop(tmp_path / "vnc") as desktop:
        desktop.paint(colourful())
        async with novnc_proxy(tmp_path, "--listen", str(port), "--vnc", f"localhost:{desktop.port}") as lines:
            assert f"Using installed websockify at {tmp_path / 'bin' / 'websockify'}" in lines
            async with chromium() as context:
                page = await context.new_page()
                await page.goto(f"http://127.0.0.1:{port}/vnc.html?autoconnect=true&host=127.0.0.1&port={port}")
                await shows(page, desktop)
        await until("websockify gone with the script", lambda: not listens(port))


async def test_its_page_is_served_by_its_name_and_connects_by_itself(tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        desktop.paint(colourful(3))
        async with running(target=f"127.0.0.1:{desktop.port}", web={"root": "novnc"}) as tunnel, chromium() as context:
            page = await context.new_page()
            sockets: list[str] = []
            page.on("websocket", lambda socket: sockets.append(socket.url))
            await page.goto(tunnel.now.page_url + "?token=a%20b&host=evil.example")
            await shows(page, desktop)
            assert sockets == [f"{tunnel.url}?token=a%20b"]
