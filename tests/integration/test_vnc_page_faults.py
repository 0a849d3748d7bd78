"""What the VNC page says and does when a server is missing, refuses, is none, or means harm."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.browser import Console, chromium
from tests.support.engines import NAME, running
from tests.support.novnc import novnc
from tests.support.rfb import (
    OF_A_PERSON,
    VERSION,
    VNC_AUTH,
    RfbServer,
    Script,
    Viewer,
    rfb_server,
)
from tests.support.viewer import canvas
from tests.support.waiting import until

MEBIBYTE = 1024 * 1024
COPIED, CAPS, PROVIDE = 1, 1 << 24, 1 << 28
CURSOR = -239
LONG_AGO_MS = 600_000


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with chromium(viewport={"width": 1000, "height": 700}) as context:
        yield context


@asynccontextmanager
async def page_at(context: BrowserContext, port: int, *, clock: bool = False) -> AsyncIterator[Page]:
    novnc()
    async with running(target=f"127.0.0.1:{port}", web={"root": "vnc"}) as tunnel:
        page = await context.new_page()
        console = Console(page)
        if clock:
            await page.clock.install()
        await page.goto(tunnel.now.page_url)
        yield page
        assert not console.says("Content Security"), console.lines
        await page.close()


@asynccontextmanager
async def page_with(
    context: BrowserContext, script: Script, *, clock: bool = False
) -> AsyncIterator[tuple[Page, RfbServer]]:
    async with rfb_server(script) as server, page_at(context, server.port, clock=clock) as page:
        yield page, server


async def state(page: Page, word: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", word, timeout=30_000)


async def serve(viewer: Viewer) -> None:
    await viewer.begin()
    viewer.paint((0x20, 0x60, 0xA0))
    await viewer.listen()


async def shows(page: Page, colour: tuple[int, int, int]) -> None:
    async def same() -> bool:
        return (await canvas(page)).getpixel((5, 5)) == colour

    await until("the colour", same)


async def test_a_target_that_refuses_is_told_and_not_tried_again_by_itself(context: BrowserContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with page_at(context, port, clock=True) as page:
        await state(page, "failed")
        await expect(page.locator("#what")).to_have_text("The tunnel could not reach the VNC server.")
        await expect(page.locator("#hint")).to_contain_text("display :1 is port 5901")
        async with counting(port) as connections:
            await page.clock.fast_forward(LONG_AGO_MS)
            await state(page, "failed")
            assert connections == []
            await page.locator("#retry").click()
            await until("the asked-for attempt", lambda: connections)


@asynccontextmanager
async def counting(port: int) -> AsyncIterator[list[int]]:
    connections: list[int] = []

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", port)
    try:
        yield connections
    finally:
        server.close()


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "answers as an SSH server, not as a VNC server"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "answers as a web server"),
        (b"\xff\xfd\x18\xff\xfd\x20", "answers as a telnet server"),
        (b"220 mail.example ESMTP\r\n", "answers, but not as a VNC server"),
        (b"+", "answers, but not as a VNC server"),
        (b"RFB 009.009\n", "speaks a version of the protocol that this page does not know"),
    ],
)
async def test_another_service_is_told_apart(context: BrowserContext, greeting: bytes, words: str) -> None:
    async def script(viewer: Viewer) -> None:
        viewer.send(greeting)
        await viewer.reader.read()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await expect(page.locator("#what")).to_contain_text(words)
        await expect(page.locator("#retry")).to_be_visible()


async def test_before_a_telnet_server_the_terminal_page_is_offered_with_the_same_token(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        viewer.send(b"\xff\xfd\x18")
        await viewer.reader.read()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await page.goto(f"{page.url}#token=a%2Fb")
        await page.reload()
        await page.get_by_role("button", name="Open the terminal page").click()
        await page.wait_for_url("**/terminal/#token=a%2Fb")


async def test_a_service_that_says_nothing_is_waited_for_and_told(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.reader.read()

    async with page_with(context, script, clock=True) as (page, server):
        await until("the connection", lambda: server.viewers)
        await state(page, "connecting")

        async def told() -> bool:
            await page.clock.fast_forward(10_000)
            return "says nothing" in await page.locator("#what").inner_text()

        await until("the page saying so", told)
        await state(page, "connecting")


async def test_a_server_that_turns_everybody_away_is_quoted(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        viewer.send(VERSION)
        await viewer.reader.readexactly(12)
        reason = b"Too many security failures \x1b[31m<b>"
        viewer.send(b"\0" + struct.pack(">I", len(reason)) + reason)
        await viewer.reader.read()

    async with page_with(context, script) as (page, server):
        await state(page, "failed")
        await expect(page.locator("#what")).to_contain_text("after too many failed logins")
        said = r"The server says: Too many security failures \u{1b}[31m<b>"
        await expect(page.locator("#said")).to_have_text(said)
        assert len(server.viewers) == 1


async def test_a_server_that_bans_and_leaves_at_once_is_quoted_too(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        reason = b"Too many security failures"
        viewer.send(b"RFB 003.003\n" + bytes(4) + struct.pack(">I", len(reason)) + reason)
        await viewer.writer.drain()
        viewer.writer.close()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await expect(page.locator("#what")).to_contain_text("after too many failed logins")


async def test_logins_that_this_page_does_not_know_are_named(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        viewer.send(VERSION)
        await viewer.reader.readexactly(12)
        viewer.send(bytes((2, 5, 129)))
        await viewer.reader.read()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await expect(page.locator("#what")).to_have_text("The VNC server offers no login that this page knows.")
        await expect(page.locator("#said")).to_have_text("Unsupported security types (types: 5,129)")


async def test_a_server_that_wants_a_user_gets_one(context: BrowserContext) -> None:
    answers: list[tuple[str, str]] = []

    async def script(viewer: Viewer) -> None:
        answers.append(await viewer.asked_plain())
        if len(answers) == 1:
            viewer.refuse("Who is that?")
            return
        await viewer.let_in()
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await expect(page.locator("#username")).to_be_focused()
        await page.keyboard.type("ana")
        await page.locator("#password").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.locator("#login-problem")).to_contain_text("did not take this login")
        await expect(page.locator("#login-said")).to_have_text("The server says: Who is that?")
        await page.locator("#username").fill("änna")
        await page.locator("#password").fill("pass wörd")
        await page.keyboard.press("Enter")
        await state(page, "connected")

    assert answers == [("ana", "wrong"), ("änna", "pass wörd")]


async def test_a_server_that_loses_patience_while_somebody_types_is_asked_anew(context: BrowserContext) -> None:
    gone = asyncio.Event()

    async def script(viewer: Viewer) -> None:
        await viewer.greet(VNC_AUTH)
        viewer.send(bytes(16))
        if not gone.is_set():
            await viewer.writer.drain()
            gone.set()
            return
        await viewer.reader.readexactly(16)
        await viewer.let_in()
        await viewer.listen()

    async with page_with(context, script) as (page, server):
        await expect(page.locator("#password")).to_be_focused()
        await page.wait_for_function("document.body.dataset.state === 'login'")
        await page.keyboard.type("secret")
        await page.keyboard.press("Enter")
        await state(page, "connected")
        assert len(server.viewers) == 2


async def test_names_are_text_and_short(context: BrowserContext) -> None:
    name = "<img src=x onerror=document.title='owned'>{0}%s\u202e&amp;\x07"

    async def script(viewer: Viewer) -> None:
        await viewer.begin(name=(name + "x" * 5000).encode())
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await state(page, "connected")
        shown = await page.locator("#name").inner_text()
        assert shown.startswith(r"<img src=x onerror=document.title='owned'>{0}%s\u{202e}&amp;\u{7}xxx")
        assert len(shown) == 256
        assert await page.title() == f"{shown} – wsgui"
        assert await page.locator("img").count() == 0


async def test_cut_text_that_is_too_large_is_left_out_and_the_session_goes_on(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.begin()
        viewer.cut_text(b"x" * (MEBIBYTE + 1))
        viewer.paint((1, 2, 3))
        viewer.cut_text(b"y" * MEBIBYTE)
        viewer.paint((4, 5, 6))
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await state(page, "connected")
        await shows(page, (4, 5, 6))
        await page.locator("#clipboard").click()
        assert await page.locator("#from").input_value() == "y" * MEBIBYTE


async def test_cut_text_that_inflates_to_too_much_is_left_out(context: BrowserContext) -> None:
    bomb = zlib.compress(struct.pack(">I", 0x7FFFFFFF) + bytes(MEBIBYTE))
    small = "small: ä€\r\nline".encode() + b"\0"
    fair = zlib.compress(struct.pack(">I", len(small)) + small)

    async def script(viewer: Viewer) -> None:
        await viewer.begin()
        viewer.extended_cut_text(CAPS | PROVIDE | COPIED, struct.pack(">I", 0))
        viewer.extended_cut_text(PROVIDE | COPIED, fair)
        viewer.extended_cut_text(PROVIDE | COPIED, bomb)
        viewer.extended_cut_text(PROVIDE | COPIED, b"no zlib")
        viewer.extended_cut_text(PROVIDE | 2, bomb)  # not text: nobody asked for it
        viewer.paint((7, 8, 9))
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await state(page, "connected")
        await shows(page, (7, 8, 9))
        await page.locator("#clipboard").click()
        await expect(page.locator("#from")).to_have_value("small: ä€\nline")
        await expect(page.locator("#clipboard-said")).to_contain_text("more than 1 MiB")


async def test_text_of_a_mebibyte_is_sent_and_more_is_not(context: BrowserContext) -> None:
    async with page_with(context, serve) as (page, server):
        await state(page, "connected")
        await page.locator("#clipboard").click()
        fill = "text => { document.getElementById('to').value = text; }"
        await page.evaluate(fill, "ä" * (MEBIBYTE // 2 + 1))
        await page.locator("#send").click()
        await expect(page.locator("#clipboard-said")).to_contain_text("more than 1 MiB")
        await page.evaluate(fill, "ä" * (MEBIBYTE // 2))
        await page.locator("#send").click()
        await expect(page.locator("#clipboard-said")).to_have_text("Sent.")
        (viewer,) = server.viewers
        await until("the text", lambda: any(kind == 6 for kind, _ in viewer.messages))
        assert [rest for kind, rest in viewer.messages if kind == 6] == ["ä".encode("latin-1") * (MEBIBYTE // 2)]


@pytest.mark.parametrize("size", [(65535, 65535), (40000, 10), (16384, 16384)])
async def test_a_desktop_that_is_too_large_is_refused(context: BrowserContext, size: tuple[int, int]) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.begin(size=size)
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await expect(page.locator("#said")).to_have_text(f"A desktop of {size[0]} × {size[1]} pixels is too large")


@pytest.mark.parametrize(
    ("size", "encoding", "words"),
    [
        ((60000, 60000), 0, "A rectangle of 60000 × 60000 pixels is larger than the desktop"),
        ((65535, 65535), -223, "A desktop of 65535 × 65535 pixels is too large"),
        ((5000, 5000), CURSOR, "A pointer of 5000 × 5000 pixels is too large"),
        ((30000, 30000), 0x574D5664, "A pointer of 30000 × 30000 pixels is too large"),
    ],
)
async def test_sizes_that_would_fill_the_memory_end_the_session(
    context: BrowserContext, size: tuple[int, int], encoding: int, words: str
) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.begin()
        viewer.rectangle(size, encoding, bytes(64))
        await viewer.listen()

    async with page_with(context, script) as (page, _):
        await state(page, "failed")
        await expect(page.locator("#what")).to_contain_text("sent something that this page does not take")
        await expect(page.locator("#said")).to_have_text(words)


async def test_watching_only_from_before_a_reconnect_holds_after_it(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.begin()
        viewer.paint((len(server.viewers), 0, 0))
        await viewer.listen()

    async with rfb_server(script) as server, page_at(context, server.port) as page:
        await state(page, "connected")
        await page.locator("#watch").click()
        server.viewers[0].writer.close()
        await until("the second connection", lambda: len(server.viewers) == 2)
        await state(page, "connected")
        await shows(page, (2, 0, 0))
        await page.locator("#screen canvas").click()
        await page.keyboard.type("never")
        server.viewers[1].paint((9, 9, 9))
        await shows(page, (9, 9, 9))
        assert not [kind for kind, _ in server.viewers[1].messages if kind in OF_A_PERSON]


async def test_it_comes_back_when_the_tunnel_was_restarted(context: BrowserContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    async with rfb_server(serve) as server:
        async with running(listen=listen, target=f"127.0.0.1:{server.port}", web={"root": "vnc"}) as tunnel:
            page = await context.new_page()
            refused: list[str] = []
            page.on("requestfailed", lambda request: refused.append(request.url))
            await page.goto(tunnel.now.page_url)
            await state(page, "connected")
            await tunnel.engine.stop(NAME)
            await state(page, "waiting")
            await until("an attempt while nothing answers", lambda: refused)
            await state(page, "waiting")
            await tunnel.engine.start(NAME)
            await state(page, "connected")
            await page.close()


async def test_reconnects_come_less_often_each_time(context: BrowserContext) -> None:
    async def script(viewer: Viewer) -> None:
        await viewer.begin()

    async with page_with(context, script) as (page, server):
        waits: list[str] = []
        await page.expose_function("told", lambda text: waits.append(text))
        await page.evaluate(
            """() => new MutationObserver(() => told(document.getElementById("hint").textContent))
              .observe(document.getElementById("hint"), { childList: true })"""
        )
        await until("a wait of seconds", lambda: any("in 3 s" in wait or "in 4 s" in wait for wait in waits))
        assert len(server.viewers) <= 6


def test_the_encodings_named_here_are_those_of_the_core() -> None:
    source = (novnc() / "core" / "encodings.js").read_text()

    assert f"pseudoEncodingCursor: {CURSOR}," in source
    assert "pseudoEncodingVMwareCursor: 0x574d5664," in source
