"""A tunnel's states and reasons, reloads and endings, with real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import make_certificate
from tests.support.engines import NAME, running
from tests.support.raw import DEADLINE, RawClient, client_frame, tcp_target
from wsgui.access.admission import Admission
from wsgui.bridge import bridge
from wsgui.bridge.listener import ListenAddress, open_listeners
from wsgui.engine import moving
from wsgui.engine import tunnel as tunnels
from wsgui.engine.engine import Engine
from wsgui.engine.events import ClientRefused, ConnectionClosed, StateChanged
from wsgui.engine.snapshot import Reach, ReasonKind, TunnelState
from wsgui.errors import TunnelError
from wsgui.profiles.model import Profile


@contextmanager
def taken_port(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, 0))
        sock.listen()
        yield sock


def profile(**fields: object) -> Profile:
    return Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0", "target": "demo:"} | fields)


async def test_it_goes_from_stopped_over_running_to_stopped() -> None:
    async with running() as tunnel:
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.wanted
        assert tunnel.now.reach is Reach.THIS_COMPUTER
        assert tunnel.now.running_since is not None
        await tunnel.engine.stop(NAME)
        assert tunnel.now.state is TunnelState.STOPPED
        assert not tunnel.now.wanted
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.STOPPED)
        states = [event.state for event in tunnel.events if isinstance(event, StateChanged)]
        assert states == [TunnelState.STARTING, TunnelState.RUNNING, TunnelState.FINISHING, TunnelState.STOPPED]


async def test_a_second_start_changes_nothing() -> None:
    async with running() as tunnel:
        url = tunnel.url
        await tunnel.engine.start(NAME)
        assert tunnel.url == url


async def test_a_taken_port_names_the_program_and_a_free_one() -> None:
    engine = Engine()
    with taken_port() as taken:
        port = taken.getsockname()[1]
        await engine.configure(profile(listen=f"127.0.0.1:{port}"))
        with pytest.raises(TunnelError) as caught:
            await engine.start(NAME, wait=False)
        assert caught.value.message.startswith(f"Port {port} is used by ")
        assert f"(pid {os.getpid()})" in caught.value.message
        assert caught.value.field == "listen"
        (now,) = engine.snapshot().tunnels
        assert now.state is TunnelState.FAILED
        assert now.reason is not None
        assert now.reason.kind is ReasonKind.PORT_IN_USE
        assert now.reason.suggested_port is not None
        assert now.reason.suggested_port > port
    await engine.close()


async def test_a_tunnel_waits_for_its_port_and_takes_it_when_it_is_free() -> None:
    engine = Engine()
    states: asyncio.Queue[TunnelState] = asyncio.Queue()

    def hear(events: tuple[object, ...], _: int) -> None:
        for event in events:
            if isinstance(event, StateChanged):
                states.put_nowait(event.state)

    engine.events.subscribe(hear)
    with taken_port() as taken:
        await engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        await engine.start(NAME, wait=True)
        (now,) = engine.snapshot().tunnels
        assert now.state is TunnelState.WAITING
        assert now.wanted
    async with asyncio.timeout(20):
        while await states.get() is not TunnelState.RUNNING:
            pass
    await engine.close()


async def test_a_waiting_tunnel_can_be_stopped() -> None:
    engine = Engine()
    with taken_port() as taken:
        await engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        await engine.start(NAME, wait=True)
        await engine.stop(NAME)
        assert engine.snapshot().tunnels[0].state is TunnelState.STOPPED


async def test_an_address_of_another_computer_is_explained() -> None:
    engine = Engine()
    await engine.configure(profile(listen="192.0.2.1:6080"))
    with pytest.raises(TunnelError, match=r"192\.0\.2\.1 is not an address of this computer\. Listen on 127\.0\.0\.1"):
        await engine.start(NAME)
    reason = engine.snapshot().tunnels[0].reason
    assert reason is not None
    assert reason.kind is ReasonKind.ADDRESS_NOT_AVAILABLE


async def test_a_name_that_is_none_is_explained() -> None:
    engine = Engine()
    await engine.configure(profile(listen="no-such-host.invalid:6080"))
    with pytest.raises(TunnelError, match="is no name or address of this computer"):
        await engine.start(NAME)
    reason = engine.snapshot().tunnels[0].reason
    assert reason is not None
    assert reason.kind is ReasonKind.NAME_NOT_FOUND


async def test_a_certificate_that_cannot_be_read_is_named_and_nothing_listens(tmp_path: Path) -> None:
    engine = Engine()
    await engine.configure(profile(tls={"certificate_file": str(tmp_path / "none.pem")}))
    with pytest.raises(TunnelError, match=r"There is no file .*none\.pem") as caught:
        await engine.start(NAME)
    assert caught.value.field == "tls.certificate_file"
    reason = engine.snapshot().tunnels[0].reason
    assert reason is not None
    assert reason.kind is ReasonKind.CERTIFICATE


async def test_both_families_are_served_by_a_star() -> None:
    async with running(listen="*:0") as tunnel:
        port = int(tunnel.url.rstrip("/").rpartition(":")[2])
        assert tunnel.now.reach is Reach.NETWORK
        hosts = ["127.0.0.1"] + (["[::1]"] if socket.has_dualstack_ipv6() else [])
        for host in hosts:
            async with await RawClient.connect(f"ws://{host}:{port}/") as client:
                await client.upgrade()
        assert {c.client.rpartition(":")[0] for c in tunnel.now.connections} <= set(hosts)


async def test_ipv6_alone_is_served() -> None:
    async with running(listen="[::1]:0") as tunnel:
        assert tunnel.url.startswith("ws://[::1]:")
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()


async def test_a_unix_socket_is_private_and_goes_with_the_tunnel(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with running(listen=f"unix:{path}") as tunnel:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert tunnel.now.reach is Reach.SOCKET_FILE
        reader, writer = await asyncio.open_unix_connection(path)
        async with RawClient(reader, writer, "localhost") as client:
            await client.upgrade()
            assert tunnel.now.connections[0].client == "unix"
    assert not path.exists()


async def test_a_socket_left_behind_is_taken_over_but_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with running(listen=f"unix:{path}"):
        engine = Engine()
        await engine.configure(profile(listen=f"unix:{path}"))
        with pytest.raises(TunnelError, match="is used by another program"):
            await engine.start(NAME, wait=False)


async def test_an_inherited_socket_is_served_and_left_open() -> None:
    with taken_port() as inherited:
        port = inherited.getsockname()[1]
        for _ in range(2):
            async with running(listen=f"fd:{inherited.fileno()}"):
                async with await RawClient.connect(f"ws://127.0.0.1:{port}/") as client:
                    await client.upgrade()


async def test_a_descriptor_that_does_not_listen_is_refused() -> None:
    with socket.socket() as sock:
        engine = Engine()
        await engine.configure(profile(listen=f"fd:{sock.fileno()}"))
        with pytest.raises(TunnelError, match="is not a listening stream socket"):
            await engine.start(NAME)


async def test_stopping_says_1001_to_those_connected() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        stopping = asyncio.create_task(tunnel.engine.stop(NAME))
        assert await client.closed() == (1001, "The tunnel is stopping")
        client.writer.close()
        await stopping


async def test_draining_lets_sessions_go_on_but_nobody_new_in() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        url = tunnel.url
        async with await RawClient.connect(url) as client:
            await client.upgrade()
            stopping = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=60))
            await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
            with pytest.raises(ConnectionRefusedError):
                await RawClient.connect(url)
            client.send(client_frame(2, b"x"))
            assert await client.data(1) == b"x"
            client.send(client_frame(8))
            assert await client.closed() == (1005, "")
        await stopping
        assert tunnel.now.state is TunnelState.STOPPED


async def test_a_second_stop_ends_the_draining() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        stopping = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=600))
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
        second = asyncio.create_task(tunnel.engine.stop(NAME))
        assert (await client.closed())[0] == 1001
        client.writer.close()
        await asyncio.gather(stopping, second)


async def test_a_hurried_stop_is_over_when_its_clients_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "FLUSH_SECONDS", 600.0)
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        stopping = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=600))
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
        second = asyncio.create_task(tunnel.engine.stop(NAME))
        assert (await client.closed())[0] == 1001
        client.writer.close()
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(stopping, second)


async def test_a_start_while_draining_keeps_the_sessions() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            stopping = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=600))
            await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
            await tunnel.engine.start(NAME)
            await stopping
            assert tunnel.now.state is TunnelState.RUNNING
            client.send(client_frame(2, b"x"))
            assert await client.data(1) == b"x"
            assert len(tunnel.now.connections) == 1


async def test_a_changed_target_holds_for_those_who_come_after() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())

    async with tcp_target() as old, tcp_target(shout) as new, running(target=f"127.0.0.1:{old}") as tunnel:
        async with await RawClient.connect(tunnel.url) as before:
            await before.upgrade()
            url = tunnel.url
            await tunnel.engine.configure(profile(target=f"127.0.0.1:{new}"))
            assert tunnel.url == url
            async with await RawClient.connect(url) as after:
                await after.upgrade()
                before.send(client_frame(2, b"a"))
                after.send(client_frame(2, b"a"))
                assert (await before.data(1), await after.data(1)) == (b"a", b"A")


async def test_a_changed_port_keeps_the_sessions() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        with taken_port() as free:
            other = free.getsockname()[1]
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await tunnel.engine.configure(profile(listen=f"127.0.0.1:{other}", target=f"127.0.0.1:{port}"))
            assert tunnel.url == f"ws://127.0.0.1:{other}/"
            client.send(client_frame(2, b"x"))
            assert await client.data(1) == b"x"


async def test_from_loopback_to_all_addresses_on_the_same_port() -> None:
    with taken_port() as free:
        port = free.getsockname()[1]
    async with running(listen=f"127.0.0.1:{port}") as tunnel:
        await tunnel.engine.configure(profile(listen=f"*:{port}"))
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reach is Reach.NETWORK


async def test_a_change_that_cannot_be_made_leaves_the_tunnel_as_it_was(tmp_path: Path) -> None:
    async with running() as tunnel:
        url = tunnel.url
        with taken_port() as taken, pytest.raises(TunnelError, match="is used by"):
            await tunnel.engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(TunnelError, match="There is no file"):
            await tunnel.engine.configure(profile(tls={"certificate_file": str(tmp_path / "none.pem")}))
        assert tunnel.url == url
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        async with await RawClient.connect(url) as client:
            await client.upgrade()


async def test_a_failed_tunnel_starts_when_its_profile_is_corrected() -> None:
    engine = Engine()
    await engine.configure(profile(listen="192.0.2.1:6080"))
    with pytest.raises(TunnelError):
        await engine.start(NAME)
    await engine.configure(profile())
    assert engine.snapshot().tunnels[0].state is TunnelState.RUNNING
    await engine.close()


async def test_a_new_certificate_is_for_new_clients(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, name="first"), make_certificate(tmp_path, name="second")
    files = {"certificate_file": str(first.certificate), "key_file": str(first.key)}
    async with tcp_target() as port, running(tls=files, target=f"127.0.0.1:{port}") as tunnel:
        assert tunnel.url.startswith("wss://")
        async with await RawClient.connect(tunnel.url, tls=first.client_context()) as old:
            await old.upgrade()
            files = {"certificate_file": str(second.certificate), "key_file": str(second.key)}
            await tunnel.engine.configure(profile(tls=files, target=f"127.0.0.1:{port}"))
            async with await RawClient.connect(tunnel.url, tls=second.client_context()) as new:
                await new.upgrade()
            old.send(client_frame(2, b"x"))
            assert await old.data(1) == b"x"
        assert tunnel.now.connections == () or tunnel.now.connections[0].secure


async def test_throughput_counts_each_byte_once() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, bytes(1_000_000)))
            await client.data(1_000_000)
            client.send(client_frame(8))
            await client.closed()
        await tunnel.event(ConnectionClosed)
        now = tunnel.now
        assert (now.to_client_bytes, now.to_target_bytes) == (1_000_000, 1_000_000)
        assert now.served == 1

        def counted() -> float:
            series = tunnel.engine.throughput(NAME)
            return sum(series.to_client) * series.step_seconds

        async with asyncio.timeout(20):
            while counted() < 999_999:  # until the step in which it ended is over
                await asyncio.sleep(0.02)
        assert round(counted()) == 1_000_000


async def test_names_that_are_not_there_say_which_are() -> None:
    async with running() as tunnel:
        with pytest.raises(TunnelError, match=r'There is no tunnel called "x"\. There are: "T"\.'):
            await tunnel.engine.start("x")


async def test_a_removed_tunnel_is_gone_and_its_port_free() -> None:
    async with running() as tunnel:
        port = int(tunnel.url.rstrip("/").rpartition(":")[2])
        await tunnel.engine.remove(NAME)
        assert tunnel.engine.names == ()
        with socket.create_server(("127.0.0.1", port)):
            pass


async def test_a_tunnel_that_is_being_removed_is_not_started_behind_the_engines_back() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        port = int(tunnel.url.rstrip("/").rpartition(":")[2])
        removing = asyncio.create_task(tunnel.engine.remove(NAME, grace_seconds=600))
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
        with pytest.raises(TunnelError, match="is being removed"):
            await tunnel.engine.start(NAME)
        client.writer.close()
        await removing
        assert tunnel.engine.names == ()
        with socket.create_server(("127.0.0.1", port)):
            pass


async def test_a_profile_that_comes_while_its_name_is_being_removed_stays() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        removing = asyncio.create_task(tunnel.engine.remove(NAME, grace_seconds=600))
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
        await tunnel.engine.configure(profile(group="new"))
        await tunnel.engine.start(NAME)
        client.writer.close()
        await removing
        assert tunnel.engine.names == (NAME,)
        assert tunnel.now.group == "new"
        assert tunnel.now.state is TunnelState.RUNNING


async def test_the_last_of_stop_start_and_stop_is_what_holds() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        first = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=600))
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.FINISHING)
        second = asyncio.create_task(tunnel.engine.start(NAME))
        third = asyncio.create_task(tunnel.engine.stop(NAME))
        assert (await client.closed())[0] == 1001
        client.writer.close()
        await asyncio.gather(first, second, third)
        assert tunnel.now.state is TunnelState.STOPPED
        assert not tunnel.now.wanted


async def test_a_stop_hurries_one_that_has_not_begun_to_wait() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        configuring = asyncio.create_task(tunnel.engine.configure(profile(group="new")))
        await asyncio.sleep(0)  # it holds the tunnel now, so that both have to wait for it
        first = asyncio.create_task(tunnel.engine.stop(NAME, grace_seconds=600))
        second = asyncio.create_task(tunnel.engine.stop(NAME))
        assert (await client.closed())[0] == 1001
        client.writer.close()
        await asyncio.gather(configuring, first, second)


async def test_a_fault_of_our_own_while_it_waits_for_its_port_is_a_failed_tunnel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    engine = Engine()
    failed = asyncio.Event()
    engine.events.subscribe(lambda events, _: failed.set() if "failed" in str(events) else None)
    monkeypatch.setattr(tunnels, "RETRY_SECONDS", 0.01)
    with taken_port() as taken:
        await engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        await engine.start(NAME)
        monkeypatch.setattr(tunnels, "prepare", lambda *_, **__: 1 / 0)
        async with asyncio.timeout(20):
            await failed.wait()
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    assert "ZeroDivisionError" in now.reason.message
    assert len(faults) == 1
    await engine.close()


async def test_a_port_lost_while_it_was_given_back_for_a_change_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_listeners
    thief = socket.socket()
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tries = 0

    async def slow(
        loop: asyncio.AbstractEventLoop, address: ListenAddress, *, unix_mode: int | None = None
    ) -> list[socket.socket]:
        nonlocal tries
        tries += 1
        if tries == 2:
            thief.bind(("127.0.0.1", port))
            thief.listen()
        return await opened(loop, address, unix_mode=unix_mode)

    async with running() as tunnel:
        port = int(tunnel.url.rstrip("/").rpartition(":")[2])
        monkeypatch.setattr(moving, "open_listeners", slow)
        monkeypatch.setattr(tunnels, "RETRY_SECONDS", 0.01)
        with thief, pytest.raises(TunnelError):
            await tunnel.engine.configure(profile(listen=f"*:{port}"))
        assert tunnel.now.state is TunnelState.WAITING
        tunnel.events.clear()
        await tunnel.event(StateChanged, lambda e: e.state is TunnelState.RUNNING)
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()


async def test_a_refusal_is_counted_and_told() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(client.head(origin="https://evil.example"))
        assert (await client.answer()).status == 403
        refusal = (await tunnel.event(ClientRefused)).refusal
        assert refusal.rule == "origin"
        assert refusal.origin == "https://evil.example"
        assert 'origins = ["same-host", "https://evil.example"]' in refusal.hint
        assert tunnel.now.refused == 1
        assert tunnel.now.refusal == refusal


# What was begun for a start or a change that failed


@pytest.fixture
def admissions(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many admissions were opened and closed."""
    counts = {"opened": 0, "closed": 0}
    opening, closing = Admission.open, Admission.close

    async def opened(admission: Admission) -> None:
        counts["opened"] += 1
        await opening(admission)

    async def closed(admission: Admission) -> None:
        counts["closed"] += 1
        await closing(admission)

    monkeypatch.setattr(Admission, "open", opened)
    monkeypatch.setattr(Admission, "close", closed)
    return counts


TOKENS = {"target": None, "targets": {"a-token": {"target": "demo:"}}}


async def test_an_admission_is_closed_when_the_port_is_taken(admissions: dict[str, int]) -> None:
    engine = Engine()
    with taken_port() as taken:
        await engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}", **TOKENS))
        with pytest.raises(TunnelError):
            await engine.start(NAME, wait=False)
        assert admissions == {"opened": 1, "closed": 1}
        await engine.start(NAME, wait=True)
        assert admissions == {"opened": 2, "closed": 2}
    await engine.close()


async def test_a_running_one_is_closed_when_it_stops(admissions: dict[str, int]) -> None:
    async with running(**TOKENS) as tunnel:
        assert admissions == {"opened": 1, "closed": 0}
        await tunnel.engine.stop(NAME)
        assert admissions == {"opened": 1, "closed": 1}


async def test_a_change_that_cannot_be_made_closes_its_own_and_keeps_the_other(admissions: dict[str, int]) -> None:
    async with running(**TOKENS) as tunnel:
        with taken_port() as taken, pytest.raises(TunnelError):
            await tunnel.engine.configure(profile(listen=f"127.0.0.1:{taken.getsockname()[1]}", **TOKENS))
        assert admissions == {"opened": 2, "closed": 1}
        async with await RawClient.connect(tunnel.url) as client:
            client.send(client.head("/?token=a-token"))
            assert (await client.answer()).status == 101


async def test_each_change_closes_the_one_before(admissions: dict[str, int]) -> None:
    async with running(**TOKENS) as tunnel:
        for _ in range(3):
            await tunnel.engine.configure(profile(**TOKENS))
        await tunnel.engine.stop(NAME)
        assert admissions == {"opened": 4, "closed": 4}


async def test_a_token_that_is_removed_ends_its_session() -> None:
    async with running(**TOKENS) as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(client.head("/?token=a-token"))
        assert (await client.answer()).status == 101
        assert tunnel.now.connections[0].identity.startswith("token ")
        await tunnel.engine.configure(profile(target=None, targets={"another": {"target": "demo:"}}))
        assert (await client.closed())[0] == 1008
