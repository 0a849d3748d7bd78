"""wsgui/command/output.py: a program's output becomes lines of a log, whatever it prints and however much."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.waiting import until
from wsgui.command import output
from wsgui.command.output import LINES_AT_ONCE, Capture, LineSplitter, ProgramLog, _read_blocking

PIECES = st.lists(
    st.sampled_from([b"a", b"\n", b"\r\n", b"\r", b"\xe2\x82\xac", b"\xff", b"b" * 90, b" "]), max_size=40
)


@given(PIECES, st.integers(1, 7))
def test_the_lines_are_the_same_however_the_bytes_come(pieces: list[bytes], step: int) -> None:
    data = b"".join(pieces)
    whole, split = LineSplitter(limit=20), LineSplitter(limit=20)

    expected = whole.feed(data) + whole.end()
    lines = [line for at in range(0, len(data), step) for line in split.feed(data[at : at + step])] + split.end()

    assert lines == expected
    assert all(len(line) <= 20 for line in lines)


def test_lines_that_are_drawn_over_one_another_come_one_by_one() -> None:
    assert LineSplitter().feed(b"10 %\r20 %\r\n\n  \nready\nand") == ["10 %", "20 %", "ready"]


def test_what_would_steer_a_terminal_is_escaped() -> None:
    assert LineSplitter().feed(b"\x1b]0;x\x07 \xff\n") == ["\\x1b]0;x\\x07 \\xff"]


def test_a_line_without_end_is_cut_and_takes_no_room() -> None:
    splitter = LineSplitter(limit=10)
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []

    assert splitter.feed(b"\nnext\n") == ["xxxxxxxxx…", "next"]


async def test_too_many_lines_are_counted_and_said_as_one() -> None:
    said: list[str] = []
    log = ProgramLog(asyncio.get_running_loop(), said.append)

    log.feed(b"line\n" * 10_000)
    log.feed(b"line\n" * 10_000)
    log.close()

    assert said[:LINES_AT_ONCE] == ["line"] * LINES_AT_ONCE
    assert said[LINES_AT_ONCE:] == [f"… and {20_000 - LINES_AT_ONCE} more lines, too many to log"]


async def test_what_was_left_out_is_said_while_the_program_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_WINDOW_SECONDS", 0.01)
    said: list[str] = []
    log = ProgramLog(asyncio.get_running_loop(), said.append)

    log.feed(b"line\n" * (LINES_AT_ONCE + 1))
    await until("the rest is counted", lambda: said[-1].startswith("… and 1 more"))

    log.close()
    assert len(said) == LINES_AT_ONCE + 1


async def test_the_last_line_is_known_even_when_it_was_only_counted() -> None:
    log = ProgramLog(asyncio.get_running_loop(), lambda line: None)

    log.feed(b"line\n" * 1000 + b"fatal\n")

    assert log.last_line == "fatal"
    log.close()


async def test_a_line_that_comes_in_two_halves_is_whole_also_when_it_is_only_counted() -> None:
    log = ProgramLog(asyncio.get_running_loop(), lambda line: None)

    log.feed(b"line\n" * 1000 + b"fa")
    log.feed(b"tal\n")

    assert log.last_line == "fatal"
    log.close()


async def test_a_flood_of_short_lines_costs_little() -> None:
    log = ProgramLog(asyncio.get_running_loop(), lambda line: None)
    flood = b"y\n" * 32_768

    began = time.process_time()
    for _ in range(160):  # 10 MiB
        log.feed(flood)
    took = time.process_time() - began

    log.close()
    assert took < 1


async def test_a_program_is_read_to_its_end() -> None:
    said: list[str] = []
    program = subprocess.Popen(
        [sys.executable, "-c", "print('one'); print('two', end='')"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert program.stdout is not None

    capture = await Capture.of(program.stdout, said.append)
    await asyncio.wait_for(capture.ended, 30)

    assert program.wait() == 0
    assert said == ["one", "two"]


async def test_a_program_that_prints_without_end_is_slowed_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output, "BYTES_PER_SECOND", 100_000)
    fed: list[int] = []
    read, write = os.pipe()
    written = threading.Event()

    def flood() -> None:
        with open(write, "wb", buffering=0) as pipe:
            for _ in range(64):
                pipe.write(b"x\n" * 5_000)
        written.set()

    thread = threading.Thread(target=flood)
    thread.start()
    capture = await Capture.of(os.fdopen(read, "rb"), lambda line: fed.append(1))
    await until("reading has begun", lambda: fed)

    for _ in range(100):
        await asyncio.sleep(0)
    assert not written.is_set()

    monkeypatch.setattr(output, "BYTES_PER_SECOND", 10**9)
    await asyncio.wait_for(capture.ended, 30)
    thread.join()
    assert written.is_set()


async def test_closing_reads_no_further_though_the_program_holds_its_end() -> None:
    read, write = os.pipe()
    capture = await Capture.of(os.fdopen(read, "rb"), lambda line: None)

    capture.close()
    await asyncio.wait_for(capture.ended, 30)

    with pytest.raises(BrokenPipeError):
        os.write(write, b"x")
    os.close(write)


class Watched(io.FileIO):
    """A pipe that looks which descriptor somebody else would be given while it is closed."""

    other = -1

    def close(self) -> None:
        if not self.closed:
            self.other = os.open(os.devnull, os.O_RDONLY)
        super().close()


async def test_its_descriptor_is_closed_only_once_as_another_thread_may_have_its_number() -> None:
    read, write = os.pipe()
    pipe = Watched(read)
    capture = await Capture.of(pipe, lambda line: None)
    os.close(write)
    await asyncio.wait_for(capture.ended, 30)
    await until("the pipe closed", lambda: pipe.closed)

    os.fstat(pipe.other)
    os.close(pipe.other)


async def test_where_loops_cannot_read_pipes_a_thread_does() -> None:
    said: list[str] = []
    read, write = os.pipe()
    loop = asyncio.get_running_loop()
    capture = Capture(ProgramLog(loop, said.append))

    thread = threading.Thread(target=_read_blocking, args=(loop, os.fdopen(read, "rb"), capture))
    thread.start()
    with open(write, "wb") as pipe:
        pipe.write(b"one\ntwo")
    await asyncio.wait_for(capture.ended, 30)
    thread.join()

    assert said == ["one", "two"]
