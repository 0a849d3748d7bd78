"""Sessions through a running tunnel: bytes, control frames, endings, back-pressure."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import socket
import struct
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.certificates import make_certificate
from tests.support.engines import running
from tests.support.raw import ACCEPT, RawClient, client_frame, tcp_target
from wsgui.engine.events import ConnectionClosed, ConnectionOpened

MIB = 1 << 20


async def test_the_upgrade_is_answered_as_the_rfc_says() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            answer = await client.upgrade(sec_websocket_protocol="base64, binary")
            assert answer.fields["sec-websocket-accept"] == ACCEPT
            assert answer.fields["sec-websocket-protocol"] == "binary"


async def test_no_subprotocol_is_chosen_when_binary_is_not_offered() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            assert "sec-websocket-protocol" not in (await client.upgrade(sec_websocket_protocol="base64")).fields


async def test_bytes_go_both_ways_and_are_counted() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"hello ") + client_frame(1, b"wor", fin=False) + client_frame(0, b"ld"))
            assert await client.data(11) == b"hello world"
            (connection,) = tunnel.now.connections
            assert (connection.to_target_bytes, connection.to_client_bytes) == (11, 11)
            client.send(client_frame(8, b"\x03\xe8"))
            assert await client.closed() == (1000, "")
        closed = await tunnel.event(ConnectionClosed)
        assert (closed.to_target_bytes, closed.to_client_bytes, closed.code) == (11, 11, 1000)


async def test_frames_sent_right_behind_the_request_are_not_lost() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(client.head() + client_frame(2, b"early") + client_frame(2, b" bird")[:5])
            assert (await client.answer()).status == 101
            assert await client.data(5) == b"early"


async def test_a_request_in_single_bytes_is_understood() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in client.head():
                client.send(bytes((byte,)))
                await asyncio.sleep(0)
            assert (await client.answer()).status == 101


async def test_a_ping_is_answered_with_its_payload() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(9, b"are you there"))
            assert await client.frame() == (10, b"are you there")


async def test_of_many_pings_that_come_together_the_latest_are_answered_in_order() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(b"".join(client_frame(9, str(number).encode()) for number in range(10)))
            assert [await client.frame() for _ in range(10)] == [(10, str(number).encode()) for number in range(10)]
            client.send(b"".join(client_frame(9, str(number).encode()) for number in range(5000)))
            answers = 0
            while (payload := (await client.frame())[1]) != b"4999":
                answers += 1
            assert payload == b"4999"
            assert answers < 5000


async def test_a_target_that_says_no_more_still_gets_what_is_on_its_way() -> None:
    counted = asyncio.Event()
    taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def half_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport: Any = writer.transport
        transport.pause_reading()
        await counted.wait()
        writer.write_eof()
        await over.wait()
        transport.resume_reading()
        count = 0
        while data := await reader.read(1 << 20):
            count += len(data)
        taken.set_result(count)

    over = asyncio.Event()
    async with tcp_target(half_closed) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            piece = client_frame(2, bytes(1 << 20))
            sending = asyncio.create_task(_send_for_ever(client, piece))
            # What the kernel takes has come to an end once nothing more is counted.
            before = -1
            while before != (before := tunnel.now.to_target_bytes) or not before:
                await asyncio.sleep(0.2)
            counted.set()
            assert (await client.closed())[0] == 1000
            over.set()
            assert await taken == tunnel.now.to_target_bytes
            sending.cancel()


async def _send_for_ever(client: RawClient, piece: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            client.send(piece)
            await client.writer.drain()


async def test_an_unasked_pong_is_ignored() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(10, b"hm") + client_frame(2, b"x"))
            assert await client.data(1) == b"x"


async def test_the_round_trip_comes_from_our_ping() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", limits={"heartbeat_seconds": 1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            opcode, payload = await client.frame()
            assert opcode == 9
            client.send(client_frame(10, payload) + client_frame(2, b"x"))
            await client.data(1)
            (connection,) = tunnel.now.connections
            assert connection.round_trip_seconds is not None
            assert tunnel.now.round_trip_seconds == connection.round_trip_seconds


async def test_a_client_that_never_answers_a_ping_is_given_up() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", limits={"heartbeat_seconds": 1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            closed = await tunnel.event(ConnectionClosed)
            assert closed.code == 1006
            assert "did not answer" in closed.reason


async def test_an_idle_session_ends_as_the_profile_says() -> None:
    limits = {"idle_seconds": 1, "heartbeat_seconds": 0}
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", limits=limits) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert await client.closed() == (1000, "No traffic for 1 s")


async def test_what_the_target_said_is_flushed_before_its_end_is_told() -> None:
    async def speech(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * (8 * MIB))
        await writer.drain()
        writer.write_eof()
        await asyncio.Event().wait()

    async with tcp_target(speech) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert await client.data(8 * MIB) == b"x" * (8 * MIB)
            assert await client.closed() == (1000, "Target closed")
            assert await client.eof() == b""


async def test_a_close_ends_the_target_after_all_was_delivered() -> None:
    received = hashlib.sha256()
    done = asyncio.get_running_loop().create_future()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"never read")
        while data := await reader.read(65536):
            received.update(data)
            await asyncio.sleep(0.001)
        done.set_result(None)

    payload = os.urandom(6 * MIB)
    async with tcp_target(slow) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, payload) + client_frame(8, b"\x0f\xa1bye"))
            assert await client.closed() == (4001, "bye")
            async with asyncio.timeout(20):
                await done
        assert received.digest() == hashlib.sha256(payload).digest()
        assert (await tunnel.event(ConnectionClosed)).reason == "bye"


async def test_a_target_that_resets_is_told_from_one_that_ends() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        sock = writer.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with tcp_target(reset) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"x"))
            assert await client.closed() == (1011, "The target broke the connection off")


async def test_a_client_that_vanishes_ends_the_target() -> None:
    ended = asyncio.get_running_loop().create_future()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.set_result(await reader.read())

    async with tcp_target(wait) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"last words"))
            client.writer.close()
        async with asyncio.timeout(20):
            assert await ended == b"last words"
        assert (await tunnel.event(ConnectionClosed)).code == 1006


async def test_a_refusing_target_is_a_close_code_a_browser_can_see() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with running(target=f"127.0.0.1:{port}") as tunnel:
            async with await RawClient.connect(tunnel.url) as client:
                await client.upgrade()
                assert await client.closed() == (1011, "Failed to connect to downstream server")
            problem = tunnel.now.target_problem
            assert problem is not None
            assert problem.message == f'"127.0.0.1" refuses connections on port {port}.'
            assert problem.hint


async def test_a_target_that_comes_back_clears_the_problem() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await client.closed()
        assert tunnel.now.target_problem is not None
        server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", port)
        async with server, await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert (await client.closed())[0] == 1000
        assert tunnel.now.target_problem is None


async def test_a_name_that_is_not_found_says_so() -> None:
    async with running(target="no-such-host.invalid:5901") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert (await client.closed())[0] == 1011
        problem = tunnel.now.target_problem
        assert problem is not None
        assert problem.kind == "name-not-found"
        assert problem.message == 'No computer called "no-such-host.invalid" was found.'


async def test_a_target_by_name_is_reached_over_either_family() -> None:
    async with tcp_target() as port, running(target=f"localhost:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"x"))
            assert await client.data(1) == b"x"


async def test_a_unix_socket_is_a_target(tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(lambda r, w: w.write(b"over unix"), tmp_path / "s")
    async with server, running(target=f"unix:{tmp_path}/s") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert await client.data(9) == b"over unix"


async def test_a_missing_unix_socket_says_which(tmp_path: Path) -> None:
    async with running(target=f"unix:{tmp_path}/none") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert (await client.closed())[0] == 1011
        assert tunnel.now.target_problem is not None
        assert tunnel.now.target_problem.message == f"There is no socket {tmp_path}/none."


async def test_a_tls_target_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    async with tcp_target(tls=certificate.server_context()) as port:
        async with running(target=f"tls://localhost:{port}") as tunnel:
            async with await RawClient.connect(tunnel.url) as client:
                await client.upgrade()
                assert (await client.closed())[0] == 1011
            assert tunnel.now.target_problem is not None
            assert "is not trusted" in tunnel.now.target_problem.message
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        async with running(target=f"tls://localhost:{port}") as tunnel:
            async with await RawClient.connect(tunnel.url) as client:
                await client.upgrade()
                client.send(client_frame(2, b"secret"))
                assert await client.data(6) == b"secret"


async def test_a_target_that_speaks_no_tls_says_so() -> None:
    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"RFB 003.008\n")
        await reader.read()

    async with tcp_target(banner) as port, running(target=f"tls://localhost:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert (await client.closed())[0] == 1011
        assert tunnel.now.target_problem is not None
        assert "does not speak TLS" in tunnel.now.target_problem.message


async def test_the_protocol_is_recognised_from_the_first_bytes() -> None:
    async def vnc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"RFB 003.008\n")
        await reader.read()

    async with tcp_target(vnc) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await client.data(12)
            assert tunnel.now.connections[0].protocol == "VNC (RFB 3.8)"
            assert tunnel.now.protocol == "VNC (RFB 3.8)"


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_slow_reader_holds_the_target_back_and_nothing_is_lost(secure: bool, tmp_path: Path) -> None:
    """An unlimited source behind a client that does not read: memory stays flat, and every byte comes in the end."""
    sent = 0

    async def source(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(sent.to_bytes(8, "big") * 8192)
            sent += 1
            await writer.drain()

    certificate = make_certificate(tmp_path)
    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)} if secure else {}
    async with tcp_target(source) as port, running(target=f"127.0.0.1:{port}", tls=tls) as tunnel:
        context = certificate.client_context() if secure else None
        async with await RawClient.connect(tunnel.url, tls=context, limit=65536) as client:
            await client.upgrade()
            seen = -1
            while sent != seen:  # until the whole chain is full and nothing moves any more
                seen = sent
                await asyncio.sleep(0.05)
            full = psutil.Process().memory_info().rss
            assert sent * 65536 < 64 * MIB
            data = await client.data(64 * MIB)
            for block in range(1024):
                start = block * 65536
                assert data[start : start + 65536] == block.to_bytes(8, "big") * 8192
            del data
            assert psutil.Process().memory_info().rss - full < 256 * MIB


async def test_a_flood_of_pings_by_a_client_that_does_not_read_takes_no_memory() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url, limit=1024) as client:
            await client.upgrade()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            before = psutil.Process().memory_info().rss
            flood = client_frame(9, bytes(125)) * 1000
            for _ in range(300):
                client.send(flood)
                await client.writer.drain()
            assert psutil.Process().memory_info().rss - before < 32 * MIB


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_random_frame_sizes_and_pauses_lose_nothing(secure: bool, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)} if secure else {}
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", tls=tls) as tunnel:
        context = certificate.client_context() if secure else None
        async with await RawClient.connect(tunnel.url, tls=context) as client:
            await client.upgrade()
            dice = random.Random(7)
            sizes = [dice.choice([0, 1, 125, 126, 4096, 65535, 65536, 300_000]) for _ in range(200)]
            payloads = [dice.randbytes(size) for size in sizes]

            async def send() -> None:
                for payload in payloads:
                    client.send(client_frame(2, payload))
                    await client.writer.drain()

            sending = asyncio.create_task(send())
            assert await client.data(sum(sizes)) == b"".join(payloads)
            await sending


async def test_what_a_transport_was_given_may_be_overwritten_at_once(tmp_path: Path) -> None:
    """The shared buffer is safe with aiofastnet only because its write keeps no reference; this pins it."""
    certificate = make_certificate(tmp_path)
    blocks = 200

    async def source(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for block in range(blocks):
            writer.write(bytes((block,)) * 100_000)
            await writer.drain()
        await reader.read()

    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)}
    async with tcp_target(source) as port, running(target=f"127.0.0.1:{port}", tls=tls) as tunnel:
        context = certificate.client_context()
        async with (
            await RawClient.connect(tunnel.url, tls=context, limit=1024) as slow,
            await RawClient.connect(tunnel.url, tls=context) as other,
        ):
            await slow.upgrade()
            await other.upgrade()
            await other.data(blocks * 100_000)  # while the slow one's bytes wait
            data = await slow.data(blocks * 100_000)
            assert all(data[b * 100_000 : (b + 1) * 100_000] == bytes((b,)) * 100_000 for b in range(blocks))


async def test_disconnecting_one_leaves_the_others() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as one, await RawClient.connect(tunnel.url) as two:
            await one.upgrade()
            await two.upgrade()
            first = await tunnel.event(ConnectionOpened)
            assert await tunnel.engine.disconnect("T", first.connection)
            assert (await one.closed())[0] == 1001
            two.send(client_frame(2, b"x"))
            assert await two.data(1) == b"x"
            assert not await tunnel.engine.disconnect("T", 4711)


async def test_clients_that_reset_amid_both_directions_leave_no_session_behind() -> None:
    """libuv tells a reset once; a session that missed it would go on feeding a dead socket."""

    async def both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def swallow() -> None:
            while await reader.read(1 << 16):
                pass

        swallowing = asyncio.create_task(swallow())
        try:
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()
        finally:
            swallowing.cancel()

    upload = client_frame(2, bytes(60_000))
    async with tcp_target(both_ways) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        for number in range(20):
            async with await RawClient.connect(tunnel.url) as client:
                await client.upgrade()
                for _ in range(10 + number):
                    client.send(upload)
                    await client.writer.drain()
                    if number % 2:
                        await client.reader.read(1 << 16)
                sock = client.writer.transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for number in range(1, 21):
            closed = await tunnel.event(ConnectionClosed, lambda event, number=number: event.connection == number)
            assert closed.code == 1006
        assert tunnel.now.connections == ()


async def test_a_target_that_talks_on_after_the_client_left_is_cut_off_soon() -> None:
    """An endless source may not be read, at full speed, for the whole time that a peer is given to close."""
    ended = asyncio.get_running_loop().create_future()
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while True:
                writer.write(bytes(1 << 20))
                await writer.drain()
                sent += 1
        except ConnectionError:
            ended.set_result(sent)

    async with tcp_target(endless) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await client.data(4 * MIB)
            before = sent
            client.send(client_frame(8))
            await client.closed()
            async with asyncio.timeout(20):
                assert await ended - before < 64


async def test_a_slow_target_that_talks_on_still_gets_all_that_was_sent() -> None:
    received = asyncio.get_running_loop().create_future()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def talk() -> None:
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()

        talking = asyncio.create_task(talk())
        count = 0
        while data := await reader.read(1 << 16):
            count += len(data)
            await asyncio.sleep(0.001)
        received.set_result(count)
        talking.cancel()

    async with tcp_target(both) as port, running(target=f"127.0.0.1:{port}") as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, bytes(12 * MIB)) + client_frame(8))
            await client.closed()
            async with asyncio.timeout(20):
                assert await received == 12 * MIB
