"""The demo's page in a real browser: it connects home and nowhere else, its figures move, frames stay empty."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page

from tests.integration.conftest import RunWsgui
from tests.support.browser import Console, chromium
from tests.support.engines import running
from tests.support.pages import page_server
from tests.support.waiting import DEADLINE_SECONDS, until

NOTHING_ELSE = ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]
"""No name resolves and no other address is reached: what a computer without a network has."""


class Requests:
    """Everything that a page asks for."""

    def __init__(self, page: Page) -> None:
        self.addresses: list[str] = []
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("websocket", lambda socket: self.addresses.append(socket.url))

    @property
    def sockets(self) -> list[str]:
        return [address for address in self.addresses if address.startswith("ws")]

    @property
    def elsewhere(self) -> list[str]:
        """Those that do not go where the first one went; what is inside the page itself goes nowhere."""
        home = urlsplit(self.addresses[0]).netloc
        return [a for a in self.addresses if urlsplit(a).netloc != home and urlsplit(a).scheme not in ("data", "blob")]


async def connected(page: Page) -> None:
    await page.wait_for_selector("#state[data-state=running]")
    assert await page.inner_text("#state-word") == "Connected"


FLOOD = """async which => {
  const button = document.getElementById(which), figure = which === "download" ? "down" : "up";
  const factors = { "B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9 };
  const shown = end => document.getElementById(figure + end).textContent;
  const speed = () => parseFloat(shown("")) * factors[shown("-unit")];
  const until = async look => { while (!look()) await new Promise(done => setTimeout(done, 20)); };
  button.click();
  await until(() => speed() > 1e6);
  button.click();
  await until(() => speed() < 1e5);
}"""
"""Start and stop from inside: the driver is handed a copy of every frame, and while it is flooded, so is the page."""


async def test_it_connects_and_its_figures_move(run_wsgui: RunWsgui, tmp_path: Path) -> None:
    process = await run_wsgui("--demo")
    url = (await process.printed(r"^Demo: (http://\S+)"))[1]
    async with chromium(resolve=NOTHING_ELSE) as context:
        page = await context.new_page()
        console, requests = Console(page), Requests(page)
        await page.goto(url)
        await connected(page)
        assert await page.inner_text("#address") == f"ws{url.removeprefix('http')}"

        await page.wait_for_function("!isNaN(parseFloat(document.getElementById('trip').textContent))")
        assert 0 < float(await page.inner_text("#trip")) < 10_000

        first = await page.wait_for_function("document.getElementById('clock').dateTime")
        before = await first.json_value()
        await page.wait_for_function("before => document.getElementById('clock').dateTime !== before", arg=before)

        for which in ("download", "upload"):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await page.evaluate(FLOOD, which)

        await page.fill("#words", "<b>through</b> & back")
        await page.click("#send")
        answer = page.locator("#answer", has_text="“<b>through</b> & back” came back in")
        await answer.wait_for()
        await page.screenshot(path=tmp_path / "demo.png")

        assert requests.elsewhere == []
        assert requests.sockets == [f"ws{url.removeprefix('http')}"]
        assert console.lines == []


async def test_it_says_when_the_tunnel_ends_and_comes_back_by_itself() -> None:
    async with running(web={"root": "demo"}) as tunnel, chromium() as context:
        page = await context.new_page()
        await page.goto(tunnel.now.page_url)
        await connected(page)
        listen = f"127.0.0.1:{urlsplit(tunnel.url).port}"
        await tunnel.engine.stop("T")
        await page.wait_for_selector("#state[data-state=waiting]")
        assert "The tunnel was stopped." in await page.inner_text("#notice-what")
        async with running(web={"root": "demo"}, listen=listen):
            await connected(page)
            assert await page.is_hidden("#notice")


@pytest.mark.parametrize(
    "query",
    [
        "?host=evil.example&port=80&path=evil&encrypt=1&password=x&token=x",
        "#host=evil.example&port=80",
        "?autoconnect=true&host=//evil.example#evil.example",
    ],
)
async def test_nothing_in_its_address_sends_it_elsewhere(query: str) -> None:
    async with running(web={"root": "demo"}) as tunnel, chromium(resolve=NOTHING_ELSE) as context:
        page = await context.new_page()
        requests = Requests(page)
        await page.goto(tunnel.now.page_url + query)
        await connected(page)
        assert requests.sockets == [tunnel.url]
        assert requests.elsewhere == []
        assert "evil" not in await page.content()


FRAME = """url => {
  const frame = document.createElement("iframe");
  frame.src = url;
  document.body.append(frame);
}"""


async def test_in_a_frame_of_another_page_it_stays_empty() -> None:
    async with running(web={"root": "demo"}) as tunnel, page_server() as port, chromium() as context:
        page = await context.new_page()
        console = Console(page)
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.evaluate(FRAME, tunnel.now.page_url)
        await until("the browser saying why", lambda: console.lines)
        assert console.says("frame-ancestors 'none'"), console.lines
        assert "wsgui" not in await page.frames[1].content()
        assert tunnel.now.served == 0


async def test_in_a_frame_of_a_page_that_the_profile_lists_it_works() -> None:
    async with page_server() as port, chromium() as context:
        web = {"root": "demo", "frames": [f"http://127.0.0.1:{port}"]}
        async with running(web=web) as tunnel:
            page = await context.new_page()
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.evaluate(FRAME, tunnel.now.page_url)
            await page.frame_locator("iframe").locator("#state[data-state=running]").wait_for()
            assert tunnel.now.served == 1
