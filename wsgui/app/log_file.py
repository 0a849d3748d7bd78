"""A log file that goes on under its name when it is rotated away: a stream for the BackgroundWriter."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from pathlib import Path
from typing import Final

from wsgui.display import display
from wsgui.errors import WsguiError

NEW_FILE_MODE: Final = 0o600
_LAST_WORDS_SECONDS: Final = 1.0
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
# A FIFO that nobody reads would hold up the start for ever.
_FIRST: Final = getattr(os, "O_NONBLOCK", 0)


class LogFile(io.TextIOBase):
    """Appends text to a file; every call but `reopen` waits for the disk, so hand it to a BackgroundWriter.

    Before each write it looks whether the file still has its name: what logrotate or a person has moved or deleted
    is made anew, for this user only (an existing file keeps its mode). While that is not possible, it goes on with
    the old one.

    Args:
        path: The file; absolute, or below the working directory of now. Links are followed (``/dev/stdout``).

    Raises:
        WsguiError: It cannot be opened for writing.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        try:
            self._descriptor = _opened(self._path)
        except OSError as error:
            reason = "nobody reads from it" if error.errno == errno.ENXIO else error.strerror or str(error)
            raise WsguiError(
                f"The log file {display(str(path))} cannot be written: {reason}.",
                "Let the user that runs this write it, or name another file.",
            ) from error
        self._lock = threading.Lock()

    # No fileno: the BackgroundWriter would hold on to the file that was opened first.

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Append `text`; raises OSError, as of a full disk."""
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        with self._lock:
            self._check_open()
            if self._has_moved():
                self._open_again()
            while data:
                data = data[os.write(self._descriptor, data) :]
        return len(text)

    def reopen(self) -> None:
        """Close the file and open what has its name now; for SIGUSR1. Returns at once, a thread does it."""
        threading.Thread(target=self._reopen, name="log file", daemon=True).start()

    def close(self) -> None:
        """Close the file; what is written afterwards raises ValueError. A disk that hangs is not waited for."""
        if self._lock.acquire(timeout=_LAST_WORDS_SECONDS):
            try:
                if not self.closed:
                    os.close(self._descriptor)
                super().close()
            finally:
                self._lock.release()

    def _reopen(self) -> None:
        with self._lock:
            if not self.closed:
                self._open_again()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the log file is closed")

    def _has_moved(self) -> bool:
        ours = os.fstat(self._descriptor)
        if not stat.S_ISREG(ours.st_mode):
            return False  # a pipe or terminal, which nobody rotates
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        # /dev/stdout becomes /dev/null when the process goes into the background: that is no rotation.
        return stat.S_ISREG(named.st_mode) and not os.path.samestat(ours, named)

    def _open_again(self) -> None:
        try:
            descriptor = _opened(self._path)
        except OSError:
            return
        os.close(self._descriptor)
        self._descriptor = descriptor


def _opened(path: Path) -> int:
    descriptor = os.open(path, _FLAGS | _FIRST, NEW_FILE_MODE)
    if _FIRST:
        os.set_blocking(descriptor, True)
    return descriptor
