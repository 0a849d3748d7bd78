"""Writes text to a stream from a thread of its own, so that a full pipe or a slow disk never holds up a tunnel."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Final, TextIO

_MOST_WAITING: Final = 8192
_LAST_WORDS_SECONDS: Final = 2.0


class BackgroundWriter:
    """Takes lines at any time from any thread; what does not fit the queue is counted, never waited for.

    Args:
        stream: Text stream; it is not closed. One that is gone (a closed pipe) swallows what comes.
        notice: Makes the line that says how many lines were left out; None leaves that unsaid.
    """

    def __init__(self, stream: TextIO, notice: Callable[[int], str] | None = None) -> None:
        self._stream = stream
        self._notice = notice
        self._queue: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have `line` written, with a line break behind it."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Write what waits, for at most two seconds: a reader that reads no more must not keep the process."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=_LAST_WORDS_SECONDS)
            self._thread.join(_LAST_WORDS_SECONDS)

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            lines = [line]
            if self._left_out and self._notice:
                count, self._left_out = self._left_out, 0
                lines.append(self._notice(count))
            # A reader that went away, or a terminal that cannot show a letter, is no reason to stop reading the queue.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write("".join(f"{one}\n" for one in lines))
                if self._queue.empty():
                    self._stream.flush()
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
