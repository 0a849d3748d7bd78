"""Addresses: what is one, how it prints, and what is said of what is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.errors import AddressError
from wsgui.profiles.addresses import (
    DemoAddress,
    DialAddress,
    InheritedAddress,
    ReverseAddress,
    TcpAddress,
    TlsAddress,
    UnixAddress,
    is_local,
    parse_listen,
    parse_target,
)
from wsgui.profiles.formats import has_hidden_characters

LABELS = st.from_regex(r"[a-z_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join).filter(lambda name: name not in ("demo", "fd", "listen"))
HOSTS = st.one_of(NAMES, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str))
PORTS = st.integers(1, 65535)
PATHS = st.from_regex(r"/[a-zA-Z0-9 ._é-]{0,40}[a-z]", fullmatch=True)
RESOURCES = st.from_regex(r"/[!-\"$-\[\]-~]{0,30}", fullmatch=True)


def specific(host: str) -> bool:
    return not TcpAddress(host, 1).is_wildcard


@given(st.builds(TcpAddress, HOSTS | st.just("*"), st.integers(0, 65535)))
def test_a_tcp_listener_reads_back_as_it_prints(address: TcpAddress) -> None:
    assert parse_listen(str(address)) == address


@given(
    st.one_of(
        st.builds(TcpAddress, HOSTS.filter(specific), PORTS),
        st.builds(TlsAddress, HOSTS.filter(specific), PORTS),
        st.builds(UnixAddress, PATHS),
        st.builds(DemoAddress),
        st.builds(DialAddress, st.booleans(), HOSTS.filter(specific), PORTS, RESOURCES),
        st.builds(ReverseAddress, HOSTS | st.just("*"), PORTS),
    )
)
def test_a_target_reads_back_as_it_prints(address: object) -> None:
    assert parse_target(str(address)) == address


def read(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except AddressError as error:
        return error


@given(st.text(max_size=80) | st.text(alphabet="[]:*/.%@-_0123456789abfx ", max_size=30))
def test_any_text_is_an_address_that_prints_canonically_or_an_error_with_a_remedy(text: str) -> None:
    for parse in (parse_listen, parse_target):
        result = read(parse, text)
        assert not has_hidden_characters(str(result)) or isinstance(result, UnixAddress)
        if isinstance(result, AddressError):
            assert result.message.endswith(".")
            assert result.hint
        else:
            assert parse(str(result)) == result


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:6080", TcpAddress("127.0.0.1", 6080)),
        ("6080", TcpAddress("127.0.0.1", 6080)),
        (" 6080\n", TcpAddress("127.0.0.1", 6080)),
        ("*:443", TcpAddress("*", 443)),
        ("[::1]:80", TcpAddress("::1", 80)),
        ("[0:0::0:1]:080", TcpAddress("::1", 80)),
        ("[fe80::1%eth0]:80", TcpAddress("fe80::1%eth0", 80)),
        ("LOCALHOST:1", TcpAddress("localhost", 1)),
        ("127.0.0.1:0", TcpAddress("127.0.0.1", 0)),
        ("unix:/run/office.sock", UnixAddress("/run/office.sock")),
        ("unix:///run/office.sock", UnixAddress("/run/office.sock")),
        ("fd:3", InheritedAddress(3)),
        ("fd:0", InheritedAddress(0)),
    ],
)
def test_where_to_listen(text: str, address: object) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("office:5901", TcpAddress("office", 5901)),
        ("5901", TcpAddress("localhost", 5901)),
        ("TLS://Office:443", TlsAddress("office", 443)),
        ("tls://[::1]:443", TlsAddress("::1", 443)),
        ("demo:", DemoAddress()),
        ("wss://gate/ssh?a=b", DialAddress(True, "gate", 443, "/ssh?a=b")),
        ("ws://gate:8080", DialAddress(False, "gate", 8080, "/")),
        ("ws://[::1]?x", DialAddress(False, "::1", 80, "/?x")),
        ("wss://gate/ü", DialAddress(True, "gate", 443, "/%C3%BC")),
        ("listen:5500", ReverseAddress("127.0.0.1", 5500)),
        ("listen:*:5500", ReverseAddress("*", 5500)),
        ("bücher.example:80", TcpAddress("xn--bcher-kva.example", 80)),
        ("faß.de:80", TcpAddress("xn--fa-hia.de", 80)),
        ("my_vm:22", TcpAddress("my_vm", 22)),
    ],
)
def test_where_to_connect(text: str, address: object) -> None:
    assert parse_target(text) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("6080x", '"6080x" is not an address. Write host:port, such as 127.0.0.1:6080.'),
        ("", "The address is empty. Write host:port, such as 127.0.0.1:6080."),
        ("office", '"office" is not an address: the port is missing. Write host:port, such as 127.0.0.1:6080.'),
        (":443", '":443" is not an address: the host is missing.'),
        ("::1:80", '"::1:80" is not an address: an IPv6 address needs brackets. Write [address]:port'),
        ("[::1]", '"[::1]" is not an address: the port is missing.'),
        ("[office]:1", '"[office]:1" is not an address: only IPv6 addresses stand in brackets.'),
        ("127.0.0.1:65536", "a port is a number from 0 to 65535"),
        ("127.0.0.1:" + "9" * 5000, "longer than 2048 characters"),
        ("127.0.0.1:" + "9" * 500, "a port is a number from 0 to 65535"),
        ("127.0.0.1:-1", "is not an address"),
        ("127.0.0.1:٣", "is not an address"),
        ("999.0.0.1:80", "must be an IPv4 address"),
        ("0x7f.1:80", "must be an IPv4 address"),
        ("2130706433:80", "must be an IPv4 address"),
        ("-x:80", "a host name is made of letters, digits"),
        ("a..b:80", "the host name has an empty part"),
        ("a b:80", "it has a space in it"),
        ("a\u202eb:80", "invisible characters"),
        ("a\x1b[2Jb:80", "invisible characters"),
        ("a" * 64 + ":80", "at most 63 between two dots"),
        (".".join(["a" * 60] * 5) + ":80", "at most 253 characters"),
        ("[fe80::1%a/b]:80", "what follows % must be a network interface"),
        ("5901:office", "host and port are swapped"),
        ("http://127.0.0.1:80", "http:// does not belong here"),
        ("demo", 'Write "demo:" with a colon'),
        ("demo:", "it is a target, not where to listen"),
        ("unix:run/x", "the path does not begin with /"),
        ("unix:/run/", "the path names a folder"),
        ("unix:/" + "x" * 103, "a socket's path has at most 103 bytes"),
        ("unix:/run/\x00x", "invisible characters"),
        ("fd:1", "1 and 2 are the program's output"),
        ("fd:x", "Write fd: and the number of an inherited socket"),
    ],
)
def test_what_is_no_place_to_listen_is_told_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_listen(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("*:80", "* stands for every address, and one is needed"),
        ("0.0.0.0:80", "0.0.0.0 stands for every address"),
        ("[::]:80", ":: stands for every address"),
        ("office:0", "a port is a number from 1 to 65535"),
        ("fd:3", "a descriptor is where to listen, not a target"),
        ("tls://office", "the port is missing"),
        ("tls://office:1/x", "is not an address"),
        ("wss://", "Write wss://host/path"),
        ("wss://:80/x", "the host is missing"),
        ("wss://gate/#x", "no # part"),
        ("wss://gate\\x", "backslash"),
        ("listen:", "Write listen:port"),
        ("ftp://x:1", "ftp:// does not belong here"),
    ],
)
def test_what_is_no_target_is_told_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_target(text)
    assert sentence in str(caught.value)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(AddressError) as caught:
        parse_target("wss://user:hunter2@gate/")
    assert "hunter2" not in str(caught.value)


def test_the_field_to_blame_is_named() -> None:
    with pytest.raises(AddressError) as caught:
        parse_listen("x", field="metrics.listen")
    assert caught.value.field == "metrics.listen"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "localhost."])
def test_loopback_hosts_are_told_from_others(host: str) -> None:
    assert TcpAddress(host, 1).is_loopback
    assert is_local(TcpAddress(host, 1))


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "::", "192.168.0.1", "office", "localhost.example"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_local(TcpAddress(host, 1))


def test_a_unix_socket_is_local_and_an_inherited_descriptor_may_be_anything() -> None:
    assert is_local(UnixAddress("/run/x"))
    assert not is_local(InheritedAddress(3))


@pytest.mark.parametrize(("host", "expected"), [("*", True), ("0.0.0.0", True), ("::", True), ("::1", False)])
def test_wildcards_are_known(host: str, expected: bool) -> None:
    assert TcpAddress(host, 1).is_wildcard is expected
