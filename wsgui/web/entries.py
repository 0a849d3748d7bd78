"""What lies in a folder beneath a root, as far as it may be served."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.web.beneath import by_descriptor, open_any, open_file, resolve_checked
from wsgui.web.request_path import BadTargetError, judge

MOST_ENTRIES: Final = 5000
"""A folder may hold millions; a page of that many helps nobody and costs seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder that can be asked for.

    Args:
        name: As the system gives it; bytes that are no UTF-8 are surrogate escapes.
        folder: Whether it is a folder.
        size: In bytes; 0 for folders.
        modified: Unix time in seconds.
    """

    name: str
    folder: bool
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Entries:
    """A folder's entries, folders first, each by name; `complete` unless it holds more than were looked at."""

    entries: tuple[Entry, ...]
    complete: bool


def entries_of(root: Path, names: Sequence[str], *, lenient: bool = False) -> Entries:
    """Return what lies in the folder that `names` lead to beneath `root`; blocking, but never for long.

    What would not be served is not listed: hidden names, links that lead out of the root or nowhere, devices.

    Args:
        root: As for `open_file`.
        names: As for `open_file`.
        lenient: Take every name, and links to anywhere.

    Raises:
        OSError: ENOTDIR where it is no folder, and as `open_file` does.
    """
    found: list[Entry] = []
    with _opened(root, names, follow=lenient) as place, os.scandir(place) as scan:
        for number, item in enumerate(scan):
            if number >= MOST_ENTRIES:
                return Entries(_sorted(found), complete=False)
            entry = _entry(item, root, names, lenient=lenient)
            if entry is not None:
                found.append(entry)
    return Entries(_sorted(found), complete=True)


@contextmanager
def _opened(root: Path, names: Sequence[str], *, follow: bool) -> Iterator[int | str]:
    if not by_descriptor():
        yield resolve_checked(root, names, follow=follow)
        return
    descriptor = open_any(root, names, follow=follow)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _entry(item: os.DirEntry[str], root: Path, names: Sequence[str], *, lenient: bool) -> Entry | None:
    try:
        judge(item.name, first=not names, lenient=lenient)
        within = item.is_symlink() and not lenient
        status = _beneath(root, (*names, item.name)) if within else item.stat()
    except (OSError, BadTargetError, UnicodeEncodeError):
        return None
    if stat.S_ISDIR(status.st_mode):
        return Entry(item.name, True, 0, status.st_mtime)
    return Entry(item.name, False, status.st_size, status.st_mtime) if stat.S_ISREG(status.st_mode) else None


def _beneath(root: Path, names: Sequence[str]) -> os.stat_result:
    """What `stat` says of where a link leads; OSError where that is not beneath the root."""
    if by_descriptor():
        descriptor = open_any(root, names)
    else:
        try:
            descriptor, _ = open_file(root, names)
        except IsADirectoryError:
            return os.stat(resolve_checked(root, names))
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _sorted(found: list[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(found, key=lambda entry: (not entry.folder, entry.name.casefold(), entry.name)))
