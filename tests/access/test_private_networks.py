"""Addresses of one's own networks, told from all others."""

from __future__ import annotations

import pytest

from wsgui.access.private_networks import is_private


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.7",
        "169.254.3.4",
        "fd00::7",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:192.168.1.7",
    ],
)
def test_loopback_private_and_link_local_addresses_are_one_s_own(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "192.169.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "2001:db8::1",
        "2606:4700::1",
        "::",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "fec0::1",
        "",
        "unix",
        "localhost",
        "192.168.1",
    ],
)
def test_all_others_and_what_is_no_address_are_not(host: str) -> None:
    assert not is_private(host)
