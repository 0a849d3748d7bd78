"""Profile names as file names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.profiles.naming import file_stem, free_file_name


@given(st.text(max_size=300))
def test_any_name_makes_a_harmless_file_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", file_stem(name))
    assert len(file_stem(name)) <= 56


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Office desktop", "office-desktop"),
        ("Büro", "buro"),
        ("办公室", "profile"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "profile-con"),
        ("com1", "profile-com1"),
        ("\\\\host\\x", "host-x"),
        ("$(reboot)", "reboot"),
    ],
)
def test_file_names(name: str, stem: str) -> None:
    assert file_stem(name) == stem


@given(st.sets(st.sampled_from(["office.toml", "office-2.toml", "office-3.toml"])))
def test_a_file_name_is_free(taken: set[str]) -> None:
    assert free_file_name("Office", taken) not in taken
