"""Sizes and durations as people read them."""

from __future__ import annotations

import pytest

from wsgui.units import duration, size


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (123_456, "123 kB"),
        (8.7e9, "8.7 GB"),
        (999_999, "1.0 MB"),
    ],
)
def test_sizes_are_si(value: float, shown: str) -> None:
    assert size(int(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.04, "0.0 s"), (3.25, "3.2 s"), (61, "1 min 1 s"), (8040, "2 h 14 min"), (273_600, "3 d 4 h")],
)
def test_durations_have_two_units(value: float, shown: str) -> None:
    assert duration(value) == shown
