"""Lines of token files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.access.tokens.as_websockify import destination
from wsgui.access.tokens.lines import parse_lines, token_key
from wsgui.profiles.addresses import TcpAddress, TlsAddress, UnixAddress


@pytest.mark.parametrize(
    ("line", "token", "target"),
    [
        ("a: office:5901", "a", TcpAddress("office", 5901)),
        ("a:\toffice:5901", "a", TcpAddress("office", 5901)),
        ("  a:   office:5901  \r", "a", TcpAddress("office", 5901)),
        ("a:b: office:5901", "a:b", TcpAddress("office", 5901)),
        ("two words: office:5901", "two words", TcpAddress("office", 5901)),
        ("a: ::1:5901", "a", TcpAddress("::1", 5901)),
        ("a: [fd00::5]:5901", "a", TcpAddress("fd00::5", 5901)),
        ("schlüssel: office:5901", "schlüssel", TcpAddress("office", 5901)),
        ("a: tls://office:5901", "a", TlsAddress("office", 5901)),
        ("\ufeffa: office:5901", "a", TcpAddress("office", 5901)),
    ],
)
def test_a_line_leads_a_token_to_a_target(line: str, token: str, target: object) -> None:
    said = parse_lines(line.encode())
    assert said.targets == {token_key(token): target}
    assert said.problems == ()


def test_comments_and_empty_lines_do_not_count() -> None:
    said = parse_lines(b"# a: office:1\n\n   \n  # x\na: office:5901\n")
    assert list(said.targets) == [token_key("a")]
    assert said.problems == ()


def test_bad_lines_are_named_by_their_numbers_and_the_others_count() -> None:
    data = b"a: office:1\nnonsense\nb:office:2\nc: d: office:3\n: office:4\n\xff: office:5\nd: office\ne: office:6\n"
    said = parse_lines(data)
    assert list(said.targets) == [token_key("a"), token_key("e")]
    assert [number for number, _ in said.problems] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("target", ["unix:/run/x", "demo:", "wss://h/x", "office", "5901", "office:0", "a b:1", ""])
def test_a_source_outside_names_nothing_but_hosts_and_ports(target: str) -> None:
    said = parse_lines(f"a: {target}\n".encode())
    assert said.targets == {}


def test_the_last_of_two_lines_with_one_token_counts() -> None:
    assert parse_lines(b"a: one:1\na: two:2\n").targets == {token_key("a"): TcpAddress("two", 2)}


def test_a_last_line_that_may_still_be_written_does_not_count_yet() -> None:
    data = b"a: office:5901\nb: office:59"
    assert list(parse_lines(data, whole=False).targets) == [token_key("a")]
    assert list(parse_lines(data).targets) == [token_key("a"), token_key("b")]


def test_websockify_s_lines_also_name_unix_sockets_and_this_computer() -> None:
    said = parse_lines(b"a: unix_socket:/run/x\nb: :5901\n", destination=destination)
    assert said.targets == {token_key("a"): UnixAddress("/run/x"), token_key("b"): TcpAddress("localhost", 5901)}


def test_no_token_is_shown_by_what_was_read() -> None:
    assert "hunter2" not in repr(parse_lines(b"hunter2: office:1\nhunter2 x\n"))


@given(st.binary(max_size=300), st.booleans())
def test_no_content_raises(data: bytes, whole: bool) -> None:
    said = parse_lines(data, whole=whole)
    assert all(1 <= number <= len(data) for number, _ in said.problems)


@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_text_raises(lines: list[str]) -> None:
    parse_lines("\n".join(lines).encode("utf-8", "surrogatepass"))
    parse_lines(": ".join(lines).encode("utf-8", "surrogatepass"), destination=destination)
