"""What a look at one thing came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong; good to know."""
    WARNING = "warning"
    """Something that can be wanted does not work, or soon will not."""
    PROBLEM = "problem"
    """Something that is asked for does not work."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; no secret is in it, and its text is safe to show.

    Args:
        name: What was looked at: "Keyring", "Port of Office".
        message: What was found, in a sentence.
        hint: What to do about it; "" when there is nothing.
    """

    name: str
    level: Level
    message: str
    hint: str = ""
