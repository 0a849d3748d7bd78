"""Telnet's server side as a conversation: what a client says, what the program gets, what the client is answered."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.command.telnet import (
    ABORT_OUTPUT,
    ARE_YOU_THERE,
    BINARY,
    DO,
    DONT,
    ECHO,
    IAC,
    MAX_COLUMNS,
    MAX_REPLIES,
    MAX_ROWS,
    NAWS,
    NOP,
    SB,
    SE,
    SUPPRESS_GO_AHEAD,
    WILL,
    WONT,
    Received,
    TelnetServer,
)

TERMINAL_TYPE = 24


def window(columns: int, rows: int) -> bytes:
    """A window's size as RFC 1073 has it, IAC doubled."""
    size = columns.to_bytes(2, "big") + rows.to_bytes(2, "big")
    return bytes((IAC, SB, NAWS)) + size.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))


def told_sizes(server: TelnetServer, said: bytes) -> tuple[tuple[int, int], ...]:
    return server.feed(bytes((IAC, WILL, NAWS)) + said).sizes


def collected(server: TelnetServer, pieces: list[bytes]) -> Received:
    parts = [server.feed(piece) for piece in pieces]
    return Received(
        b"".join(part.data for part in parts),
        tuple(size for part in parts for size in part.sizes),
        b"".join(part.replies for part in parts),
    )


@st.composite
def split(draw: st.DrawFn, data: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    whole = draw(data)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    edges = [0, *cuts, len(whole)]
    return whole, [whole[a:b] for a, b in itertools.pairwise(edges)]


telnet_like = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"\r", b"\n", b"\0", b"\xff", b"\r\n", b"\r\0", window(80, 24), window(255, 255)]),
        st.builds(lambda verb, option: bytes((IAC, verb, option)), st.integers(WILL, DONT), st.integers(0, 255)),
    ),
    max_size=20,
).map(b"".join)


def test_it_opens_as_a_server_of_characters() -> None:
    assert TelnetServer.opening == bytes((IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, NAWS))


def test_what_is_typed_passes() -> None:
    assert TelnetServer().feed("ls -l ü\n".encode()) == Received("ls -l ü\n".encode(), (), b"")


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        (b"\r\0", b"\r"),
        (b"\r\n", b"\r"),
        (b"\r", b"\r"),
        (b"\rx", b"\rx"),
        (b"\r\r\n", b"\r\r"),
        (b"\n", b"\n"),
        (b"a\xff\xffb", b"a\xffb"),
        (bytes((IAC, NOP)), b""),
        (bytes((IAC, ABORT_OUTPUT)), b""),
        (b"\xff\xf4", b"\x03"),
        (b"\xff\xf3", b"\x03"),
        (b"\xff\xec", b"\x04"),
        (b"\xff\xed", b"\x1a"),
        (b"\xff\xee", b"\x1c"),
        (b"\xff\xf7\xff\xf8", b"\x7f\x15"),
    ],
)
def test_keys_come_out_as_a_terminal_has_them(said: bytes, typed: bytes) -> None:
    assert TelnetServer().feed(said).data == typed


def test_in_binary_a_return_is_only_a_return() -> None:
    server = TelnetServer()
    assert server.feed(bytes((IAC, WILL, BINARY))).replies == bytes((IAC, DO, BINARY))
    assert server.feed(b"\r\n\r\0").data == b"\r\n\r\0"


def test_a_window_s_size_is_told() -> None:
    assert told_sizes(TelnetServer(), window(132, 43) + window(255, 40)) == ((132, 43), (255, 40))


def test_a_size_that_nobody_agreed_on_is_not_believed() -> None:
    assert TelnetServer().feed(window(132, 43)).sizes == ()


def test_a_huge_window_is_taken_as_the_largest_that_programs_bear() -> None:
    assert told_sizes(TelnetServer(), window(65535, 65535)) == ((MAX_COLUMNS, MAX_ROWS),)


@pytest.mark.parametrize("said", [window(0, 24), window(80, 0), b"\xff\xfa\x1f\0\x50\xff\xf0", b"\xff\xfa\xff\xf0"])
def test_a_size_that_is_none_is_passed_over(said: bytes) -> None:
    assert told_sizes(TelnetServer(), said) == ()


def test_answers_to_its_own_offers_are_not_answered() -> None:
    server = TelnetServer()
    answers = bytes((IAC, DO, ECHO, IAC, DO, SUPPRESS_GO_AHEAD, IAC, WILL, NAWS))
    assert server.feed(answers) == Received(b"", (), b"")
    assert server.feed(answers) == Received(b"", (), b"")


def test_what_it_does_not_know_is_refused_once() -> None:
    server = TelnetServer()
    asked = bytes((IAC, WILL, TERMINAL_TYPE, IAC, DO, TERMINAL_TYPE))
    assert server.feed(asked).replies == bytes((IAC, DONT, TERMINAL_TYPE, IAC, WONT, TERMINAL_TYPE))
    assert server.feed(asked).replies == b""


def test_an_option_that_is_taken_back_is_confirmed() -> None:
    server = TelnetServer()
    server.feed(bytes((IAC, DO, ECHO)))
    assert server.feed(bytes((IAC, DONT, ECHO))).replies == bytes((IAC, WONT, ECHO))
    assert server.feed(bytes((IAC, DONT, ECHO))).replies == b""


def test_it_is_there() -> None:
    assert TelnetServer().feed(bytes((IAC, ARE_YOU_THERE))).replies == b"\r\n[Yes]\r\n"


def test_a_client_that_asks_without_end_is_answered_no_more() -> None:
    server = TelnetServer()
    replies = server.feed(bytes((IAC, ARE_YOU_THERE)) * 100_000).replies
    assert len(replies) == MAX_REPLIES * len(b"\r\n[Yes]\r\n")
    assert server.feed(bytes((IAC, WONT, NAWS, IAC, WILL, NAWS)) * 1000).replies == b""


def test_parameters_without_end_take_no_memory() -> None:
    server = TelnetServer()
    server.feed(bytes((IAC, SB)) + bytes(1_000_000))
    assert len(server._parameters) < 100
    assert server.feed(bytes((IAC, SE)) + b"on").data == b"on"


def test_a_command_amid_parameters_ends_them() -> None:
    assert TelnetServer().feed(bytes((IAC, SB, NAWS, 0, IAC, NOP)) + b"on").data == b"on"


@given(split(telnet_like))
def test_however_a_client_s_bytes_are_split_they_mean_the_same(given: tuple[bytes, list[bytes]]) -> None:
    whole, pieces = given
    assert collected(TelnetServer(), pieces) == TelnetServer().feed(whole)


@given(telnet_like)
def test_nothing_that_a_client_says_is_more_typed_than_said(said: bytes) -> None:
    received = TelnetServer().feed(said)
    assert len(received.data) <= len(said)
    assert all(1 <= columns <= MAX_COLUMNS and 1 <= rows <= MAX_ROWS for columns, rows in received.sizes)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (b"a\r\nb", b"a\r\nb"),
        (b"10%\r20%", b"10%\r\x0020%"),
        (b"\r\r\n", b"\r\0\r\n"),
        (b"a\xffb", b"a\xff\xffb"),
        (b"\r\xff", b"\r\0\xff\xff"),
        (b"end\r", b"end\r"),
    ],
)
def test_what_the_program_says_is_made_telnet(said: bytes, sent: bytes) -> None:
    assert TelnetServer().encode(said) == sent


def test_in_binary_the_program_s_returns_stay_alone() -> None:
    server = TelnetServer()
    assert server.feed(bytes((IAC, DO, BINARY))).replies == bytes((IAC, WILL, BINARY))
    assert server.encode(b"10%\r20%\xff") == b"10%\r20%\xff\xff"


@given(split(st.lists(st.sampled_from([b"\r", b"\n", b"\xff", b"x", b"\0"]), max_size=30).map(b"".join)))
def test_however_the_program_s_bytes_are_split_the_client_gets_the_same(given: tuple[bytes, list[bytes]]) -> None:
    whole, pieces = given
    server = TelnetServer()
    assert b"".join(server.encode(piece) for piece in pieces) == TelnetServer().encode(whole)


@given(st.binary(max_size=200))
def test_in_binary_what_is_encoded_reads_back_as_it_was(said: bytes) -> None:
    sender, reader = TelnetServer(), TelnetServer()
    sender.feed(bytes((IAC, DO, BINARY)))
    reader.feed(bytes((IAC, WILL, BINARY)))
    assert reader.feed(sender.encode(said)).data == said
