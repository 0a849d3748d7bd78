"""A request's head as bytes: however it is split, it means the same; what is too large or wrong is told."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.raw import ACCEPT, KEY
from wsgui.bridge.request import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    BadRequest,
    Request,
    RequestParser,
    _connection_options,
    upgrade_response,
)

HOST = b"Host: vnc.lab\r\n"
UPGRADE = (
    HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + KEY.encode() + b"\r\n"
)
OPENING = b"GET /x?y HTTP/1.1\r\n" + UPGRADE + b"\r\n"
PLAIN = b"GET /a%20b?c=d HTTP/1.1\r\n" + HOST + b"Accept: */*\r\nX-A: \x80\xff\r\n\r\n"


def test_long_options_are_understood_but_not_kept() -> None:
    head = OPENING.replace(b"Connection: Upgrade", b"Connection: " + b"x, " * 3000 + b"Upgrade")
    complete = RequestParser().feed(head)
    assert complete is not None
    before = _connection_options.cache_info().currsize
    assert upgrade_response(complete[0]).startswith(b"HTTP/1.1 101 ")
    assert _connection_options.cache_info().currsize == before


@dataclass(frozen=True)
class Outcome:
    """What a parser made of its bytes."""

    status: int = 0
    message: str = ""
    method: str = ""
    target: bytes = b""
    version: str = ""
    fields: tuple[tuple[bytes, bytes], ...] = ()
    early: bytes = b""


def parse(pieces: list[bytes]) -> Outcome | None:
    """Feed pieces until the parser has decided; what comes after that is early bytes if it is an upgrade."""
    parser = RequestParser()
    for index, piece in enumerate(pieces):
        try:
            complete = parser.feed(piece)
        except BadRequest as bad:
            return Outcome(status=bad.status, message=bad.message)
        if complete is not None:
            request, early = complete
            if request.wants_websocket:
                early += b"".join(pieces[index + 1 :])
            fields = tuple(request.fields.items())
            return Outcome(0, "", request.method, request.target, request.version, fields, early)
    return None


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a != b]


def head(*fields: tuple[str, str], method: str = "GET", version: str = "1.1") -> Request:
    lines = [f"{method} / HTTP/{version}", "Host: vnc.lab", *(f"{name}: {value}" for name, value in fields), "", ""]
    complete = RequestParser().feed("\r\n".join(lines).encode("latin-1"))
    assert complete is not None
    return complete[0]


def opening(**changes: str | None) -> Request:
    usual: dict[str, str | None] = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": KEY,
    }
    usual |= {name.replace("_", "-"): value for name, value in changes.items()}
    return head(*((name, value) for name, value in usual.items() if value is not None))


def refused(request: Request) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        upgrade_response(request)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value


# Any split gives the same result.

TOKEN = st.text("abcXYZ-", min_size=1, max_size=12)
VALUE = st.binary(max_size=30).map(lambda value: value.translate(None, b"\r\n\0").strip())
HEADS = st.builds(
    lambda method, path, fields, rest: (
        f"{method} /{path} HTTP/1.1\r\n".encode()
        + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
        + b"\r\n"
        + rest
    ),
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "CONNECT", "BREW"]),
    st.text("abc/%?=&;~\u00e4", max_size=20),
    st.lists(st.tuples(TOKEN, VALUE), max_size=6),
    st.one_of(st.binary(max_size=40), st.just(PLAIN), st.just(OPENING)),
)
CUTS = st.lists(st.integers(0, 2**16), max_size=12)


@given(st.one_of(HEADS, st.binary(max_size=60)), CUTS)
@example(b"GET / HTTP/1.1\r\n\r\n", list(range(20)))
@example(b"CONNECT / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: vnc.lab\r\n\r\n", [22])
def test_any_split_of_any_bytes_means_the_same(data: bytes, cuts: list[int]) -> None:
    assert parse(split(data, cuts)) == parse([data] if data else [])


@given(st.binary(max_size=60), CUTS)
def test_any_split_of_an_opening_keeps_what_comes_behind_it(early: bytes, cuts: list[int]) -> None:
    outcome = parse(split(OPENING + early, cuts))
    assert outcome is not None
    assert (outcome.method, outcome.target, outcome.early) == ("GET", b"/x?y", early)


@pytest.mark.parametrize("data", [PLAIN, OPENING, b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n"])
def test_single_bytes_mean_the_same(data: bytes) -> None:
    assert parse([bytes((byte,)) for byte in data]) == parse([data])


@given(st.integers(MAX_HEAD_BYTES - 3, MAX_HEAD_BYTES + 3), st.integers(0, 40_000), CUTS)
def test_a_head_is_too_large_by_its_own_length_however_it_comes(length: int, behind: int, cuts: list[int]) -> None:
    start = b"POST / HTTP/1.1\r\n" + HOST + b"X: "
    data = start + b"y" * (length - len(start) - 4) + b"\r\n\r\n"
    assert len(data) == length
    outcome = parse(split(data + b"z" * behind, cuts))
    assert outcome is not None
    assert outcome.status == (431 if length > MAX_HEAD_BYTES else 0)


@given(st.integers(0, 40_000), CUTS)
def test_bytes_behind_an_opening_do_not_count_as_its_head(behind: int, cuts: list[int]) -> None:
    outcome = parse(split(OPENING + bytes(behind), cuts))
    assert outcome is not None
    assert outcome.early == bytes(behind)


@pytest.mark.parametrize("first", ["GET", "HEAD", "OPTIONS"])
def test_a_request_right_behind_another_does_not_mix_with_it(first: str) -> None:
    data = f"{first} /a HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert parse([data + OPENING]) == parse([data])
    assert parse([data + b"POST /b HTTP/1.0\r\nHost: y\r\n\r\n"]) == parse([data])


def test_a_head_that_never_ends_is_refused_once_it_is_too_large() -> None:
    parser = RequestParser()
    assert parser.feed(b"GET / HTTP/1.1\r\nX: " + b"y" * (MAX_HEAD_BYTES - 19)) is None
    with pytest.raises(BadRequest) as caught:
        parser.feed(b"y")
    assert caught.value.status == 431


def test_nonsense_is_nonsense_also_when_it_is_long() -> None:
    outcome = parse([b"\0" * 100_000])
    assert outcome is not None
    assert outcome.status == 400


# What a head says.


def test_names_are_lower_case_and_values_as_they_came() -> None:
    complete = RequestParser().feed(PLAIN)
    assert complete is not None
    request, early = complete
    assert request.target == b"/a%20b?c=d"
    assert request.fields[b"x-a"] == b"\x80\xff"
    assert request.text(b"x-a") == "\x80\xff"
    assert request.text(b"missing") is None
    assert not request.wants_websocket
    assert early == b""


def test_a_field_of_several_lines_is_joined() -> None:
    assert head(("Accept", "a"), ("X", "-"), ("accept", "b")).fields[b"accept"] == b"a, b"


def test_an_empty_value_is_there() -> None:
    assert head(("Origin", "")).text(b"origin") == ""


@pytest.mark.parametrize("count", [MAX_FIELDS, MAX_FIELDS + 1])
def test_the_number_of_fields_has_its_limit(count: int) -> None:
    outcome = parse([b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * count + b"\r\n"])
    assert outcome is not None
    assert outcome.status == (431 if count > MAX_FIELDS else 0)


@pytest.mark.parametrize(
    "name", ["Host", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Content-Length", "Authorization"]
)
def test_what_may_stand_once_is_refused_twice(name: str) -> None:
    line = f"{name}: 1\r\n".encode()
    outcome = parse([b"GET / HTTP/1.1\r\n" + line + line.lower() + b"\r\n"])
    assert outcome is not None
    assert outcome.status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
def test_what_proxies_may_read_in_two_ways_is_refused(data: bytes) -> None:
    outcome = parse([data])
    assert outcome is not None
    assert outcome.status == 400


# Opening a WebSocket.


def test_the_answer_is_the_rfc_s() -> None:
    assert upgrade_response(opening()).decode() == (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )


@pytest.mark.parametrize("offer", ["binary", "base64, binary", "binary,x"])
def test_binary_is_chosen_when_it_is_offered(offer: str) -> None:
    assert b"\r\nSec-WebSocket-Protocol: binary\r\n" in upgrade_response(opening(sec_websocket_protocol=offer))


@pytest.mark.parametrize("offer", ["base64", "Binary", "binary2"])
def test_nothing_else_is_chosen(offer: str) -> None:
    assert b"Sec-WebSocket-Protocol" not in upgrade_response(opening(sec_websocket_protocol=offer))


CONNECTIONS = [
    "Upgrade",
    "upgrade",
    "keep-alive, Upgrade",
    "keep-alive,UPGRADE",
    ", upgrade ,",
    "Upgrade, close",
    "upgrade,HTTP2-Settings",
    "\tupgrade\t",
    "a-very-long-option-of-a-proxy-in-between, upgrade",
]


@pytest.mark.parametrize("value", CONNECTIONS)
@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "websocket,"])
def test_what_opens_it_keeps_the_frames_behind_it(value: str, upgrade: str) -> None:
    data = OPENING.replace(b"Connection: Upgrade", f"Connection: {value}".encode())
    data = data.replace(b"Upgrade: websocket", f"Upgrade: {upgrade}".encode())
    complete = RequestParser().feed(data + b"early")
    assert complete is not None
    assert upgrade_response(complete[0]).startswith(b"HTTP/1.1 101 ")
    assert complete[1] == b"early"


def test_connection_in_two_lines_opens_it_too() -> None:
    data = OPENING.replace(b"Connection:", b"Connection: keep-alive\r\nConnection:")
    complete = RequestParser().feed(data + b"early")
    assert complete is not None
    assert upgrade_response(complete[0]).startswith(b"HTTP/1.1 101 ")
    assert complete[1] == b"early"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"connection": None}, 400, "Connection"),
        ({"connection": "close"}, 400, "Connection"),
        ({"connection": "upgrade2"}, 400, "Connection"),
        ({"connection": "@"}, 400, "malformed"),
        ({"upgrade": "websocket2"}, 400, "Upgrade"),
        ({"upgrade": "websocket, websocket"}, 400, "Upgrade"),
        ({"sec_websocket_version": None}, 426, "13"),
        ({"sec_websocket_version": "13, 8"}, 426, "13"),
        ({"sec_websocket_key": None}, 400, "Sec-WebSocket-Key"),
        ({"sec_websocket_key": ""}, 400, "Sec-WebSocket-Key"),
        ({"sec_websocket_key": KEY[:-1]}, 400, "Sec-WebSocket-Key"),
        ({"sec_websocket_key": "\xff" * 24}, 400, "Sec-WebSocket-Key"),
        ({"sec_websocket_protocol": ""}, 400, "Sec-WebSocket-Protocol"),
        ({"content_length": "0"}, 400, "no body"),
    ],
)
def test_what_is_missing_or_wrong_is_named(change: dict[str, str | None], status: int, says: str) -> None:
    bad = refused(opening(**change))
    assert bad.status == status
    assert says in bad.message


def test_another_method_or_an_old_version_opens_nothing() -> None:
    fields = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
    assert refused(head(*fields, method="POST")).status == 405
    assert refused(head(*fields, version="1.0")).status == 400


# Whether another may follow


def may_be_followed(data: bytes) -> bool:
    complete = RequestParser().feed(data)
    assert complete is not None
    return complete[0].may_be_followed


@pytest.mark.parametrize("field", [b"", b"Connection: keep-alive\r\n", b"Content-Length: 0\r\n", b"Accept: close\r\n"])
def test_another_request_may_follow_one_that_is_whole(field: bytes) -> None:
    assert may_be_followed(b"GET / HTTP/1.1\r\n" + HOST + field + b"\r\n")


@pytest.mark.parametrize(
    "field",
    [
        b"Connection: close\r\n",
        b"Connection: Keep-Alive, CLOSE\r\n",
        b"Content-Length: 1\r\n",
        b"Content-Length: 00\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    ],
)
def test_none_may_follow_one_that_says_so_or_has_more_to_it(field: bytes) -> None:
    assert not may_be_followed(b"POST / HTTP/1.1\r\n" + HOST + field + b"\r\n")


def test_none_may_follow_one_of_http_1_0() -> None:
    assert not may_be_followed(b"GET / HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n")


@pytest.mark.parametrize("behind", [PLAIN, b"G", b"rubbish\r\n", b"\x00", b"\x16\x03\x01"])
def test_none_may_follow_one_that_came_with_something_behind_it(behind: bytes) -> None:
    assert not may_be_followed(PLAIN + behind)
