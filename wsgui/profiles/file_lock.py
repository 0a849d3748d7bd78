"""A lock between processes and threads: whoever changes several files that belong together holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsgui.display import display
from wsgui.profiles.disk import FILE_MODE, DiskError

WAIT_SECONDS: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 0.02
_OPEN: Final = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # what is a FIFO would hold us up
)


@contextmanager
def file_lock(path: Path, *, seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; it is made where it is missing, and stays. Blocking.

    It goes with the process that holds it, however that ends.

    Raises:
        DiskError: The file cannot be opened, or somebody else has held the lock for `seconds`.
    """
    try:
        descriptor = open_lock(path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise DiskError(
            f"{display(str(path))} cannot be opened: {why}.",
            "Check the folder's permissions and the disk's free space.",
        ) from error
    try:
        deadline = time.monotonic() + seconds
        while not take_lock(descriptor):
            if time.monotonic() >= deadline:
                folder = display(str(path.parent))
                raise DiskError(f"Another process has been changing {folder} for {seconds:g} s.", "Try again.")
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """Open the file that a lock is of, made where it is missing; raises OSError. Closing it gives the lock back."""
    # The file stays for ever: who removes a lock file removes it under the feet of somebody who just opened it.
    return os.open(path, _OPEN, FILE_MODE)


if sys.platform == "win32":
    import msvcrt

    def take_lock(descriptor: int) -> bool:
        """Whether the lock of an open file is ours now; nobody is waited for."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def take_lock(descriptor: int) -> bool:
        """Whether the lock of an open file is ours now; nobody is waited for."""
        try:
            # flock, not lockf: it holds between threads too, each of which has opened the file for itself, and is not
            # lost as soon as anything in the process closes the file.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
