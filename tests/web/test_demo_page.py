"""The demo's page in a real browser, over the real engine: live figures, clear ends, and nothing taken from its URL."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.contrast import contrast
from tests.web.page_files import WEB, check_nothing_from_elsewhere, check_only_shared_code_reads_the_address, themes
from wsgui.engine.engine import Engine
from wsgui.profiles.addresses import TcpAddress
from wsgui.profiles.builtin import DEMO_NAME, demo_profile
from wsgui.profiles.model import Profile, Web

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

FOLDER = WEB / "demo"
browser_only = pytest.mark.skipif(not CHROMIUM, reason="needs chromium")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine()
    yield engine
    await engine.close()


@pytest.fixture
async def address(engine: Engine) -> str:
    port = free_port()
    await engine.configure(demo_profile(TcpAddress("127.0.0.1", port)))
    await engine.start(DEMO_NAME)
    return f"http://127.0.0.1:{port}/"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    assert problems == []


@browser_only
async def test_it_connects_to_its_own_tunnel_and_nowhere_else(page: Page, address: str) -> None:
    await page.goto(address + "?host=evil.example&port=1&path=x&password=y#host=evil.example")
    await expect(page.locator("#state")).to_have_text("Connected")
    assert await page.title() == "wsgui"
    await expect(page.locator("#address")).to_have_text(address.replace("http:", "ws:"))
    await expect(page.locator("#trip")).to_have_text(re.compile(r"^\d"))
    await expect(page.locator("#clock")).to_have_text(re.compile(r"\d:\d\d"))


@browser_only
async def test_both_directions_can_be_started_and_stopped_and_are_counted(page: Page, address: str) -> None:
    await page.goto(address)
    for button, figure in (("#download", "#down-unit"), ("#upload", "#up-unit")):
        await expect(page.locator(button)).to_be_enabled()
        # In the page itself: the test's own tap on every frame is slower than they are.
        await page.evaluate(f"""new Promise((done) => {{
          const button = document.querySelector("{button}");
          button.click();
          const look = setInterval(() => {{
            if (!/[kMG]B/.test(document.querySelector("{figure}").textContent)) return;
            if (button.getAttribute("aria-pressed") !== "true") return;
            clearInterval(look);
            button.click();
            done();
          }}, 10);
        }})""")
        await expect(page.locator(button)).to_have_attribute("aria-pressed", "false")
    await expect(page.locator("#total-unit")).to_have_text(re.compile("^[kMG]B$"))


@browser_only
async def test_words_come_back_as_words_and_never_as_markup(page: Page, address: str) -> None:
    await page.goto(address)
    await page.fill("#words", "<img src=x onerror=alert(1)> \u202e & ü")
    await page.click("#send")
    await expect(page.locator("#answer")).to_contain_text("<img src=x onerror=alert(1)> \\u{202e} & ü")
    assert await page.locator("#answer img").count() == 0


@browser_only
async def test_once_let_in_it_comes_back_by_itself(page: Page, address: str, engine: Engine) -> None:
    await page.goto(address)
    await expect(page.locator("#state")).to_have_text("Connected")
    await engine.stop(DEMO_NAME)
    await expect(page.locator("#state")).to_have_text(re.compile("Waiting to try again|Connecting"))
    await expect(page.locator("#notice-what")).to_contain_text("1001")
    await engine.start(DEMO_NAME)
    await expect(page.locator("#state")).to_have_text("Connected", timeout=20_000)
    await expect(page.locator("#notice")).to_be_hidden()


@browser_only
async def test_a_page_never_let_in_says_why_and_does_not_try_on(page: Page, engine: Engine) -> None:
    port, nobody = free_port(), free_port()
    target = TcpAddress("127.0.0.1", nobody)
    listen = TcpAddress("127.0.0.1", port)
    await engine.configure(Profile(name="x", listen=listen, target=target, web=Web(root="demo")))
    await engine.start("x")
    sockets: list[object] = []
    page.on("websocket", lambda opened: sockets.append(opened))  # Playwright cannot mark a built-in
    await page.goto(f"http://127.0.0.1:{port}/")
    await expect(page.locator("#state")).to_have_text("Not connected")
    await expect(page.locator("#notice-what")).to_contain_text(re.compile(r"\(10\d\d"))
    await expect(page.locator("#notice-do")).not_to_contain_text("Trying again")
    assert len(sockets) == 1
    async with page.expect_websocket():
        await page.click("#retry")
    await expect(page.locator("#state")).to_have_text("Not connected")
    assert len(sockets) == 2


@browser_only
async def test_in_a_frame_of_another_page_it_stays_empty(browser: Browser, address: str) -> None:
    page = await browser.new_page()
    await page.set_content(f'<iframe src="{address}"></iframe>')
    frame = page.frames[1]
    await expect(page.locator("iframe")).to_be_visible()
    await frame.wait_for_load_state()
    assert await frame.locator("#state").count() == 0


# What the page may look like: ui.md's contrasts.


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("foreground", "background", "least"),
    [(text, ground, 4.5) for text in ("text", "dim", "accent", "up") for ground in ("bg", "card")]
    + [(word, "bg", 4.5) for word in ("ok", "warn", "err")]
    + [("text", "side", 4.5), ("dim", "side", 4.5), ("on-accent", "accent", 4.5), ("on-accent", "up", 4.5)]
    + [("control-line", "card", 3.0)],
)
def test_contrasts_are_legible(theme: str, foreground: str, background: str, least: float) -> None:
    colours = themes(FOLDER / "demo.css")[theme]
    assert contrast(colours[foreground], colours[background]) >= least


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    check_nothing_from_elsewhere(FOLDER)
    check_only_shared_code_reads_the_address(FOLDER)
