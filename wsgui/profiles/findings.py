"""One thing that is wrong with a profile as a whole, before it is known where its file says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with `field` (dotted), as a sentence and a remedy.

    `concerns` are other fields that it follows from: when one of them could not be read, nothing is known.
    """

    field: str
    message: str
    hint: str
    concerns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def in_file(field: str) -> str:
    """A dotted field as its TOML file names it: ``record.on`` is ``[record] on``, ``targets`` ``[targets]``."""
    section, dot, key = field.partition(".")
    return f"[{section}] {key}" if dot else field
