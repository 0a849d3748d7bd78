"""On which line of a TOML text each key stands, which no TOML library tells."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

Place = tuple[str, ...]

_PIECE: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|\n|[\[{]|[\]}]|=|[^\"'#\n\[\]{}=]+",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Place, int]:
    """The line (from 1) of each key and table header of `text`, which must be TOML; inside inline tables: none."""
    lines: dict[Place, int] = {}
    table: Place = ()
    for line, _, head in _statements(text):
        if head.startswith("["):
            table = _place(head)
            lines.setdefault(table, line)
        else:
            key = _place(f"{head}=0")
            for length in range(1, len(key) + 1):
                lines.setdefault(table + key[:length], line)
    return lines


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """The line of `place`, else that of what it lies in, else None."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return None


def last_lines(text: str) -> dict[Place, int]:
    """The last line (from 1) of what stands directly below each table's header; () is the top, 0 if empty."""
    table: Place = ()
    lines: dict[Place, int] = {table: 0}
    for _, line, head in _statements(text):
        if head.startswith("["):
            table = _place(head)
        lines[table] = line
    return lines


def _statements(text: str) -> Iterator[tuple[int, int, str]]:
    """The first and last line of each statement, and its key or its table header."""
    line = start = 1
    depth = 0
    head, in_head = "", True
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == "\n" and depth == 0:
            if head.strip():
                yield start, line, head.strip()
            head, in_head = "", True
        elif piece in "[{":
            depth += 1
        elif piece in "]}":
            depth -= 1
        if in_head and depth == 0 and piece == "=":
            in_head = False
        if in_head and piece != "\n" and not piece.startswith("#"):
            if not head.strip():
                start = line
            head += piece
        line += piece.count("\n")
    if head.strip():
        yield start, line, head.strip()


def _place(statement: str) -> Place:
    found: object = tomllib.loads(statement)
    place: list[str] = []
    while isinstance(found, dict | list) and found:
        if isinstance(found, list):
            found = found[0]
        else:
            key = next(iter(found))
            place.append(key)
            found = found[key]
    return tuple(place)
