"""Host and Origin rules: the defence against cross-site pages and DNS rebinding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class OriginRules:
    """What a profile's ``[access]`` says about Host and Origin."""

    origins: tuple[str, ...] = ("same-host",)
    hosts: tuple[str, ...] = ()
    own_names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a request may not come in, and the line that would let it."""

    rule: Literal["host", "origin"]
    message: str
    hint: str


def own_names(certificate_names: Iterable[str] = ()) -> frozenset[str]:
    """Return this machine's names, with its search domains, and the certificate's. Blocking."""
    raise NotImplementedError


def check(rules: OriginRules, host: str, origin: str | None, *, secure: bool) -> Denied | None:
    """Return why a request with these headers may not come in, or None when it may."""
    raise NotImplementedError
