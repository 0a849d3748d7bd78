"""Validators of a file and the conditions that requests put on them (RFC 9110, 8.8 and 13)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, mktime_tz, parsedate_tz
from typing import Final, Literal

_SETTLED_NS: Final = 2_000_000_000
_LONGEST_DATE: Final = 64
Verdict = Literal[200, 304, 412]


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a file from another.

    Args:
        tag: Its entity tag, strong (``"x"``) or weak (``W/"x"``).
        modified: When it was last changed, in whole seconds of Unix time, never later than the answer.
    """

    tag: str
    modified: int

    @classmethod
    def of(cls, status: os.stat_result, now_ns: int) -> Validators:
        """Return the validators of a file that `fstat` says this of, at `now_ns` (Unix time).

        A clock tick may see two changes, so the tag of a file that was changed just now is weak. It shows but a
        digest of what it is made of, which is nobody's business; inode numbers are no part, as some file systems
        make them up anew.
        """
        changed_ns = max(status.st_mtime_ns, status.st_ctime_ns)
        facts = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
        digest = hashlib.blake2s(facts.encode(), digest_size=10).hexdigest()
        weak = "" if changed_ns + _SETTLED_NS <= now_ns else "W/"
        return cls(f'{weak}"{digest}"', min(status.st_mtime_ns, now_ns) // 1_000_000_000)

    @property
    def strong(self) -> bool:
        return not self.tag.startswith("W/")

    @property
    def last_modified(self) -> str:
        """The Last-Modified field; empty for a time that no date can say."""
        try:
            return formatdate(self.modified, usegmt=True)
        except (ValueError, OverflowError, OSError):
            return ""

    def headers(self) -> tuple[tuple[str, str], ...]:
        date = self.last_modified
        return (("ETag", self.tag), ("Last-Modified", date)) if date else (("ETag", self.tag),)

    def judge(self, headers: Mapping[str, str]) -> Verdict:
        """Return the status that the conditions of a GET or HEAD lead to, in the order of section 13.2.2.

        Args:
            headers: The request's, by their names in lower case.
        """
        if (wanted := headers.get("if-match")) is not None:
            if not self._among(wanted, weakly=False):
                return 412
        elif (since := _date(headers.get("if-unmodified-since"))) is not None and self.modified > since:
            return 412
        if (known := headers.get("if-none-match")) is not None:
            return 304 if self._among(known, weakly=True) else 200
        since = _date(headers.get("if-modified-since"))
        return 304 if since is not None and self.modified <= since else 200

    def still(self, if_range: str | None) -> bool:
        """Return whether a Range field counts beside this If-Range field (13.1.5), None where there is none."""
        if if_range is None:
            return True
        if_range = if_range.strip()
        # Only what is the same byte for byte may be put together from parts.
        return self.strong and bool(if_range) and if_range in (self.tag, self.last_modified)

    def _among(self, field: str, *, weakly: bool) -> bool:
        offered = [item.strip() for item in field.split(",")]
        if "*" in offered:
            return True
        if weakly:
            return self.tag.removeprefix("W/") in {item.removeprefix("W/") for item in offered}
        return self.strong and self.tag in offered


def _date(field: str | None) -> float | None:
    """Return a date of one of HTTP's three forms (5.6.7) as Unix time; None for what is none."""
    if not field or len(field) > _LONGEST_DATE:
        return None
    try:
        parsed = parsedate_tz(field)
        # The form of asctime(3) names no zone: HTTP's is always GMT.
        return None if parsed is None else float(mktime_tz((*parsed[:9], parsed[9] or 0)))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
