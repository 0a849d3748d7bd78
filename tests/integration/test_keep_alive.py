"""Plain HTTP on connections that stay open: what may follow a request, what smuggles nothing in, and what it costs."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.arrivals import outcome, target
from tests.support.engines import Running, running
from tests.support.houses import basic, status
from tests.support.raw import RawClient
from tests.support.waiting import until

GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
EVIL = b"GET /secret.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("the one that was asked for")
    (tmp_path / "secret.txt").write_text("smuggled")
    (tmp_path / "big.bin").write_bytes(b"x" * 4_000_000)
    return tmp_path


@pytest.fixture
async def tunnel(root: Path) -> AsyncIterator[Running]:
    async with target("desk") as address, running(target=address, web={"root": str(root)}) as tunnel:
        yield tunnel


def upgrade(*more: bytes, drop: bytes = b"") -> bytes:
    lines = [
        b"GET / HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *more,
    ]
    return b"\r\n".join([line for line in lines if not drop or not line.startswith(drop)]) + b"\r\n\r\n"


async def everything(tunnel: Running, *sent: bytes) -> bytes:
    """All that comes until the server closes; each piece is sent when it has been."""
    async with await RawClient.connect(tunnel.url) as client:
        for each in sent:
            client.send(each)
            await client.writer.drain()
        return await client.eof()


# One after the other


async def test_many_requests_and_a_session_in_the_end_on_one_connection(tunnel: Running) -> None:
    async with await RawClient.connect(tunnel.url) as client:
        for _ in range(50):
            client.send(GET)
            answer = await client.answer(body=True)
            assert (answer.status, answer.body) == (200, b"the one that was asked for")
            assert answer.fields.get("connection", "keep-alive") != "close"
        client.send(b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await client.answer(body=True)).status == 404
        await client.upgrade()
        assert await client.data(5) == b"desk\n"


async def test_rules_hold_for_each_request_anew(tunnel: Running) -> None:
    async with await RawClient.connect(tunnel.url) as client:
        client.send(GET)
        assert (await client.answer(body=True)).status == 200
        client.send(client.head(origin="https://evil.example"))
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["connection"]) == (403, "close")
        client.send(GET)
        assert await client.eof() == b""


async def test_a_password_shown_once_is_not_remembered_for_the_connection(root: Path) -> None:
    (root / "users").write_text("anna:one\n")
    (root / "users").chmod(0o600)
    async with running(web={"root": str(root)}, access={"basic": f"file:{root}/users"}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(GET[:-2] + f"Authorization: {basic('anna', 'one')}\r\n\r\n".encode())
            assert (await client.answer(body=True)).status == 200
            client.send(GET)
            assert (await client.answer(body=True)).status == 401


# What is pipelined or smuggled


@pytest.mark.parametrize("count", [2, 3, 20])
async def test_pipelined_requests_get_answers_in_order_or_none(count: int, tunnel: Running) -> None:
    answers = await everything(tunnel, GET * (count - 1) + EVIL)
    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answers.count(b"HTTP/1.1 ") == 1, "the first is answered, and the connection closed"
    assert b"Connection: close" in answers
    assert b"smuggled" not in answers


SMUGGLING = {
    "a body on GET": GET[:-2] + b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL,
    "a chunked body": GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + EVIL,
    "both lengths": GET[:-2] + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + EVIL,
    "two lengths": GET[:-2] + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL,
    "a list of lengths": GET[:-2] + b"Content-Length: 0, 5\r\n\r\n" + EVIL,
    "a length with a sign": GET[:-2] + b"Content-Length: +0\r\n\r\n" + EVIL,
    "an unknown coding": GET[:-2] + b"Transfer-Encoding: xchunked\r\n\r\n" + EVIL,
    "a coding in disguise": GET[:-2] + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + EVIL,
    "a folded coding": GET[:-2] + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + EVIL,
    "bare line feeds": GET.replace(b"\r\n", b"\n") + EVIL,
    "a bare carriage return": GET[:-2] + b"X: y\rContent-Length: 5\r\n\r\n" + EVIL,
    "a field without a name": GET[:-2] + b": x\r\n\r\n" + EVIL,
    "a space before a field": GET.replace(b"Host", b" Host") + EVIL,
    "HTTP/1.0": GET.replace(b"1.1", b"1.0") + EVIL,
    "another protocol": GET[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + EVIL,
    "CONNECT": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n" + EVIL,
    "POST": b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL,
    "HEAD with a body": b"HEAD" + GET[3:-2] + b"Content-Length: 5\r\n\r\n" + EVIL,
    "an upgrade with a body": upgrade(b"Content-Length: %d" % len(EVIL)) + EVIL,
    "an upgrade with chunks": upgrade(b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + EVIL,
    "an upgrade of a wrong version": upgrade(b"Sec-WebSocket-Version: 12", drop=b"Sec-WebSocket-Version") + EVIL,
    "an upgrade without a key": upgrade(drop=b"Sec-WebSocket-Key") + EVIL,
    "an upgrade by POST": b"POST" + upgrade()[3:] + EVIL,
    "an upgrade from a foreign page": upgrade(b"Origin: https://evil.example") + EVIL,
    "an upgrade at a foreign host": upgrade(b"Host: evil.example", drop=b"Host") + EVIL,
    "an upgrade without Connection": upgrade(drop=b"Connection") + EVIL,
}


@pytest.mark.parametrize("what", SMUGGLING)
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_hides_a_second_request_gets_one_answer_and_the_connection_closed(
    what: str, at_once: bool, tunnel: Running
) -> None:
    sent = SMUGGLING[what]
    pieces = [sent] if at_once else [sent[: -len(EVIL)], EVIL]
    answers = await everything(tunnel, *pieces)
    assert answers.startswith(b"HTTP/1.1 ")
    assert not answers.startswith(b"HTTP/1.1 101"), answers
    assert answers.count(b"HTTP/1.1 ") == 1, answers
    assert b"smuggled" not in answers
    assert b"\r\nConnection: close\r\n" in answers
    assert await outcome(tunnel) == "desk"


async def test_a_refused_upgrade_is_the_last_also_on_a_connection_that_was_kept(tunnel: Running) -> None:
    answers = await everything(tunnel, GET, upgrade(b"Origin: https://evil.example") + EVIL)
    assert b"smuggled" not in answers
    assert answers.count(b"HTTP/1.1 ") <= 2


# Slow ones


async def test_an_idle_connection_that_was_kept_is_closed_after_its_time(
    tunnel: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wsgui.bridge.handshake.KEEP_ALIVE_SECONDS", 0.3)
    monkeypatch.setattr("wsgui.bridge.bridge.TICK_SECONDS", 0.05)
    async with await RawClient.connect(tunnel.url) as client:
        client.send(GET)
        assert (await client.answer(body=True)).status == 200
        begun = asyncio.get_running_loop().time()
        assert await client.eof() == b"", "no answer to what was not asked"
        assert 0.2 < asyncio.get_running_loop().time() - begun < 10


async def test_a_second_request_that_drips_in_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsgui.bridge.handshake.KEEP_ALIVE_SECONDS", 0.3)
    monkeypatch.setattr("wsgui.bridge.bridge.TICK_SECONDS", 0.05)
    async with running(web={"root": str(root)}, limits={"handshake_seconds": 0.4}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(GET)
            assert (await client.answer(body=True)).status == 200

            async def drip() -> None:
                for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 1000:
                    client.send(bytes([byte]))
                    await asyncio.sleep(0.02)

            dripping = asyncio.create_task(drip())
            assert (await client.answer()).status == 408
            dripping.cancel()


async def test_connections_that_are_kept_count_and_the_oldest_goes_when_there_are_too_many(root: Path) -> None:
    limits = {"connections": 3, "handshakes_per_address": 3}
    async with running(web={"root": str(root)}, limits=limits) as tunnel:
        clients = []
        try:
            for _ in range(3):
                clients.append(await RawClient.connect(tunnel.url))
                clients[-1].send(GET)
                assert (await clients[-1].answer(body=True)).status == 200
            assert await status(tunnel) == 101
            assert await clients[0].eof() == b""
            for each in clients[1:]:
                each.send(GET)
                assert (await each.answer(body=True)).status == 200
        finally:
            for each in clients:
                each.writer.transport.abort()


# What it costs


async def test_ten_thousand_requests_over_connections_that_are_kept_leave_nothing(root: Path) -> None:
    def held() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())

    async with target("desk") as address, running(target=address, web={"root": str(root)}) as tunnel:
        assert await outcome(tunnel) == "desk"
        await many(tunnel, 100)
        before = held()
        await many(tunnel, 10_000)
        await until("nothing held", lambda: all(now <= then for now, then in zip(held(), before, strict=True)))
        bridge = tunnel.engine._tunnels["T"]._bridge
        assert bridge is not None
        assert (bridge._counts.total, bridge._handshake_counts.total) == (0, 0)
        assert (len(bridge._handshakes), len(bridge._lingering), len(bridge._answers)) == (0, 0, 0)


async def many(tunnel: Running, count: int) -> None:
    """Have that many requests answered, over ten connections at once that are each kept for 100 of them."""

    async def client() -> None:
        for _ in range(count // 1000 or 1):
            async with await RawClient.connect(tunnel.url) as client:
                for number in range(min(count, 1000) // 10):
                    client.send(GET if number % 2 else GET.replace(b"/a.txt", b"/none"))
                    assert (await client.answer(body=True)).status == (200 if number % 2 else 404)

    await asyncio.gather(*(client() for _ in range(10)))
