"""Names for certificates: one spelling each, and in words what cannot be one."""

from __future__ import annotations

import ipaddress
import string
import unicodedata

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from wsgui.certificates.names import certificate_name, is_address, parse_address
from wsgui.errors import CertificateError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("localhost", "localhost"),
        ("OFFICE", "office"),
        (" Office.Local. ", "office.local"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("日本.example。", "xn--wgv71a.example"),
        ("*.Lab.lan", "*.lab.lan"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("win_pc.lan", "win_pc.lan"),
        ("192.168.1.20", "192.168.1.20"),
        ("::1", "::1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("FE80::1", "fe80::1"),
    ],
)
def test_a_name_has_one_spelling(text: str, name: str) -> None:
    assert certificate_name(text) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is missing"),
        ("  ", "is missing"),
        ("*", "letters, digits"),
        ("*.", "is missing"),
        ("*.local", "wider than browsers accept"),
        ("a.*.example.com", "letters, digits"),
        ("**.example.com", "letters, digits"),
        ("f*.example.com", "letters, digits"),
        ("*.192.168.1.1", "* stands for a part of a name"),
        ("*.::1", "* stands for a part of a name"),
        ("fe80::1%eth0", "one network interface"),
        ("0.0.0.0", "one computer"),
        ("::", "one computer"),
        ("224.0.0.251", "one computer"),
        ("ff02::fb", "one computer"),
        ("300.1.1.1", "IPv4 address"),
        ("office:6080", "IPv6 address"),
        ("https://office.local/", "not a name"),
        ("10.0.0.0/8", "a range"),
        ("a..b", "empty part"),
        ("-a.example", "letters, digits"),
        ("a b", "letters, digits"),
        ("a" * 64, "at most 63"),
        (".".join(["a" * 60] * 5), "253"),
        ("*." + ".".join(["a" * 63, "a" * 63, "a" * 63, "a" * 60]), "too long"),
        ("i❤.example", "no host name can have"),
        ("user@example.com", "letters, digits"),
        ("a\x00b", "letters, digits"),
    ],
)
def test_what_is_no_name_is_refused_with_words(text: str, says: str) -> None:
    with pytest.raises(CertificateError) as caught:
        certificate_name(text)
    assert says in caught.value.message
    assert caught.value.hint.endswith(".")


def test_a_hostile_name_does_not_steer_the_terminal() -> None:
    with pytest.raises(CertificateError) as caught:
        certificate_name("a\x1b[2J\u202eb.example")
    assert str(caught.value).isprintable()


def test_a_scoped_address_is_answered_with_the_plain_one() -> None:
    with pytest.raises(CertificateError) as caught:
        certificate_name("fe80::1%eth0")
    assert "Name fe80::1 without it" in caught.value.hint


@given(st.one_of(st.text(max_size=80), st.text(string.ascii_letters + string.digits + ".-*:[]%/ ü", max_size=80)))
def test_any_text_is_either_refused_or_fit_for_a_certificate(text: str) -> None:
    try:
        name = certificate_name(text)
    except CertificateError:
        return
    assert certificate_name(name) == name
    assert len(name) <= 253
    if is_address(name):
        assert x509.IPAddress(ipaddress.ip_address(name)).value == parse_address(name)
    else:
        assert x509.DNSName(name).value == name == name.lower()


@given(st.text(max_size=80))
def test_no_text_steers_the_terminal(text: str) -> None:
    with pytest.raises(CertificateError) as caught:
        certificate_name(f"{text}/")
    assert {unicodedata.category(character)[0] for character in caught.value.message} <= set("LMNPSZ")
    assert not set(caught.value.message) & {"\u2028", "\u2029"}


@given(st.ip_addresses())
def test_an_address_keeps_its_value(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address.is_unspecified or address.is_multicast:
        return
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None and (mapped.is_unspecified or mapped.is_multicast):
        return
    name = certificate_name(str(address))
    assert is_address(name)
    assert parse_address(name) == (mapped or address)


def test_a_name_is_no_address() -> None:
    assert not is_address("localhost")
    assert not is_address("*.lab.lan")
