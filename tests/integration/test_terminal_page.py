"""The terminal page in Chromium: a real shell on a terminal, inetd's telnetd, and raw services behind the tunnel."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.browser import Console, chromium
from tests.support.engines import Running, running
from tests.support.programs import need
from tests.support.raw import Serve, tcp_target
from tests.support.waiting import until
from wsgui import assets
from wsgui.engine.events import ClientRefused

TELNETD = "/usr/sbin/telnetd"
SHELL = {
    "run": ["bash", "--norc"],
    "mode": "terminal",
    "environment": {"PS1": "ready> ", "HOME": "/nonexistent", "LANG": "C.UTF-8"},
}


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    if not (assets.root() / "web" / "vendor" / "xterm").is_dir():
        pytest.skip("no xterm.js: run packaging/viewers.py")
    permissions = ["clipboard-read", "clipboard-write"]
    async with chromium(viewport={"width": 1000, "height": 600}, permissions=permissions) as context:
        yield context


class Terminal:
    """The page, and what a person does with it."""

    def __init__(self, page: Page, tunnel: Running) -> None:
        self.page = page
        self.tunnel = tunnel
        self.rows = page.locator(".xterm-rows")

    async def shows(self, pattern: str) -> None:
        await expect(self.rows).to_have_text(re.compile(pattern, re.DOTALL), timeout=20_000)

    async def type(self, text: str) -> None:
        await self.page.keyboard.type(text)

    async def enter(self, text: str) -> None:
        await self.type(text)
        await self.page.keyboard.press("Enter")

    async def point_at(self, text: str, *, clicks: int = 1) -> None:
        """Click where that text, which stands at a line's beginning, is shown: a layer above it takes the pointer."""
        row = self.rows.locator("> div", has_text=re.compile(f"^{text}"))
        box = await row.bounding_box()
        assert box is not None
        x, y = box["x"] + 20, box["y"] + box["height"] / 2
        await self.page.mouse.move(x, y)
        await self.page.mouse.move(x + 1, y)
        await self.page.mouse.click(x + 1, y, click_count=clicks)

    async def state(self, word: str) -> None:
        await self.page.wait_for_selector(f"body[data-state={word}]", timeout=20_000)

    async def size(self) -> tuple[int, int]:
        """Columns and rows, as the page says."""
        columns, rows = re.findall(r"\d+", await self.page.inner_text("#size"))
        return int(columns), int(rows)


@asynccontextmanager
async def opened(context: BrowserContext, query: str = "", **fields: Any) -> AsyncIterator[Terminal]:
    """Open a tunnel's terminal page; at its end nothing may have broken the page's policy."""
    profile = {"web": {"root": "terminal"}, "access": {"anyone": True}} | fields
    if "command" in profile:
        profile["target"] = None
    async with running(**profile) as tunnel:
        page = await context.new_page()
        console = Console(page)
        await page.goto(tunnel.now.page_url + query)
        yield Terminal(page, tunnel)
        await page.close()
        assert console.lines == []


@asynccontextmanager
async def shell(context: BrowserContext, query: str = "") -> AsyncIterator[Terminal]:
    async with opened(context, query, command=SHELL) as terminal:
        await terminal.state("connected")
        await terminal.shows("ready> ")
        yield terminal


@asynccontextmanager
async def service(context: BrowserContext, serve: Serve) -> AsyncIterator[Terminal]:
    """The page before a TCP service."""
    async with tcp_target(serve) as port:
        async with opened(context, target=f"127.0.0.1:{port}") as terminal:
            await terminal.state("connected")
            yield terminal


# A shell on a terminal


async def test_what_is_typed_reaches_a_shell_and_its_answer_is_shown(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter("echo $((6*7)) 'größer ≥ 日本'")
        await terminal.shows("42 größer ≥ 日本")
        assert urlsplit(terminal.page.url).path == "/terminal/"


async def test_a_new_size_of_the_window_reaches_the_shell(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        before = await terminal.size()
        await terminal.enter("stty size")
        await terminal.shows(f"{before[1]} {before[0]}")
        await terminal.page.set_viewport_size({"width": 700, "height": 400})
        await until("another size", lambda: _differs(terminal, before))
        columns, rows = await terminal.size()
        assert columns < before[0]
        assert rows < before[1]
        await terminal.enter("clear; stty size")
        await terminal.shows(f"{rows} {columns}")


async def _differs(terminal: Terminal, before: tuple[int, int]) -> bool:
    return await terminal.size() != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_colours_are_shown_in_both_themes(context: BrowserContext, scheme: Any) -> None:
    async with shell(context) as terminal:
        await terminal.page.emulate_media(color_scheme=scheme)
        await terminal.enter(r"printf '\033[31mred\033[0m \033[1;38;2;10;200;90mgreen\033[0m\n'")
        red = terminal.rows.get_by_text("red", exact=True)
        green = terminal.rows.get_by_text("green", exact=True)
        await expect(red).to_have_css("color", "rgb(194, 48, 59)" if scheme == "light" else "rgb(255, 107, 107)")
        await expect(green).to_have_css("font-weight", "700")
        ground = terminal.page.locator(".xterm-scrollable-element")
        await expect(ground).to_have_css(
            "background-color", "rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 29)"
        )


async def test_the_end_of_the_program_is_said_with_its_status_and_enter_begins_anew(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter("echo last''words; exit 3")
        await terminal.state("failed")
        assert await terminal.page.inner_text("#what") == "The program ended with status 3."
        await terminal.shows("lastwords")
        await terminal.page.keyboard.press("Enter")
        await terminal.state("connected")
        await expect(terminal.page.locator("#notice")).to_be_hidden()
        await terminal.enter("echo $((40+2))")
        await terminal.shows("lastwords.*42")
        await terminal.enter("exit")
        await terminal.state("ended")
        assert await terminal.page.inner_text("#what") == "The program ended with status 0."


async def test_a_program_that_does_not_start_is_said(context: BrowserContext) -> None:
    command = {"run": ["no-such-program"], "mode": "terminal"}
    async with opened(context, command=command) as terminal:
        await terminal.state("failed")
        assert "could not reach its target or start its program" in await terminal.page.inner_text("#what")
        assert await terminal.page.inner_text("#again") == "Try again"
        assert await terminal.page.text_content("#word") == "Not connected"


async def test_a_tunnel_that_stops_is_said_and_when_it_is_back_so_is_the_shell(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        listen = f"127.0.0.1:{urlsplit(terminal.tunnel.url).port}"
        await terminal.tunnel.engine.stop("T")
        await terminal.state("failed")
        assert await terminal.page.inner_text("#what") == "The tunnel was stopped."
        async with running(target=None, command=SHELL, access={"anyone": True}, listen=listen):
            await terminal.page.click("#again")
            await terminal.state("connected")


async def test_a_page_that_is_not_let_in_says_so_and_does_not_knock_again(context: BrowserContext) -> None:
    access = {"anyone": True, "origins": ["https://elsewhere.example"]}
    async with running(target=None, command=SHELL, web={"root": "terminal"}, access=access) as tunnel:
        page = await context.new_page()
        await page.goto(tunnel.now.page_url)
        await page.wait_for_selector("body[data-state=failed]")
        assert await page.inner_text("#what") == "The tunnel did not let this page in."
        refused = [event for event in tunnel.events if isinstance(event, ClientRefused)]
        assert [event.refusal.rule for event in refused] == ["origin"]


async def test_what_is_selected_is_copied_and_what_is_pasted_arrives(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter("echo uni''que-word")
        await terminal.shows("unique-word")
        await terminal.point_at("unique-word", clicks=2)
        await terminal.page.click("#copy")
        copied = "navigator.clipboard.readText()"
        await until("it on the clipboard", lambda: _is(terminal.page, copied, "unique-word"))

        await terminal.page.evaluate("navigator.clipboard.writeText('echo pas' + '\\x1b\\x03' + 'ted')")
        await terminal.page.click("#paste")
        await terminal.shows("echo pasted")
        await terminal.page.keyboard.press("Enter")
        await terminal.shows(r"pasted\s*ready> ")
        await terminal.page.evaluate("navigator.clipboard.writeText('echo ag' + 'ain')")
        await terminal.page.keyboard.press("Control+Shift+V")
        await terminal.shows("echo again")
        await terminal.page.keyboard.press("Enter")
        await terminal.shows(r"again\s*ready> ")


async def _is(page: Page, script: str, value: str) -> bool:
    return str(await page.evaluate(script)) == value


async def test_a_program_neither_reads_nor_writes_the_clipboard(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.page.evaluate("navigator.clipboard.writeText('mine')")
        await terminal.enter(r"printf '\033]52;c;c3RvbGVu\a\033]52;c;?\a'; sleep 0.2; echo after''wards")
        await terminal.shows("afterwards")
        assert await terminal.page.evaluate("navigator.clipboard.readText()") == "mine"


async def test_a_title_is_shown_as_text_bounded_and_with_our_name(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter(r"printf '\033]0;<b>%s\342\200\256\a' $(head -c 3000 /dev/zero | tr '\0' x)")
        await expect(terminal.page.locator("#name")).to_have_text(re.compile("^<b>x+…$"))
        title = await terminal.page.title()
        assert title.startswith("wsgui – <b>x")
        assert len(title) < 100
        await terminal.enter(r"printf '\033]2;bi\342\200\256di\a'")
        await expect(terminal.page.locator("#name")).to_have_text(r"bi\u{202e}di")


async def test_a_link_is_opened_only_when_a_person_has_seen_where_it_leads(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter(r"clear; printf '\033]8;;http://127.0.0.1:1/where\aclick-me\033]8;;\a\n'")
        await terminal.point_at("click-me")
        await expect(terminal.page.locator("#link-address")).to_have_text("http://127.0.0.1:1/where")
        await terminal.page.keyboard.press("Escape")
        await expect(terminal.page.locator("#link")).to_be_hidden()
        assert len(context.pages) == 1


async def test_keys_of_the_panel_do_what_they_say(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter("echo first; sleep 60")
        await terminal.shows(r"first\s")
        await terminal.page.click("#keys")
        await terminal.page.click("#presses >> text=Ctrl+C")
        await terminal.shows(r"\^C\s*ready> ")
        await terminal.page.click("#presses >> text=Break")
        await terminal.page.click("#presses >> text=↑")
        await terminal.shows(r"\^C.*echo first; sleep 60")


async def test_the_keyboard_alone_leads_to_the_controls_and_back(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        page = terminal.page
        await page.keyboard.press("Tab")  # the shell's
        await page.keyboard.press("Control+Alt+Shift+M")
        assert await page.evaluate("document.activeElement.closest('#bar') !== null")
        await page.focus("#view")
        await page.keyboard.press("Enter")
        await page.click("#larger")
        await page.keyboard.press("Escape")
        await expect(page.locator("#view-panel")).to_be_hidden()
        await page.keyboard.press("Escape")
        await terminal.enter("echo back''again")
        await terminal.shows("backagain")


async def test_a_screen_reader_is_given_the_lines(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.page.click("#view")
        await terminal.page.check("#aloud")
        await terminal.page.keyboard.press("Escape")
        await terminal.page.keyboard.press("Escape")
        await terminal.enter("echo read''aloud")
        await expect(terminal.page.locator(".xterm-accessibility-tree")).to_contain_text("readaloud")


async def test_a_program_that_writes_without_end_can_be_interrupted(context: BrowserContext) -> None:
    async with shell(context) as terminal:
        await terminal.enter("yes")
        await terminal.shows(r"(y\s*){20}")
        await terminal.page.keyboard.press("Control+C")
        await terminal.shows(r"\^C\s*ready> ")


@pytest.mark.parametrize(
    "query",
    [
        "?host=evil.example&port=80&path=evil&encrypt=1&password=x",
        "#host=evil.example&port=80",
        "?autoconnect=true&host=//evil.example#path=//evil.example",
    ],
)
async def test_nothing_in_its_address_sends_it_elsewhere(context: BrowserContext, query: str) -> None:
    sockets: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: sockets.append(socket.url)))
    async with shell(context, query) as terminal:
        assert sockets == [terminal.tunnel.url]
        assert "evil" not in await terminal.page.content()


async def test_a_token_of_its_address_goes_to_the_tunnel(context: BrowserContext) -> None:
    sockets: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: sockets.append(socket.url)))
    async with shell(context, "terminal/?token=a%20b%26c") as terminal:
        assert sockets == [f"{terminal.tunnel.url}?token=a+b%26c"]


async def test_its_policy_lets_no_text_become_a_script_or_a_style(context: BrowserContext) -> None:
    async with running(target=None, command=SHELL, web={"root": "terminal"}, access={"anyone": True}) as tunnel:
        answer = await context.request.get(tunnel.now.page_url)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy


# telnet


async def test_a_telnet_server_is_negotiated_with_and_told_the_size(context: BrowserContext) -> None:
    need(TELNETD)
    command = {"run": [TELNETD, "-E", "/bin/bash --norc"], "mode": "stdio"}
    async with opened(context, command=command) as terminal:
        await terminal.state("connected")
        await terminal.shows("[#$] ")
        columns, rows = await terminal.size()
        await terminal.enter("stty size; echo $TERM $((6*7))")
        await terminal.shows(rf"{rows} {columns}\s*xterm-256color 42")
        await terminal.page.set_viewport_size({"width": 640, "height": 400})
        await until("another size", lambda: _differs(terminal, (columns, rows)))
        columns, rows = await terminal.size()
        await terminal.enter("clear; stty size")
        await terminal.shows(f"{rows} {columns}")
        await terminal.enter(r"printf 'gr\303\266\303\237er\n'")
        await terminal.shows("größer")
        await terminal.enter("exit")
        await expect(terminal.page.locator("#what")).to_have_text(re.compile("^The program ended with status"))


class Heard:
    """A service that says something and keeps what it hears."""

    def __init__(self, greeting: bytes) -> None:
        self.greeting = greeting
        self.data = b""
        self.writer: asyncio.StreamWriter

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        writer.write(self.greeting)
        while data := await reader.read(65536):
            self.data += data


async def test_where_the_telnet_server_does_not_echo_lines_are_made_here(context: BrowserContext) -> None:
    heard = Heard(b"\xff\xfd\x06Name: ")
    async with service(context, heard.serve) as terminal:
        await terminal.shows("Name: ")
        await terminal.type("gasst")
        await terminal.page.keyboard.press("Backspace")
        await terminal.page.keyboard.press("Backspace")
        await terminal.page.keyboard.press("Backspace")
        await terminal.type("lü")
        await terminal.shows(r"Name: galü\s*$")
        assert heard.data == b"\xff\xfc\x06"
        await terminal.page.keyboard.press("Enter")
        await until("the line", lambda: heard.data.endswith("galü\r\n".encode()))
        heard.writer.write(b"\xff\xfb\x01Password: ")  # what follows is not to be shown
        await terminal.shows("Password: ")
        await terminal.enter("secret")
        await until("the password", lambda: heard.data.endswith(b"\xff\xfd\x01secret\r\0"))
        assert "secret" not in await terminal.rows.inner_text()


async def test_raw_bytes_pass_as_they_are_and_enter_sends_what_was_chosen(context: BrowserContext) -> None:
    heard = Heard(b"220 ready \xff\r\n")
    async with service(context, heard.serve) as terminal:
        await terminal.shows("220 ready ")
        await terminal.enter("one")
        await until("a return", lambda: heard.data == b"one\r")
        await terminal.page.click("#view")
        await terminal.page.check("input[value=both]")
        await terminal.page.check("input[value=always]")
        await terminal.page.keyboard.press("Escape")
        await terminal.page.keyboard.press("Escape")
        await terminal.enter("QUIT")
        await until("a line", lambda: heard.data == b"one\rQUIT\r\n")
        await terminal.shows("QUIT")


async def test_an_ssh_server_is_told_apart_with_what_to_use_instead(context: BrowserContext) -> None:
    async with service(context, Heard(b"SSH-2.0-OpenSSH_9.2p1\r\n").serve) as terminal:
        await expect(terminal.page.locator("#what")).to_have_text(
            re.compile("is an SSH server, which this page cannot")
        )
        await expect(terminal.page.locator("#hint")).to_contain_text('mode = "terminal"')
        await expect(terminal.page.locator("#again")).to_be_hidden()


async def test_before_a_vnc_server_the_desktop_s_page_is_offered(context: BrowserContext) -> None:
    async with service(context, Heard(b"RFB 003.008\n").serve) as terminal:
        await terminal.page.get_by_role("button", name="Open as a desktop").click()
        await terminal.page.wait_for_url("**/vnc/")


async def test_a_service_that_stays_silent_is_offered_lines(context: BrowserContext) -> None:
    heard = Heard(b"")
    async with service(context, heard.serve) as terminal:
        await terminal.enter("PING")
        await terminal.page.get_by_role("button", name="Send lines").click()
        await expect(terminal.page.locator("#notice")).to_be_hidden()
        await terminal.enter("QUIT")
        await until("a line", lambda: heard.data == b"PING\rQUIT\r\n")
        await terminal.shows("QUIT")


async def test_a_server_that_negotiates_without_end_is_not_answered_without_end(context: BrowserContext) -> None:
    heard = Heard(b"\xff\xfb\x63" * 100_000 + b"done")
    async with service(context, heard.serve) as terminal:
        await terminal.shows("done")
        await until("the answers", lambda: heard.data)
        assert len(heard.data) <= 3 * 4096


SPLIT = """async conversation => {
  const { Telnet } = await import("./telnet.js");
  const all = Uint8Array.from(conversation), wrong = [];
  const heard = (...pieces) => {
    const telnet = new Telnet(80, 24), parts = pieces.map((piece) => telnet.receive(piece));
    return JSON.stringify([parts.flatMap(({ data }) => [...data]), parts.flatMap(({ reply }) => [...reply])]);
  };
  const whole = heard(all);
  for (let one = 0; one <= all.length; one += 1) {
    for (let two = one; two <= all.length; two += 1) {
      if (heard(all.slice(0, one), all.slice(one, two), all.slice(two)) !== whole) wrong.push([one, two]);
    }
  }
  return [JSON.parse(whole), wrong];
}"""


async def test_however_a_server_s_telnet_is_split_it_means_the_same(context: BrowserContext) -> None:
    said = (
        b"a\xff\xf9\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\xff\xfb\x01b\xff\xffc\xff\xfd\x1f\xff\xfd\x27\xff\xfe\x1f\xff"
    )
    async with shell(context) as terminal:
        (data, reply), wrong = await terminal.page.evaluate(SPLIT, list(said))
    assert wrong == []
    assert bytes(data) == b"a\xff\xf9b\xffc"  # what comes before the first word of telnet is no command
    assert bytes(reply) == (
        b"\xff\xfb\x18\xff\xfa\x18\0xterm-256color\xff\xf0\xff\xfd\x01"
        b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfc\x27\xff\xfc\x1f"
    )


# Look


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_looked_at(context: BrowserContext, scheme: Any, tmp_path: Any) -> None:
    async with shell(context) as terminal:
        page = terminal.page
        await page.emulate_media(color_scheme=scheme)
        await terminal.enter(
            r"clear; for c in {30..37} {90..97}; do printf '\033[%sm%3s colour \033[0m' $c $c; done; echo; "
            r"printf '\033]0;shell on node17\a'; ls --color=always /usr | head -4"
        )
        await terminal.shows("97 colour")
        await page.screenshot(path=tmp_path / f"running-{scheme}.png")
        await page.click("#view")
        await page.screenshot(path=tmp_path / f"view-{scheme}.png")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await terminal.enter("exit 2")
        await terminal.state("failed")
        await page.screenshot(path=tmp_path / f"ended-{scheme}.png")
