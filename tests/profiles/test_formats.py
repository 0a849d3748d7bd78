"""Sizes, origins, networks and references as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.profiles import formats


@given(st.integers(0, 10**15))
def test_a_size_reads_back_as_it_prints(size: int) -> None:
    assert formats.parse_size(formats.print_size(size)) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256 MB", 256_000_000),
        ("4 GB", 4_000_000_000),
        ("1KiB", 1024),
        ("1.5 kb", 1500),
        ("7", 7),
        (7, 7),
        ("0", 0),
        ("", None),
        ("MB", None),
        ("-1 MB", None),
        (-1, None),
        ("1 XB", None),
        ("1e9", None),
        ("9999999 TB", None),
    ],
)
def test_sizes(text: str | int, size: int | None) -> None:
    assert formats.parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("same-host", "same-host"),
        ("*", "*"),
        ("https://VNC.lab/", "https://vnc.lab"),
        ("https://vnc.lab:443", "https://vnc.lab"),
        ("http://vnc.lab:8080", "http://vnc.lab:8080"),
        ("https://[::1]:6080", "https://[::1]:6080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("app://electron", "app://electron"),
    ],
)
def test_origins(text: str, canonical: str) -> None:
    assert formats.canonical_origin(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "file://",
        "file:///x",
        "vnc.lab",
        "https://",
        "https://a/b",
        "https://a b",
        "https://a:0",
        "https://a:x",
        "https://u@a",
        "https://::1",
        "https://a;script-src",
        "javascript:alert(1)",
        "",
    ],
)
def test_what_is_no_origin_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(formats.FormatError) as caught:
        formats.canonical_origin(text)
    assert "scheme://host[:port]" in caught.value.hint


@given(st.text(max_size=40))
def test_a_frame_never_carries_anything_into_a_policy(text: str) -> None:
    try:
        frame = formats.canonical_frame(text)
    except formats.FormatError:
        return
    assert frame.isascii()
    assert not set(frame) & set(" ;,'\"\n")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("VNC.Lab.", "vnc.lab"), ("[::1]", "::1"), ("*", "*"), ("*.lab", "*.lab"), ("10.0.0.1", "10.0.0.1")],
)
def test_allowed_hosts(text: str, canonical: str) -> None:
    assert formats.canonical_allowed_host(text) == canonical


@pytest.mark.parametrize(
    ("parse", "text", "canonical"),
    [
        (formats.canonical_network, "10.0.0.0/8", "10.0.0.0/8"),
        (formats.canonical_network, "10.1.2.3", "10.1.2.3/32"),
        (formats.canonical_network_ports, "10.0.0.0/8:5900-5999", "10.0.0.0/8:5900-5999"),
        (formats.canonical_network_ports, "[fd00::/8]:22", "[fd00::/8]:22"),
        (formats.canonical_certificate_name, "*.Office.local", "*.office.local"),
    ],
)
def test_networks_and_names(parse: Callable[[str], str], text: str, canonical: str) -> None:
    assert parse(text) == canonical


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (formats.canonical_network, "10.0.0.1/8"),
        (formats.canonical_network, "x"),
        (formats.canonical_network_ports, "10.0.0.0/8"),
        (formats.canonical_network_ports, "10.0.0.0/8:9-1"),
        (formats.canonical_allowed_host, "a:80"),
        (formats.canonical_certificate_name, "a b"),
    ],
)
def test_what_is_none_of_them_is_told_what_would_be_right(parse: Callable[[str], str], text: str) -> None:
    with pytest.raises(formats.FormatError) as caught:
        parse(text)
    assert caught.value.hint.startswith("Write ")


@pytest.mark.parametrize("text", ["keyring:office", "env:PASS_1", "file:/run/x", "file:~/x", "unbound:office"])
def test_references(text: str) -> None:
    assert formats.is_reference(text)


@pytest.mark.parametrize("text", ["hunter2", "keyring:", "env:A B", "env:1", "file:x", "vault:x", "keyring:a\nb", ""])
def test_what_is_no_reference(text: str) -> None:
    assert not formats.is_reference(text)
