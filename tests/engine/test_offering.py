"""The addresses at which another device can fetch a certificate."""

from __future__ import annotations

from collections.abc import Sequence

import ifaddr
import pytest

from wsgui.engine import offering
from wsgui.engine.offering import addresses_of
from wsgui.errors import TunnelError

LAN = ("eth0", ["192.168.1.20", "fd00::20", "fe80::20", "2001:db8::20"])
WIFI = ("wlan0", ["10.0.0.5"])
GUESTS = ("docker0", ["172.17.0.1"])
LOOPBACK = ("lo", ["127.0.0.1", "::1"])
PUBLIC = ("ppp0", ["203.0.113.9", "2001:db8::9"])


@pytest.fixture
def interfaces(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """This computer's interfaces; the way out is by the Wi-Fi."""
    known = [LOOPBACK, GUESTS, LAN, WIFI]

    def adapters() -> Sequence[ifaddr.Adapter]:
        return [
            ifaddr.Adapter(
                name, name, [ifaddr.IP((ip, 0, 0) if ":" in ip else ip, 64 if ":" in ip else 24, name) for ip in ips]
            )
            for name, ips in known
        ]

    monkeypatch.setattr("ifaddr.get_adapters", adapters)
    monkeypatch.setattr(offering, "_outward", lambda: "10.0.0.5")
    monkeypatch.setattr("socket.gethostname", lambda: "Lab-PC.example.com")
    return known


@pytest.mark.usefixtures("interfaces")
def test_of_a_listener_on_all_addresses_the_likeliest_comes_first_and_the_name_last() -> None:
    assert addresses_of([("::", 6080)], both=True) == (
        "http://10.0.0.5:6080",
        "http://192.168.1.20:6080",
        "http://[fd00::20]:6080",
        "http://172.17.0.1:6080",
        "http://lab-pc.local:6080",
    )


@pytest.mark.usefixtures("interfaces")
def test_a_listener_on_all_ipv4_addresses_has_no_others() -> None:
    assert not any("[" in address for address in addresses_of([("0.0.0.0", 6080)]))


@pytest.mark.usefixtures("interfaces")
def test_a_listener_on_all_ipv6_addresses_has_no_others() -> None:
    assert addresses_of([("::", 6080)]) == ("http://[fd00::20]:6080", "http://lab-pc.local:6080")


@pytest.mark.usefixtures("interfaces")
def test_a_listener_on_one_address_has_that_one() -> None:
    found = addresses_of([("192.168.1.20", 80), ("127.0.0.1", 80)])
    assert found == ("http://192.168.1.20", "http://lab-pc.local")


@pytest.mark.usefixtures("interfaces")
@pytest.mark.parametrize("endpoints", [[("127.0.0.1", 6080)], [("127.0.0.1", 6080), ("::1", 6080)], []])
def test_on_loopback_or_a_unix_socket_there_is_none_and_the_way_out_is_said(endpoints: list[tuple[str, int]]) -> None:
    with pytest.raises(TunnelError, match=r"this computer only\. Open it to your network first"):
        addresses_of(endpoints)


def test_without_a_private_address_there_is_none(interfaces: list[tuple[str, list[str]]]) -> None:
    interfaces[:] = [LOOPBACK, PUBLIC]
    for endpoint in ("0.0.0.0", "203.0.113.9"):
        with pytest.raises(TunnelError, match="no address of a private network"):
            addresses_of([(endpoint, 6080)])


def test_a_way_out_by_a_private_network_elsewhere_is_not_the_likeliest(
    interfaces: list[tuple[str, list[str]]],
) -> None:
    interfaces[:] = [("tun0", ["10.0.0.5"]), LAN]
    assert addresses_of([("0.0.0.0", 6080)])[:2] == ("http://192.168.1.20:6080", "http://10.0.0.5:6080")


@pytest.mark.parametrize("hostname", ["", "localhost", "not a name"])
@pytest.mark.usefixtures("interfaces")
def test_a_computer_without_a_name_that_a_browser_takes_has_none(
    hostname: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: hostname)
    assert "local" not in " ".join(addresses_of([("0.0.0.0", 6080)]))


def test_a_link_local_ipv6_address_is_none_as_each_device_has_its_own_zone(
    interfaces: list[tuple[str, list[str]]],
) -> None:
    interfaces[:] = [LOOPBACK, ("eth0", ["fe80::1", "169.254.7.7"])]
    assert addresses_of([("::", 6080)], both=True)[0] == "http://169.254.7.7:6080"


def test_asking_for_the_way_out_sends_nothing_and_fails_without_one() -> None:
    address = offering._outward()
    assert not address or address.count(".") == 3
