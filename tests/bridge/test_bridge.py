"""One tunnel's clients together: how many may come in, from where, for how long, and how all of them are sent home."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.bridges import Standing, standing
from tests.support.raw import client_frame, tcp_target
from tests.support.waiting import until
from wsgui.bridge import bridge as bridge_module
from wsgui.profiles.addresses import TcpAddress
from wsgui.profiles.model import Limits

ELSEWHERE = "192.0.2.1"
OTHER = "192.0.2.2"


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.02)


def limited(door: Standing, **limits: float) -> None:
    """As a reload does it: for the clients that come after."""
    settings = door.bridge.settings
    changed = Limits.model_validate(settings.limits.model_dump() | limits)
    door.bridge.settings = replace(settings, limits=changed)


# Connections


async def test_one_address_has_its_number_of_connections_and_others_have_theirs() -> None:
    async with standing(per_address=2) as door:
        await door.upgraded(ELSEWHERE)
        await door.upgraded(ELSEWHERE)
        status, body = await door.answer(ELSEWHERE)
        assert status == 429
        assert "[limits] per_address" in body
        assert door.told.refusals[-1].rule == "limit"
        await door.upgraded(OTHER)


async def test_a_network_of_ipv6_counts_as_one_address() -> None:
    async with standing(per_address=1) as door:
        await door.upgraded("2001:db8::1")
        assert (await door.answer("2001:db8::ffff:2"))[0] == 429
        await door.upgraded("2001:db8:0:1::1")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", ""])
async def test_this_computer_s_clients_have_no_limit_of_their_own(host: str) -> None:
    async with standing(per_address=1, handshakes_per_address=1) as door:
        for _ in range(4):
            await door.upgraded(host)
        for _ in range(4):
            await door.client(host)
        await door.upgraded(host)
        assert not door.told.refusals


async def test_a_place_is_free_again_when_its_session_is_over() -> None:
    async with standing(per_address=1, connections=1) as door:
        for _ in range(3):
            client = await door.upgraded(ELSEWHERE)
            client.send(client_frame(8))
            assert await client.closed() == (1005, "")
            await client.eof()
            await until("the place given back", lambda: door.bridge.full(ELSEWHERE) is None)


async def test_the_total_has_its_limit_too() -> None:
    async with standing(connections=2) as door:
        await door.upgraded(ELSEWHERE)
        await door.upgraded("")
        status, body = await door.answer(OTHER)
        assert status == 503
        assert "[limits] connections" in body


async def test_a_session_that_still_flushes_counts() -> None:
    async def speech(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(4 << 20))
        await writer.drain()

    async with tcp_target(speech) as port, standing(target=TcpAddress("127.0.0.1", port), connections=1) as door:
        client = await door.upgraded(ELSEWHERE)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until("something to flush", lambda: door.told.begun[0].client.pending)
        door.told.begun[0].end(1001, "Enough")
        assert len(door.told.over) == 1
        assert (await door.answer(OTHER))[0] == 503
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await client.eof()
        client.writer.close()
        await until("the place given back", lambda: door.bridge.full("") is None)


async def test_lower_limits_after_a_reload_hold_for_those_who_come_then() -> None:
    async with standing() as door:
        first = await door.upgraded(ELSEWHERE)
        await door.upgraded(ELSEWHERE)
        limited(door, per_address=1)
        assert (await door.answer(ELSEWHERE))[0] == 429
        first.send(client_frame(9, b"alive"))
        while (frame := await first.frame())[0] != 10:
            assert frame[0] == 2  # the demo's greeting
        assert frame == (10, b"alive")


# Handshakes


async def test_one_address_has_its_number_of_handshakes() -> None:
    async with standing(handshakes_per_address=2) as door:
        waiting = [await door.client(ELSEWHERE) for _ in range(2)]
        over = await door.client(ELSEWHERE)
        assert await over.eof() == b""
        assert "[limits] handshakes_per_address" in door.told.refusals[0].hint
        await door.upgraded(OTHER)
        for client in waiting:
            await client.upgrade()


async def test_in_a_flood_the_client_that_waited_longest_goes() -> None:
    async with standing(connections=3, handshakes_per_address=1) as door:
        waiting = [await door.client(f"192.0.2.{n}") for n in range(4)]
        assert await waiting[0].eof() == b""
        for client in waiting[1:]:
            await client.upgrade()


async def test_without_a_limit_for_connections_no_handshake_is_pushed_out() -> None:
    async with standing(connections=0, handshakes_per_address=2) as door:
        waiting = [await door.client(f"192.0.2.{n}") for n in range(8)]
        for client in waiting:
            await client.upgrade()


@pytest.mark.usefixtures("quick_clock")
async def test_a_flood_of_silent_clients_does_not_keep_out_one_that_speaks() -> None:
    async with standing(connections=50, handshakes_per_address=8, handshake_seconds=0.2) as door:
        silent = [await door.client(f"198.51.100.{n % 40}") for n in range(200)]
        await door.upgraded(ELSEWHERE)
        for client in silent:
            await client.eof()  # none is left hanging


@pytest.mark.usefixtures("quick_clock")
async def test_each_handshake_has_its_own_deadline() -> None:
    async with standing(handshake_seconds=0.2) as door:
        early = await door.client(ELSEWHERE)
        early.send(b"GET / HTTP/1.1\r\nHost: ")
        limited(door, handshake_seconds=60)
        late = await door.client(OTHER)
        answer = await early.answer(body=True)
        assert answer.status == 408
        assert not late.reader.at_eof()
        await late.upgrade()


@pytest.mark.usefixtures("quick_clock")
async def test_without_a_deadline_a_handshake_may_take_its_time() -> None:
    async with standing(handshake_seconds=0) as door:
        client = await door.client(ELSEWHERE)
        await asyncio.sleep(0.08)  # some turns of the clock
        await client.upgrade()


# Endings


async def test_closing_sends_everybody_home_and_leaves_nothing() -> None:
    async with standing() as door:
        session, waiting = await door.upgraded(), await door.client()
        closing = asyncio.create_task(door.bridge.close("The tunnel is stopping"))
        assert (await session.closed())[0] == 1001
        session.writer.close()
        assert await waiting.eof() == b""
        await closing
        assert not door.bridge.relays
        assert not door.bridge._handshakes
        assert not door.bridge._lingering
        assert door.bridge._counts.total == 0
        assert not door.bridge._counts._counts


async def test_draining_ends_with_the_last_session() -> None:
    async with standing() as door:
        client = await door.upgraded()
        draining = asyncio.create_task(door.bridge.drain(60))
        client.send(client_frame(8))
        await client.closed()
        await asyncio.wait_for(draining, 10)


async def test_draining_ends_when_its_time_is_over() -> None:
    async with standing() as door:
        await door.upgraded()
        await asyncio.wait_for(door.bridge.drain(0.05), 10)
        assert len(door.bridge.relays) == 1


@pytest.mark.usefixtures("quick_clock")
async def test_who_takes_nothing_of_its_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "STALL_SECONDS", 0.05)

    async def speech(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(8 << 20))
        await writer.drain()

    async with tcp_target(speech) as port, standing(target=TcpAddress("127.0.0.1", port)) as door:
        client = await door.upgraded()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until("something to flush", lambda: door.told.begun[0].client.pending)
        door.told.begun[0].end(1001, "Enough")
        await until("the client cut off", lambda: door.told.begun[0].client.closed)


async def test_the_clock_stands_still_when_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.01)
    async with standing() as door:
        client = await door.upgraded()
        assert door.bridge._ticking is not None
        client.send(client_frame(8))
        await client.closed()
        client.writer.close()
        await until("no ticking", lambda: door.bridge._ticking is None)
        await door.upgraded()
        assert door.bridge._ticking is not None


async def test_refused_clients_that_do_not_go_count_among_the_handshakes_of_their_address() -> None:
    """Or the limit could be evaded by being refused: each would hold a descriptor for as long as it is given."""
    async with standing(handshakes_per_address=3) as door:
        for _ in range(3):
            refused = await door.client(ELSEWHERE)
            refused.send(refused.head(origin="https://evil.example"))
            assert (await refused.answer()).status == 403
        over = await door.client(ELSEWHERE)
        assert await over.eof() == b""
        assert door.told.refusals[-1].rule == "limit"
        await door.upgraded(OTHER)


async def test_in_a_flood_refused_clients_that_do_not_go_are_closed_first() -> None:
    async with standing(connections=2, handshakes_per_address=2) as door:
        waiting = await door.client("192.0.2.1")
        refused = await door.client("192.0.2.2")
        refused.send(refused.head(origin="https://evil.example"))
        assert (await refused.answer(body=True)).status == 403
        await door.upgraded("192.0.2.3")
        await waiting.upgrade()
