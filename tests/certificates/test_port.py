"""Which of a port's certificates a client is shown."""

from __future__ import annotations

import ssl

import pytest

from wsgui.certificates.port import PortContexts, Shown


def shown(*names: str) -> Shown:
    return Shown(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), label=names[0], names=names)


FIRST = shown("office.lab", "OTHER.lab")
WILD = shown("*.lab", "10.0.0.1")
ADDRESS = shown("vnc.example", "10.0.0.1", "10.0.0.2", "fe80::1")
PORT = PortContexts([FIRST, WILD, ADDRESS])


@pytest.mark.parametrize(
    ("name", "address", "chosen"),
    [
        ("office.lab", "", FIRST),
        ("OFFICE.LAB.", "", FIRST),
        ("other.lab", "10.0.0.2", FIRST),
        ("third.lab", "", WILD),
        ("lab", "", FIRST),
        ("a.b.lab", "", FIRST),
        ("vnc.example", "", ADDRESS),
        ("sub.vnc.example", "", FIRST),
        ("unknown.example", "10.0.0.2", FIRST),
        ("", "10.0.0.1", WILD),
        ("", "10.0.0.2", ADDRESS),
        ("", "::ffff:10.0.0.2", ADDRESS),
        ("", "fe80:0::1%eth0", ADDRESS),
        ("", "10.0.0.9", FIRST),
        ("", "", FIRST),
        ("10.0.0.2", "10.0.0.1", ADDRESS),
        ("10.0.0.9", "10.0.0.1", FIRST),
        ("*.lab", "", WILD),
        (".lab", "", WILD),
        ("..", "", FIRST),
    ],
)
def test_a_client_gets_the_certificate_for_its_name_else_for_the_address(
    name: str, address: str, chosen: Shown
) -> None:
    assert PORT.choose(name, address) is chosen.context


def test_an_exact_name_comes_before_a_wildcard() -> None:
    port = PortContexts([WILD, FIRST])
    assert port.choose("office.lab", "") is FIRST.context
    assert port.default is WILD.context


def test_all_names_of_a_port() -> None:
    assert PortContexts([FIRST, WILD]).names == {"office.lab", "OTHER.lab", "*.lab", "10.0.0.1"}


def test_what_is_exchanged_counts_from_then_on() -> None:
    port = PortContexts([FIRST])
    port.exchange(PortContexts([WILD]))
    assert port.choose("office.lab", "") is WILD.context
