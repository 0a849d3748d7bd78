"""What comes of turning websockify's line into a profile or a profile into a line, and what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Lost:
    """What does not arrive, or arrives as something else.

    Args:
        option: The option of the line, or the dotted field of the profile, that is meant.
        reason: One or two sentences; no secret is in them.
    """

    option: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnboundSecret:
    """A secret of the line that was not taken over.

    Args:
        field: The profile's dotted field that refers to it.
        reference: The reference that stands there, bound to nothing: the tunnel does not start with it.
        remedy: What to do so that it does.
    """

    field: str
    reference: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Converted:
    """The `settings` of a profile, for `wsgui.profiles.reading.build_profile`, without the line's secrets."""

    settings: dict[str, Any] = field(repr=False)
    lost: tuple[Lost, ...]
    secrets: tuple[UnboundSecret, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The arguments of websockify, without its name; where a secret or a file is needed stands a word in capitals."""

    argv: tuple[str, ...]
    lost: tuple[Lost, ...]
