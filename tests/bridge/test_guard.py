"""Where tokens from outside a profile may lead: looked at before and after connecting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw import tcp_target
from wsgui.access.destinations import Destinations
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.ends import End
from wsgui.bridge.guard import Guard
from wsgui.bridge.targets import Connector
from wsgui.errors import TargetError
from wsgui.profiles.addresses import TcpAddress, UnixAddress


def guard(*allow: str, listeners: Callable[[], Any] = tuple) -> Guard:
    return Guard(Destinations(allow or None), listeners)


def found(*hosts: str) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 5901)) for host in hosts]


async def reach(address: Any, guard: Guard) -> End | TargetError:
    """Connect: the end, or why not."""
    results: list[End | TargetError] = []
    task = Connector(asyncio.get_running_loop(), address, ReadBuffer(), 10.0, guard).connect(
        results.append, results.append
    )
    if task is not None:
        await asyncio.wait_for(task, 20)
    (result,) = results
    return result


async def reached(address: Any, guard: Guard) -> None:
    end = await reach(address, guard)
    assert not isinstance(end, TargetError), end
    end.close()


async def refused(address: Any, guard: Guard) -> str:
    error = await reach(address, guard)
    assert isinstance(error, TargetError)
    assert "[tokens] allow" in error.hint
    return error.message


def test_of_a_name_s_addresses_those_that_are_allowed_are_tried() -> None:
    kept = guard("192.0.2.0/24:1-65535").allowed(found("198.51.100.1", "192.0.2.1", "169.254.169.254", "192.0.2.2"))
    assert [each[4][0] for each in kept] == ["192.0.2.1", "192.0.2.2"]


def test_a_name_none_of_whose_addresses_is_allowed_is_refused() -> None:
    with pytest.raises(TargetError, match="link-local"):
        guard().allowed(found("169.254.169.254"))


def test_a_name_without_addresses_is_somebody_else_s_to_explain() -> None:
    assert guard().allowed([]) == []


async def test_an_address_that_is_allowed_is_connected() -> None:
    async with tcp_target() as port:
        await reached(TcpAddress("127.0.0.1", port), guard())
        await reached(TcpAddress("localhost", port), guard())
        await reached(TcpAddress("127.0.0.1", port), guard(f"127.0.0.0/8:{port}"))


async def test_one_that_is_not_is_never_connected() -> None:
    came = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()

    async with tcp_target(serve) as port:
        for host in ("127.0.0.1", "localhost"):
            assert "is not in [tokens] allow" in await refused(TcpAddress(host, port), guard("192.0.2.0/24:1-65535"))
        with socket.create_connection(("127.0.0.1", port)) as probe:  # whoever came before was seen before this one
            assert probe.getpeername()[1] == port
            assert not came.is_set()


async def test_a_listener_of_our_own_is_not_connected() -> None:
    async with tcp_target() as port:
        own = guard(listeners=lambda: {("0.0.0.0", port)})
        for host in ("127.0.0.1", "localhost"):
            assert "leads back" in await refused(TcpAddress(host, port), own)


async def test_listeners_are_those_of_that_moment() -> None:
    listeners: set[tuple[str, int]] = set()
    async with tcp_target() as port:
        asked = guard(listeners=lambda: listeners)
        await reached(TcpAddress("127.0.0.1", port), asked)
        listeners.add(("127.0.0.1", port))
        assert "leads back" in await refused(TcpAddress("127.0.0.1", port), asked)


async def test_a_unix_socket_may_be_named_where_no_network_is_and_not_our_own(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
    async with server:
        await reached(UnixAddress(path), guard())
        assert "unix socket" in await refused(UnixAddress(path), guard("192.0.2.0/24:1-65535"))
        assert "leads back" in await refused(UnixAddress(path), guard(listeners=lambda: {(path, 0)}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_target_that_is_gone_before_it_was_looked_at_is_explained(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Guard, sock: socket.socket) -> None:
        raise OSError(107, "Transport endpoint is not connected")

    monkeypatch.setattr(Guard, "check_connected", gone)
    async with tcp_target() as port:
        error = await reach(TcpAddress(host, port), guard())
        assert isinstance(error, TargetError)
        assert "cannot be reached" in error.message
