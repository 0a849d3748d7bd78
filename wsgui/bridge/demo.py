"""The target inside the program (``demo:``): echo, a ticking clock, a source and a sink of bytes.

It speaks a protocol of its own over a byte stream, so a tunnel treats it like any other target. Each frame is one byte
kind, four bytes length (unsigned, big-endian) and as many bytes payload; numbers are unsigned and big-endian:

    kind   from    payload
    HELLO  target  the text "wsgui demo 1", once, first
    CLOCK  target  8 bytes: milliseconds since 1970-01-01 UTC; at once, then each second on the second
    ECHO   client  up to 64 KiB of anything; the same frame comes back
    ASK    client  8 bytes: so many more bytes are wanted
    STOP   client  empty: no more of what was asked for
    DATA   target  bytes that were asked for, up to 64 KiB a frame
    SINK   client  up to 16 MiB of anything, thrown away as it comes
    TAKEN  target  8 bytes: how many bytes of SINK payload have come so far
    ERROR  target  a sentence; then the connection ends

What is never assembled is never limited by its announced length: SINK payloads are counted as they arrive, the others
are limited to what a person's page needs. A slow reader stops the source, and then its own requests are not read.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, cast

GREETING: Final = b"wsgui demo 1"
HEAD: Final = struct.Struct("!BI")
NUMBER: Final = struct.Struct("!Q")
MAX_ECHO_BYTES: Final = 64 * 1024
MAX_SINK_BYTES: Final = 16 * 1024 * 1024
DATA_BYTES: Final = 64 * 1024

_HIGH_WATER: Final = 256 * 1024
_LOW_WATER: Final = 64 * 1024
# Replies may go on for a while after the source was stopped, so that a download does not hold an upload back.
_MOST_UNSENT: Final = 2 * _HIGH_WATER
# A loop's timers may be a millisecond early, and the same second would then be told twice.
_LATE_SECONDS: Final = 0.005
# A fast reader must not keep the loop from everybody else.
_FRAMES_A_TURN: Final = 4


class Kind(IntEnum):
    """What a frame is; see the table above."""

    HELLO = 1
    CLOCK = 2
    ECHO = 3
    ASK = 4
    STOP = 5
    DATA = 6
    SINK = 7
    TAKEN = 8
    ERROR = 9


_LENGTHS: Final = {
    Kind.ECHO: (0, MAX_ECHO_BYTES),
    Kind.ASK: (NUMBER.size, NUMBER.size),
    Kind.STOP: (0, 0),
    Kind.SINK: (0, MAX_SINK_BYTES),
}
"""Shortest and longest payload of what a client may send."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole frame from the client."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Swallowed:
    """So many bytes of SINK payload came and were thrown away; 0 for an empty frame."""

    size: int


@dataclass(frozen=True, slots=True)
class Violation:
    """The client broke the protocol; nothing of it is read after this."""

    sentence: str


Event = Frame | Swallowed | Violation


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """Return one frame as bytes."""
    return HEAD.pack(kind, len(payload)) + payload


class FrameReader:
    """Makes events of a client's bytes, however they were split; holds at most one ECHO frame. Sans-I/O."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._to_swallow = 0
        self._broken = False

    def feed(self, data: bytes) -> list[Event]:
        """Return what `data` completes, in order."""
        events: list[Event] = []
        if self._broken:
            return events
        self._buffer += data
        buffer, at, end = self._buffer, 0, len(self._buffer)
        while True:
            if self._to_swallow:
                size = min(self._to_swallow, end - at)
                if size:
                    events.append(Swallowed(size))
                self._to_swallow -= size
                at += size
            if end - at < HEAD.size:
                break
            kind, length = HEAD.unpack_from(buffer, at)
            shortest, longest = _LENGTHS.get(kind, (0, -1))
            if not shortest <= length <= longest:
                self._broken = True
                self._buffer.clear()
                problem = f"length {length}" if kind in _LENGTHS else "kind"
                events.append(Violation(f"Frame kind {kind} of this {problem} is not understood."))
                return events
            start = at + HEAD.size
            if kind == Kind.SINK:
                self._to_swallow = length
                at = start
                if not length:
                    events.append(Swallowed(0))
            elif end - start >= length:
                events.append(Frame(Kind(kind), bytes(buffer[start : start + length])))
                at = start + length
            else:
                break
        del buffer[:at]
        return events


class DemoProtocol(asyncio.Protocol):
    """Serves one connection; give it to ``loop.create_connection(DemoProtocol, sock=…)``.

    Args:
        now: The time in seconds since 1970, for CLOCK.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = 0
        self._swallowed = 0
        self._writable = True
        self._pumping = False
        self._tick_due = False
        self._block = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and start the clock."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER, low=_LOW_WATER)
        self._transport.write(frame(Kind.HELLO, GREETING))
        self._tick()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything go."""
        self._transport = None
        self._wanted = 0
        if self._timer is not None:
            self._timer.cancel()

    def eof_received(self) -> bool:
        """End with the client, after what was said is delivered."""
        self._wanted = 0
        return False

    def data_received(self, data: bytes) -> None:
        """Do what the client asks."""
        transport, swallowed = self._transport, False
        if transport is None or transport.is_closing():
            return
        for event in self._reader.feed(data):
            if isinstance(event, Swallowed):
                self._swallowed += event.size
                swallowed = True
            elif isinstance(event, Violation):
                self._wanted = 0
                transport.write(frame(Kind.ERROR, event.sentence.encode()))
                transport.close()
                return
            elif event.kind == Kind.ECHO:
                transport.write(frame(Kind.ECHO, event.payload))
            elif event.kind == Kind.ASK:
                self._wanted += NUMBER.unpack(event.payload)[0]
                self._pump()
            else:
                self._wanted = 0
        if swallowed:  # once for all of them: many tiny frames may not become more bytes than they were
            transport.write(frame(Kind.TAKEN, NUMBER.pack(self._swallowed)))
        if transport.get_write_buffer_size() > _MOST_UNSENT:
            transport.pause_reading()

    def pause_writing(self) -> None:
        """Hold the source, as the client does not keep up."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        if self._transport is not None:
            self._transport.resume_reading()
            if self._tick_due:
                self._tell_time()
        self._pump()

    def _pump(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._pump_on()

    def _pump_on(self) -> None:
        self._pumping = False
        for _ in range(_FRAMES_A_TURN):
            if self._transport is None or not self._writable or not self._wanted:
                return
            if not self._block:
                self._block = os.urandom(DATA_BYTES)  # nothing on the way can squeeze it
            size = min(self._wanted, DATA_BYTES)
            self._wanted -= size
            self._transport.write(frame(Kind.DATA, self._block[:size]))
        self._pumping = True
        asyncio.get_running_loop().call_soon(self._pump_on)

    def _tick(self) -> None:
        if self._transport is None:
            return
        if self._writable:
            self._tell_time()
        else:  # a clock that nobody reads would fill the memory, slowly: one tick waits, the others are left out
            self._tick_due = True
        self._timer = asyncio.get_running_loop().call_later(1 + _LATE_SECONDS - self._now() % 1, self._tick)

    def _tell_time(self) -> None:
        self._tick_due = False
        if self._transport is not None:
            self._transport.write(frame(Kind.CLOCK, NUMBER.pack(max(0, int(self._now() * 1000)))))
