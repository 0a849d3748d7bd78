"""Reaching a target, or saying in words why it cannot be reached, always before the deadline."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridges import standing
from tests.support.certificates import make_certificate
from tests.support.raw import tcp_target
from tests.support.waiting import until
from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.ends import End
from wsgui.bridge.targets import Connector, NameNotFoundError
from wsgui.errors import TargetError
from wsgui.profiles.addresses import DemoAddress, TcpAddress, TlsAddress, UnixAddress, parse_target

SECONDS = 0.2


async def reach(address: Any, *, seconds: float = 10.0) -> End | TargetError:
    """Connect: the end, or why not."""
    results: list[End | TargetError] = []
    loop = asyncio.get_running_loop()
    task = Connector(loop, address, ReadBuffer(), seconds).connect(results.append, results.append)
    if task is not None:
        await asyncio.wait_for(task, 20)
    (result,) = results
    return result


async def reached(address: Any) -> None:
    """Connect, and say hello to an echo."""
    results: list[End | TargetError] = []
    loop, buffer = asyncio.get_running_loop(), ReadBuffer()
    task = Connector(loop, address, buffer, 10).connect(results.append, results.append)
    if task is not None:
        await asyncio.wait_for(task, 20)
    (end,) = results
    assert not isinstance(end, TargetError), end
    heard = loop.create_future()
    end.on_data = lambda stop: heard.set_result(bytes(buffer.view[START:stop]))
    end.resume()
    end.send(b"hello")
    assert await asyncio.wait_for(heard, 20) == b"hello"
    end.close()


async def failure(address: Any, *, seconds: float = 10.0) -> TargetError:
    result = await reach(address, seconds=seconds)
    assert isinstance(result, TargetError), result
    assert result.hint.endswith(".")
    return result


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A loopback port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """A loopback port whose queue is full: one more connection gets no answer at all."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(sock.getsockname())
        yield sock.getsockname()[1]


@contextlib.contextmanager
def full_socket(path: Path) -> Iterator[socket.socket]:
    """A unix socket whose queue is full."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX))
        sock.bind(str(path))
        sock.listen(0)
        while True:
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            if waiting.connect_ex(str(path)) == errno.EAGAIN:
                break
        yield sock


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the name "office" addresses; everything else resolves as usual."""

    def give(*addresses: tuple[int, str, int]) -> None:
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> list[Any]:
            if host != "office":  # uvloop asks again for each address that it connects to
                return await real(host, *arguments, **more)
            return [
                (family, socket.SOCK_STREAM, 6, "", (host, port, 0, 0) if family == socket.AF_INET6 else (host, port))
                for family, host, port in addresses
            ]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)

    return give


# Reached


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_tcp_target(host: str) -> None:
    async with tcp_target() as port:
        await reached(TcpAddress(host, port))


async def test_localhost_is_reached_also_where_only_ipv4_listens() -> None:
    async with tcp_target() as port:
        before = asyncio.get_running_loop().time()
        await reached(TcpAddress("localhost", port))
        assert asyncio.get_running_loop().time() - before < 5


async def test_a_dead_address_of_a_name_is_passed_over(office: Callable[..., None]) -> None:
    async with tcp_target() as port:
        with full_port() as silent:
            office((socket.AF_INET, "127.0.0.1", silent), (socket.AF_INET, "127.0.0.1", port))
            await reached(TcpAddress("office", port))


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    server = await asyncio.start_unix_server(echo, path)
    await reached(UnixAddress(str(path)))
    server.close()


async def test_a_unix_socket_whose_queue_is_full_is_reached_once_it_is_not(tmp_path: Path) -> None:
    with full_socket(tmp_path / "s") as sock:
        results: list[End | TargetError] = []
        loop = asyncio.get_running_loop()
        address = UnixAddress(str(tmp_path / "s"))
        task = Connector(loop, address, ReadBuffer(), 10).connect(results.append, results.append)
        assert task is not None
        sock.accept()[0].close()
        await asyncio.wait_for(task, 20)
        (end,) = results
        assert not isinstance(end, TargetError), end
        end.close()


async def test_the_demo() -> None:
    end = await reach(DemoAddress())
    assert not isinstance(end, TargetError), end
    end.close()


async def test_a_tls_target_whose_certificate_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    async with tcp_target(tls=certificate.server_context()) as port:
        for host in ("localhost", "127.0.0.1"):
            await reached(TlsAddress(host, port))


async def test_a_target_s_socket_sends_at_once_and_is_kept_alive() -> None:
    async with tcp_target() as port:
        for host in ("127.0.0.1", "localhost"):
            end = await reach(TcpAddress(host, port))
            sock = end.sock  # type: ignore[union-attr]
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            end.close()  # type: ignore[union-attr]


# Not reached


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_a_target_that_refuses(host: str) -> None:
    with closed_port() as port:
        error = await failure(TcpAddress(host, port))
        assert error.message == f'"{host}" refuses connections on port {port}.'


@pytest.mark.parametrize(("port", "hint"), [(5900, "5901"), (5999, "5901"), (22, "number")])
def test_a_refusing_vnc_port_reminds_of_display_numbers(port: int, hint: str) -> None:
    loop = asyncio.new_event_loop()
    connector = Connector(loop, TcpAddress("office", port), ReadBuffer(), 10)
    assert hint in connector._explain(ConnectionRefusedError(errno.ECONNREFUSED, "x")).hint
    loop.close()


async def test_a_refusing_address_tells_more_than_one_that_cannot_be_reached(office: Callable[..., None]) -> None:
    with closed_port() as port:
        office((socket.AF_INET, "127.0.0.1", port), (socket.AF_INET, "255.255.255.255", port))
        error = await failure(TcpAddress("office", port))
        assert error.message == f'"office" refuses connections on port {port}.'


async def test_what_several_addresses_say_is_told_in_the_system_s_words(office: Callable[..., None]) -> None:
    office((socket.AF_INET, "255.255.255.255", 5901), (socket.AF_INET6, "ff02::1", 5901))
    error = await failure(TcpAddress("office", 5901))
    assert re.fullmatch(r'"office" cannot be reached on port 5901: [a-z ]+\.', error.message)


async def test_a_name_that_is_none() -> None:
    error = await failure(TcpAddress("no-such-computer.invalid", 5900))
    assert isinstance(error, NameNotFoundError)
    assert error.message == 'No computer called "no-such-computer.invalid" was found.'


async def test_an_interface_that_is_none() -> None:
    address = parse_target("[fe80::1%nosuch0]:5900")
    error = await failure(address)
    assert "fe80::1%nosuch0" in error.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_target_that_does_not_answer_is_given_up_in_time(host: str) -> None:
    with full_port() as port:
        error = await failure(TcpAddress(host, port), seconds=SECONDS)
        assert error.message == f'"{host}" did not answer on port {port} within 0.2 s.'


async def test_a_tls_target_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        error = await failure(TlsAddress("127.0.0.1", sock.getsockname()[1]), seconds=SECONDS)
        assert "did not answer" in error.message


async def test_a_unix_socket_nobody_accepts_from_is_given_up_in_time(tmp_path: Path) -> None:
    with full_socket(tmp_path / "s"):
        error = await failure(UnixAddress(str(tmp_path / "s")), seconds=SECONDS)
        assert error.message == f"Nobody took the connection at the socket {tmp_path}/s within 0.2 s."


def test_without_a_deadline_no_seconds_are_named() -> None:
    loop = asyncio.new_event_loop()
    connector = Connector(loop, TcpAddress("office", 1), ReadBuffer(), 0)
    assert connector._explain(OSError(errno.ETIMEDOUT, "x")).message == '"office" did not answer on port 1.'
    loop.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EHOSTUNREACH, "no route to host"), (errno.ENETUNREACH, "network is unreachable"), (errno.EMFILE, "files")],
)
def test_what_the_system_says_is_said(code: int, words: str) -> None:
    loop = asyncio.new_event_loop()
    connector = Connector(loop, TcpAddress("office", 5901), ReadBuffer(), 10)
    error = connector._explain(OSError(code, "x"))
    assert error.message.startswith('"office" cannot be reached on port 5901: ')
    assert words in error.message
    loop.close()


async def test_out_of_descriptors_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("wsgui.bridge.targets._new_socket", none_left)
    assert "too many open files" in (await failure(TcpAddress("127.0.0.1", 5900))).message


async def test_a_tls_target_that_is_not_trusted(tmp_path: Path) -> None:
    async with tcp_target(tls=make_certificate(tmp_path).server_context()) as port:
        error = await failure(TlsAddress("localhost", port))
        assert error.message.startswith(f'The certificate of "localhost" on port {port} is not trusted: self')


async def test_a_tls_target_of_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, office: Callable[..., None]
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    async with tcp_target(tls=certificate.server_context()) as port:
        office((socket.AF_INET, "127.0.0.1", port))
        error = await failure(TlsAddress("office", port))
        assert "is not trusted" in error.message
        assert "name" in error.hint


async def test_a_target_that_speaks_no_tls() -> None:
    async def speech(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"RFB 003.008\n")
        await asyncio.Event().wait()

    async with tcp_target(speech) as port:
        error = await failure(TlsAddress("127.0.0.1", port))
        assert error.message == f'"127.0.0.1" does not speak TLS on port {port}.'
        assert f"127.0.0.1:{port}" in error.hint


async def test_a_target_that_breaks_tls_off() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with tcp_target(hang_up) as port:
        error = await failure(TlsAddress("127.0.0.1", port))
        assert f"port {port}" in error.message


async def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    assert (await failure(UnixAddress(f"{tmp_path}/none"))).message == f"There is no socket {tmp_path}/none."


async def test_a_unix_socket_that_was_left_behind(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{tmp_path}/s")
    assert (await failure(UnixAddress(f"{tmp_path}/s"))).message == f"Nobody listens at the socket {tmp_path}/s."


@pytest.mark.parametrize(("code", "says"), [(errno.EACCES, "may not be used"), (errno.EPROTOTYPE, "cannot be reached")])
def test_other_troubles_with_a_unix_socket(code: int, says: str) -> None:
    loop = asyncio.new_event_loop()
    connector = Connector(loop, UnixAddress("/run/s"), ReadBuffer(), 10)
    assert says in connector._explain(OSError(code, "x")).message
    loop.close()


def test_a_demo_that_cannot_start_says_so() -> None:
    loop = asyncio.new_event_loop()
    connector = Connector(loop, DemoAddress(), ReadBuffer(), 10)
    assert "demo" in connector._explain(OSError(errno.EMFILE, "Too many open files")).message
    loop.close()


# Given up by the caller, and surprises


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_cancelled_attempt_leaves_no_socket(host: str) -> None:
    def sockets() -> int:
        names = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
        return sum(os.readlink(name).startswith("socket:") for name in names if os.path.lexists(name))

    with full_port() as port:
        results: list[object] = []
        await asyncio.get_running_loop().getaddrinfo(host, port)
        before = sockets()
        for _ in range(3):
            connector = Connector(asyncio.get_running_loop(), TcpAddress(host, port), ReadBuffer(), 10)
            task = connector.connect(results.append, results.append)
            assert task is not None
            await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.wait((task,))
        await until("no socket left", lambda: sockets() <= before)
        assert results == []


async def test_a_fault_of_our_own_ends_the_session_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    async def fault(_: Connector) -> End:
        raise RuntimeError("surprise")

    monkeypatch.setattr(Connector, "_open", fault)
    async with standing() as door:
        client = await door.upgraded()
        assert await client.closed() == (1011, "Failed to connect to downstream server")
    assert [str(context["exception"]) for context in faults] == ["surprise"]


def test_tls_is_verified_with_the_system_s_authorities() -> None:
    loop = asyncio.new_event_loop()
    context = Connector(loop, TlsAddress("office", 1), ReadBuffer(), 10)._tls
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    loop.close()
