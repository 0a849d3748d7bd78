"""What a client can use: addresses of real listeners as URLs, and who can reach them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from wsgui.bridge.listener import Listener, open_listeners
from wsgui.engine.endpoint import Endpoint, reach_of
from wsgui.engine.snapshot import Reach
from wsgui.profiles.addresses import parse_listen


@asynccontextmanager
async def listening(text: str, *more: socket.socket) -> AsyncIterator[Listener]:
    loop = asyncio.get_running_loop()
    address = parse_listen(text)
    sockets = [*await open_listeners(loop, address), *more]
    listener = Listener(loop, address, sockets, lambda *_: None, lambda: None)
    yield listener
    listener.close()


@pytest.mark.parametrize(("secure", "page", "websocket"), [(False, "http", "ws"), (True, "https", "wss")])
@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")])
async def test_a_loopback_listener(secure: bool, page: str, websocket: str, host: str, shown: str) -> None:
    async with listening(f"{host}:0") as listener:
        port = listener.endpoints[0][1]
        endpoint = Endpoint.of(listener, secure=secure)
        assert endpoint == Endpoint(
            f"{page}://{shown}:{port}/", f"{websocket}://{shown}:{port}/", "", Reach.THIS_COMPUTER
        )
        assert endpoint.addresses == (endpoint.page_url, endpoint.websocket_url)


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "[::]"])
async def test_a_listener_on_all_addresses_is_called_by_this_computer_s_name(host: str) -> None:
    async with listening(f"{host}:0") as listener:
        endpoint = Endpoint.of(listener, secure=False)
        assert endpoint.page_url == f"http://{socket.gethostname()}:{listener.endpoints[0][1]}/"
        assert endpoint.reach is Reach.NETWORK


class Bound(Listener):
    """A listener that says it is bound elsewhere; ports below 1024 are not for every test run."""

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        return (("127.0.0.1", int(self.address.port)),)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("port", "secure", "url"),
    [
        (80, False, "http://127.0.0.1/"),
        (443, True, "https://127.0.0.1/"),
        (443, False, "http://127.0.0.1:443/"),
        (80, True, "https://127.0.0.1:80/"),
    ],
)
async def test_a_scheme_s_own_port_is_left_out(port: int, secure: bool, url: str) -> None:
    listener = Bound(asyncio.get_running_loop(), parse_listen(f"127.0.0.1:{port}"), [], lambda *_: None, lambda: None)
    assert Endpoint.of(listener, secure=secure).page_url == url


async def test_one_address_that_others_can_reach_is_enough() -> None:
    other = socket.create_server(("0.0.0.0", 0))
    async with listening("127.0.0.1:0", other) as listener:
        assert Endpoint.of(listener, secure=False).reach is Reach.NETWORK


async def test_a_unix_socket_has_a_path_and_no_url(tmp_path: Path) -> None:
    async with listening(f"unix:{tmp_path}/s") as listener:
        endpoint = Endpoint.of(listener, secure=True)
        assert endpoint == Endpoint("", "", f"{tmp_path}/s", Reach.SOCKET_FILE)
        assert endpoint.addresses == (f"{tmp_path}/s",)


@pytest.mark.parametrize("name", ["", "file", "\0wsgui-test-abstract"])
async def test_an_inherited_socket_is_shown_as_what_it_is(name: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX if name else socket.AF_INET) as given:
        if name:
            given.bind(name if name.startswith("\0") else f"{tmp_path}/{name}")
        else:
            given.bind(("127.0.0.1", 0))
        given.listen()
        async with listening(f"fd:{given.fileno()}") as listener:
            endpoint = Endpoint.of(listener, secure=False)
            expected = {
                "": f"http://127.0.0.1:{given.getsockname()[1] if not name else 0}/",
                "file": f"{tmp_path}/file",
            }
            assert endpoint.addresses[0] == expected.get(name, "@wsgui-test-abstract")
            assert endpoint.reach is (Reach.SOCKET_FILE if name else Reach.THIS_COMPUTER)


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("127.0.0.1:1", Reach.THIS_COMPUTER),
        ("[::1]:1", Reach.THIS_COMPUTER),
        ("localhost:1", Reach.THIS_COMPUTER),
        ("*:1", Reach.NETWORK),
        ("192.0.2.1:1", Reach.NETWORK),
        ("office:1", Reach.NETWORK),
        ("unix:/run/s", Reach.SOCKET_FILE),
        ("fd:3", Reach.NETWORK),
    ],
)
def test_who_could_reach_an_address_that_is_not_listened_on(address: str, reach: Reach) -> None:
    assert reach_of(parse_listen(address)) is reach


@pytest.mark.parametrize(
    ("root", "protocol", "path"),
    [
        ("", "", ""),
        ("demo", "VNC (RFB 3.8)", ""),
        ("vnc", "", "vnc/"),
        ("vnc", "VNC (RFB 3.8)", "vnc/"),
        ("terminal", "", "terminal/"),
    ],
)
async def test_the_viewer_is_a_page_of_the_tunnel(root: str, protocol: str, path: str) -> None:
    async with listening("127.0.0.1:0") as listener:
        endpoint = Endpoint.of(listener, secure=False)
        assert endpoint.viewer_url(root, protocol) == endpoint.page_url + path


async def test_a_unix_socket_has_no_viewer(tmp_path: Path) -> None:
    async with listening(f"unix:{tmp_path}/s") as listener:
        assert Endpoint.of(listener, secure=False).viewer_url("vnc", "VNC") == ""
