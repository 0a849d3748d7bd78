"""The Range field of a request (RFC 9110, 14): one part of a file, all of it, or nothing that there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MOST_PARTS: Final = 8
_MOST_CHARACTERS: Final = 256
_RANGES: Final = re.compile(r"bytes\s*=(.*)", re.IGNORECASE | re.DOTALL)
_ONE: Final = re.compile(r"(?:([0-9]+)-([0-9]*)|-([0-9]+))")


class UnsatisfiableError(Exception):
    """No byte of the file is asked for, or too many parts at once: the answer is 416."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` on, `size` of them; never none."""

    start: int
    size: int

    def content_range(self, whole: int) -> str:
        """Return the Content-Range field for this part of a file of `whole` bytes."""
        return f"bytes {self.start}-{self.start + self.size - 1}/{whole}"


def part_of(field: str, size: int) -> Part | None:
    """Return which part of a file of `size` bytes a Range field asks for; None for the whole file.

    A field that is malformed, of another unit than bytes, or asks for a few parts at once is passed over, as section
    14.2 lets a server do: the whole file is an answer that every client has to understand.

    Raises:
        UnsatisfiableError: No part of the file is asked for; or it is a flood of small parts.
    """
    if len(field) > _MOST_CHARACTERS or field.count(",") >= _MOST_PARTS:
        raise UnsatisfiableError
    unit = _RANGES.fullmatch(field.strip())
    if unit is None:
        return None
    parts = [part for text in unit[1].split(",") if (part := text.strip())]
    if len(parts) != 1:
        return None
    one = _ONE.fullmatch(parts[0])
    if one is None:
        return None
    first, last, suffix = one.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        if int(suffix) == 0:
            raise UnsatisfiableError
        return Part(size - length, length) if length else None  # 206 has no way to say "nothing"
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    stop = min(int(last) + 1, size) if last else size
    return Part(start, stop - start)
