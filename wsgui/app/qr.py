"""QR codes: for a terminal as text, and as modules for whoever paints."""

from __future__ import annotations

from typing import Final

import segno

QUIET_MODULES: Final = 4
"""What a reader needs free around a code (ISO/IEC 18004, 9.1)."""

_COLOURS: Final = "\x1b[38;5;16;48;5;231m"
"""Black on white of the 256-colour cube, which no theme changes: on dark terminals a code would come out inverted."""
_PLAIN: Final = "\x1b[0m"
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the modules of a QR code, row by row, true for dark ones, with its quiet zone around.

    Raises:
        ValueError: `text` is longer than what a QR code holds.
    """
    code = segno.make_qr(text, error="m")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix_iter(border=QUIET_MODULES))


def terminal(text: str) -> str:
    """Return a QR code as lines for a terminal, two modules a character, readable on any background.

    It takes a terminal with UTF-8 and colours.

    Raises:
        ValueError: `text` is longer than what a QR code holds.
    """
    rows = matrix(text)
    below = (*rows[1:], (False,) * len(rows))
    lines = (
        "".join(_HALVES[pair] for pair in zip(*pair, strict=True)) for pair in zip(rows[::2], below[::2], strict=True)
    )
    return "".join(f"{_COLOURS}{line}{_PLAIN}\n" for line in lines)
