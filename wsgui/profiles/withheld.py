"""Environment variables with secrets that are no single profile's: no program that a tunnel runs gets them."""

from __future__ import annotations

from collections.abc import Iterable

_withheld: set[str] = set()


def withhold(references: Iterable[str]) -> None:
    """Keep the variables that these references name (`env:VARIABLE`; others are passed over) from all programs."""
    _withheld.update(each.removeprefix("env:") for each in references if each.startswith("env:"))


def withheld() -> frozenset[str]:
    """The names of the variables that are kept from programs."""
    return frozenset(_withheld)
