"""The frame codec, fed with bytes."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.frames import PING, PONG, FrameDecoder, close_frame, control_frame, write_header

BUFFER = ReadBuffer(1 << 20)
MASK = bytes((0x37, 0xFA, 0x21, 0x3D))


@dataclasses.dataclass
class Decoded:
    """What came out of a decoder for a whole input."""

    payload: bytes
    controls: list[tuple[int, bytes]]
    closed: Close | None
    failure: Close | None


def decode(*reads: bytes) -> Decoded:
    """Feed `reads` to a new decoder as a relay would."""
    decoder = FrameDecoder()
    payload = b""
    controls: list[tuple[int, bytes]] = []
    for read in reads:
        for offset in range(0, len(read), BUFFER.size):
            piece = read[offset : offset + BUFFER.size]
            end = START + len(piece)
            BUFFER.data[START:end] = piece
            behind = decoder.decode(BUFFER.data, BUFFER.view, end)
            payload += bytes(BUFFER.view[START:behind])
            controls += decoder.controls
            assert decoder.eventful or not decoder.controls
            decoder.controls.clear()
            decoder.eventful = False
    return Decoded(payload, controls, decoder.closed, decoder.failure)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes | None = MASK, rsv: int = 0) -> bytes:
    """A client's frame, as RFC 6455, section 5.2 draws it."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if mask is not None else 0
    length = len(payload)
    if length < 126:
        head = bytes((first, bit | length))
    elif length < 65536:
        head = bytes((first, bit | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + length.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def splits(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def in_websockets(data: bytes) -> tuple[bytes, list[tuple[int, bytes]], tuple[int, str] | None, int | None, int]:
    """What `websockets`' own parser makes of it: payload, controls, close, code it fails with, bytes left over."""
    protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=None)
    protocol.receive_data(data)
    payload = b""
    controls: list[tuple[int, bytes]] = []
    close = None
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.PING, Opcode.PONG):
            controls.append((int(event.opcode), bytes(event.data)))
        elif event.opcode is Opcode.CLOSE:
            parsed = Close.parse(bytes(event.data))
            close = (int(parsed.code), parsed.reason)
        else:
            payload += event.data
    failed = None
    if protocol.parser_exc is not None and protocol.close_sent is not None:
        failed = int(protocol.close_sent.code)
    return payload, controls, close, failed, len(protocol.reader.buffer)


FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 2, 2, 2, 8, 9, 10, 3, 11]),
    st.one_of(st.binary(max_size=140), st.binary(min_size=3, max_size=3).map(lambda b: b * 30000)),
    fin=st.booleans(),
    mask=st.one_of(st.binary(min_size=4, max_size=4), st.just(MASK), st.none()),
    rsv=st.sampled_from([0] * 9 + [1]),
)
GOOD_FRAMES = st.builds(
    frame,
    st.sampled_from([2, 2, 2, 9, 10]),
    st.one_of(st.binary(max_size=125), st.binary(min_size=1, max_size=9).map(lambda b: b * 13)),
    mask=st.binary(min_size=4, max_size=4),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAMES | st.binary(max_size=20), max_size=8), st.lists(st.integers(0, 200000), max_size=20))
def test_any_split_of_the_input_gives_the_same_result(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    whole, split = decode(data), decode(*splits(data, cuts))
    assert split.payload == whole.payload
    assert split.controls == whole.controls
    assert split.closed == whole.closed
    assert split.failure == whole.failure


@settings(max_examples=150, deadline=None)
@given(st.lists(GOOD_FRAMES, max_size=10))
def test_bytes_one_by_one_give_the_same_result(frames: list[bytes]) -> None:
    data = b"".join(frames)
    assert decode(*(data[i : i + 1] for i in range(len(data)))) == decode(data)


@settings(max_examples=500, deadline=None)
@given(st.lists(FRAMES, max_size=8).map(b"".join) | st.binary(max_size=60))
def test_it_agrees_with_the_parser_of_websockets(data: bytes) -> None:
    ours = decode(data)
    payload, controls, close, failed, left = in_websockets(data)
    if ours.failure is not None and failed is None:
        # We refuse a frame by its head; websockets waits for its end first. Complete it, whatever length it announces.
        # (Lengths that are not in the fewest bytes are refused by us only: RFC 6455, section 5.2, which it lets pass.)
        if ours.failure.reason == "length not encoded in the fewest bytes":
            assert ours.payload[: len(payload)] == payload[: len(ours.payload)]
            return
        payload, controls, close, failed, left = in_websockets(data + bytes(131072))
    assert ours.controls == controls
    if failed is not None:
        assert ours.failure is not None
        assert ours.failure.code == failed
        assert ours.payload == payload
    elif close is not None:
        assert ours.closed is not None
        assert (int(ours.closed.code), ours.closed.reason) == close
        assert ours.payload == payload
    else:
        assert ours.failure is None
        assert ours.closed is None
        # Bytes of a frame that is not complete are ours already, and still in websockets' buffer.
        assert ours.payload[: len(payload)] == payload
        assert len(ours.payload) - len(payload) <= left


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4), st.integers(0, 3))
def test_payload_is_unmasked_wherever_a_read_ends(payload: bytes, mask: bytes, cut: int) -> None:
    data = frame(2, payload, mask=mask)
    assert decode(data[: len(data) - cut], data[len(data) - cut :]).payload == payload


def test_a_frame_larger_than_the_buffer_is_passed_on_as_it_arrives() -> None:
    payload = bytes(range(256)) * 12000
    assert decode(frame(2, payload)).payload == payload


def test_text_and_fragments_are_bytes_like_all_others() -> None:
    data = frame(1, b"a", fin=False) + frame(PING, b"!") + frame(0, b"b", fin=False) + frame(0, b"c") + frame(2, b"d")
    assert decode(data) == Decoded(b"abcd", [(PING, b"!")], None, None)


def test_text_that_is_no_utf_8_is_passed_on() -> None:
    assert decode(frame(1, b"\xff\xfe")).payload == b"\xff\xfe"


def test_nothing_after_a_close_counts() -> None:
    decoded = decode(frame(2, b"a") + frame(8, b"\x03\xe8bye") + frame(2, b"b") + frame(PING, b"c"), frame(2, b"d"))
    assert decoded.payload == b"a"
    assert decoded.closed == Close(1000, "bye")
    assert decoded.controls == []


def test_memory_never_depends_on_an_announced_length() -> None:
    decoder = FrameDecoder()
    head = bytes((0x82, 0xFF)) + (1 << 62).to_bytes(8, "big") + MASK
    BUFFER.data[START : START + len(head)] = head
    assert decoder.decode(BUFFER.data, BUFFER.view, START + len(head)) == START
    assert decoder.failure is None


def long_length(value: int) -> bytes:
    return bytes((0x82, 0xFF)) + value.to_bytes(8, "big") + MASK


VIOLATIONS = {
    "unmasked data": (frame(2, b"x", mask=None), 1002),
    "unmasked ping": (frame(9, b"", mask=None), 1002),
    "rsv1": (frame(2, b"x", rsv=4), 1002),
    "rsv2": (frame(2, b"x", rsv=2), 1002),
    "rsv3": (frame(2, b"x", rsv=1), 1002),
    "rsv on a ping": (frame(9, b"x", rsv=1), 1002),
    **{f"opcode {opcode:#x}": (frame(opcode, b"x"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "fragmented ping": (frame(9, b"x", fin=False), 1002),
    "fragmented close": (frame(8, b"", fin=False), 1002),
    "ping of 126 bytes": (frame(9, bytes(126)), 1002),
    "close of 65536 bytes": (frame(8, bytes(65536)), 1002),
    "continuation of nothing": (frame(0, b"x"), 1002),
    "continuation after a whole message": (frame(2, b"x") + frame(0, b"x"), 1002),
    "new message inside a message": (frame(2, b"x", fin=False) + frame(2, b"x"), 1002),
    "16-bit length of 125": (bytes((0x82, 0xFE, 0, 125)) + MASK, 1002),
    "64-bit length of 65535": (long_length(65535), 1002),
    "length with the highest bit": (long_length(1 << 63), 1002),
    "close of one byte": (frame(8, b"\x03"), 1002),
    **{
        f"close code {code}": (frame(8, code.to_bytes(2, "big")), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "close reason that is no UTF-8": (frame(8, b"\x03\xe8\xff"), 1007),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_every_violation_has_its_close_code(name: str) -> None:
    data, code = VIOLATIONS[name]
    decoded = decode(frame(2, b"before") + data)
    assert decoded.failure is not None
    assert decoded.failure.code == code
    assert decoded.failure.reason
    assert decoded.payload.startswith(b"before")


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes_that_may_be_sent_are_taken(code: int) -> None:
    assert decode(frame(8, code.to_bytes(2, "big"))).closed == Close(code, "")


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 1 << 20])
def test_a_header_in_the_gap_makes_a_frame_that_websockets_reads(length: int) -> None:
    payload = bytes(length)
    BUFFER.data[START : START + length] = payload
    start = write_header(BUFFER.data, length)
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(bytes(BUFFER.view[start : START + length]))
    (event,) = client.events_received()
    assert isinstance(event, Frame)
    assert (event.opcode, event.fin, bytes(event.data)) == (Opcode.BINARY, True, payload)


def test_a_close_reason_is_cut_at_a_character() -> None:
    data = close_frame(1011, "ü" * 100)
    assert data[:2] == bytes((0x88, 2 + 122))
    assert data[4:].decode() == "ü" * 61


def test_a_control_frame_is_as_the_rfc_draws_it() -> None:
    assert control_frame(PONG, b"Hello") == b"\x8a\x05Hello"


def test_unmasking_is_the_c_extension() -> None:
    """websockets.utils has only the Python one, at five times the CPU."""
    from wsgui.bridge import frames

    assert type(frames.apply_mask).__name__ == "builtin_function_or_method"
