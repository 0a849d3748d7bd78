"""Text from outside (names, origins, titles, headers) made safe to show in a terminal, a log or a window."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 256

# Bidirectional controls and other invisible format characters can make one name look like another.
_ESCAPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Return `text` with controls, bidi marks and other invisible characters escaped, cut to `limit` characters.

    What comes out has no C0, C1, ESC or line break in it, so it can neither steer a terminal nor forge a log line.
    """
    if text.isprintable() and len(text) <= limit:  # printable excludes every category that is escaped
        return text
    shown: list[str] = []
    length = 0
    for character in text:
        if unicodedata.category(character) in _ESCAPED_CATEGORIES:
            code = ord(character)
            character = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        length += len(character)
        if length > limit:
            return "".join(shown)[: limit - 1] + "…"
        shown.append(character)
    return "".join(shown)
