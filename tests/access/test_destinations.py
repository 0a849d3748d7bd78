"""Which addresses tokens may lead to, and which of them are our own."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.access.destinations import Destinations, leads_back


@pytest.mark.parametrize(
    "ip", ["10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "::ffff:10.0.0.1", "64:ff9b::808:808", "64:ff9b:1::808:808"]
)
def test_without_a_list_any_usual_address_may_be_connected(ip: str) -> None:
    assert Destinations(None).refusal(ip, 5900) is None


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1%1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
    ],
)
@pytest.mark.parametrize("allow", [None, ["0.0.0.0/0:1-65535", "[::/0]:1-65535"]])
def test_a_link_local_address_is_refused_in_every_disguise(ip: str, allow: list[str] | None) -> None:
    assert "link-local" in (Destinations(allow).refusal(ip, 80) or "")


@pytest.mark.parametrize("ip", ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "64:ff9b::", "2002::1"])
def test_what_stands_for_this_computer_is_refused(ip: str) -> None:
    assert "this computer" in (Destinations(None).refusal(ip, 80) or "")


@pytest.mark.parametrize("ip", ["224.0.0.1", "239.1.2.3", "255.255.255.255", "ff02::1", "::ffff:224.0.0.1"])
def test_multicast_and_broadcast_are_refused(ip: str) -> None:
    assert "multicast" in (Destinations(None).refusal(ip, 80) or "")


@pytest.mark.parametrize("text", ["", "office", "1.2.3", "127.0.0.1:80", "1.2.3.4/8"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert Destinations(None).refusal(text, 80) is not None


@pytest.mark.parametrize(
    ("ip", "port", "allowed"),
    [
        ("10.0.0.1", 5900, True),
        ("10.255.255.255", 5999, True),
        ("10.0.0.1", 5899, False),
        ("10.0.0.1", 6000, False),
        ("11.0.0.1", 5900, False),
        ("::ffff:10.0.0.1", 5900, True),
        ("fd00::5", 22, True),
        ("fd00::5%eth0", 22, True),
        ("fd01::5", 22, False),
        ("192.168.1.7", 443, True),
        ("192.168.1.8", 443, False),
        ("10.0.0.1", 22, False),
    ],
)
def test_a_list_allows_networks_with_ports(ip: str, port: int, allowed: bool) -> None:
    allow = ["10.0.0.0/8:5900-5999", "[fd00::/16]:22", "192.168.1.7/32:443"]
    assert (Destinations(allow).refusal(ip, port) is None) is allowed


def test_a_v4_mapped_network_allows_its_ipv4_addresses() -> None:
    assert Destinations(["[::ffff:10.0.0.0/104]:80"]).refusal("10.1.2.3", 80) is None


def test_an_empty_list_allows_nothing() -> None:
    assert Destinations(()).refusal("10.0.0.1", 5900) is not None


@given(st.ip_addresses(), st.integers(1, 65535))
def test_every_address_gets_an_answer_in_one_sentence(ip: object, port: int) -> None:
    refusal = Destinations(["10.0.0.0/8:1-65535"]).refusal(str(ip), port)
    assert refusal is None or (refusal.endswith(".") and "\n" not in refusal)


@pytest.mark.parametrize(
    ("peer", "own", "listener", "back"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "127.0.0.1", "*", True),
        ("127.0.0.1", "127.0.0.1", "::", True),
        ("::1", "::1", "::", True),
        ("::1", "::1", "0.0.0.0", False),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", True),
        ("192.0.2.7", "192.0.2.7", "*", True),
        ("192.0.2.7", "192.0.2.1", "*", False),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.1", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.1", "localhost", False),
        ("fe80::1%eth0", "fe80::1%eth0", "::", True),
    ],
)
def test_a_connection_that_leads_back_is_known(peer: str, own: str, listener: str, back: bool) -> None:
    assert leads_back((peer, 6080), own, [("10.9.9.9", 1), (listener, 6080)]) is back


def test_another_port_leads_nowhere_back() -> None:
    assert not leads_back(("127.0.0.1", 6081), "127.0.0.1", [("*", 6080), ("127.0.0.1", 6080)])


def test_a_real_connection_to_an_own_wildcard_listener_is_known() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as client:
            own = [listener.getsockname()[:2]]
            assert leads_back(client.getpeername()[:2], client.getsockname()[0], own)
