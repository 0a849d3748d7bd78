"""Who changes certificates does so alone: one process and one thread at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wsgui.profiles.disk import make_private_folder
from wsgui.profiles.file_lock import file_lock

WAIT_SECONDS: Final = 30.0
_FILE: Final = ".certificates.lock"


@contextlib.contextmanager
def alone(folder: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep everybody else from changing the certificates in `folder` meanwhile. Blocking.

    Raises:
        DiskError: the folder or its lock file cannot be made, or somebody else has been at it for `wait_seconds`.
    """
    make_private_folder(folder)
    # Not the lock of the vault's files: that one is taken for each change of them, while this is held.
    with file_lock(folder / _FILE, seconds=wait_seconds):
        yield
