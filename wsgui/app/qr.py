"""QR codes: for a terminal as text, and as modules for whoever paints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import segno

QUIET_MODULES: Final = 4
"""What a reader needs free around a code (ISO/IEC 18004, 9.1)."""

_COLOURS: Final = {False: "\x1b[38;5;16;48;5;231m", True: "\x1b[38;5;231;48;5;16m"}
"""Ink and paper, for paper that is dark or not: black and white of the 256-colour cube, which no theme changes."""
_PLAIN: Final = "\x1b[0m"


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the modules of a QR code, row by row, true for dark ones, with its quiet zone around.

    Raises:
        ValueError: `text` is longer than what a QR code holds.
    """
    code = segno.make_qr(text, error="m")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix_iter(border=QUIET_MODULES))


def terminal(text: str) -> str:
    """Return a QR code as lines for a terminal, two modules a character, readable on any background.

    It takes a terminal with UTF-8 and colours. Only where two modules differ is there a glyph, as many fonts leave a
    seam below theirs, which readers stumble over; the paper has none.

    Raises:
        ValueError: `text` is longer than what a QR code holds.
    """
    rows = matrix(text)
    lower_rows = (*rows[1:], (False,) * len(rows))  # their number is odd
    lines = (_line(upper, lower) for upper, lower in zip(rows[::2], lower_rows[::2], strict=True))
    return "".join(f"{line}{_PLAIN}\n" for line in lines)


def _line(upper_row: Sequence[bool], lower_row: Sequence[bool]) -> str:
    line: list[str] = []
    paper: bool | None = None
    for upper, lower in zip(upper_row, lower_row, strict=True):
        if lower != paper:
            line.append(_COLOURS[lower])
            paper = lower
        line.append(" " if upper == lower else "▀")
    return "".join(line)
