"""Who may come in, tried by a real browser: own pages, others' pages, pages without an origin, and rebound names."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.browser import Console, chromium, open_socket
from tests.support.engines import Running, running
from tests.support.pages import BLANK, page_server
from tests.support.waiting import until
from wsgui.engine.events import ClientRefused, ConnectionOpened
from wsgui.engine.snapshot import Refusal

REFUSED = "Unexpected response code: 403"
EVIL = "evil.example"
LISTENERS = pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:0", "127.0.0.1"), ("*:0", "127.0.0.1"), ("*:0", "[::1]"), ("[::]:0", "[::1]")],
    ids=["loopback", "all by IPv4", "all by IPv6", "all of IPv6"],
)


def port_of(tunnel: Running) -> int:
    return urlsplit(tunnel.url).port or 0


async def refused(tunnel: Running, page: Page, address: str) -> Refusal:
    """Open a WebSocket from `page`, which the tunnel has to refuse with 403; returns what it says about that."""
    console = Console(page)
    before = len(tunnel.events)
    assert await open_socket(page, address) == "closed 1006"
    await until("the browser saying why", lambda: console.lines)
    assert console.says(REFUSED), console.lines
    event = await tunnel.event(ClientRefused, lambda event: event in tunnel.events[before:])
    assert event.refusal.status == 403
    assert not any(isinstance(event, ConnectionOpened) for event in tunnel.events)
    return event.refusal


async def blank(route: Route) -> None:
    """Answer instead of the server, with a page that is empty and has no policy."""
    await route.fulfill(body=BLANK, content_type="text/html")


async def page_at(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    return page


async def test_the_tunnel_s_own_page_may_connect() -> None:
    async with running(web={"root": "demo"}) as tunnel, chromium() as context:
        page = await page_at(context, tunnel.now.page_url)
        assert await open_socket(page, tunnel.url) == "open"
        assert (await tunnel.event(ConnectionOpened)).origin == tunnel.now.page_url.rstrip("/")


async def test_a_page_on_another_port_is_refused_and_the_line_that_would_let_it_in_is_said() -> None:
    async with page_server() as port, running() as tunnel, chromium() as context:
        page = await page_at(context, f"http://127.0.0.1:{port}/")
        refusal = await refused(tunnel, page, tunnel.url)
        assert (refusal.rule, refusal.origin) == ("origin", f"http://127.0.0.1:{port}")
        assert refusal.message == (
            f"A page from http://127.0.0.1:{port} was refused because only this address's own pages may connect."
        )
        assert refusal.hint.endswith(
            f'under [access] in the profile: origins = ["same-host", "http://127.0.0.1:{port}"]'
        )
        assert tunnel.now.refusal == refusal


async def test_with_the_line_that_was_said_the_other_page_may_connect() -> None:
    async with page_server() as port, chromium() as context:
        async with running(access={"origins": ["same-host", f"http://127.0.0.1:{port}"]}) as tunnel:
            page = await page_at(context, f"http://127.0.0.1:{port}/")
            assert await open_socket(page, tunnel.url) == "open"


async def test_the_log_of_a_headless_process_says_which_page_was_refused_and_the_line(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    write_profile("lab", target="demo:")
    process = await run_wsgui("--profile", "lab", "--log-format", "json")
    address = await process.address("lab")
    async with page_server() as port, chromium() as context:
        page = await page_at(context, f"http://127.0.0.1:{port}/")
        assert await open_socket(page, address) == "closed 1006"
    entry = json.loads((await process.logged('"client.refused"')).string)
    assert (entry["origin"], entry["status"], entry["rule"]) == (f"http://127.0.0.1:{port}", 403, "origin")
    assert entry["hint"].endswith(f'under [access] in the profile: origins = ["same-host", "http://127.0.0.1:{port}"]')


async def test_the_same_computer_by_another_name_is_another_page() -> None:
    """`localhost` may be another program than 127.0.0.1 on the same port: one may listen on each."""
    async with running() as tunnel, chromium() as context:
        url = f"http://localhost:{port_of(tunnel)}/empty"
        await context.route(url, blank)
        refusal = await refused(tunnel, await page_at(context, url), tunnel.url)
        assert (refusal.rule, refusal.origin) == ("origin", f"http://localhost:{port_of(tunnel)}")


async def test_a_web_site_s_page_is_refused() -> None:
    async with page_server() as port, running() as tunnel:
        async with chromium(resolve=[f"MAP {EVIL} 127.0.0.1"]) as context:
            page = await page_at(context, f"http://{EVIL}:{port}/")
            for address in (tunnel.url, tunnel.url.replace("127.0.0.1", "localhost")):
                refusal = await refused(tunnel, page, address)
                assert refusal.rule == "origin"
                assert refusal.hint.endswith(
                    f'under [access] in the profile: origins = ["same-host", "http://{EVIL}:{port}"]'
                )


SANDBOX = """address => new Promise(done => {
  addEventListener("message", event => done(event.data));
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.srcdoc = `<script>
    const socket = new WebSocket(${JSON.stringify(address)});
    socket.onopen = () => parent.postMessage("open", "*");
    socket.onclose = event => parent.postMessage("closed " + event.code, "*");
  <` + "/script>";
  document.body.append(frame);
})"""


async def test_a_sandboxed_frame_has_no_origin_and_is_refused_even_in_the_tunnel_s_own_page() -> None:
    async with running(web={"root": "demo"}) as tunnel, chromium() as context:
        await context.route("**/empty", blank)
        page = await page_at(context, f"{tunnel.now.page_url}empty")
        assert await page.evaluate(SANDBOX, tunnel.url) == "closed 1006"
        refusal = (await tunnel.event(ClientRefused)).refusal
        assert (refusal.status, refusal.rule, refusal.origin) == (403, "origin", "null")
        assert "[access]" not in refusal.hint  # nothing should make a person write "null" into a profile


async def test_a_data_page_has_no_origin_and_is_refused() -> None:
    async with running() as tunnel, chromium() as context:
        page = await page_at(context, "data:text/html,<!doctype html><title>data</title>")
        refusal = await refused(tunnel, page, tunnel.url)
        assert (refusal.rule, refusal.origin) == ("origin", "null")


@LISTENERS
async def test_a_rebound_name_gets_neither_page_nor_websocket(listen: str, address: str) -> None:
    async with running(listen=listen, web={"root": "demo"}) as tunnel:
        port = port_of(tunnel)
        async with chromium(resolve=[f"MAP {EVIL} {address}"]) as context:
            page = await context.new_page()
            answer = await page.goto(f"http://{EVIL}:{port}/")
            assert answer is not None
            assert answer.status == 403
            said = await page.inner_text("main")
            assert f'"{EVIL}" is not a name of this tunnel' in said
            assert f'under [access] in the profile: hosts = ["{EVIL}"]' in said
            assert (await tunnel.event(ClientRefused)).refusal.rule == "host"

            # The attacker's page was loaded before the name was bound anew, so it has the tunnel's own address.
            await context.route(f"http://{EVIL}:{port}/attack", blank)
            await page.goto(f"http://{EVIL}:{port}/attack")
            refusal = await refused(tunnel, page, f"ws://{EVIL}:{port}/")
            assert (refusal.rule, refusal.origin) == ("host", f"http://{EVIL}:{port}")
            assert refusal.hint.endswith(f'under [access] in the profile: hosts = ["{EVIL}"]')


@LISTENERS
async def test_a_name_that_the_profile_lists_gets_both(listen: str, address: str) -> None:
    async with running(listen=listen, web={"root": "demo"}, access={"hosts": [EVIL]}) as tunnel:
        port = port_of(tunnel)
        async with chromium(resolve=[f"MAP {EVIL} {address}"]) as context:
            page = await page_at(context, f"http://{EVIL}:{port}/")
            await page.wait_for_selector("#state[data-state=running]")
            assert await open_socket(page, f"ws://{EVIL}:{port}/") == "open"
        assert not any(isinstance(event, ClientRefused) for event in tunnel.events)
