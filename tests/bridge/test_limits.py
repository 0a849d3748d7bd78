"""Counting clients: what is one address, and that counts come back to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.bridge.limits import Counts, address_key


@pytest.mark.parametrize("host", ["", "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_computer_has_no_limit_of_its_own(host: str) -> None:
    assert address_key(host) == ""


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_one_network_of_64_bits_counts_as_one_address(host: str, key: str) -> None:
    assert address_key(host) == key


@given(st.lists(st.sampled_from(["", "a", "b", "c"])))
def test_counts_agree_with_what_was_added_and_come_back_to_nothing(keys: list[str]) -> None:
    counts = Counts()
    for key in keys:
        counts.add(key)
    assert counts.total == len(keys)
    assert [counts[key] for key in "abc"] == [keys.count(key) for key in "abc"]
    assert counts[""] == 0
    for key in reversed(keys):
        counts.remove(key)
    assert counts.total == 0
    assert not counts._counts
