"""Profile names as file names that are safe on every system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from typing import Final

SUFFIX: Final = ".toml"
MAX_STEM: Final = 48
"""Characters of a file name without its suffix and without the number that tells equal ones apart."""

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{device}{digit}" for device in ("com", "lpt") for digit in range(10))}
)
"""Devices that Windows finds in every folder, with any suffix."""


def file_stem(name: str) -> str:
    """A file name, without suffix, for a profile's name: lower-case ASCII letters, digits and hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    stem = _UNSAFE.sub("-", plain).strip("-")[:MAX_STEM].rstrip("-")
    return f"profile-{stem}".rstrip("-") if not stem or stem in _RESERVED else stem


def free_file_name(name: str, taken: Container[str]) -> str:
    """The file name for a profile's name that is not among `taken`, which are lower-case file names."""
    stem = file_stem(name)
    number = 1
    while (candidate := f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}") in taken:
        number += 1
    return candidate
