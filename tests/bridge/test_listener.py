"""Listening sockets: opened with a reason or not at all, accepting in bursts, resting when descriptors run out."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import until
from wsgui.bridge import listener as module
from wsgui.bridge.listener import MAX_BURST, Listener, ListenError, open_listeners
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, parse_listen


class Door:
    """A listener, and who came."""

    def __init__(self, listener: Listener, came: list[tuple[socket.socket, str, str]], starved: list[int]) -> None:
        self.listener = listener
        self.came = came
        self.starved = starved

    @property
    def port(self) -> int:
        return self.listener.endpoints[0][1]


@asynccontextmanager
async def listening(text: str) -> AsyncIterator[Door]:
    loop = asyncio.get_running_loop()
    address = parse_listen(text)
    came: list[tuple[socket.socket, str, str]] = []
    starved: list[int] = []
    sockets = await open_listeners(loop, address)
    listener = Listener(loop, address, sockets, lambda *who: came.append(who), lambda: starved.append(len(came)))
    try:
        yield Door(listener, came, starved)
    finally:
        listener.close()
        for sock, _, _ in came:
            sock.close()


async def refused(text: str) -> ListenError:
    with pytest.raises(ListenError) as caught:
        await open_listeners(asyncio.get_running_loop(), parse_listen(text))
    assert caught.value.field == "listen"
    assert caught.value.hint.endswith(".")
    return caught.value


@contextmanager
def calling(host: str, port: int, count: int = 1) -> Iterator[list[socket.socket]]:
    clients = [socket.create_connection((host, port)) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


# Accepting


async def test_a_client_is_named_by_its_address() -> None:
    async with listening("127.0.0.1:0") as door:
        with calling("127.0.0.1", door.port) as (client,):
            await until("somebody", lambda: door.came)
            sock, host, name = door.came[0]
            assert (host, name) == ("127.0.0.1", f"127.0.0.1:{client.getsockname()[1]}")
            assert not sock.getblocking()
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_a_star_takes_both_families_and_names_ipv4_as_such() -> None:
    async with listening("*:0") as door:
        with calling("127.0.0.1", door.port) as (four,), calling("::1", door.port) as (six,):
            await until("both", lambda: len(door.came) == 2)
            assert {name for _, _, name in door.came} == {
                f"127.0.0.1:{four.getsockname()[1]}",
                f"[::1]:{six.getsockname()[1]}",
            }
            assert {host for _, host, _ in door.came} == {"127.0.0.1", "::1"}


async def test_ipv6_s_own_star_leaves_ipv4_alone() -> None:
    async with listening("[::]:0") as door:
        with pytest.raises(ConnectionRefusedError), calling("127.0.0.1", door.port):
            pass
        with calling("::1", door.port):
            await until("somebody", lambda: door.came)


async def test_a_name_of_several_addresses_listens_on_all_of_them_with_one_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def found(*_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    async with listening("office:0") as door:
        (four, port), (six, other) = door.listener.endpoints
        assert (four, six) == ("127.0.0.1", "::1")
        assert port == other != 0


async def test_a_link_local_address_is_listened_on_with_its_interface() -> None:
    lines = Path("/proc/net/if_inet6").read_text().split("\n") if Path("/proc/net/if_inet6").exists() else []
    zones = [line.split() for line in lines if line.startswith("fe80")]
    if not zones:
        pytest.skip("no interface has a link-local address here")
    address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(zones[0][0]))
    async with listening(f"[{address}%{zones[0][5]}]:0") as door:
        with calling(f"{address}%{zones[0][5]}", door.port):
            await until("somebody", lambda: door.came)


async def test_a_burst_is_taken_whole() -> None:
    async with listening("127.0.0.1:0") as door:
        with calling("127.0.0.1", door.port, 5 * MAX_BURST):
            await until("all of them", lambda: len(door.came) == 5 * MAX_BURST)


async def test_in_a_burst_others_get_their_turn() -> None:
    """However many wait, no more than MAX_BURST are taken before the loop goes on."""
    async with listening("127.0.0.1:0") as door:
        with calling("127.0.0.1", door.port, 4 * MAX_BURST):
            at_once, before = 0, 0
            while len(door.came) < 4 * MAX_BURST:
                await asyncio.sleep(0)
                at_once, before = max(at_once, len(door.came) - before), len(door.came)
            assert 1 < at_once <= MAX_BURST


async def test_who_came_and_left_again_is_no_trouble() -> None:
    async with listening("127.0.0.1:0") as door:
        for _ in range(5):
            client = socket.create_connection(("127.0.0.1", door.port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        with calling("127.0.0.1", door.port) as (last,):
            name = f"127.0.0.1:{last.getsockname()[1]}"
            await until("the last one", lambda: name in {name for _, _, name in door.came})


async def test_a_closed_listener_gives_its_port_back() -> None:
    async with listening("127.0.0.1:0") as door:
        port = door.port
        door.listener.close()
        with socket.create_server(("127.0.0.1", port)):
            pass
        door.listener.close()  # again is no harm


# Out of descriptors


class Exhausted(socket.socket):
    """A listening socket whose process has no descriptors left, as often as told."""

    failures = 0

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            type(self).failures -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


async def test_without_descriptors_it_rests_says_so_once_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF_SECONDS", 0.05)
    monkeypatch.setattr(module.socket, "socket", Exhausted)
    async with listening("127.0.0.1:0") as door:
        Exhausted.failures = 5
        with calling("127.0.0.1", door.port, 3):
            await until("all are taken", lambda: len(door.came) == 3)
            assert door.starved == [0]  # once, before anybody came


async def test_a_resting_listener_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.socket, "socket", Exhausted)
    async with listening("127.0.0.1:0") as door:
        Exhausted.failures = 1
        with calling("127.0.0.1", door.port):
            await until("it is told", lambda: door.starved)
            resting = door.listener._back_off
            assert resting is not None
            door.listener.close()
            assert resting.cancelled()
            assert door.came == []


STARVING = """
import asyncio, os, resource, socket, sys
from wsgui.engine.loops import new_event_loop
from wsgui.engine.engine import Engine
from wsgui.engine.events import LogLine
from wsgui.profiles.model import Profile

async def main():
    engine = Engine()
    told = []
    engine.events.subscribe(lambda events, _: told.extend(e for e in events if isinstance(e, LogLine)))
    await engine.configure(Profile.model_validate({"name": "T", "listen": "127.0.0.1:0", "target": "demo:"}))
    await engine.start("T")
    port = int(engine.snapshot().tunnels[0].websocket_url.rstrip("/").rpartition(":")[2])
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setblocking(False)
    "x".encode("idna")  # is imported when it is first needed
    filler = []
    try:
        while True:
            filler.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    await loop.sock_connect(client, ("127.0.0.1", port))
    begun = os.times()
    while not told:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.09)
    assert os.times().user - begun.user < 0.08, "it spins"
    for descriptor in filler:
        os.close(descriptor)
    await loop.sock_sendall(client, b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
    print((await loop.sock_recv(client, 12)).decode())
    print(told[0].message)
    await engine.close()

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with asyncio.Runner(loop_factory=LOOP) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("loop", ["new_event_loop", "asyncio.new_event_loop"])
def test_a_process_at_its_limit_serves_again_once_it_has_descriptors(loop: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARVING.replace("LOOP", loop)], capture_output=True, text=True, timeout=30
    )
    assert done.stdout.startswith("HTTP/1.1 200\nNo more clients can be accepted: "), done.stderr
    assert "LimitNOFILE=" in done.stdout
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64


# Unix sockets


async def test_a_unix_socket_is_its_user_s_alone_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listening(f"unix:{path}") as door:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            await until("somebody", lambda: door.came)
            assert door.came[0][1:] == ("", "unix")
            assert door.listener.endpoints == ()
    assert not path.exists()


async def test_the_umask_is_as_before(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        async with listening(f"unix:{tmp_path}/s"):
            assert os.umask(0o022) == 0o022
        await refused(f"unix:{tmp_path}/none/s")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_a_socket_that_was_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with listening(f"unix:{path}") as door, asyncio.timeout(10):
        _, writer = await asyncio.open_unix_connection(path)
        await until("somebody", lambda: door.came)
        writer.close()


async def test_a_socket_that_answers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen()
        error = await refused(f"unix:{path}")
        assert (error.kind, error.message) == ("port-in-use", f"{path} is used by another program.")
        assert path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
async def test_what_is_no_socket_is_left_alone_and_called_so(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "s"
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    error = await refused(f"unix:{path}")
    assert error.kind == "address-not-available"
    assert error.message == f"There is something else than a socket at {path}."
    assert os.path.lexists(path)


async def test_a_socket_file_that_another_has_taken_over_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listening(f"unix:{path}"):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
    assert path.exists()


async def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    error = await refused(f"unix:{tmp_path}/none/s")
    assert error.kind == "address-not-available"
    assert "no such file or directory" in error.message


def test_a_folder_that_may_not_be_written_is_said() -> None:
    become = "import os; os.seteuid(65534);" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        code = (
            "from wsgui.bridge.listener import _unix; from wsgui.profiles.addresses import UnixAddress;"
            f"{become}_unix(UnixAddress('{folder}/s'), None)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
        assert "may not be made by this user" in done.stderr


# Reasons


async def test_a_taken_port_names_who_has_it_and_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = await refused(f"127.0.0.1:{port}")
        assert error.kind == "port-in-use"
        assert f"(pid {os.getpid()})" in error.message
        assert error.suggested_port is not None
        with socket.create_server(("127.0.0.1", error.suggested_port)):
            pass


async def test_nothing_stays_open_when_one_of_several_addresses_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(*_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        ]

    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        assert (await refused(f"office:{port}")).kind == "port-in-use"
        with socket.create_server(("127.0.0.1", port)):
            pass


@pytest.mark.parametrize(
    ("address", "kind"),
    [("no-such-computer.invalid:0", "name-not-found"), ("192.0.2.1:0", "address-not-available")],
)
async def test_what_is_no_address_of_this_computer(address: str, kind: str) -> None:
    error = await refused(address)
    assert error.kind == kind
    assert "127.0.0.1" in error.hint


@pytest.mark.parametrize(("code", "kind"), [(errno.EACCES, "permission"), (errno.EPERM, "permission"), (5, "other")])
def test_what_the_system_forbids_is_explained(code: int, kind: str) -> None:
    error = module._explain(TcpAddress("127.0.0.1", 80), (socket.AF_INET, "127.0.0.1", 0), OSError(code, "x"))
    assert error.kind == kind
    assert "80" in error.message


# Inherited


async def test_an_inherited_socket_stays_open_for_who_gave_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        given.setblocking(True)
        async with listening(f"fd:{given.fileno()}") as door:
            assert door.port == given.getsockname()[1]
            with calling("127.0.0.1", door.port):
                await until("somebody", lambda: door.came)
        with calling("127.0.0.1", given.getsockname()[1]):
            given.setblocking(True)
            given.accept()[0].close()


async def test_a_descriptor_that_is_none() -> None:
    assert (await refused("fd:999999")).message == "There is no descriptor 999999."


@pytest.mark.parametrize("kind", ["file", "pipe", "datagram", "connected"])
async def test_a_descriptor_that_does_not_listen_is_refused_and_left_open(kind: str) -> None:
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    reading, writing = os.pipe()
    null = os.open("/dev/null", os.O_RDONLY)
    descriptor = {"file": null, "pipe": reading}.get(kind, ours.fileno())
    try:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ListenError) as caught:
            await open_listeners(asyncio.get_running_loop(), InheritedAddress(descriptor))
        assert caught.value.message == f"Descriptor {descriptor} is not a listening stream socket."
        assert len(os.listdir("/proc/self/fd")) == before
        os.fstat(descriptor)
    finally:
        ours.close()
        theirs.close()
        for number in (reading, writing, null):
            os.close(number)


async def test_an_inherited_unix_socket_is_served(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as given:
        given.bind(str(tmp_path / "s"))
        given.listen()
        async with listening(f"fd:{given.fileno()}") as door, asyncio.timeout(10):
            _, writer = await asyncio.open_unix_connection(tmp_path / "s")
            await until("somebody", lambda: door.came)
            assert door.came[0][2] == "unix"
            writer.close()
    assert (tmp_path / "s").exists()  # it is not ours to remove
