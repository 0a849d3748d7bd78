"""The demo's target answers, keeps time, and stays bounded whatever its client does."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.bridge.demo import (
    GREETING,
    HEAD,
    MAX_ECHO_BYTES,
    MAX_SINK_BYTES,
    DemoProtocol,
    Event,
    Frame,
    FrameReader,
    Kind,
    Swallowed,
    Violation,
    frame,
)

WAIT_SECONDS = 20.0


def merged(events: list[Event]) -> list[Event]:
    """Join neighbouring counts, as they depend on how the bytes were split."""
    joined: list[Event] = []
    for event in events:
        if isinstance(event, Swallowed) and joined and isinstance(joined[-1], Swallowed):
            joined[-1] = Swallowed(joined[-1].size + event.size)
        else:
            joined.append(event)
    return joined


def feed(chunks: list[bytes]) -> list[Event]:
    reader = FrameReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


frames = st.one_of(
    st.binary(max_size=40).map(lambda payload: frame(Kind.ECHO, payload)),
    st.binary(max_size=40).map(lambda payload: frame(Kind.SINK, payload)),
    st.integers(0, 2**64 - 1).map(lambda number: frame(Kind.ASK, struct.pack("!Q", number))),
    st.just(frame(Kind.STOP)),
    st.binary(min_size=1, max_size=12),
)


@given(st.lists(frames, max_size=8), st.data())
def test_any_split_of_the_bytes_gives_the_same_events(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert merged(feed(chunks)) == merged(feed([stream])) == merged(feed([bytes([byte]) for byte in stream]))


def test_frames_come_out_as_they_went_in() -> None:
    stream = frame(Kind.ECHO, b"abc") + frame(Kind.STOP) + frame(Kind.SINK, b"12345") + frame(Kind.SINK) + b"\x03\0"
    assert feed([stream]) == [Frame(Kind.ECHO, b"abc"), Frame(Kind.STOP, b""), Swallowed(5), Swallowed(0)]


@pytest.mark.parametrize(
    "head",
    [
        HEAD.pack(Kind.ECHO, MAX_ECHO_BYTES + 1),
        HEAD.pack(Kind.ECHO, 0xFFFFFFFF),
        HEAD.pack(Kind.SINK, MAX_SINK_BYTES + 1),
        HEAD.pack(Kind.SINK, 0xFFFFFFFF),
        HEAD.pack(Kind.ASK, 7),
        HEAD.pack(Kind.ASK, 9),
        HEAD.pack(Kind.STOP, 1),
        HEAD.pack(Kind.HELLO, 0),
        HEAD.pack(Kind.DATA, 0),
        HEAD.pack(0, 0),
        HEAD.pack(255, 0),
        b"GET / HTTP/1.1\r\n\r\n",
        b"RFB 003.008\n",
    ],
)
def test_a_hostile_head_is_a_violation_before_its_payload_and_ends_the_reading(head: bytes) -> None:
    reader = FrameReader()
    first = reader.feed(frame(Kind.ECHO, b"x") + head)
    assert first[0] == Frame(Kind.ECHO, b"x")
    assert isinstance(first[1], Violation)
    assert len(first) == 2
    assert reader.feed(frame(Kind.ECHO, b"y")) == []


class Client:
    """The other end of the socketpair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def next(self) -> tuple[Kind, bytes]:
        kind, length = HEAD.unpack(await self.reader.readexactly(HEAD.size))
        return Kind(kind), await self.reader.readexactly(length)

    async def next_of(self, *kinds: Kind) -> tuple[Kind, bytes]:
        while True:
            got = await self.next()
            if got[0] in kinds:
                return got

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@pytest.fixture
async def protocol() -> DemoProtocol:
    return DemoProtocol()


@pytest.fixture
async def client(protocol: DemoProtocol) -> AsyncIterator[Client]:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    await loop.create_connection(lambda: protocol, sock=theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    async with asyncio.timeout(WAIT_SECONDS):
        yield Client(reader, writer)
    writer.close()


async def test_it_greets_and_tells_the_time_at_once_and_each_second(client: Client) -> None:
    assert await client.next() == (Kind.HELLO, GREETING)
    kind, payload = await client.next()
    assert kind == Kind.CLOCK
    assert abs(int.from_bytes(payload) / 1000 - time.time()) < 5
    _, first = await client.next_of(Kind.CLOCK)
    _, second = await client.next_of(Kind.CLOCK)
    assert int.from_bytes(first) // 1000 < int.from_bytes(second) // 1000


async def test_it_echoes_the_largest_and_the_empty(client: Client) -> None:
    for payload in (b"", b"x", b"\x00" * MAX_ECHO_BYTES):
        await client.send(frame(Kind.ECHO, payload))
        assert await client.next_of(Kind.ECHO) == (Kind.ECHO, payload)


@pytest.mark.parametrize("wanted", [0, 1, 65_536, 65_537, 20_000_000])
async def test_exactly_what_was_asked_for_comes(client: Client, wanted: int) -> None:
    await client.send(frame(Kind.ASK, struct.pack("!Q", wanted)))
    received = 0
    while received < wanted:
        received += len((await client.next_of(Kind.DATA))[1])
    assert received == wanted
    await client.send(frame(Kind.ECHO, b"end"))
    assert (await client.next_of(Kind.DATA, Kind.ECHO))[0] == Kind.ECHO


async def test_stop_ends_an_endless_wish_and_another_can_follow(client: Client) -> None:
    await client.send(frame(Kind.ASK, struct.pack("!Q", 2**64 - 1)) * 2)
    await client.next_of(Kind.DATA)
    await client.send(frame(Kind.STOP) + frame(Kind.ECHO, b"end"))
    await client.next_of(Kind.ECHO)
    await client.send(frame(Kind.ASK, struct.pack("!Q", 7)))
    while len((await client.next_of(Kind.DATA))[1]) != 7:
        pass


async def test_what_is_sunk_is_counted(client: Client) -> None:
    total = 0
    for size in (0, 1, 1_000_000, 5):
        await client.send(frame(Kind.SINK, b"s" * size))
        total += size
        while int.from_bytes((await client.next_of(Kind.TAKEN))[1]) < total:
            pass


async def test_a_violation_is_answered_with_a_sentence_and_the_end(client: Client) -> None:
    await client.send(b"GET / HTTP/1.1\r\n\r\n")
    _, sentence = await client.next_of(Kind.ERROR)
    assert b"not understood" in sentence
    assert await client.reader.read() == b""


async def test_the_clients_end_of_stream_ends_it_after_its_answers(client: Client) -> None:
    await client.send(frame(Kind.ECHO, b"last"))
    client.writer.write_eof()
    assert await client.next_of(Kind.ECHO) == (Kind.ECHO, b"last")
    assert await client.reader.read() == b""


class Deaf(asyncio.Transport):
    """A transport whose peer never reads, as a slow client's looks to the protocol."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = 0
        self.high = 0
        self.reading = True
        self.protocol: DemoProtocol | None = None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        over = self.unsent > self.high
        self.unsent += len(data)
        if self.unsent > self.high and not over:
            assert self.protocol is not None
            self.protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("flood", [frame(Kind.ECHO, b"x" * 1000) * 64, frame(Kind.ECHO) * 13_000, frame(Kind.SINK)])
async def test_a_client_that_never_reads_is_not_read_and_fills_nothing(protocol: DemoProtocol, flood: bytes) -> None:
    transport = Deaf()
    transport.protocol = protocol
    protocol.connection_made(transport)
    protocol.data_received(frame(Kind.ASK, struct.pack("!Q", 2**64 - 1)))
    for _ in range(100):
        await asyncio.sleep(0)
    assert transport.unsent < 400_000
    for _ in range(100_000):
        if not transport.reading:
            break
        protocol.data_received(flood)
    sent = transport.unsent
    for _ in range(100):
        await asyncio.sleep(0)
    assert sent < 700_000
    assert transport.unsent == sent
    transport.unsent = 0
    protocol.resume_writing()
    assert transport.reading
    assert transport.unsent > 0
    protocol.connection_lost(None)


async def test_the_clock_goes_on_while_a_download_keeps_the_connection_busy(client: Client) -> None:
    await client.send(frame(Kind.ASK, struct.pack("!Q", 2**64 - 1)))
    times = [int.from_bytes((await client.next_of(Kind.CLOCK))[1]) // 1000 for _ in range(3)]
    assert times[0] < times[2]
