"""One recording's file: whole lines only, and an end to them even when the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Final

from wsgui.recording.exchange.novnc import END, HEADER

FILE_MODE: Final = 0o600

_BUFFER_BYTES: Final = 64 * 1024
# For reading too, as websockify opens it: so a pipe with nobody at its other end does not hold up the opening.
_OPEN: Final = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


class NoVncFile:
    """A file that is a recording whenever it is closed. Blocking, for one thread.

    One that exists is written over, and from then on readable for its owner only. A link is not followed, and a file
    with a second name not taken: whoever planted it would choose what is overwritten.

    Raises:
        OSError: It cannot be opened, or is another user's, who could read what goes into it.
    """

    def __init__(self, path: str) -> None:
        self._buffer = bytearray()
        self._size = 0
        self._last_line = 0
        self._descriptor = os.open(path, _OPEN, FILE_MODE)
        try:
            status = os.fstat(self._descriptor)
            if hasattr(os, "geteuid") and status.st_uid not in (0, os.geteuid()):
                raise PermissionError(errno.EPERM, "It is another user's")
            if stat.S_ISREG(status.st_mode):
                if status.st_nlink > 1:
                    raise OSError(errno.EMLINK, "It has a second name")
                if hasattr(os, "fchmod"):
                    os.fchmod(self._descriptor, FILE_MODE)
                os.ftruncate(self._descriptor, 0)
            self.add(HEADER)
            self.flush()
            self._last_line = self._size
        except BaseException:
            os.close(self._descriptor)
            raise

    def add(self, line: bytes) -> None:
        """Write `line` now or at the next flush.

        Raises:
            OSError: It or what came before it could not be written; see `give_up`.
        """
        self._buffer += line
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            OSError: See `give_up`.
        """
        view = memoryview(bytes(self._buffer))
        self._buffer.clear()
        written = 0
        try:
            while written < len(view):
                written += os.write(self._descriptor, view[written:])
        finally:
            whole = bytes(view[:written]).rfind(b"\n") + 1
            if whole:
                before = bytes(view[: whole - 1]).rfind(b"\n") + 1
                self._last_line = self._size + before
            self._size += whole

    def close(self) -> None:
        """Write what waits and the end, and close the file.

        Raises:
            OSError: Something could not be written; the file is closed, and ended before that if at all possible.
        """
        try:
            self._buffer += END
            self.flush()
        except OSError:
            self.give_up()
            raise
        os.close(self._descriptor)

    def give_up(self) -> None:
        """End the file behind its last whole line, or in place of that, and close it."""
        try:
            for cut in (self._size, self._last_line):
                # What half a line took, or a whole one, is room enough for the end on a disk that is full.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, cut)
                    os.lseek(self._descriptor, cut, os.SEEK_SET)
                    if os.write(self._descriptor, END) == len(END):
                        return
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._last_line)
        finally:
            os.close(self._descriptor)
