"""One tray app a user: the first one wins, whoever comes later finds out at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from wsgui.app.paths import FolderError
from wsgui.display import display

TRAY: Final = "tray"


class Claim:
    """A lock that the system takes back when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def claim(folder: Path, name: str = TRAY) -> Claim | None:
    """Claim `name` in the private runtime `folder` (`Paths.make_runtime`) for this process.

    Returns:
        The claim, to be kept for as long as the process is the one; None when another living process has it.

    Raises:
        FolderError: The lock file cannot be made.
    """
    # The file stays for ever: who removes a lock file removes it under the feet of somebody who just opened it.
    file = folder / f".{name}.lock"
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        raise FolderError(
            f"The lock file {display(str(file))} cannot be opened: {error.strerror or error}.",
            "Remove it and start again.",
        ) from error
    try:
        taken = _lock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    if not taken:
        os.close(descriptor)
        return None
    return Claim(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            # flock, not lockf: that one is lost as soon as anything in the process closes the file.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
