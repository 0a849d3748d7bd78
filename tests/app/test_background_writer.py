"""Lines written from a thread: none lost in peace, counted in a flood, and no reader can hold up the writer."""

from __future__ import annotations

import contextlib
import io
import os
import time
from typing import TextIO

from wsgui.app.background_writer import BackgroundWriter


def test_lines_come_out_whole_and_in_order() -> None:
    stream = io.StringIO()
    writer = BackgroundWriter(stream)

    for number in range(1000):
        writer.put(f"line {number}")
    writer.close()

    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(1000)]


def test_a_reader_that_reads_nothing_neither_blocks_nor_keeps_the_process() -> None:
    reading, stream = a_pipe()
    writer = BackgroundWriter(stream)
    began = time.monotonic()

    for _ in range(20_000):
        writer.put("x" * 200)
    assert time.monotonic() - began < 2
    writer.close()

    assert time.monotonic() - began < 8
    reader_goes(reading, stream, writer)


def test_what_was_left_out_is_said_once_there_is_room() -> None:
    reading, stream = a_pipe()
    writer = BackgroundWriter(stream, lambda count: f"{count} left out")

    for _ in range(20_000):
        writer.put("x" * 200)
    with open(reading, closefd=False) as lines:
        written = left_out = 0
        while written + left_out < 20_000:  # it may be said in two parts, as the thread has had its first turn
            line = next(lines)
            if line.endswith("left out\n"):
                left_out += int(line.split()[0])
            else:
                written += 1

    assert left_out > 1000
    reader_goes(reading, stream, writer)


def test_a_reader_that_has_gone_is_no_fault() -> None:
    reading, stream = a_pipe()
    writer = BackgroundWriter(stream)

    reader_goes(reading, stream, writer)


def a_pipe() -> tuple[int, TextIO]:
    reading, writing = os.pipe()
    return reading, open(writing, "w")


def reader_goes(reading: int, stream: TextIO, writer: BackgroundWriter) -> None:
    """The reader hangs up; the writer must end all the same."""
    os.close(reading)
    writer.put("nobody hears this")
    writer.close()
    assert not writer._thread.is_alive()
    with contextlib.suppress(BrokenPipeError):
        stream.close()
