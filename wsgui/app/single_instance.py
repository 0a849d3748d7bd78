"""One tray app a user: the first one wins, whoever comes later finds out at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wsgui.app.paths import FolderError
from wsgui.display import display
from wsgui.profiles.file_lock import open_lock, take_lock

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
    file = folder / f".{name}.lock"
    try:
        descriptor = open_lock(file)
    except OSError as error:
        raise FolderError(
            f"The lock file {display(str(file))} cannot be opened: {error.strerror or error}.",
            "Remove it and start again.",
        ) from error
    try:
        taken = take_lock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    if not taken:
        os.close(descriptor)
        return None
    return Claim(descriptor)
