"""The name in a TLS client's first message: as ssl writes it, cut anywhere, damaged, and missing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.bridge import client_hello
from wsgui.bridge.client_hello import MAX_HELLO_BYTES, Hello, chosen_context, server_name
from wsgui.certificates.port import PortContexts, Shown


def hello(name: str | None = "office.lab", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What Python's ssl says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.maximum_version = newest
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(to_client, to_server, server_hostname=name).do_handshake()
    return to_server.read()


def in_records(data: bytes, size: int) -> bytes:
    """The same message in records of `size` bytes at most."""
    body = data[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(data[:3] + len(part).to_bytes(2, "big") + part for part in parts)


HELLO = hello()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("name", "read"), [("office.lab", "office.lab"), ("a", "a"), ("bücher.lab", "xn--bcher-kva.lab"), (None, "")]
)
def test_a_client_s_name_is_read(name: str | None, read: str, newest: ssl.TLSVersion) -> None:
    assert server_name(hello(name, newest)) == read


def test_an_address_is_no_name() -> None:
    assert server_name(hello("127.0.0.1")) == ""


@given(cut=st.integers(0, len(HELLO) - 1))
def test_of_a_part_it_is_said_that_more_is_needed(cut: int) -> None:
    assert server_name(HELLO[:cut]) is None


@given(size=st.integers(1, len(HELLO)), cut=st.integers(0, 5000))
def test_a_message_may_come_in_many_records(size: int, cut: int) -> None:
    data = in_records(HELLO, size)
    assert server_name(data) == "office.lab"
    assert server_name(data + b"\x17\x03\x03\x00\x01x") == "office.lab"
    if cut < len(data):
        assert server_name(data[:cut]) is None


@given(data=st.binary(max_size=300))
def test_anything_else_has_no_name_and_breaks_nothing(data: bytes) -> None:
    assert server_name(data) in (None, "")


@given(at=st.integers(0, len(HELLO) - 1), value=st.integers(0, 255))
def test_a_damaged_message_breaks_nothing(at: int, value: int) -> None:
    server_name(HELLO[:at] + bytes([value]) + HELLO[at + 1 :])


@given(size=st.integers(1, 60), step=st.integers(1, 90))
def test_a_message_that_comes_in_slowly_is_read_as_the_whole_one(size: int, step: int) -> None:
    data = in_records(HELLO, size)
    slowly = Hello()
    assert all(slowly.name(data[:some]) is None for some in range(0, len(data) - size - 5, step))
    assert slowly.name(data) == "office.lab"


class Looked(bytes):
    """Counts how often somebody looks at a part of it."""

    looks = 0

    def __getitem__(self, part: Any) -> Any:
        Looked.looks += 1
        return super().__getitem__(part)


def test_what_has_been_looked_at_is_not_read_again_while_a_client_makes_us_wait() -> None:
    data = Looked(in_records(HELLO[:5] + b"\x01\x00\xff\xff" + bytes(9000), 1))
    endless = Hello()
    assert endless.name(data) is None
    before = Looked.looks
    assert endless.name(data) is None
    assert Looked.looks == before


def test_an_endless_message_is_waited_for_no_longer_than_what_is_looked_at() -> None:
    endless = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(0x4000 - 4)
    assert server_name(endless) is None
    assert server_name(endless * 5) == ""
    assert server_name(b"\x16\x03\x01\x00\x00" * 3) == ""
    assert len(endless * 5) >= MAX_HELLO_BYTES


# Which context that gives


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as ours:
        theirs, _ = listening.accept()
        with theirs:
            theirs.setblocking(False)
            yield ours, theirs


def contexts() -> PortContexts:
    names = (("first.lab",), ("office.lab", "127.0.0.1"))
    return PortContexts([Shown(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), names=each) for each in names])


async def test_the_context_is_chosen_by_the_name_without_taking_anything_from_the_socket() -> None:
    both = contexts()
    with connected() as (ours, theirs):
        choosing = asyncio.ensure_future(chosen_context(both, theirs))
        for at in range(0, len(HELLO), 100):
            await asyncio.sleep(0)
            assert not choosing.done()
            ours.sendall(HELLO[at : at + 100])
        assert await choosing is both.shown[1].context
        assert theirs.recv(MAX_HELLO_BYTES) == HELLO


async def test_without_a_name_it_is_chosen_by_the_address() -> None:
    both = contexts()
    with connected() as (ours, theirs):
        ours.sendall(hello(None))
        assert await chosen_context(both, theirs) is both.shown[1].context


async def test_a_client_that_says_no_more_gets_what_one_without_a_name_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_hello, "PATIENCE_SECONDS", 0.05)
    both = contexts()
    with connected() as (ours, theirs):
        ours.sendall(HELLO[:50])
        assert await chosen_context(both, theirs) is both.shown[1].context


async def test_of_one_certificate_there_is_nothing_to_choose() -> None:
    one = PortContexts(contexts().shown[:1])
    with connected() as (_, theirs):
        assert await chosen_context(one, theirs) is one.default
