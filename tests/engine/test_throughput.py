"""The ring of recent throughput: every byte is in it once, at its time, until it is 90 s old."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.engines import NAME, running
from tests.support.raw import RawClient, client_frame, tcp_target
from wsgui.engine.throughput import RATE_STEPS, STEP_SECONDS, STEPS, Throughput

STEPS_AND_BYTES = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=30
)
BEGUN = st.floats(0, 10**6)


@given(BEGUN, STEPS_AND_BYTES)
def test_the_series_add_up_to_all_bytes_of_the_last_90_seconds(
    begun: float, samples: list[tuple[float, int, int]]
) -> None:
    ring = Throughput(begun)
    now, down, up = begun, 0, 0
    for seconds, more_down, more_up in samples:
        if now + seconds - begun > STEPS * STEP_SECONDS - 1:
            break
        now, down, up = now + seconds, down + more_down, up + more_up
        ring.sample(now, down, up)
    ring.sample(now + 0.2, down, up)  # the step that was still open
    to_client, to_target = ring.series()
    assert len(to_client) == len(to_target) == STEPS
    assert sum(to_client) * STEP_SECONDS == pytest.approx(down, abs=1)
    assert sum(to_target) * STEP_SECONDS == pytest.approx(up, abs=1)
    assert min(to_client + to_target) >= 0


@given(BEGUN, STEPS_AND_BYTES)
def test_seconds_and_rates_agree_with_the_series(begun: float, samples: list[tuple[float, int, int]]) -> None:
    ring = Throughput(begun)
    now, down, up = begun, 0, 0
    for seconds, more_down, more_up in samples:
        now, down, up = now + seconds, down + more_down, up + more_up
        ring.sample(now, down, up)
    to_client, to_target = ring.series()
    both = [a + b for a, b in zip(to_client, to_target, strict=True)]
    whole = [sum(both[i : i + 10]) * STEP_SECONDS for i in range(0, STEPS, 10)]
    assert ring.seconds(90) == pytest.approx(whole, abs=1)
    assert ring.seconds(48) == pytest.approx(whole[-48:], abs=1)
    assert ring.rates() == pytest.approx(
        (sum(to_client[-RATE_STEPS:]) * STEP_SECONDS, sum(to_target[-RATE_STEPS:]) * STEP_SECONDS), abs=1
    )


def test_nothing_has_been_before_it_began() -> None:
    ring = Throughput(1000.0)
    assert ring.rates() == (0, 0)
    assert set(ring.series()[0]) == {0}
    assert ring.seconds(48) == (0,) * 48


def test_a_steady_stream_is_a_level_line() -> None:
    ring = Throughput(0.0)
    for step in range(1, 200):
        ring.sample(step * STEP_SECONDS + 0.01, step * 1000, step * 10)
    down, up = ring.series()
    assert down[-100:] == pytest.approx([10_000] * 100)
    assert up[-100:] == pytest.approx([100] * 100)
    assert ring.rates() == pytest.approx((10_000, 100))


def test_what_came_between_two_samples_is_spread_evenly() -> None:
    ring = Throughput(0.0)
    ring.sample(1.05, 0, 0)
    ring.sample(2.05, 1000, 0)
    assert ring.series()[0][-10:] == pytest.approx([1000.0] * 10)
    assert ring.series()[0][-11] == 0


def test_a_rate_falls_to_nothing_within_a_second() -> None:
    ring = Throughput(0.0)
    ring.sample(0.15, 1000, 0)
    assert ring.rates()[0] == pytest.approx(1000)
    ring.sample(1.25, 1000, 0)
    assert ring.rates() == (0, 0)


def test_bytes_are_forgotten_when_they_are_90_seconds_old() -> None:
    ring = Throughput(0.0)
    ring.sample(0.15, 1000, 0)
    ring.sample(89.9, 1000, 0)
    assert sum(ring.series()[0]) * STEP_SECONDS == pytest.approx(1000)
    ring.sample(90.25, 1000, 0)
    assert sum(ring.series()[0]) == 0


def test_a_gap_of_any_length_does_no_harm() -> None:
    ring = Throughput(0.0)
    ring.sample(0.15, 1000, 0)
    ring.sample(10**6, 1000, 500)
    assert sum(ring.series()[0]) == 0
    assert sum(ring.series()[1]) * STEP_SECONDS == pytest.approx(500)


def test_a_sample_of_the_same_moment_changes_nothing() -> None:
    ring = Throughput(0.0)
    ring.sample(0.15, 1000, 0)
    before = ring.series()
    ring.sample(0.17, 5000, 0)
    assert ring.series() == before
    ring.sample(0.25, 5000, 0)
    assert sum(ring.series()[0]) * STEP_SECONDS == pytest.approx(5000)


async def test_a_session_after_a_quiet_time_does_not_reach_back_into_it() -> None:
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
        url = tunnel.url
        for _ in range(10):
            await asyncio.sleep(0.09)  # nobody looks, nothing goes through
        opened = asyncio.get_running_loop().time()
        async with await RawClient.connect(url) as client:
            await client.upgrade()
            client.send(client_frame(2, bytes(100_000)))
            await client.data(100_000)
            for _ in range(3):
                await asyncio.sleep(0.05)
            steps = (asyncio.get_running_loop().time() - opened) / STEP_SECONDS
            to_client = tunnel.engine.throughput(NAME).to_client
        busy = [index for index, rate in enumerate(to_client) if rate]
        assert busy
        assert STEPS - busy[0] <= steps + 2
