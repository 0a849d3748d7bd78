"""Admissions, open as long as somebody asks them; and sessions that end with what they rest on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.support.bridges import Standing, standing
from tests.support.gates import Book, Gate, admission_of
from tests.support.raw import RawClient
from tests.support.waiting import until
from wsgui.access.visitor import Grant
from wsgui.bridge import bridge as bridge_module
from wsgui.bridge import permissions
from wsgui.bridge.targets import Connector
from wsgui.profiles.addresses import DemoAddress, UnixAddress

TAKEN_BACK = (1008, "What let you in has been taken back")


@pytest.fixture
async def gate() -> Gate:
    gate = Gate()
    gate.grant = Grant("user", "anna")
    return gate


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(permissions, "REVIEW_SECONDS", 0.02)


def reloaded(door: Standing, **fields: Any) -> None:
    door.bridge.settings = replace(door.bridge.settings, **fields)


async def let_in(door: Standing, path: str = "/") -> RawClient:
    client = await door.client()
    client.send(client.head(path))
    assert (await client.answer()).status == 101
    return client


async def answers_still(client: RawClient) -> None:
    """The session goes on."""
    client.send(b"\x89\x80abcd")
    while (await client.frame())[0] != 10:
        pass


# Sessions


@pytest.mark.usefixtures("quick_clock")
async def test_a_user_who_is_removed_loses_the_session(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await let_in(door)
        await until("it was looked at", lambda: gate.reviewed > 2)
        await answers_still(client)
        gate.held = False
        assert await client.closed() == TAKEN_BACK


async def test_a_reload_looks_at_once(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await let_in(door)
        stricter = Gate()
        stricter.held = False
        reloaded(door, admission=await admission_of(stricter))
        assert await client.closed() == TAKEN_BACK


async def test_a_token_that_leads_elsewhere_ends_its_sessions_and_no_others() -> None:
    book = Book({"a": DemoAddress(), "b": DemoAddress()})

    def connector_to(address: Any, from_outside: bool) -> Connector:
        return Connector(asyncio.get_running_loop(), address, door.bridge.buffer, 0)

    async with standing(also={"admission": await admission_of(None, book), "connector_to": connector_to}) as door:
        first, second = await let_in(door, "/?token=a"), await let_in(door, "/?token=b")
        changed = Book({"a": UnixAddress("/elsewhere"), "b": DemoAddress()})
        reloaded(door, admission=await admission_of(None, changed))
        assert await first.closed() == TAKEN_BACK
        await answers_still(second)


async def test_tokens_that_are_not_used_any_more_end_their_sessions_and_users_may_stay(gate: Gate) -> None:
    admission = await admission_of(gate)
    async with standing(also={"admission": admission}) as door:
        stays = await let_in(door)
        gate.grant = Grant("token", "a", DemoAddress())
        goes = await let_in(door)
        reloaded(door, admission=None)
        assert await goes.closed() == TAKEN_BACK
        await answers_still(stays)


@pytest.mark.usefixtures("quick_clock")
async def test_nobody_is_asked_where_nothing_is_taken_back(gate: Gate) -> None:
    gate.held = False
    async with standing(also={"admission": await admission_of(gate), "withdraws": False}) as door:
        client = await let_in(door)
        reloaded(door, log_requests=True)
        await answers_still(client)
        assert gate.reviewed == 0


@pytest.mark.usefixtures("quick_clock")
async def test_a_slow_review_is_not_begun_again_and_ends_with_new_rules(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await let_in(door)
        gate.go_on.clear()
        await until("it was looked at", lambda: gate.reviewed)
        seen = gate.reviewed
        waiting = await door.client()  # by the time that this one is closed, the clock has ticked often
        waiting.writer.transport.abort()
        await until("it was forgotten", lambda: not door.bridge._handshakes)
        assert gate.reviewed == seen
        gate.held = False
        reloaded(door, admission=await admission_of(Gate()))
        gate.go_on.set()
        await until("the old one closed", lambda: gate.closed)
        await answers_still(client)


# Admissions


async def test_an_admission_that_nobody_uses_is_closed_with_the_settings_that_had_it(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        reloaded(door, log_requests=True)
        assert not gate.closed
        reloaded(door, admission=None)
        await until("closed", lambda: gate.closed)
    assert gate.closed == 1


async def test_one_that_is_in_use_is_closed_by_its_last_user(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        gate.go_on.clear()
        clients = [await door.client() for _ in range(2)]
        for client in clients:
            client.send(client.head())
        await until("both asked", lambda: len(gate.asked) == 2)
        reloaded(door, admission=None)
        clients[0].writer.transport.abort()
        assert not gate.closed
        gate.go_on.set()
        assert (await clients[1].answer()).status == 101
        await until("closed", lambda: gate.closed)
        assert gate.closed == 1


@pytest.mark.parametrize("retired", [False, True])
async def test_closing_waits_until_all_is_closed_and_leaves_no_task(retired: bool, gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        session = await let_in(door)
        gate.go_on.clear()
        upgrading, plain = await door.client(), await door.client()
        upgrading.send(upgrading.head())
        plain.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until("both asked", lambda: len(gate.asked) == 3)
        reloaded(door, log_requests=True)  # a review begins
        await until("it is looked at", lambda: gate.reviewed)
        if retired:
            reloaded(door, admission=await admission_of(other := Gate()))
        before = gate.closed
        for client in (session, upgrading, plain):
            client.writer.transport.abort()
        await door.bridge.close("The test is over")
        assert (before, gate.closed) == (0, 1)
        assert not retired or other.closed == 1
        assert not door.bridge.permissions._tasks
        assert not door.bridge._answers


async def test_a_fault_in_closing_one_is_told_to_the_loop(gate: Gate) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    async def close() -> None:
        raise ZeroDivisionError

    gate.close = close  # type: ignore[method-assign]
    async with standing(also={"admission": await admission_of(gate)}) as door:
        reloaded(door, admission=None)
        await until("told", lambda: faults)
    assert isinstance(faults[0]["exception"], ZeroDivisionError)
