"""Whether files are others than they were: what tells one state of a file from the next without reading it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

Stamp = tuple[int, int, int, int]


def stamps(paths: Iterable[str]) -> Mapping[str, Stamp | None]:
    """Return inode, device, size and time of change (ns) of what each path leads to; None where that is nothing.

    Blocking. Links are followed, as those who renew certificates exchange links.
    """
    return {path: _stamp(path) for path in paths}


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_dev, status.st_size, status.st_mtime_ns
