"""What a program prints, line by line into the tunnel's log: bounded in length, in rate, and in what it costs us."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import IO, Final

from wsgui.display import display

MAX_LINE: Final = 1024
"""Characters of a line that are shown."""
LINES_AT_ONCE: Final = 200
LINES_PER_SECOND: Final = 50
BYTES_PER_SECOND: Final = 8 * 2**20
"""A program that prints more is made to wait, as a slow terminal would."""
_WINDOW_SECONDS: Final = 1.0
_READ_BYTES: Final = 64 * 1024


class LineSplitter:
    """Cuts bytes, however they come, into lines that are fit to show.

    A carriage return ends a line too, so that what programs draw over and over comes as lines. Empty lines are left
    out.
    """

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._held = b""
        self._cut = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that are whole now."""
        parts = data.replace(b"\r", b"\n").split(b"\n")
        lines = []
        for part in parts[:-1]:
            self._hold(part)
            lines += self.end()
        self._hold(parts[-1])
        return lines

    def end(self) -> list[str]:
        """Return what is there of a line that has no end; it is not continued."""
        held, cut = self._held, self._cut
        self._held, self._cut = b"", False
        text = held.decode("utf-8", "backslashreplace").rstrip()
        if not text:
            return []
        shown = display(text, limit=self._limit)
        return [shown if not cut or shown.endswith("…") else f"{shown[: self._limit - 1]}…"]

    def _hold(self, part: bytes) -> None:
        room = 4 * self._limit - len(self._held)
        self._held += part[:room]
        self._cut = self._cut or len(part) > room


class ProgramLog:
    """Says what a program prints, and no more of it than a log can bear; the rest is counted and said in one line.

    Args:
        loop: Whose clock counts.
        say: Takes one line that is fit to show.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, say: Callable[[str], None]) -> None:
        self.last_line = ""
        """The last line that was whole, also when it was only counted; for a sentence about how the program ended."""
        self._loop = loop
        self._say = say
        self._splitter = LineSplitter()
        self._allowed = float(LINES_AT_ONCE)
        self._counted_at = loop.time()
        self._left_out = 0
        self._telling: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        allowed = self._refill()
        # What is not said is not looked at either, so that a flood of short lines costs little.
        *heads, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", allowed)
        self._tell(self._splitter.feed(b"".join(head + b"\n" for head in heads)))
        end = rest.rfind(b"\n")
        if end >= 0:
            self._leave_out(rest[: end + 1])
        self._splitter.feed(rest[end + 1 :])

    def close(self) -> None:
        """Say what is still held back; nothing comes after that."""
        if self._telling is not None:
            self._telling.cancel()
        self._tell_left_out()
        self._tell(self._splitter.end())

    def _refill(self) -> int:
        """How many lines may be said now; none while others before them wait to be counted."""
        now = self._loop.time()
        self._allowed = min(LINES_AT_ONCE, self._allowed + (now - self._counted_at) * LINES_PER_SECOND)
        self._counted_at = now
        return 0 if self._left_out else int(self._allowed)

    def _tell(self, lines: list[str]) -> None:
        self._allowed -= len(lines)
        for line in lines:
            self.last_line = line
            self._say(line)

    def _leave_out(self, lines: bytes) -> None:
        self._left_out += lines.count(b"\n")
        start = lines.rfind(b"\n", 0, len(lines) - 1) + 1
        if start:
            self._splitter.end()
        for line in self._splitter.feed(lines[start:]):
            self.last_line = line
        if self._telling is None:
            self._telling = self._loop.call_later(_WINDOW_SECONDS, self._tell_left_out)

    def _tell_left_out(self) -> None:
        self._telling = None
        if self._left_out:
            self._say(f"… and {self._left_out} more lines, too many to log")
            self._left_out = 0


class _Reader:
    """Feeds a log from a pipe, and lets the program wait that prints faster than `BYTES_PER_SECOND`.

    Not by `loop.connect_read_pipe`: uvloop (0.23) closes the pipe's descriptor twice, and in between another thread may
    have been given its number.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes], log: ProgramLog, ended: asyncio.Future[None]
    ) -> None:
        self._loop = loop
        self._pipe = pipe
        self._fd = pipe.fileno()
        self._log = log
        self._ended = ended
        self._bytes = 0
        self._window_ends = 0.0
        self._resuming: asyncio.TimerHandle | None = None
        os.set_blocking(self._fd, False)
        loop.add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._log.feed(data)
        now = self._loop.time()
        if now >= self._window_ends:
            self._bytes, self._window_ends = 0, now + _WINDOW_SECONDS
        self._bytes += len(data)
        if self._bytes > BYTES_PER_SECOND:
            self._loop.remove_reader(self._fd)
            self._resuming = self._loop.call_at(self._window_ends, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        if self._pipe.closed:
            return
        if self._resuming is not None:
            self._resuming.cancel()
        self._loop.remove_reader(self._fd)
        self._pipe.close()
        self._log.close()
        if not self._ended.done():
            self._ended.set_result(None)


class Capture:
    """A program's pipe that is read into a log until the program, and all that it left the pipe to, have closed it."""

    def __init__(self, log: ProgramLog) -> None:
        self.log = log
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader: _Reader | None = None

    @classmethod
    async def of(cls, pipe: IO[bytes], say: Callable[[str], None]) -> Capture:
        """Read `pipe`, which is ours from here on, and `say` its lines."""
        loop = asyncio.get_running_loop()
        capture = cls(ProgramLog(loop, say))
        if os.name == "nt":
            # Its event loops read only pipes of their own kind.
            threading.Thread(target=_read_blocking, args=(loop, pipe, capture), daemon=True).start()
            return capture
        capture._reader = _Reader(loop, pipe, capture.log, capture.ended)
        return capture

    def close(self) -> None:
        """Read no further, whoever may still hold the other end."""
        if self._reader is not None:
            self._reader.close()


def _read_blocking(loop: asyncio.AbstractEventLoop, pipe: IO[bytes], capture: Capture) -> None:
    def end() -> None:
        capture.log.close()
        if not capture.ended.done():
            capture.ended.set_result(None)

    try:
        with pipe:
            while data := os.read(pipe.fileno(), _READ_BYTES):
                loop.call_soon_threadsafe(capture.log.feed, data)
        loop.call_soon_threadsafe(end)
    except (OSError, RuntimeError):
        return  # the loop, or the process, has ended
