"""Recordings on disk: whole in every way of ending, and never in a tunnel's way."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from wsgui.recording.exchange.novnc import END, HEADER, Chunk, chunk_line, read
from wsgui.recording.novnc_recorder import MAX_WAITING_BYTES, NoVncRecorder
from wsgui.recording.tap import Tap

PIECE = memoryview(b"x" * 64 * 1024)


class Said:
    """What a recorder says."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def __call__(self, level: int, line: str) -> None:
        self.lines.append((level, line))

    @property
    def problems(self) -> list[str]:
        return [line for level, line in self.lines if level > logging.INFO]


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def recorder(tmp_path: Path, said: Said) -> Iterator[NoVncRecorder]:
    made = NoVncRecorder(str(tmp_path / "session"), said)
    yield made
    made.close()


def chunks_of(file: Path) -> list[Chunk]:
    with file.open("rb") as lines:
        return list(read(lines))


def is_whole(file: Path) -> bool:
    text = file.read_bytes()
    return text.startswith(HEADER) and text.endswith(END)


def fill(tap: Tap, pieces: int) -> float:
    """Send so many pieces to the client; the longest that one of them took, in seconds."""
    longest = 0.0
    for _ in range(pieces):
        began = time.monotonic()
        tap.from_target(PIECE, whole=True)
        longest = max(longest, time.monotonic() - began)
    return longest


def test_what_went_each_way_is_recorded_in_order_with_its_time(recorder: NoVncRecorder, tmp_path: Path) -> None:
    began = time.monotonic()
    tap = recorder.tap(7)
    tap.from_target(memoryview(b"RFB 003.008\n"), whole=True)
    tap.from_client(memoryview(b"RFB 003.008\n"), whole=False)
    tap.drained(to_client=False)
    tap.from_client(memoryview(b"'\\\xff"), whole=True)
    tap.close()
    assert recorder.close()
    took = (time.monotonic() - began) * 1000
    chunks = chunks_of(tmp_path / "session.7")
    assert [(chunk.to_client, chunk.data) for chunk in chunks] == [
        (True, b"RFB 003.008\n"),
        (False, b"RFB 003.008\n"),
        (False, b"'\\\xff"),
    ]
    times = [chunk.time_ms for chunk in chunks]
    assert times == sorted(times)
    assert 0 <= times[-1] <= took
    assert is_whole(tmp_path / "session.7")


def test_bytes_are_copied_before_the_buffer_is_used_again(recorder: NoVncRecorder, tmp_path: Path) -> None:
    buffer = bytearray(b"first")
    tap = recorder.tap(1)
    tap.from_target(memoryview(buffer), whole=True)
    buffer[:] = b"other"
    recorder.close()
    assert chunks_of(tmp_path / "session.1")[0].data == b"first"


def test_each_session_has_a_file_of_its_own(recorder: NoVncRecorder, tmp_path: Path) -> None:
    taps = [recorder.tap(number) for number in range(1, 21)]
    for _ in range(5):
        for number, tap in enumerate(taps, 1):
            tap.from_target(memoryview(b"%d" % number), whole=True)
    for tap in taps:
        tap.close()
    recorder.close()
    for number in range(1, 21):
        chunks = chunks_of(tmp_path / f"session.{number}")
        assert [chunk.data for chunk in chunks] == [b"%d" % number] * 5
        assert is_whole(tmp_path / f"session.{number}")


def test_a_session_is_on_disk_while_it_lasts(recorder: NoVncRecorder, tmp_path: Path) -> None:
    recorder.tap(1).from_target(memoryview(b"here"), whole=True)
    file = tmp_path / "session.1"
    wait_until("the chunk on disk", lambda: file.exists() and b"here" in file.read_bytes())
    assert [chunk.data for chunk in chunks_of(file)] == [b"here"]


def test_a_file_is_for_its_owner_only_also_when_it_was_there(recorder: NoVncRecorder, tmp_path: Path) -> None:
    (tmp_path / "session.1").write_text("old " * 1000)
    (tmp_path / "session.1").chmod(0o644)
    for number in (1, 2):
        recorder.tap(number).close()
    recorder.close()
    for number in (1, 2):
        file = tmp_path / f"session.{number}"
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_bytes() == HEADER + END


def test_a_link_is_not_written_to(recorder: NoVncRecorder, said: Said, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (tmp_path / "session.1").symlink_to(precious)
    tap = recorder.tap(1)
    tap.from_target(PIECE, whole=True)
    tap.close()
    recorder.close()
    assert precious.read_text() == "keep"
    assert len(said.problems) == 1
    assert "session.1" in said.problems[0]


def test_a_file_with_a_second_name_is_not_written_to(recorder: NoVncRecorder, said: Said, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    os.link(precious, tmp_path / "session.1")
    recorder.tap(1).close()
    recorder.close()
    assert precious.read_text() == "keep"
    assert len(said.problems) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs another user")
@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_what_another_user_has_put_there_is_not_written_to(
    kind: str, recorder: NoVncRecorder, said: Said, tmp_path: Path
) -> None:
    planted = tmp_path / "session.1"
    planted.touch() if kind == "file" else os.mkfifo(planted)
    os.chown(planted, 65534, 65534)
    recorder.tap(1).close()
    recorder.close()
    assert planted.stat().st_size == 0
    assert said.problems == [f"{planted} is not written any further: It is another user's. The session goes on."]


def test_a_file_that_cannot_be_made_is_said_once_and_the_session_goes_on(tmp_path: Path, said: Said) -> None:
    recorder = NoVncRecorder(str(tmp_path / "missing" / "session"), said)
    tap = recorder.tap(1)
    fill(tap, 5)
    tap.close()
    assert recorder.close()
    assert len(said.problems) == 1


def test_sessions_that_last_are_ended_with_the_program(recorder: NoVncRecorder, tmp_path: Path) -> None:
    taps = [recorder.tap(number) for number in (1, 2)]
    for tap in taps:
        tap.from_target(memoryview(b"x"), whole=True)
    assert recorder.close()
    for number in (1, 2):
        assert is_whole(tmp_path / f"session.{number}")
    for tap in taps:
        tap.from_target(memoryview(b"late"), whole=True)
        tap.close()


def test_no_session_leaves_no_file_and_no_thread(tmp_path: Path, said: Said) -> None:
    recorder = NoVncRecorder(str(tmp_path / "session"), said)
    assert recorder.close()
    assert not list(tmp_path.iterdir())
    assert not said.lines


@contextmanager
def stuck_disk(file: Path) -> Iterator[None]:
    """Writing to `file` takes for ever, until this is over."""
    os.mkfifo(file)
    yield
    with file.open("rb", buffering=0) as pipe:
        tail = b""
        while not tail.endswith(END):
            tail = tail[-len(END) :] + pipe.read(1 << 20)


def test_a_stuck_disk_holds_nobody_up_and_is_said_once(recorder: NoVncRecorder, said: Said, tmp_path: Path) -> None:
    with stuck_disk(tmp_path / "session.1"):
        tap = recorder.tap(1)
        pieces = MAX_WAITING_BYTES // len(PIECE)
        assert fill(tap, 3 * pieces) < 1
        assert len(said.problems) == 1
        assert "too slow" in said.problems[0]
        tap.close()
        began = time.monotonic()
        assert not recorder.close(0.2)
        assert time.monotonic() - began < 5


def test_what_was_too_much_for_the_disk_ends_the_recording_properly(
    recorder: NoVncRecorder, said: Said, tmp_path: Path
) -> None:
    file = tmp_path / "session.2"
    with stuck_disk(tmp_path / "session.1"):
        blocking = recorder.tap(1)
        fill(blocking, 2)  # the writing thread hangs in this one
        tap = recorder.tap(2)
        fill(tap, 2 * MAX_WAITING_BYTES // len(PIECE))
        assert len(said.problems) == 1
        blocking.close()
    recorder.close(60)
    assert is_whole(file)
    written = sum(len(chunk.data) for chunk in chunks_of(file))
    assert MAX_WAITING_BYTES * 0.9 < written <= MAX_WAITING_BYTES


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: what a full disk is, for one program."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


LINE = len(chunk_line(Chunk(True, 0, b"x" * 100)))


@pytest.mark.parametrize(
    "size",
    [len(HEADER) + 5 * LINE + 50, len(HEADER) + 5 * LINE, len(HEADER) + 5 * LINE + 3, len(HEADER) + 6 * LINE - 1],
    ids=["half a line", "no byte", "less than an end", "all but a byte"],
)
def test_a_full_disk_ends_the_recording_behind_its_last_whole_line(
    recorder: NoVncRecorder, said: Said, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "session.1"
    with disk_of(size):
        tap = recorder.tap(1)
        for _ in range(50):
            tap.from_target(memoryview(b"x" * 100), whole=True)
        wait_until("the disk to be full", lambda: said.problems)
        tap.from_target(memoryview(b"more"), whole=True)
        tap.close()
        assert recorder.close()
    assert len(said.problems) == 1
    assert is_whole(file)
    assert [chunk.data for chunk in chunks_of(file)] == [b"x" * 100] * len(chunks_of(file))
    assert 4 <= len(chunks_of(file)) <= 5


def test_a_killed_program_leaves_what_can_be_read(tmp_path: Path) -> None:
    program = """if True:
        import sys
        from wsgui.recording.novnc_recorder import NoVncRecorder
        tap = NoVncRecorder(sys.argv[1], lambda level, line: None).tap(1)
        while True:
            tap.from_target(memoryview(bytes(range(256))), whole=True)
            print(flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "session")], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert process.stdout is not None
    for _ in range(2000):
        process.stdout.readline()
    process.kill()
    process.communicate()
    chunks = chunks_of(tmp_path / "session.1")
    assert len(chunks) > 1000
    assert {chunk.data for chunk in chunks} == {bytes(range(256))}


def test_a_fork_before_the_first_session_does_no_harm(tmp_path: Path) -> None:
    program = """if True:
        import os, sys
        from wsgui.recording.novnc_recorder import NoVncRecorder
        recorder = NoVncRecorder(sys.argv[1], lambda level, line: None)
        if os.fork() == 0:
            recorder.tap(1).from_target(memoryview(b"child"), whole=True)
            os._exit(0 if recorder.close() else 1)
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "session")], check=True, timeout=60)
    assert [chunk.data for chunk in chunks_of(tmp_path / "session.1")] == [b"child"]
