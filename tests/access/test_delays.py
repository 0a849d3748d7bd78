"""Delays of failures: they grow, they end, they cost bounded memory."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.support.waiting import until
from wsgui.access import delays
from wsgui.access.delays import (
    FIRST_SECONDS,
    FORGOTTEN_AFTER_SECONDS,
    LONGEST_SECONDS,
    MAX_REMEMBERED,
    MAX_WAITING,
    MAX_WAITING_OF_ONE,
    FailureDelays,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_failure_is_answered_later_up_to_a_bound() -> None:
    failures = FailureDelays()
    seen = [failures.failed("192.0.2.1", "anna") for _ in range(30)]
    assert seen[0] == FIRST_SECONDS
    assert seen[-1] == LONGEST_SECONDS
    assert all(one <= other for one, other in pairwise(seen))


def test_one_address_trying_many_users_is_slowed_down() -> None:
    failures = FailureDelays()
    assert [failures.failed("192.0.2.1", f"user {n}") for n in range(6)][-1] == LONGEST_SECONDS


def test_many_addresses_trying_one_user_are_slowed_down() -> None:
    failures = FailureDelays()
    assert [failures.failed(f"192.0.2.{n}", "anna") for n in range(6)][-1] == LONGEST_SECONDS


def test_another_address_and_user_are_not() -> None:
    failures = FailureDelays()
    for _ in range(9):
        failures.failed("192.0.2.1", "anna")
    assert failures.failed("192.0.2.2", "berta") == FIRST_SECONDS


def test_an_ipv6_network_of_64_bits_is_one_address() -> None:
    failures = FailureDelays()
    seen = [failures.failed(f"2001:db8:0:1::{n:x}", str(n)) for n in range(6)]
    assert seen[-1] == LONGEST_SECONDS
    assert failures.failed("2001:db8:0:2::1", "x") == FIRST_SECONDS


def test_failures_are_forgotten_after_a_while() -> None:
    clock = Clock()
    failures = FailureDelays(clock)
    for _ in range(9):
        failures.failed("192.0.2.1", "anna")
    clock.now += FORGOTTEN_AFTER_SECONDS + 1
    assert failures.failed("192.0.2.1", "anna") == FIRST_SECONDS


def test_memory_is_bounded() -> None:
    failures = FailureDelays()
    for n in range(3 * MAX_REMEMBERED):
        failures.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "x" * (n % 100))
    assert len(failures._failures) == MAX_REMEMBERED


@pytest.fixture
def long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays, "FIRST_SECONDS", 3600.0)
    monkeypatch.setattr(delays, "LONGEST_SECONDS", 3600.0)


@pytest.mark.usefixtures("long_ones")
async def test_what_waits_is_bounded_for_one_address_and_in_all() -> None:
    failures = FailureDelays()
    of_one = [asyncio.ensure_future(failures.hold("192.0.2.1", "x")) for _ in range(MAX_WAITING_OF_ONE + 1)]
    await until("the one too many is answered", lambda: of_one[-1].done())
    assert failures.waiting == MAX_WAITING_OF_ONE
    others = [asyncio.ensure_future(failures.hold(f"10.0.{n // 200}.{n % 200}", "x")) for n in range(MAX_WAITING)]
    await until("some are answered", lambda: sum(each.done() for each in others) == MAX_WAITING_OF_ONE)
    assert failures.waiting == MAX_WAITING
    for each in (*of_one, *others):
        each.cancel()
    await until("nobody waits", lambda: not failures.waiting)
    assert not failures._waiting
