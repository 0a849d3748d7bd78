"""wsgui/command/pacing.py: how long a program rests, told by the lives it has had."""

from __future__ import annotations

import pytest

from wsgui.command.pacing import AsWebsockify, BackOff, Run


def life(started: float, lived: float, *, served: bool = False, status: int | None = 1) -> Run:
    return Run(started, started + lived, served=served, status=status)


def test_each_life_that_goes_badly_is_followed_by_a_rest_twice_as_long_up_to_a_minute() -> None:
    pacing = BackOff()

    rests = [pacing.rest_seconds(life(0, 0.1))[0] for _ in range(9)]

    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("good", [life(0, 3, served=True, status=0), life(0, 11, served=True, status=1)])
def test_a_life_that_went_well_is_followed_by_no_rest_and_forgets_the_bad_ones(good: Run) -> None:
    pacing = BackOff()
    for _ in range(5):
        pacing.rest_seconds(life(0, 0.1))

    assert pacing.rest_seconds(good) == (0, "")
    assert pacing.rest_seconds(life(0, 0.1)) == (1, "")


def test_a_program_that_serves_one_client_and_ends_is_not_started_in_a_storm() -> None:
    rest, _ = BackOff().rest_seconds(life(0, 0.05, served=True, status=0))

    assert rest == pytest.approx(0.15)


def test_a_program_that_could_not_even_be_started_rests_too() -> None:
    assert BackOff().rest_seconds(life(0, 0, status=None)) == (1, "")


def test_as_with_websockify_three_starts_within_ten_seconds_are_too_fast() -> None:
    pacing = AsWebsockify()

    assert pacing.rest_seconds(life(100.0, 1.0)) == (0, "")
    assert pacing.rest_seconds(life(101.0, 1.0)) == (0, "")
    # The mean of 100, 101 and 102 has to lie 10 s back.
    assert pacing.rest_seconds(life(102.0, 1.0)) == (8.0, "Command respawning too fast")
    assert pacing.rest_seconds(life(111.0, 30.0)) == (0, "")
