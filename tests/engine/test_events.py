"""Events in batches: in order, bounded, and what does not fit is counted."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError

import pytest

from tests.support.waiting import until
from wsgui.engine.events import MAX_PENDING, Event, EventHub, LogLine, StateChanged
from wsgui.engine.snapshot import TunnelState

Batch = tuple[tuple[Event, ...], int]


def line(number: int) -> LogLine:
    return LogLine(float(number), "T", 20, str(number))


class Listener:
    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def __call__(self, events: tuple[Event, ...], left_out: int) -> None:
        self.batches.append((events, left_out))

    @property
    def events(self) -> list[Event]:
        return [event for events, _ in self.batches for event in events]


async def test_what_comes_together_is_handed_over_together_and_in_order() -> None:
    hub, listener = EventHub(), Listener()
    hub.subscribe(listener)
    for number in range(5):
        hub.publish(line(number))
    assert listener.batches == []
    await until("a batch", lambda: listener.batches)
    assert listener.batches == [(tuple(line(number) for number in range(5)), 0)]


async def test_later_events_come_in_a_later_batch() -> None:
    hub, listener = EventHub(), Listener()
    hub.subscribe(listener)
    for number in range(3):
        hub.publish(line(number))
        await until("its batch", lambda n=number: len(listener.batches) == n + 1)
    assert listener.events == [line(0), line(1), line(2)]


async def test_every_subscriber_gets_every_batch() -> None:
    hub, first, second = EventHub(), Listener(), Listener()
    hub.subscribe(first)
    hub.subscribe(second)
    hub.publish(line(1))
    hub.flush()
    assert first.batches == second.batches == [((line(1),), 0)]


async def test_a_subscriber_that_has_left_hears_nothing_and_may_leave_twice() -> None:
    hub, gone, there = EventHub(), Listener(), Listener()
    leave = hub.subscribe(gone)
    hub.subscribe(there)
    hub.publish(line(1))
    leave()
    leave()
    hub.flush()
    assert gone.batches == []
    assert there.events == [line(1)]


async def test_without_a_subscriber_nothing_is_kept() -> None:
    hub, late = EventHub(), Listener()
    for number in range(10):
        hub.publish(line(number))
    hub.subscribe(late)
    hub.flush()
    await asyncio.sleep(0)
    assert late.batches == []


async def test_a_flood_is_bounded_and_counted() -> None:
    hub, listener = EventHub(), Listener()
    hub.subscribe(listener)
    for number in range(MAX_PENDING + 7):
        hub.publish(line(number))
    hub.flush()
    ((events, left_out),) = listener.batches
    assert len(events) == MAX_PENDING
    assert left_out == 7
    assert events[-1] == line(MAX_PENDING - 1)


async def test_after_a_flood_it_counts_anew() -> None:
    hub, listener = EventHub(), Listener()
    hub.subscribe(listener)
    for number in range(MAX_PENDING + 1):
        hub.publish(line(number))
    hub.flush()
    hub.publish(line(1))
    hub.flush()
    assert listener.batches[1] == ((line(1),), 0)


async def test_a_flush_of_nothing_is_no_batch() -> None:
    hub, listener = EventHub(), Listener()
    hub.subscribe(listener)
    hub.flush()
    hub.publish(line(1))
    hub.flush()
    hub.flush()
    await asyncio.sleep(0.03)  # what was scheduled for it comes to nothing
    assert len(listener.batches) == 1


async def test_a_subscriber_may_publish_what_comes_in_the_next_batch() -> None:
    hub, listener = EventHub(), Listener()

    def answer(events: tuple[Event, ...], left_out: int) -> None:
        if line(1) in events:
            hub.publish(line(2))

    hub.subscribe(answer)
    hub.subscribe(listener)
    hub.publish(line(1))
    await until("both", lambda: listener.events == [line(1), line(2)])
    assert len(listener.batches) == 2


async def test_a_subscriber_that_fails_is_told_and_takes_nothing_from_the_others() -> None:
    hub, listener = EventHub(), Listener()
    faults: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))

    def broken(_: tuple[Event, ...], __: int) -> None:
        raise RuntimeError("broken")

    hub.subscribe(broken)
    hub.subscribe(listener)
    hub.publish(line(1))
    await until("the event", lambda: listener.events == [line(1)])
    assert [str(fault) for fault in faults] == ["broken"]


def test_an_event_cannot_be_changed() -> None:
    event = StateChanged(0.0, "T", TunnelState.RUNNING, None)
    with pytest.raises(FrozenInstanceError):
        event.tunnel = "other"  # type: ignore[misc]
