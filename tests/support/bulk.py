"""Bulk both ways at once, checksummed: a WebSocket client and a target that pump at full speed and rest at times.

One who rests does not read until the other side can send no more: so it is the whole chain that was full, and it is
seen that back-pressure reaches from one end to the other.
"""

from __future__ import annotations

import os
import random
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from websockets.utils import apply_mask

from tests.support.raw import KEY, client_frame

MIB = 1 << 20
SIZES = (1, 2, 125, 126, 127, 4096, 65535, 65536, 100_000, 300_000, MIB)
RESTS = (0.2, 0.6)
"""After which part of all it has to read an end rests."""
STUCK_SECONDS = 0.2
"""Who could send nothing for so long is held back."""
DEADLINE_SECONDS = 300.0
_READ = 256 * 1024
_CLOSE, _PING, _PONG = 8, 9, 10


class Gate:
    """What the two ends tell each other: that one is held back because the other rests."""

    def __init__(self) -> None:
        self.stuck = threading.Event()
        """The one who sends in this direction can send no more, or has sent all."""
        self.rests = 0


@dataclass
class Stream:
    """`size` bytes in pieces of random sizes, the same for the same seed; and the checksum of those given out."""

    size: int
    seed: int
    checksum: int = 0

    def __iter__(self) -> Iterator[memoryview]:
        dice = random.Random(self.seed)
        source = memoryview(dice.randbytes(4 * MIB))
        left = self.size
        while left:
            length = min(left, dice.choice(SIZES), len(source))
            start = dice.randrange(len(source) - length + 1)
            piece = source[start : start + length]
            self.checksum = zlib.crc32(piece, self.checksum)
            left -= length
            yield piece


class Sink:
    """Takes bytes and sums them up."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.count = 0
        self.checksum = 0

    @property
    def done(self) -> bool:
        return self.count >= self.size

    def take(self, data: memoryview) -> None:
        self.count += len(data)
        self.checksum = zlib.crc32(data, self.checksum)


@dataclass
class Frames:
    """Takes a server's frames apart, however they are split (RFC 6455, section 5.2); data goes into `sink`."""

    sink: Sink
    pings: list[bytes] = field(default_factory=list)
    closed: int = 0
    _head: bytearray = field(default_factory=bytearray)
    _left: int = 0
    _opcode: int = 0
    _control: bytearray = field(default_factory=bytearray)

    def take(self, data: memoryview) -> None:
        while len(data):
            if not self._left:
                data = self._header(data)
                continue
            part = data[: self._left]
            data = data[len(part) :]
            self._left -= len(part)
            if self._opcode < _CLOSE:
                self.sink.take(part)
            else:
                self._control += part
                if not self._left:
                    self._whole_control()

    def _header(self, data: memoryview) -> memoryview:
        self._head += data[:1]
        length = len(self._head)
        short = self._head[1] if length > 1 else 0
        if length < 2 or length < {126: 4, 127: 10}.get(short, 2):
            return data[1:]
        assert short < 128, "a server's frame must not be masked"
        self._opcode = self._head[0] & 0x0F
        self._left = short if short < 126 else int.from_bytes(self._head[2:], "big")
        self._head.clear()
        self._control.clear()
        if not self._left and self._opcode >= _CLOSE:
            self._whole_control()
        return data[1:]

    def _whole_control(self) -> None:
        if self._opcode == _PING:
            self.pings.append(bytes(self._control))
        elif self._opcode == _CLOSE:
            self.closed = int.from_bytes(self._control[:2], "big") if self._control else 1005


def pump(
    sock: socket.socket,
    outgoing: Iterator[bytes | memoryview],
    take: Callable[[memoryview], None],
    sink: Sink,
    over: Callable[[], bool],
    sends: Gate,
    reads: Gate,
) -> None:
    """Send and read at once, until `over`; rest now and then until the other end is held back.

    Raises:
        AssertionError: The other end closed too early, or it took too long.
    """
    sock.setblocking(False)
    room = memoryview(bytearray(_READ))
    piece: memoryview | None = None
    marks = [int(sink.size * part) for part in RESTS]
    resting = False
    began = sent = time.monotonic()
    while not over():
        now = time.monotonic()
        assert now - began < DEADLINE_SECONDS, f"stalled with {sink.count} of {sink.size} bytes read"
        if piece is None:
            piece = memoryview(following) if (following := next(outgoing, None)) is not None else None
            sent = now
            if piece is None:
                sends.stuck.set()
        if marks and sink.count >= marks[0] and not resting:
            reads.stuck.clear()
            resting = True
        if resting and reads.stuck.is_set():
            resting = False
            reads.rests += 1
            marks.pop(0)
        waiting = isinstance(sock, ssl.SSLSocket) and not resting and sock.pending() > 0
        readable, writable, _ = select.select(
            [] if resting else [sock], [] if piece is None else [sock], [], 0 if waiting else 0.05
        )
        if (readable or waiting) and not _read(sock, room, take):
            assert over(), f"closed after {sink.count} of {sink.size} bytes"
            return
        if piece is not None and writable:
            try:
                piece = piece[sock.send(piece) :]
                sent = now
                if not len(piece):
                    piece = None
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
        if piece is not None and now - sent > STUCK_SECONDS:
            sends.stuck.set()


def _read(sock: socket.socket, room: memoryview, take: Callable[[memoryview], None]) -> bool:
    """Read once; false at the end of the stream."""
    try:
        count = sock.recv_into(room)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return True
    take(room[:count])
    return count > 0


@dataclass(frozen=True)
class Result:
    """What came out at both ends; the checksums of what was sent and of what arrived."""

    to_client: tuple[int, int]
    to_target: tuple[int, int]
    rests: int
    """How often one end read nothing until the other one was held back."""
    closed: int
    """The close code that the client got when all was done."""


def exchange(listening: socket.socket, connect: Callable[[], socket.socket], size: int, seed: int) -> Result:
    """Let `size` bytes go each way between a client and a target that accepts one connection at `listening`.

    Args:
        connect: Makes the client's connection to the tunnel, with TLS if need be.
    """
    down, up = Stream(size, seed), Stream(size, seed + 1)
    at_client, at_target = Sink(size), Sink(size)
    to_client, to_target = Gate(), Gate()
    problems: list[BaseException] = []

    def target() -> None:
        try:
            listening.settimeout(DEADLINE_SECONDS)
            sock, _ = listening.accept()
            with sock:
                pieces = _count_down(iter(down), finished := threading.Event())
                pump(
                    sock,
                    pieces,
                    at_target.take,
                    at_target,
                    lambda: at_target.done and finished.is_set(),
                    to_client,
                    to_target,
                )
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            problems.append(error)

    thread = threading.Thread(target=target, name="bulk target")
    thread.start()
    frames = Frames(at_client)
    try:
        with connect() as sock:
            pump(sock, _masked(up, frames), frames.take, at_client, lambda: frames.closed > 0, to_target, to_client)
    finally:
        thread.join(DEADLINE_SECONDS)
    if problems:
        raise problems[0]
    return Result(
        (down.checksum, at_client.checksum),
        (up.checksum, at_target.checksum),
        to_client.rests + to_target.rests,
        frames.closed,
    )


def _count_down(pieces: Iterator[memoryview], finished: threading.Event) -> Iterator[memoryview]:
    """Give out `pieces`; `finished` is set when one more is asked for, as then the last one is sent."""
    yield from pieces
    finished.set()


def _masked(stream: Stream, frames: Frames) -> Iterator[bytes]:
    """Each piece as a frame of its own, and answers to pings in between."""
    for piece in stream:
        while frames.pings:
            yield client_frame(_PONG, frames.pings.pop())
        mask = os.urandom(4)
        length = len(piece)
        if length < 126:
            head = bytes((0x82, 0x80 | length))
        elif length < 65536:
            head = b"\x82\xfe" + length.to_bytes(2, "big")
        else:
            head = b"\x82\xff" + length.to_bytes(8, "big")
        yield head + mask + apply_mask(piece, mask)


def open_websocket(host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
    """Connect and open a WebSocket, with blocking calls; what comes behind the answer's head stays to be read."""
    sock = socket.create_connection((host, port), timeout=DEADLINE_SECONDS)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname=host)
    sock.sendall(
        f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, head
        head += byte
    assert head.startswith(b"HTTP/1.1 101 "), head
    return sock
