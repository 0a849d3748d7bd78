"""What token files say at the moment, with the care it takes to read what others write at the same time.

A file that has changed is read at once, and what is new in it counts at once. That something is gone from it is
believed only when the file has come to rest, as it may be half written: `SETTLE_SECONDS` after it was last seen to
change, or `GONE_SECONDS` when it is missing or empty, as it is for a moment while some programs replace it.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wsgui.access.tokens.lines import Destination, Lines, parse_lines
from wsgui.access.tokens.source import parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.profiles.disk import DiskError, Signature, read_regular

SETTLE_SECONDS: Final = 0.3
GONE_SECONDS: Final = 2.0
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
TOLD_LINES: Final = 10
"""Bad lines of one file that are named in the log, each by its number."""

_UNREADABLE: Final = Signature(0, -2, 0, 0)

_log = logging.getLogger(__name__)

Targets = Mapping[bytes, TargetAddress]


@dataclass(frozen=True, slots=True)
class View:
    """What was found at one look.

    Args:
        targets: What leads somewhere, each file on its own; of two that name the same token the last counts.
        unknown: What files that cannot be read now said when they last could.
        settled: Whether what is in none of these is no token: nothing is on the move.
        problem: Why it is not known whether there are more; empty when all is well.
    """

    targets: tuple[Targets, ...] = field(repr=False)
    unknown: tuple[Targets, ...] = field(repr=False)
    settled: bool
    problem: str = ""

    def find(self, key: bytes) -> TargetAddress | None:
        """Return where the token with this key leads."""
        return next((found for each in reversed(self.targets) if (found := each.get(key)) is not None), None)

    def knew(self, key: bytes, target: TargetAddress) -> bool:
        """Return whether a file that cannot be read now led from there to `target`."""
        return any(each.get(key) == target for each in self.unknown)


@dataclass(slots=True)
class _File:
    signature: Signature | None
    since: float
    at_rest: bool = False
    lines: Lines = field(default_factory=Lines)
    unreadable: str = ""
    told: tuple[object, ...] = ()


class TokenTable:
    """The tokens of one file, or of all files of one folder; `look` blocks, and is called by one thread at a time.

    A file in which no line is right any more counts as it was before, as somebody must be about to mend it; an empty
    one has no tokens.

    Args:
        path: The file or folder. Of a folder, what is no file, hidden, or ends in ``~`` does not count.
        every_file: Hidden and backup files count too, as for websockify.
        destination: What makes an address of what stands behind a token.
        clock: Tells seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        every_file: bool = False,
        destination: Destination = parse_destination,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._every_file = every_file
        self._destination = destination
        self._clock = clock
        self._files: dict[Path, _File] = {}
        self._told = ""
        self._first = True

    def look(self) -> View:
        """Read what has changed, and return what there is."""
        try:
            listing = self._list()
            problem = ""
        except (FileNotFoundError, NotADirectoryError):
            listing = {}
            problem = f"{display(str(self._path))}, where the tokens are, is missing."
        except OSError as error:
            # Nothing is known of the files; they are looked at again when there is a listing.
            problem = _unreadable(self._path, error.strerror or type(error).__name__)
            self._tell_problem(problem)
            return View((), tuple(each.lines.targets for each in self._files.values()), True, problem)
        now = self._clock()
        for path in sorted(self._files.keys() | listing.keys()):
            self._attend(path, listing.get(path), now)
        self._first = False
        files = [self._files[path] for path in sorted(self._files)]
        settled = all(each.at_rest for each in files)
        if settled:
            self._tell_problem(problem)
        return View(
            tuple(each.lines.targets for each in files if not each.unreadable),
            tuple(each.lines.targets for each in files if each.unreadable),
            settled,
            problem or next((each.unreadable for each in files if each.unreadable), ""),
        )

    def _list(self) -> dict[Path, Signature]:
        status = os.stat(self._path)
        if not stat.S_ISDIR(status.st_mode):
            return {self._path: Signature.of(status)}
        listing = {}
        for name in os.listdir(self._path):
            path = self._path / name
            if not self._every_file and (name.startswith(".") or name.endswith("~")):
                continue
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue  # gone meanwhile, or a link to nothing
            except OSError:
                listing[path] = _UNREADABLE
                continue
            if stat.S_ISREG(status.st_mode):
                listing[path] = Signature.of(status)
        return listing

    def _attend(self, path: Path, signature: Signature | None, now: float) -> None:
        file = self._files.get(path)
        if changed := file is None or file.signature != signature:
            file = self._files.setdefault(path, _File(signature, now))
            file.signature, file.since, file.at_rest = signature, now, False
        assert file is not None
        if file.at_rest and not file.unreadable:
            return
        patience = SETTLE_SECONDS if signature is not None and signature.size != 0 else GONE_SECONDS
        file.at_rest = now - file.since >= patience
        if signature is None:
            file.lines, file.unreadable = Lines(), ""
            if file.at_rest:
                del self._files[path]
        elif changed or file.at_rest:  # once at first, and once more when it has come to rest
            self._read(path, file, now)

    def _read(self, path: Path, file: _File, now: float) -> None:
        try:
            if file.signature == _UNREADABLE:
                raise DiskError("It is out of reach")
            data, signature = read_regular(path, MAX_FILE_BYTES)
            if len(data) > MAX_FILE_BYTES:
                raise DiskError(f"It is longer than {MAX_FILE_BYTES >> 20} MiB")
        except (OSError, DiskError) as error:
            why = error.strerror if isinstance(error, OSError) else error.message
            file.unreadable = _unreadable(path, why or type(error).__name__)
            self._tell(path, file, file.unreadable)
            return
        file.unreadable = ""
        if signature != file.signature:  # written to between the look at it and the reading
            file.signature, file.since, file.at_rest = signature, now, False
        said = parse_lines(data, whole=file.at_rest or self._first, destination=self._destination)
        if said.targets or not said.problems:
            file.lines = said
            self._tell(path, file, *said.problems)
        else:
            kept = " What it said before still holds." if file.lines.targets else ""
            self._tell(path, file, f"No line of the token file {display(str(path))} is right.{kept}")

    def _tell(self, path: Path, file: _File, *what: object) -> None:
        if what == file.told:
            return
        file.told = what
        shown = display(str(path))
        for each in what[:TOLD_LINES]:
            if isinstance(each, tuple):
                _log.warning("Line %d of the token file %s %s; it is left out.", each[0], shown, each[1])
            else:
                _log.error("%s", each)
        if len(what) > TOLD_LINES:
            _log.warning("The token file %s has %d more such lines.", shown, len(what) - TOLD_LINES)

    def _tell_problem(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            if problem:
                _log.error("%s Nobody new is let in by it.", problem)


def _unreadable(path: Path, why: str) -> str:
    return f"The tokens in {display(str(path))} cannot be read: {why.rstrip('.')}."
