"""Faults that a tunnel survives: many comings and goings, no descriptors left, clients that never ask, kill -9."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import Process, RunWsgui, StartEcho, WriteProfile
from tests.support.certificates import make_certificate
from tests.support.engines import running
from tests.support.raw import RawClient, client_frame, tcp_target
from tests.support.waiting import until
from wsgui.app.paths import Paths
from wsgui.app.process import raise_descriptor_limit
from wsgui.app.runtime import Runtime
from wsgui.bridge.ends import SocketEnd
from wsgui.bridge.handshake import Handshake
from wsgui.bridge.relay import Relay
from wsgui.engine.snapshot import ReasonKind, TunnelState
from wsgui.profiles.model import Profile

MIB = 1 << 20
AT_ONCE = 32
CLOSE, BINARY = 8, 2
MOST_WAITING = 1000
"""Unfinished handshakes that a tunnel keeps, unless its profile says otherwise ([limits] connections)."""


async def says_goodbye(client: RawClient) -> None:
    await client.upgrade()
    client.send(client_frame(CLOSE, b"\x03\xe8"))
    assert (await client.closed())[0] == 1000


async def echoes_and_goes(client: RawClient) -> None:
    await client.upgrade()
    client.send(client_frame(BINARY, b"there and back"))
    assert await client.data(14) == b"there and back"
    client.writer.write_eof()


async def vanishes_after_the_upgrade(client: RawClient) -> None:
    await client.upgrade()


async def vanishes_without_waiting_for_the_answer(client: RawClient) -> None:
    client.send(client.head() + client_frame(BINARY, bytes(5000)))


async def vanishes_in_the_middle_of_a_frame(client: RawClient) -> None:
    await client.upgrade()
    client.send(client_frame(BINARY, bytes(100_000))[:50_000])
    await client.writer.drain()


async def breaks_the_protocol(client: RawClient) -> None:
    await client.upgrade()
    client.send(b"\x82\x01x")
    assert (await client.closed())[0] == 1002


async def vanishes_in_the_middle_of_the_head(client: RawClient) -> None:
    client.send(client.head()[:40])


async def says_nothing(_: RawClient) -> None:
    pass


async def is_refused(client: RawClient) -> None:
    client.send(client.head(origin="http://evil.example"))
    assert (await client.answer()).status == 403


async def asks_for_a_page(client: RawClient) -> None:
    client.send(f"GET / HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
    assert (await client.answer()).status == 200


WAYS: tuple[Callable[[RawClient], Awaitable[None]], ...] = (
    says_goodbye,
    echoes_and_goes,
    vanishes_after_the_upgrade,
    vanishes_without_waiting_for_the_answer,
    vanishes_in_the_middle_of_a_frame,
    breaks_the_protocol,
    vanishes_in_the_middle_of_the_head,
    says_nothing,
    is_refused,
    asks_for_a_page,
)
UPGRADED = 6
"""So many of WAYS, the first ones, get as far as the upgrade."""


async def come_and_go(url: str, count: int) -> None:
    """Let `count` clients come, AT_ONCE at a time, and go in all of WAYS."""
    turns = iter(range(count))

    async def one_after_the_other() -> None:
        for turn in turns:
            async with await RawClient.connect(url) as client:
                await WAYS[turn % len(WAYS)](client)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())


async def test_10_000_connects_and_closes_leave_no_files_and_no_memory_behind(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    async with tcp_target() as port:
        write_profile("lab", target=f"127.0.0.1:{port}")
        process = await run_wsgui("--profile", "lab")
        url = await process.address("lab")
        measured = psutil.Process(process.pid)
        idle = measured.num_fds()
        await come_and_go(url, 500)  # what is made once, is
        await until("all descriptors back", lambda: measured.num_fds() <= idle)
        before = measured.memory_info().rss
        async with asyncio.timeout(120):
            await come_and_go(url, 10_000)
        await until("all descriptors back", lambda: measured.num_fds() <= idle)
        assert measured.memory_info().rss - before < 8 * MIB
        upgraded = (500 + 10_000) * UPGRADED // len(WAYS)
        await process.logged(f"connection {upgraded} of .* ended after")
        assert not [line for line in process.err if "Traceback" in line or "fault" in line]


async def test_many_connects_and_closes_leave_no_tasks_and_no_objects_behind() -> None:
    def left() -> list[object]:
        gc.collect()
        return [thing for thing in gc.get_objects() if isinstance(thing, Relay | SocketEnd | Handshake)]

    async with tcp_target() as port:
        already = len(left())  # another test's
        async with running(target=f"127.0.0.1:{port}") as tunnel:
            tasks = len(asyncio.all_tasks())
            await come_and_go(tunnel.url, 500)
            await until("no connections", lambda: not tunnel.now.connections)
            await until("no tasks", lambda: len(asyncio.all_tasks()) <= tasks)
            await until("no objects", lambda: len(left()) <= already)
            assert tunnel.now.served == 500 * UPGRADED // len(WAYS)


async def echoes(client: RawClient, data: bytes = b"still here") -> bool:
    client.send(client_frame(BINARY, data))
    return await client.data(len(data)) == data


async def test_out_of_descriptors_it_says_so_keeps_its_sessions_and_recovers(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    async with tcp_target() as port:
        write_profile("lab", target=f"127.0.0.1:{port}")
        process = await run_wsgui("--profile", "lab", prefix=["bash", "-c", 'ulimit -n 64; exec "$@"', "bash"])
        url = await process.address("lab")
        async with await RawClient.connect(url) as first:
            await first.upgrade()
            async with AsyncExitStack() as stack:
                for _ in range(80):  # half of them would take more than there is
                    client = await stack.enter_async_context(await RawClient.connect(url))
                    client.send(client.head())
                said = await process.logged("run out of file descriptors")
                assert "error" in said.string
                assert "ulimit -n" in said.string
                assert await echoes(first)
            assert await echoes(first)

            async def comes_in() -> bool:
                async with await RawClient.connect(url) as client:
                    await client.upgrade()
                    client.send(client_frame(BINARY, b"new"))
                    opcode, payload = await client.frame()
                    return (opcode, payload) == (BINARY, b"new")

            await until("new clients coming in", comes_in)
            assert await echoes(first)
        assert sum("run out of file descriptors" in line for line in process.err) == 1


@pytest.mark.parametrize("count", [500, pytest.param(5000, marks=pytest.mark.slow)])
async def test_clients_that_never_ask_do_not_disturb_another_tunnel_and_are_sent_away(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path, count: int
) -> None:
    raise_descriptor_limit()
    certificate = make_certificate(tmp_path)
    flooded = (
        'listen = "127.0.0.1:0"\ntarget = "demo:"\n[limits]\nhandshake_seconds = 3\n'
        f'[tls]\ncertificate_file = "{certificate.certificate}"\nkey_file = "{certificate.key}"\n'
    )
    beginnings = (b"", b"GET / HTTP/1.1\r\nHost: ", b"\x16\x03\x01\x02\x00\x01\x00")
    async with tcp_target() as port:
        write_profile("flooded", flooded)
        write_profile("other", target=f"127.0.0.1:{port}")
        process = await run_wsgui("--profile", "flooded", "--profile", "other", "--log-level", "error")
        url = await process.address("flooded")
        measured = psutil.Process(process.pid)
        idle = measured.num_fds()
        async with AsyncExitStack() as stack:
            other = await stack.enter_async_context(await RawClient.connect(await process.address("other")))
            await other.upgrade()
            clients = []
            for number in range(count):
                client = await stack.enter_async_context(await RawClient.connect(url.replace("wss", "ws")))
                client.send(beginnings[number % len(beginnings)])
                clients.append(client)
                if number % 10 == 0:
                    assert await echoes(other)
            ends = asyncio.gather(*(client.eof() for client in clients))
            while not ends.done():
                assert await echoes(other)
            answers = await ends
            assert await echoes(other)
        # Where the client had begun to speak HTTP, and was not the one that waited longest of too many, it is told why.
        told = [answer for answer in answers if answer.startswith(b"HTTP")]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in told)
        assert len(told) >= sum(number % len(beginnings) == 1 for number in range(max(0, count - MOST_WAITING), count))
        await until("all descriptors back", lambda: measured.num_fds() <= idle)


async def test_killed_and_started_again_it_has_its_port_and_its_control_channel_at_once(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, free_port: int
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}", listen=f"127.0.0.1:{free_port}")

    async def start() -> tuple[Process, str]:
        process = await run_wsgui("--profile", "lab")
        return process, await process.address("lab")

    process, url = await start()
    async with await RawClient.connect(url) as client:
        await client.upgrade()
        assert await echoes(client)
        process.signal(signal.SIGKILL)
        await client.eof()
        assert await process.ended() == -signal.SIGKILL

        again, url = await start()
        async with await RawClient.connect(url) as other:
            await other.upgrade()
            assert await echoes(other)
        assert not [line for line in again.err if "control channel" in line]
        status = await run_wsgui("status", "--json")
        assert await status.ended() == 0
        found = json.loads("\n".join(status.out))
        assert f'"pid": {again.pid}' in json.dumps(found)
        assert f'"pid": {process.pid}' not in json.dumps(found)


async def test_killed_and_started_again_it_takes_its_unix_socket_over(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    write_profile("lab", target="demo:", listen=f"unix:{tmp_path}/s")
    first = await run_wsgui("--profile", "lab")
    await first.printed("^lab: ")
    first.signal(signal.SIGKILL)
    await first.ended()
    assert (tmp_path / "s").is_socket()
    second = await run_wsgui("--profile", "lab")
    await second.printed("^lab: ")
    _, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.close()


async def test_a_window_s_tunnel_waits_for_a_port_that_is_taken_and_runs_when_it_is_freed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        profile = Profile.model_validate({"name": "Lab", "listen": f"127.0.0.1:{port}", "target": "demo:"})
        async with AsyncExitStack() as stack:
            runtime = Runtime(Paths.beneath(tmp_path), name="window", role="window", profiles=[profile])
            await stack.enter_async_context(runtime)

            def state() -> TunnelState | None:
                tunnel = runtime.engine.snapshot().tunnel("Lab")
                return tunnel.state if tunnel else None

            await until("it waiting", lambda: state() is TunnelState.WAITING)
            tunnel = runtime.engine.snapshot().tunnel("Lab")
            assert tunnel is not None
            assert tunnel.wanted
            assert tunnel.reason is not None
            assert tunnel.reason.kind is ReasonKind.PORT_IN_USE
            assert tunnel.reason.message.startswith(f"Port {port} is used by ")
            assert tunnel.reason.suggested_port
            other.close()
            await until("it running", lambda: state() is TunnelState.RUNNING)
            async with await RawClient.connect(f"ws://127.0.0.1:{port}/") as client:
                await client.upgrade()
