"""Records sessions into FILE.N as websockify does, from a thread of its own: a slow disk never holds up a tunnel."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from wsgui.display import display
from wsgui.recording.exchange.novnc import Chunk, chunk_line
from wsgui.recording.novnc_file import NoVncFile
from wsgui.recording.tap import Tap

MAX_WAITING_BYTES: Final = 32 * 2**20
"""Of one recording; at more it is given up."""
MAX_ALL_WAITING_BYTES: Final = 4 * MAX_WAITING_BYTES
LAST_WORDS_SECONDS: Final = 5.0

_CHUNK_COST: Final = 256
"""Bytes that a waiting chunk takes beside its data."""


class NoVncRecorder:
    """Writes a recording for each session; see `NoVncFile` for what becomes of files that exist.

    Args:
        path: FILE; each session's number is put behind it, with a dot.
        say: Called with a level of `logging` and a sentence, from the writing thread too.
    """

    def __init__(self, path: str, say: Callable[[int, str], None]) -> None:
        self._path = os.path.abspath(path)
        self._say = say
        self._writer: _Writer | None = None
        self._open: set[_Recording] = set()

    def tap(self, number: int) -> Tap:
        """Begin the recording of connection `number`."""
        if self._writer is None:  # not before: a thread does not survive the fork of a daemon
            self._writer = _Writer(self._say)
        recording = _Recording(f"{self._path}.{number}", self._writer, self._say, self._open.discard)
        self._open.add(recording)
        self._say(logging.INFO, f"opening record file: {display(recording.path, limit=4096)}")
        return recording

    def close(self, deadline_seconds: float = LAST_WORDS_SECONDS) -> bool:
        """End all recordings and write what waits of them. Blocks, for `deadline_seconds` at most.

        Returns:
            Whether everything was written.
        """
        for recording in tuple(self._open):
            recording.close()
        if self._writer is None:
            return True
        writer, self._writer = self._writer, None
        done = writer.close(deadline_seconds)
        if not done:
            self._say(logging.ERROR, "The end of a recording could not be written in time: the disk is too slow.")
        return done


class _Recording:
    """The recording of one session: the loop puts chunks in, the writing thread takes them out."""

    def __init__(
        self,
        path: str,
        writer: _Writer,
        say: Callable[[int, str], None],
        ended: Callable[[_Recording], None],
    ) -> None:
        self.path = path
        self.put_bytes = 0  # raised by the loop
        self.taken_bytes = 0  # raised by the writing thread
        self.failed = False  # set by the writing thread
        self.file: NoVncFile | None = None  # the writing thread's
        self._writer = writer
        self._say = say
        self._ended = ended
        self._began_ns = time.monotonic_ns()
        self._over = False
        writer.put(self, b"")

    def from_client(self, data: memoryview, *, whole: bool) -> None:
        self._chunk(data, to_client=False)

    def from_target(self, data: memoryview, *, whole: bool) -> None:
        self._chunk(data, to_client=True)

    def drained(self, *, to_client: bool) -> None:
        """A chunk was recorded whole when it came."""

    def close(self) -> None:
        if not self._over:
            self._over = True
            self._ended(self)
            self._writer.put(self, None)

    def _chunk(self, data: memoryview, *, to_client: bool) -> None:
        if self._over or self.failed:
            return
        if not self._writer.has_room(self, len(data)):
            shown = display(self.path, limit=4096)
            self._say(
                logging.WARNING, f"{shown} is not written any further: the disk is too slow. The session goes on."
            )
            self.close()
            return
        milliseconds = (time.monotonic_ns() - self._began_ns) // 1_000_000
        self._writer.put(self, Chunk(to_client, milliseconds, bytes(data)))


class _Writer:
    """The thread that writes all recordings, and how much waits for it."""

    def __init__(self, say: Callable[[int, str], None]) -> None:
        self._say = say
        # A recording with: nothing, to begin it; a chunk; None, to end it.
        self._queue: queue.SimpleQueue[tuple[_Recording, Chunk | bytes | None] | None] = queue.SimpleQueue()
        self._put_bytes = 0
        self._taken_bytes = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def has_room(self, recording: _Recording, length: int) -> bool:
        # Each figure is raised by one thread only, so no lock: one that is a little old errs on the safe side.
        one = recording.put_bytes - recording.taken_bytes + length + _CHUNK_COST
        every = self._put_bytes - self._taken_bytes + length + _CHUNK_COST
        return one <= MAX_WAITING_BYTES and every <= MAX_ALL_WAITING_BYTES

    def put(self, recording: _Recording, what: Chunk | bytes | None) -> None:
        if isinstance(what, Chunk):
            cost = len(what.data) + _CHUNK_COST
            recording.put_bytes += cost
            self._put_bytes += cost
        self._queue.put((recording, what))

    def close(self, deadline_seconds: float) -> bool:
        self._queue.put(None)
        self._thread.join(deadline_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        unwritten: set[_Recording] = set()
        while (waiting := self._queue.get()) is not None:
            recording, what = waiting
            try:
                self._carry_out(recording, what)
            except OSError as error:
                self._fail(recording, error)
            unwritten.add(recording)
            if self._queue.empty():
                self._flush(unwritten)
                unwritten.clear()

    def _flush(self, recordings: set[_Recording]) -> None:
        for recording in recordings:
            try:
                if recording.file is not None:
                    recording.file.flush()
            except OSError as error:
                self._fail(recording, error)

    def _carry_out(self, recording: _Recording, what: Chunk | bytes | None) -> None:
        if isinstance(what, Chunk):
            cost = len(what.data) + _CHUNK_COST
            recording.taken_bytes += cost
            self._taken_bytes += cost
            if recording.file is not None:
                recording.file.add(chunk_line(what))
        elif what is not None:
            recording.file = NoVncFile(recording.path)
        elif recording.file is not None:
            file, recording.file = recording.file, None
            file.close()

    def _fail(self, recording: _Recording, error: OSError) -> None:
        recording.failed = True
        file, recording.file = recording.file, None
        if file is not None:
            file.give_up()
        why = error.strerror or type(error).__name__
        shown = display(recording.path, limit=4096)
        self._say(logging.WARNING, f"{shown} is not written any further: {why}. The session goes on.")
