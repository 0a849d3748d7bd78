"""What sees a session's bytes: exactly those that go through, both ways, and once that it is over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.bridges import standing
from tests.support.raw import client_frame, tcp_target
from tests.support.waiting import until
from wsgui.bridge.relay import Relay
from wsgui.profiles.addresses import TcpAddress
from wsgui.recording.tap import Tap

MIB = 1 << 20


class Seen:
    """A tap that keeps all."""

    def __init__(self) -> None:
        self.to_target = b""
        self.to_client = b""
        self.partial: list[str] = []
        self.drains: list[str] = []
        self.closed = 0

    def from_client(self, data: memoryview, *, whole: bool) -> None:
        assert not self.closed
        self.to_target += data
        if not whole:
            self.partial.append("target")

    def from_target(self, data: memoryview, *, whole: bool) -> None:
        assert not self.closed
        self.to_client += data
        if not whole:
            self.partial.append("client")

    def drained(self, *, to_client: bool) -> None:
        assert not self.closed
        self.drains.append("client" if to_client else "target")

    def close(self) -> None:
        self.closed += 1


def taps(*seen: Seen) -> dict[str, Callable[[int], Tap | None]]:
    """The tap of the first accepted connection, the second, …"""
    return {"taps": lambda number: seen[number - 1] if number <= len(seen) else None}


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200, 3 * MIB])
async def test_it_sees_the_payload_both_ways_and_nothing_else(size: int) -> None:
    seen, data = Seen(), os.urandom(size)
    async with tcp_target() as port, standing(target=TcpAddress("127.0.0.1", port), also=taps(seen)) as door:
        client = await door.client()
        client.send(client.head() + client_frame(2, data[:30]) + client_frame(9, b"ping"))
        assert (await client.answer()).status == 101
        for start in range(30, size, 70_000):
            client.send(client_frame(1, data[start : start + 70_000]))
        got = b""
        while len(got) < size:
            opcode, payload = await client.frame()
            got += payload if opcode == 2 else b""
        assert got == data
        client.send(client_frame(8, b"\x03\xe8"))
        await client.closed()
        await until("it is over", lambda: door.told.over)
        assert (seen.to_target, seen.to_client, seen.closed) == (data, data, 1)


@pytest.mark.parametrize("towards", ["client", "target"])
async def test_it_is_told_what_had_to_wait_and_that_it_has_gone(towards: str) -> None:
    seen, data, go_on = Seen(), os.urandom(16 * MIB), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if towards == "client":
            writer.write(data)
            await writer.drain()
        else:
            await go_on.wait()
        while await reader.read(65536):
            pass

    async with tcp_target(serve) as port, standing(target=TcpAddress("127.0.0.1", port), also=taps(seen)) as door:
        client = await door.upgraded()
        transport: Any = client.writer.transport
        if towards == "client":
            transport.pause_reading()
        else:
            client.send(client_frame(2, data))
        await until("some has to wait", lambda: towards in seen.partial)
        assert towards not in seen.drains
        go_on.set()
        if towards == "client":
            transport.resume_reading()
            assert await client.data(len(data)) == data
        way = "to_client" if towards == "client" else "to_target"
        await until("it has gone", lambda: towards in seen.drains and len(getattr(seen, way)) == len(data))
        assert getattr(seen, way) == data


async def test_each_ending_closes_it_once() -> None:
    seen = [Seen() for _ in range(4)]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with tcp_target(serve) as port, standing(target=TcpAddress("127.0.0.1", port), also=taps(*seen)) as door:
        clients = [await door.upgraded() for _ in seen]
        clients[0].send(client_frame(2, b"the target ends"))
        clients[1].writer.transport.abort()
        clients[2].send(b"\x00rubbish")
        await until("three are over", lambda: len(door.told.over) == 3)
        await door.bridge.close("The tunnel is stopping")
        assert [each.closed for each in seen] == [1, 1, 1, 1]


async def test_a_session_whose_target_does_not_answer_closes_it_too() -> None:
    seen = Seen()
    async with tcp_target() as port:
        pass
    async with standing(target=TcpAddress("127.0.0.1", port), also=taps(seen)) as door:
        client = await door.upgraded()
        assert (await client.closed())[0] == 1011
        assert seen.closed == 1


async def test_it_is_numbered_by_accepted_connections_plain_requests_included() -> None:
    asked: list[int] = []

    def number(number: int) -> None:
        asked.append(number)

    async with tcp_target() as port:
        async with standing(target=TcpAddress("127.0.0.1", port), also={"taps": number}) as door:
            plain = await door.client()
            plain.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await plain.answer(body=True)
            await door.upgraded()
            assert asked == [2]


async def test_without_one_the_data_path_is_the_shorter_one() -> None:
    async with tcp_target() as port, standing(target=TcpAddress("127.0.0.1", port), also=taps(Seen())) as door:
        clients = [await door.upgraded() for _ in range(2)]
        for client in clients:
            client.send(client_frame(2, bytes(100)))
            await client.data(100)
        tapped, plain = door.bridge.relays.values()

        def paths(relay: Relay) -> tuple[str, str]:
            assert relay.target is not None
            return relay.client.on_data.__name__, relay.target.on_data.__name__  # type: ignore[attr-defined]

        assert paths(tapped) == ("_tapped_from_client", "_tapped_from_target")
        assert paths(plain) == ("_from_client", "_from_target")
