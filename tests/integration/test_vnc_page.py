"""The VNC page in Chromium with TigerVNC: sees, types, watches, asks, fits, copies, comes back, and stays at home."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.browser import Console, chromium
from tests.support.engines import running
from tests.support.novnc import novnc
from tests.support.pages import page_server
from tests.support.viewer import canvas, shows, use_desktop
from tests.support.vnc import SIZE, colourful, vnc_desktop
from tests.support.waiting import until

# Kind of each message that the page sends, as it leaves the page.
SPY = """
window.sent = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (window.connected) window.sent.push(...kinds(data));
  return send.call(this, data);
};
function kinds(data) { return [new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0)[0]]; }
"""
OF_A_PERSON = {4, 5, 6, 251, 255}
FRAME = """url => {
  const frame = document.createElement("iframe");
  frame.src = url;
  document.body.append(frame);
}"""
OSC_52 = r"printf '\033]52;c;%s\a' {text}; exec cat > {file}"


@asynccontextmanager
async def page_of(context: BrowserContext, port: int, query: str = "") -> AsyncIterator[Page]:
    """Open the page of a tunnel to that port of this computer; at its end nothing may have broken a policy."""
    novnc()
    async with running(target=f"127.0.0.1:{port}", web={"root": "vnc"}) as tunnel:
        page = await context.new_page()
        console = Console(page)
        await page.goto(tunnel.now.page_url + query)
        yield page
        await page.close()
        assert not console.says("Content Security"), console.lines


async def connected(page: Page) -> None:
    await page.wait_for_selector("body[data-state=connected]", timeout=30_000)


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with chromium(viewport={"width": 1000, "height": 700}) as context:
        yield context


async def test_it_shows_the_desktop_and_carries_keys(context: BrowserContext, tmp_path: Path) -> None:
    novnc()
    with vnc_desktop(tmp_path) as desktop:
        async with running(target=f"127.0.0.1:{desktop.port}", web={"root": "vnc"}) as tunnel:
            await use_desktop(context, tunnel.now.page_url, desktop)
            (page,) = context.pages
            assert urlsplit(page.url).path == "/vnc/"
            await expect(page.locator("#size")).to_have_text(f" · {SIZE[0]} × {SIZE[1]}")


async def test_watching_only_lets_go_of_what_is_held_and_then_sends_nothing(
    context: BrowserContext, tmp_path: Path
) -> None:
    await context.add_init_script(SPY)
    with vnc_desktop(tmp_path) as desktop:
        typed = desktop.typewriter()
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.evaluate("window.connected = true")
            await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await page.keyboard.down("Shift")
            await page.locator("#watch").click()
            await page.keyboard.up("Shift")
            assert (await page.evaluate("sent"))[-1] in (4, 255)  # Shift went up
            await page.evaluate("window.sent = []")

            await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await page.keyboard.type("never\n")
            await page.mouse.wheel(0, 500)
            desktop.fill("#224466")  # what comes back is still asked for and shown
            await shows(page, desktop)
            assert not OF_A_PERSON & set(await page.evaluate("sent"))
            assert await page.locator("#keys").is_disabled()
            assert await page.locator("#clipboard").is_disabled()

            await page.locator("#watch").click()
            await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await page.keyboard.type("again\n")
            await until("the line in the xterm", typed.read_text)
            assert typed.read_text() == "again\n"


async def test_a_password_is_asked_for_a_wrong_one_told_and_none_is_stored(
    context: BrowserContext, tmp_path: Path
) -> None:
    with vnc_desktop(tmp_path, password="open it!") as desktop:
        async with page_of(context, desktop.port) as page:
            await expect(page.locator("#password")).to_be_focused()
            await expect(page.locator("#username")).to_be_hidden()
            await page.keyboard.type("no")
            await page.keyboard.press("Enter")
            await expect(page.locator("#login-problem")).to_contain_text("did not take this login")
            await expect(page.locator("#password")).to_have_value("")

            await page.keyboard.type("open it!")
            await page.keyboard.press("Enter")
            await connected(page)
            assert await page.locator("#password").input_value() == ""
            assert await context.cookies() == []
            assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
            assert "open" not in page.url


async def test_it_comes_back_when_the_server_was_restarted_without_asking_again(
    context: BrowserContext, tmp_path: Path
) -> None:
    with vnc_desktop(tmp_path / "first", password="secret") as first:
        port = first.port
        async with page_of(context, port) as page:
            await page.locator("#password").fill("secret")
            await page.keyboard.press("Enter")
            await connected(page)
            first.processes[0].terminate()
            await expect(page.locator("body")).to_have_attribute("data-state", "waiting")
            await expect(page.locator("#hint")).to_contain_text("Trying again")
            first.processes[0].wait(20)
            with vnc_desktop(tmp_path / "second", password="secret", port=port) as second:
                second.paint(colourful(2))
                await connected(page)
                await shows(page, second, tolerance=6)


async def test_waiting_can_be_cut_short_and_stopped(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            desktop.processes[0].terminate()
            await expect(page.locator("#retry")).to_have_text("Now")
            await page.locator("#stop").click()
            await expect(page.locator("#what")).to_have_text("Disconnected.")
            await expect(page.locator("#retry")).to_have_text("Connect")


async def test_disconnecting_stays_so_until_asked(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.locator("#view").click()
            await page.locator("#disconnect").click()
            await expect(page.locator("body")).to_have_attribute("data-state", "failed")
            await page.locator("#retry").click()
            await connected(page)


async def box(page: Page, selector: str) -> tuple[float, float, float, float]:
    found = await page.locator(selector).bounding_box()
    assert found is not None
    return found["x"], found["y"], found["width"], found["height"]


async def test_the_desktop_fits_or_has_its_full_size_and_can_be_moved(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.set_viewport_size({"width": 400, "height": 700})
            await until("a fitting width", lambda: narrow(page, 400))
            _, _, width, height = await box(page, "#screen canvas")
            assert width / height == pytest.approx(SIZE[0] / SIZE[1], rel=0.01)

            await page.locator("#view").click()
            await page.get_by_label("Full size").check()
            await page.keyboard.press("Escape")
            await expect(page.locator("#move")).to_be_visible()
            before = await canvas(page)
            assert before.width <= 400  # one pixel is one pixel, and the rest lies outside
            desktop.paint(colourful())
            await until("the picture", lambda: is_painted(page))
            left = await canvas(page)
            await page.mouse.move(300, 400)
            await page.mouse.down()
            await page.mouse.move(100, 400, steps=5)
            await page.mouse.up()
            await until("another part of it", lambda: differs(page, left.tobytes()))


async def narrow(page: Page, width: int) -> bool:
    _, _, seen, _ = await box(page, "#screen canvas")
    return abs(seen - width) < 2


async def is_painted(page: Page) -> bool:
    return len((await canvas(page)).getcolors(1 << 20) or ()) > 20


async def differs(page: Page, before: bytes) -> bool:
    return (await canvas(page)).tobytes() != before


async def test_the_desktop_is_made_as_large_as_the_window(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.locator("#view").click()
            await page.get_by_label("as large as the window").check()
            _, _, width, height = await box(page, "#stage")
            await until("the server's new size", lambda: desktop.screenshot().size == (int(width), int(height)))


async def test_text_goes_both_ways_and_only_by_a_click(context: BrowserContext, tmp_path: Path) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.evaluate("navigator.clipboard.writeText('mine: grüße')")
            copied, typed = "from the desktop: ä€", tmp_path / "pasted.txt"
            text = base64.b64encode(copied.encode()).decode()
            script = OSC_52.format(text=text, file=typed)
            desktop.start("xterm", "-xrm", "XTerm*disallowedWindowOps:", "-geometry", "60x12+10+10", "-e", script)
            await expect(page.locator("#news")).to_be_visible(timeout=30_000)
            assert await page.evaluate("navigator.clipboard.readText()") == "mine: grüße"  # not without a click

            await page.locator("#clipboard").click()
            await expect(page.locator("#from")).to_have_value(copied)
            await page.locator("#copy").click()
            await expect(page.locator("#clipboard-said")).to_have_text("Copied.")
            assert await page.evaluate("navigator.clipboard.readText()") == copied
            await page.evaluate("navigator.clipboard.writeText('mine: grüße')")
            await page.locator("#paste").click()
            await expect(page.locator("#clipboard-said")).to_have_text("Sent.")
            await page.keyboard.press("Escape")
            await page.locator("#screen canvas").click(position={"x": 60, "y": 60}, button="middle")
            await page.keyboard.press("Enter")
            await until("the pasted line", typed.read_text)
            assert typed.read_text() == "mine: grüße\n"


async def test_keys_that_the_browser_keeps_are_sent_by_buttons(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        typed = desktop.typewriter()
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await page.keyboard.type("line")
            await page.locator("#keys").click()
            await page.get_by_role("button", name="Enter", exact=True).click()
            await until("the line", typed.read_text)
            await page.get_by_role("button", name="Ctrl", exact=True).click()
            await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await expect(page.get_by_role("button", name="Keys: Ctrl held down")).to_be_visible()
            await page.keyboard.press("d")  # with Ctrl: the end of what is typed, so cat and the xterm end
            xterm = desktop.processes[-1]
            await until("the xterm's end", lambda: xterm.poll() is not None)


async def test_the_keyboard_finds_its_way_out_of_the_desktop_and_back(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with page_of(context, desktop.port) as page:
            await connected(page)
            await expect(page.locator("#screen canvas")).to_be_focused()
            await page.keyboard.press("Tab")  # that one is the desktop's
            await expect(page.locator("#screen canvas")).to_be_focused()
            await page.keyboard.press("Control+Alt+Shift+KeyM")
            await expect(page.locator("#watch")).to_be_focused()
            for name in ("Keys", "Clipboard", "View", "Full screen", "Hide this bar"):
                await page.keyboard.press("Tab")
                await expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(page.locator("#bar")).to_be_hidden()
            _, y, _, _ = await box(page, "#stage")
            assert y == 0
            await page.locator("#show").click()
            await expect(page.locator("#bar")).to_be_visible()


@pytest.mark.parametrize("query", ["?token=a%2Fb+c%26", "#token=a%2Fb+c%26", "?token=other#token=a%2Fb+c%26"])
async def test_the_token_of_the_address_is_passed_on(context: BrowserContext, tmp_path: Path, query: str) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with running(target=f"127.0.0.1:{desktop.port}", web={"root": "vnc"}) as tunnel:
            page = await context.new_page()
            sockets: list[str] = []
            page.on("websocket", lambda socket: sockets.append(socket.url))
            await page.goto(tunnel.now.page_url + query)
            await connected(page)
            assert sockets == [f"{tunnel.url}?token=a%2Fb+c%26"]


async def test_nothing_else_of_the_address_is_heard(context: BrowserContext, tmp_path: Path) -> None:
    query = "?host=evil.example&port=1&path=x&password=p&encrypt=1&view_only=1#host=evil.example&path=/y"
    with vnc_desktop(tmp_path, password="secret") as desktop:
        async with running(target=f"127.0.0.1:{desktop.port}", web={"root": "vnc"}) as tunnel:
            page = await context.new_page()
            sockets: list[str] = []
            elsewhere: list[str] = []
            page.on("websocket", lambda socket: sockets.append(socket.url))
            page.on("request", lambda request: elsewhere.append(request.url) if "evil" in request.url else None)
            await page.goto(tunnel.now.page_url + "vnc/" + query)
            await expect(page.locator("#password")).to_be_focused()
            await expect(page.locator("#password")).to_have_value("")
            assert sockets == [tunnel.url]
            assert [url for url in elsewhere if urlsplit(url).hostname != "127.0.0.1"] == []
            assert "evil" not in await page.content()


async def test_in_a_frame_of_another_page_it_stays_empty(context: BrowserContext, tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        async with running(target=f"127.0.0.1:{desktop.port}", web={"root": "vnc"}) as tunnel, page_server() as port:
            page = await context.new_page()
            console = Console(page)
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.evaluate(FRAME, tunnel.now.page_url + "vnc/")
            await until("the browser saying why", lambda: console.lines)
            assert console.says("frame-ancestors 'none'"), console.lines
            assert "wsgui" not in await page.frames[1].content()


async def test_fingers_tap_and_the_device_s_keyboard_types(tmp_path: Path) -> None:
    with vnc_desktop(tmp_path) as desktop:
        typed = desktop.typewriter()
        async with chromium(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True) as context:
            async with page_of(context, desktop.port) as page:
                await connected(page)
                await page.locator("#screen canvas").tap(position={"x": 40, "y": 40})
                await page.locator("#type").tap()
                await expect(page.locator("#soft")).to_be_focused()
                await page.keyboard.insert_text("Wörtr")
                await page.keyboard.press("Backspace")
                await page.keyboard.insert_text("e")
                await page.keyboard.press("Enter")
                await until("the line in the xterm", typed.read_text)
                assert typed.read_text() == "Wörte\n"
                _, _, width, height = await box(page, "#type")
                assert min(width, height) >= 40
