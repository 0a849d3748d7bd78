"""websockify's recordings: the same text for the same bytes, and old or broken-off ones read too."""

from __future__ import annotations

import contextlib
import io
import random
import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from websockify.websockifyserver import WebSockifyRequestHandler

from tests.support.programs import end
from tests.support.raw import tcp_target
from tests.support.waiting import until
from wsgui.errors import WsguiError
from wsgui.recording.exchange.novnc import END, HEADER, Chunk, chunk_line, read, recording

CHUNKS = st.lists(st.builds(Chunk, st.booleans(), st.integers(0, 10**9), st.binary(max_size=60)), max_size=8)
GREETING = b"RFB 003.008\n"


class Handler(WebSockifyRequestHandler):
    """websockify's own recording code, without a socket."""

    def __init__(self, incoming: list[bytes]) -> None:
        self.rec = io.StringIO()
        self.start_time = int(time.time() * 1000)
        self.send_parts: list[bytes] = []
        self.traffic = False
        self.request: Any = self
        self.incoming = incoming

    def sendmsg(self, data: bytes) -> None: ...

    def recvmsg(self) -> bytes:
        return self.incoming.pop(0)

    def pending(self) -> bool:
        return bool(self.incoming)


def lines_of(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


def broken(text: bytes) -> str:
    with pytest.raises(WsguiError) as caught:
        list(read(lines_of(text)))
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("to_client", [True, False])
def test_every_byte_is_written_as_websockifys_own_code_writes_it(to_client: bool) -> None:
    everything = [bytes([value]) for value in range(256)]
    everything += [bytes(range(256)), b"\\'", b"'\\", b"\\\\''", b"\\x41", b""]
    theirs = Handler(list(everything))
    if to_client:
        theirs.send_frames(everything)
    else:
        theirs.recv_frames()
    written = theirs.rec.getvalue().encode("ascii").splitlines(keepends=True)
    ours = [chunk_line(Chunk(to_client, 0, data)) for data in everything]
    assert [line.split(line[1:2], 2)[2] for line in written] == [line.split(line[1:2], 2)[2] for line in ours]
    assert [chunk.data for chunk in read([HEADER, *written])] == everything


@given(CHUNKS)
def test_what_is_written_is_read_back(chunks: list[Chunk]) -> None:
    text = recording(chunks)
    assert text.isascii()
    # websockify's own are told from base64 by their first chunk, so one that looks like it would be taken for it.
    if not chunks or not chunks[0].data.startswith(b"UkZC"):
        assert list(read(lines_of(text))) == chunks


async def test_a_recording_made_by_websockify_is_read_and_written_alike(tmp_path: Path) -> None:
    dice = random.Random(3)
    messages = [bytes(range(256)), b"'\\\n\"", dice.randbytes(5000), b"x"]
    async with tcp_target() as target:
        process, port = websockify(tmp_path / "session", target)
        try:
            await until("websockify", lambda: listens(port))
            async with websockets.connect(f"ws://127.0.0.1:{port}", compression=None) as client:
                for message in messages:
                    await client.send(message)
                    got = b""
                    while len(got) < len(message):
                        got += bytes(await client.recv())  # type: ignore[arg-type]
            await until("the end of the recording", lambda: ended(tmp_path))
        finally:
            end(process)
    (file,) = tmp_path.iterdir()
    theirs = file.read_bytes()
    chunks = list(read(lines_of(theirs)))
    assert b"".join(chunk.data for chunk in chunks if chunk.to_client) == b"".join(messages)
    assert [chunk.data for chunk in chunks if not chunk.to_client] == messages
    assert recording(chunks) == theirs


def test_one_that_was_broken_off_is_read_to_its_last_whole_chunk() -> None:
    chunks = [Chunk(True, 0, GREETING), Chunk(False, 12, b"it's\\"), Chunk(True, 13, b"")]
    text = recording(chunks)
    for cut in range(len(HEADER), len(text)):
        got = list(read(lines_of(text[:cut])))
        assert got == chunks[: len(got)]
        assert len(got) >= text[:cut].count(b",\n")


def test_an_old_one_in_base64_says_so_or_is_known_by_its_greeting() -> None:
    chunks = [Chunk(True, 5, GREETING), Chunk(False, 9, bytes(range(256)))]
    body = b"".join(
        b"'%s%d%s%s',\n" % (mark, chunk.time_ms, mark, b64encode(chunk.data))
        for chunk in chunks
        for mark in (b"{" if chunk.to_client else b"}",)
    )
    for before in (b"", b'var VNC_frame_encoding = "base64";\n', b"var VNC_frame_encoding = 'base64'\n"):
        assert list(read(lines_of(before + HEADER + body + END))) == chunks


def test_one_that_says_it_is_binary_is_never_base64() -> None:
    text = b'var VNC_frame_encoding = "binary";\n' + HEADER + b"'{0{UkZC',\n" + END
    assert list(read(lines_of(text))) == [Chunk(True, 0, b"UkZC")]


def test_lines_of_a_python_repr_are_read() -> None:
    text = HEADER + b'"{1{it\'s",\n' + b"'}2}say \"\\u0041\\t\\0\"',\n" + b"'EOF'\n];\n"
    assert list(read(lines_of(text))) == [Chunk(True, 1, b"it's"), Chunk(False, 2, b'say "A\t\0"')]


def test_line_ends_of_windows_are_read() -> None:
    chunks = [Chunk(True, 0, GREETING)]
    assert list(read(lines_of(recording(chunks).replace(b"\n", b"\r\n")))) == chunks


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", 1),
        (b"#!/bin/sh\n", 1),
        (b"\n\nvar other = [\n", 3),
        (HEADER + b"alert(1),\n", 2),
        (HEADER + b"'{0{x', alert(1),\n", 2),
        (HEADER + b"'{0{x' + alert(1) + '',\n", 2),
        (HEADER + b"'{0}x',\n", 2),
        (HEADER + b"'{-1{x',\n", 2),
        (HEADER + b"'{1e9{x',\n", 2),
        (HEADER + b"'{0{\\q',\n", 2),
        (HEADER + b"'{0{\\x4',\n", 2),
        (HEADER + b"'{0{\\u0100',\n", 2),
        (HEADER + b"'{0{\xc4\x80',\n", 2),
        (HEADER + b"'{0{\xff',\n", 2),
        (HEADER + b"'{0{UkZC!',\n'{1{x',\n", 2),
        (HEADER + END + b"'{0{x',\n", 3),
        (HEADER + b"'{0{x',\nvar VNC_frame_encoding = \"base64\";\n", 3),
    ],
)
def test_what_is_none_is_refused_with_its_line(text: bytes, line: int) -> None:
    assert f"Line {line} " in broken(text)


@given(st.lists(st.binary(max_size=40).map(lambda data: data + b"\n"), max_size=6))
def test_rubbish_is_refused_and_breaks_nothing(lines: list[bytes]) -> None:
    for given_lines in (lines, [HEADER, *lines]):
        with contextlib.suppress(WsguiError):
            list(read(given_lines))


def websockify(file: Path, target: int) -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "websockify", f"--record={file}", f"127.0.0.1:{port}", f"127.0.0.1:{target}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), port


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def ended(folder: Path) -> bool:
    return any(file.read_bytes().endswith(END) for file in folder.iterdir())
