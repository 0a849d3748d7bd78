"""The epoll beneath the loop: tells what is ready, forgets what is removed, and holds no descriptor at rest."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Iterator

import pytest

from tests.support.waiting import until
from wsgui.bridge.readiness import EpollReadiness, readiness_of, rest


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def test_a_loop_has_one(pair: tuple[socket.socket, socket.socket]) -> None:
    loop = asyncio.get_running_loop()
    assert readiness_of(loop) is readiness_of(loop)


async def test_a_reader_is_told_until_it_has_read(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    told: list[int] = []
    readiness = readiness_of(asyncio.get_running_loop())
    readiness.add_reader(ours.fileno(), lambda: told.append(1))
    theirs.send(b"x")
    await until("told twice", lambda: len(told) > 1)
    readiness.remove_reader(ours.fileno())


async def test_a_writer_is_told_and_what_is_removed_is_not(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    told: list[str] = []
    readiness = readiness_of(asyncio.get_running_loop())
    readiness.add_reader(ours.fileno(), lambda: told.append("reader"))
    readiness.add_writer(ours.fileno(), lambda: told.append("writer"))
    await until("the writer told", lambda: "writer" in told)
    readiness.remove_writer(ours.fileno())
    told.clear()
    theirs.send(b"x")
    await until("the reader told", lambda: bool(told))
    assert set(told) == {"reader"}
    readiness.remove_reader(ours.fileno())
    readiness.remove_reader(ours.fileno())  # what is not there may be removed


async def test_a_callback_that_fails_costs_the_others_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
    readiness = readiness_of(loop)
    told: list[int] = []

    def fail() -> None:
        readiness.remove_reader(ours.fileno())
        raise ZeroDivisionError

    readiness.add_reader(ours.fileno(), fail)
    readiness.add_writer(theirs.fileno(), lambda: told.append(1))
    theirs.send(b"x")
    await until("both told", lambda: bool(faults) and bool(told))
    readiness.remove_writer(theirs.fileno())
    assert isinstance(faults[0], ZeroDivisionError)


async def test_at_rest_it_holds_no_descriptor_and_it_wakes_again(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    loop = asyncio.get_running_loop()
    gc.collect()  # what other tests have left is not to be closed meanwhile
    before = len(os.listdir("/proc/self/fd"))
    readiness = EpollReadiness(loop)
    told: list[int] = []
    for _ in range(2):
        readiness.add_reader(ours.fileno(), lambda: told.append(1))
        readiness.rest()  # not while something is watched
        theirs.send(b"x")
        await until("told", lambda: bool(told))
        readiness.remove_reader(ours.fileno())
        told.clear()
        readiness.rest()
        assert len(os.listdir("/proc/self/fd")) == before
    rest(loop)
