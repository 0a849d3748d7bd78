"""Debian's Chromium, driven by Playwright, that speaks to nobody but the pages under test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from tests.support.programs import need
from tests.support.waiting import DEADLINE_SECONDS

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Newer browsers ask before a page may reach this computer. Older ones do not: the tunnel has to say no.
    "--ip-address-space-overrides=127.0.0.1:0=public,[::1]:0=public",
)

OPEN_SOCKET = """address => new Promise(done => {
  const socket = new WebSocket(address, ["binary"]);
  socket.onopen = () => { socket.onclose = null; socket.close(); done("open"); };
  socket.onclose = event => done(`closed ${event.code}`);
})"""


@asynccontextmanager
async def chromium(
    *, home: Path | None = None, resolve: Sequence[str] = (), **context: Any
) -> AsyncIterator[BrowserContext]:
    """Start a browser with an empty profile.

    Args:
        home: The user's folder, whose certificates it trusts; None = this process's own.
        resolve: Rules for names, as `MAP evil.example 127.0.0.1`; what they do not name resolves as usual.
        context: Playwright's options of a browser context.
    """
    need(CHROMIUM)
    arguments = list(ARGUMENTS)
    if resolve:
        arguments.append(f"--host-resolver-rules={', '.join(resolve)}")
    async with async_playwright() as playwright:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)} if home else None
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, env=environment)
        try:
            yield await browser.new_context(**context)
        finally:
            await browser.close()


class Console:
    """What a page's developer console says."""

    def __init__(self, page: Page) -> None:
        self.lines: list[str] = []
        page.on("console", lambda message: self.lines.append(message.text))
        page.on("pageerror", lambda error: self.lines.append(str(error)))

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)


async def open_socket(page: Page, address: str) -> str:
    """Open a WebSocket from a page: `open`, or `closed` and the code that the page saw."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return str(await page.evaluate(OPEN_SOCKET, address))
