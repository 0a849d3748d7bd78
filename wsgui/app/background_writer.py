"""Writes text to a stream from a thread of its own, so that a full pipe or a slow disk never holds up a tunnel."""

from __future__ import annotations

import contextlib
import io
import os
import queue
import threading
from collections.abc import Callable
from typing import Final, TextIO

TextStream = TextIO | io.TextIOBase

_MOST_WAITING: Final = 8192
_LINES_AT_ONCE: Final = 256
_LAST_WORDS_SECONDS: Final = 2.0


class BackgroundWriter:
    """Takes lines at any time from any thread; what does not fit the queue is counted, never waited for.

    Args:
        stream: Text stream; it is not closed. One that is gone (a closed pipe) swallows what comes.
        notice: Makes the line that says how many lines were left out; None leaves that unsaid.
        ending: What is written behind each text.
    """

    def __init__(self, stream: TextStream, notice: Callable[[int], str] | None = None, *, ending: str = "\n") -> None:
        self._notice = notice
        self._ending = ending
        self._write = _writer(stream)
        self._queue: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, text: str, lines: int = 1) -> None:
        """Have `text`, of so many lines, written."""
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self._left_out += lines

    def close(self) -> None:
        """Write what waits, for at most two seconds: a reader that reads no more must not keep the process."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=_LAST_WORDS_SECONDS)
            self._thread.join(_LAST_WORDS_SECONDS)

    def _run(self) -> None:
        going_on = True
        while going_on:
            lines: list[str] = []
            waiting = self._queue.get()
            while waiting is not None:
                lines.append(waiting)
                if len(lines) >= _LINES_AT_ONCE or self._queue.empty():
                    break
                waiting = self._queue.get()
            going_on = waiting is not None
            if self._left_out and self._notice:
                count, self._left_out = self._left_out, 0
                lines.append(self._notice(count))
            # A reader that has gone is no reason to stop taking lines from the queue.
            with contextlib.suppress(OSError, ValueError):
                self._write("".join(line + self._ending for line in lines))


def _writer(stream: TextStream) -> Callable[[str], None]:
    """What writes to `stream`, past its buffer where it is a real file.

    A thread that is stuck inside `sys.stderr` holds its lock, and with that Python aborts when it ends; and what is
    left in the buffer of a stream that has gone makes the exit code 120.
    """
    try:
        descriptor = os.dup(stream.fileno())
    except (io.UnsupportedOperation, AttributeError, OSError, ValueError):

        def to_stream(text: str) -> None:
            stream.write(text)
            stream.flush()

        return to_stream
    raw = io.FileIO(descriptor, "w")
    encoding = stream.encoding or "utf-8"

    def to_file(text: str) -> None:
        data = memoryview(text.encode(encoding, "backslashreplace"))
        while data:
            data = data[raw.write(data) or 0 :]

    return to_file
