"""WebSocket frames (RFC 6455, section 5) decoded and encoded in place, in a buffer, without any I/O."""

from __future__ import annotations

import struct
from typing import Final

from websockets.exceptions import ProtocolError
from websockets.frames import Close

from wsgui.bridge.buffer import START

try:  # the C extension, 10 times the speed; websockets.utils has the one in Python only
    from websockets.speedups import apply_mask
except ImportError:  # a websockets built without a compiler
    from websockets.utils import apply_mask

CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_STATUS_RECEIVED: Final = 1005
ABNORMAL_CLOSURE: Final = 1006
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
INTERNAL_ERROR: Final = 1011

MAX_CONTROL_PAYLOAD: Final = 125
_OPCODES: Final = frozenset({0x0, 0x1, 0x2, CLOSE, PING, PONG})
_FINAL_BINARY: Final = 0x82
_UNMASK_PIECE: Final = 65536
"""Unmasking makes a copy; pieces of this size stay in the processor's cache."""

_unpack_short = struct.Struct("!BBH4s").unpack_from
_unpack_long = struct.Struct("!Q4s").unpack_from
_pack_medium = struct.Struct("!BBH").pack_into
_pack_large = struct.Struct("!BBQ").pack_into


def write_header(data: bytearray, length: int) -> int:
    """Write the header of an unmasked final binary frame in front of its payload.

    Args:
        data: A buffer with the payload at `data[START:START + length]`.
        length: Payload length in bytes.

    Returns:
        The offset at which the frame now begins (RFC 6455, section 5.2: the shortest length encoding).
    """
    if length < 126:
        data[START - 2] = _FINAL_BINARY
        data[START - 1] = length
        return START - 2
    if length < 65536:
        _pack_medium(data, START - 4, _FINAL_BINARY, 126, length)
        return START - 4
    _pack_large(data, START - 10, _FINAL_BINARY, 127, length)
    return START - 10


def control_frame(opcode: int, payload: bytes = b"") -> bytes:
    """Return an unmasked control frame; `payload` is at most 125 bytes (RFC 6455, section 5.5)."""
    return bytes((0x80 | opcode, len(payload))) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """Return an unmasked Close frame; a reason longer than 123 bytes of UTF-8 is cut at a character."""
    text = reason.encode()[: MAX_CONTROL_PAYLOAD - 2].decode(errors="ignore").encode()
    return control_frame(CLOSE, code.to_bytes(2, "big") + text)


class FrameDecoder:
    """Turns a client's masked frames into the bytes they carry, in place.

    Payload of text, binary and continuation frames is passed on as it arrives, whatever the message's boundaries: a
    tunnel carries bytes. Memory never depends on an announced length: between two reads only an incomplete header
    or control frame is kept.

    After a `decode` that met control frames, `controls` holds (opcode, payload) of pings and pongs in their order,
    and the caller empties it. After a Close frame `closed` holds it; after a violation `failure` holds what to answer.
    Nothing after either is looked at. `eventful` is true when any of the three has something.
    """

    __slots__ = ("_fragmented", "_left", "_mask", "_rest", "closed", "controls", "eventful", "failure")

    def __init__(self) -> None:
        self._left = 0  # bytes of the current data frame still to come
        self._mask: bytes | bytearray = b""  # rotated to the next byte to come
        self._rest = b""  # an incomplete header or control frame
        self._fragmented = False  # within a message whose final frame has not begun
        self.controls: list[tuple[int, bytes]] = []
        self.closed: Close | None = None
        self.failure: Close | None = None
        self.eventful = False

    def decode(self, data: bytearray, view: memoryview, end: int) -> int:
        """Decode what lies at `data[START:end]`; payload moves left, over the headers.

        Args:
            data: The buffer, with at least `SLACK` bytes behind `end`; its gap in front of START is overwritten.
            view: A memoryview of the whole of `data`.
            end: Offset behind the last byte received.

        Returns:
            The offset behind the payload, which now lies at `data[START:returned]`.
        """
        out = pos = START
        if self._left:
            stop = START + self._left
            mask = self._mask
            if stop > end:
                _unmask(view, START, START, end, mask)
                count = end - START
                self._left -= count
                turn = count & 3
                if turn:
                    self._mask = mask[turn:] + mask[:turn]
                return end
            out = pos = _unmask(view, START, START, stop, mask)
            self._left = 0
        elif self._rest:
            pos = START - len(self._rest)
            data[pos:START] = self._rest
            self._rest = b""
        if self.failure is not None or self.closed is not None:
            return START
        while pos < end:
            first, second, length, mask = _unpack_short(data, pos)
            if second < 254:
                if second < 128:
                    if end - pos < 2:
                        break
                    return self._fail(out, "a client's frames must be masked")
                length = second & 127
                payload = pos + 6
                mask = data[pos + 2 : payload]
            elif second == 254:
                payload = pos + 8
            else:
                length, mask = _unpack_long(data, pos + 2)
                payload = pos + 14
            if payload > end:
                if end - pos > 1 and first & 0x0F not in _OPCODES:
                    return self._fail(out, "invalid opcode")
                break
            # One comparison for the frame that nearly all are: a final binary one outside of a fragmented message.
            if first != _FINAL_BINARY or self._fragmented:
                opcode = first & 0x0F
                if opcode not in _OPCODES:
                    return self._fail(out, "invalid opcode")
                if first & 0x70:
                    return self._fail(out, "reserved bits must be 0")
                if opcode & 0x08:
                    if second > 253:
                        return self._fail(out, "control frame too long")
                    if first < 0x80:
                        return self._fail(out, "fragmented control frame")
                    stop = payload + length
                    if stop > end:
                        break
                    if self._control(opcode, apply_mask(view[payload:stop], mask)):
                        return out
                    pos = stop
                    continue
                if (opcode == 0) != self._fragmented:
                    return self._fail(
                        out, "continuation without a message" if opcode == 0 else "expected a continuation"
                    )
                self._fragmented = first < 0x80
            if second > 253 and (length < 126 or (second == 255 and (length < 65536 or length >> 63))):
                return self._fail(out, "length not encoded in the fewest bytes")
            stop = payload + length
            if stop <= end:
                if length <= _UNMASK_PIECE:
                    view[out : out + length] = apply_mask(view[payload:stop], mask)
                    out += length
                else:
                    out = _unmask(view, out, payload, stop, mask)
                pos = stop
            else:
                count = end - payload
                if count:
                    out = _unmask(view, out, payload, end, mask)
                turn = count & 3
                self._left = stop - end
                self._mask = mask[turn:] + mask[:turn]
                return out
        if pos < end:
            self._rest = bytes(view[pos:end])
        return out

    def _control(self, opcode: int, payload: bytes) -> bool:
        """Note a whole control frame; true when nothing after it counts."""
        self.eventful = True
        if opcode != CLOSE:
            self.controls.append((opcode, payload))
            return False
        try:
            self.closed = Close.parse(payload)
        except ProtocolError:
            self.failure = Close(PROTOCOL_ERROR, "invalid close code")
        except UnicodeDecodeError:
            self.failure = Close(INVALID_DATA, "close reason is not UTF-8")
        else:
            if self._fragmented:  # as websockets has it: what the message was to be is not known
                self.failure, self.closed = Close(PROTOCOL_ERROR, "closed within a message"), None
        return True

    def _fail(self, out: int, reason: str) -> int:
        self.failure = Close(PROTOCOL_ERROR, reason)
        self.eventful = True
        return out


def _unmask(view: memoryview, out: int, start: int, stop: int, mask: bytes | bytearray) -> int:
    """Unmask `view[start:stop]` to `out` (≤ start); return the offset behind it."""
    while stop - start > _UNMASK_PIECE:
        view[out : out + _UNMASK_PIECE] = apply_mask(view[start : start + _UNMASK_PIECE], mask)
        start += _UNMASK_PIECE
        out += _UNMASK_PIECE
    behind = out + stop - start
    view[out:behind] = apply_mask(view[start:stop], mask)
    return behind
