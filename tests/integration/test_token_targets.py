"""Where tokens from outside a profile may lead: judged by the address that is really connected."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.arrivals import Ended, arriving, greeter, outcome, target
from tests.support.engines import NAME, Running, running
from wsgui.engine.events import LogLine
from wsgui.profiles.model import Profile

REFUSED = 1011


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for files that may be being replaced, nor for who has tried the wrong thing."""
    monkeypatch.setattr("wsgui.access.delays.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("wsgui.access.tokens.table.SETTLE_SECONDS", 0.05)


Names = Callable[[dict[str, list[str]]], list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Makes the system resolve names as given; returns the names that are then asked for, as they come."""

    def make(answers: dict[str, list[str]]) -> list[str]:
        loop = asyncio.get_running_loop()
        asked: list[str] = []
        real = loop.getaddrinfo

        async def resolve(host: str, port: int, **more: Any) -> Any:
            if host not in answers:
                return await real(host, port, **more)
            asked.append(host)
            found = answers[host]
            addresses = [found.pop(0)] if len(asked) == 1 and "first" in host else found
            return [
                (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", _sockaddr(each, port))
                for each in addresses
            ]

        monkeypatch.setattr(loop, "getaddrinfo", resolve, raising=False)
        return asked

    return make


def _sockaddr(address: str, port: int) -> tuple[Any, ...]:
    return (address, port, 0, 0) if ":" in address else (address, port)


@asynccontextmanager
async def leading_to(folder: Path, *destinations: str, **tokens: Any) -> AsyncIterator[Running]:
    """Run a tunnel whose token file leads t0, t1, … there."""
    file = folder / f"tokens-{secrets.token_hex(4)}"
    file.write_text("".join(f"t{number}: {each}\n" for number, each in enumerate(destinations)))
    async with running(target=None, tokens={"source": f"file:{file}"} | tokens) as tunnel:
        yield tunnel


async def refused(tunnel: Running, why: str, token: str = "t0") -> None:
    """The token is taken, its target is not, and the log says why."""
    with pytest.raises(Ended) as caught:
        async with arriving(tunnel, f"/?token={token}"):
            pass
    assert (caught.value.code, caught.value.reason) == (REFUSED, "Failed to connect to downstream server")
    line = await tunnel.event(LogLine, lambda line: why in line.message)
    assert line.level == logging.WARNING
    assert tunnel.now.target_problem is not None
    assert why in tunnel.now.target_problem.message


@pytest.mark.parametrize(
    ("destination", "why"),
    [
        ("169.254.169.254:80", "link-local"),
        ("[::ffff:169.254.169.254]:80", "link-local"),
        ("::ffff:a9fe:a9fe:80", "link-local"),
        ("[64:ff9b::169.254.169.254]:80", "link-local"),
        ("[2002:a9fe:a9fe::1]:80", "link-local"),
        ("[fe80::1]:80", "link-local"),
        ("0.0.0.1:80", "this computer itself"),
        ("224.0.0.1:80", "multicast"),
        ("255.255.255.255:80", "broadcast"),
    ],
)
async def test_what_nothing_useful_can_be_at_is_refused(destination: str, why: str, tmp_path: Path) -> None:
    async with leading_to(tmp_path, destination) as tunnel:
        await refused(tunnel, why)


async def test_an_address_in_a_spelling_of_old_is_none(tmp_path: Path) -> None:
    spelled = ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "127.1", "0", "0.0.0.0", "[::]"]
    async with leading_to(tmp_path, *(f"{each}:80" for each in spelled), "127.0.0.1:9") as tunnel:
        for number, each in enumerate(spelled):
            assert await outcome(tunnel, f"/?token=t{number}") == 404, each


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        (["169.254.169.254"], "link-local"),
        (["::ffff:169.254.169.254"], "link-local"),
        (["127.0.0.1"], "not in [tokens] allow"),
        (["::1"], "not in [tokens] allow"),
        (["::ffff:127.0.0.1"], "not in [tokens] allow"),
        (["0.0.0.0"], "this computer itself"),
        (["192.0.2.7"], "not in [tokens] allow"),
    ],
)
async def test_a_name_that_resolves_to_elsewhere_is_refused_by_its_address(
    addresses: list[str], why: str, names: Names, tmp_path: Path
) -> None:
    asked = names({"rebound.example": addresses})
    async with leading_to(tmp_path, "rebound.example:5901", allow=["10.0.0.0/8:5900-5999"]) as tunnel:
        await refused(tunnel, why)
    assert asked == ["rebound.example"], "it is connected to what was judged"


async def test_a_name_that_resolves_to_something_else_the_second_time_is_asked_once(
    names: Names, tmp_path: Path
) -> None:
    async with target("allowed") as address:
        host, _, port = address.rpartition(":")
        asked = names({"first.example": [host, "169.254.169.254"]})
        async with leading_to(tmp_path, f"first.example:{port}", allow=[f"127.0.0.0/8:{port}"]) as tunnel:
            assert await outcome(tunnel, "/?token=t0") == "allowed"
            assert asked == ["first.example"]
            await refused(tunnel, "link-local")


async def test_of_a_name_s_addresses_only_those_that_are_allowed_are_tried(names: Names, tmp_path: Path) -> None:
    async with target("allowed") as address:
        port = int(address.rpartition(":")[2])
        names({"both.example": ["127.0.0.2", "::ffff:169.254.169.254", "127.0.0.1"]})
        with socket.create_server(("127.0.0.2", port)) as other:
            other.settimeout(0)
            async with leading_to(tmp_path, f"both.example:{port}", allow=[f"127.0.0.1/32:{port}"]) as tunnel:
                assert await outcome(tunnel, "/?token=t0") == "allowed"
            with pytest.raises(BlockingIOError):
                other.accept()


@pytest.mark.parametrize("network", ["127.0.0.0/8", "[::ffff:127.0.0.0/104]"])
async def test_ports_count_too(network: str, tmp_path: Path) -> None:
    async with target("a") as one, target("b") as other:
        port = one.rpartition(":")[2]
        async with leading_to(
            tmp_path, one, other, f"[::ffff:127.0.0.1]:{port}", allow=[f"{network}:{port}"]
        ) as tunnel:
            assert await outcome(tunnel, "/?token=t0") == "a"
            assert await outcome(tunnel, "/?token=t2") == "a"
            await refused(tunnel, "not in [tokens] allow", "t1")


async def test_a_changed_list_holds_for_the_next_client(tmp_path: Path) -> None:
    async with target("a") as address:
        (tmp_path / "tokens").write_text(f"t0: {address}\n")
        tokens = {"source": f"file:{tmp_path}/tokens"}
        async with running(target=None, tokens=tokens) as tunnel:
            assert await outcome(tunnel, "/?token=t0") == "a"
            fields = {"name": NAME, "listen": "127.0.0.1:0", "tokens": tokens | {"allow": []}}
            await tunnel.engine.configure(Profile.model_validate(fields))
            await refused(tunnel, "not in [tokens] allow")


# Our own listeners

BACK = [
    (host, listen)
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.0.0.2", "rebound.example")
    for listen in ("127.0.0.1:{port}", "0.0.0.0:{port}", "*:{port}")
    if (host, listen) != ("127.0.0.2", "127.0.0.1:{port}")
]


@pytest.mark.parametrize(("host", "listen"), BACK)
async def test_a_token_does_not_lead_back_to_a_listener_of_this_program(
    host: str, listen: str, names: Names, tmp_path: Path, free_port: int
) -> None:
    names({"rebound.example": ["127.0.0.1"]})
    async with leading_to(tmp_path, f"{host}:{free_port}") as tunnel:
        other = {"name": "other", "listen": listen.format(port=free_port), "target": "demo:"}
        await tunnel.engine.configure(Profile.model_validate(other))
        await tunnel.engine.start("other")
        await refused(tunnel, "leads back to a tunnel of this program")
        assert tunnel.engine.snapshot().tunnel("other").served == 0  # type: ignore[union-attr]
        await tunnel.engine.stop("other")
        async with _service(free_port):
            assert await outcome(tunnel, "/?token=t0") == "its port is somebody else's now"


async def test_a_token_does_not_lead_back_to_its_own_tunnel(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "tokens").write_text(f"t0: 127.0.0.1:{free_port}\n")
    fields = {"listen": f"127.0.0.1:{free_port}", "tokens": {"source": f"file:{tmp_path}/tokens"}}
    async with running(**{"target": None} | fields) as tunnel:
        await refused(tunnel, "leads back")


@asynccontextmanager
async def _service(port: int) -> AsyncIterator[None]:
    server = await asyncio.start_server(greeter("its port is somebody else's now"), "0.0.0.0", port)
    try:
        yield
    finally:
        server.close()


# Unix sockets, which only a plugin can name


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A plugin that takes every token to the socket that it is built with."""
    name = f"sockets_{secrets.token_hex(4)}"
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / f"{name}.py").write_text(
        "from websockify.token_plugins import BasePlugin\n"
        "class Sockets(BasePlugin):\n"
        "    def lookup(self, token):\n"
        "        return ['unix_socket', self.source]\n"
    )
    (folder / f"{name}.py").chmod(0o644)
    monkeypatch.syspath_prepend(folder)
    return f"plugin:{name}.Sockets"


async def test_a_socket_of_a_plugin_is_reached_where_no_networks_are_listed(plugin: str, tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(greeter("socket"), tmp_path / "s")
    for allow, arrives in ({}, "socket"), ({"allow": ["0.0.0.0/0:1-65535"]}, REFUSED), ({"allow": []}, REFUSED):
        async with running(target=None, tokens={"source": plugin, "argument": f"{tmp_path}/s"} | allow) as tunnel:
            assert await outcome(tunnel, "/?token=x") == arrives
    server.close()


async def test_a_socket_of_a_plugin_that_is_not_there_ends_the_session(plugin: str, tmp_path: Path) -> None:
    async with running(target=None, tokens={"source": plugin, "argument": f"{tmp_path}/s"}) as tunnel:
        await refused(tunnel, "There is no socket", "x")


async def test_a_plugin_does_not_lead_back_to_a_socket_of_this_program(plugin: str, tmp_path: Path) -> None:
    tokens = {"source": plugin, "argument": f"{tmp_path}/s"}
    async with running(target=None, tokens=tokens) as tunnel:
        other = {"name": "other", "listen": f"unix:{tmp_path}/s", "target": "demo:"}
        await tunnel.engine.configure(Profile.model_validate(other))
        await tunnel.engine.start("other")
        await refused(tunnel, "leads back to a tunnel of this program", "x")


# A profile's own targets are its owner's word


async def test_what_a_profile_itself_lists_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("ben: 127.0.0.1:9\n")
    async with target("own") as address:
        tokens = {"source": f"file:{tmp_path}/tokens", "allow": []}
        async with running(target=None, targets={"anna": address}, tokens=tokens) as tunnel:
            assert await outcome(tunnel, "/?token=anna") == "own"
            await refused(tunnel, "not in [tokens] allow", "ben")
