"""What is known of this computer's certificates: who uses them, when they end, where their authorities are trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from wsgui.certificates.authority import Authority
from wsgui.certificates.trust.store import Trust, TrustStore
from wsgui.certificates.vault import Managed, StoredAuthority, Vault
from wsgui.errors import WsguiError
from wsgui.profiles.model import Profile

RENEWED_BEFORE_END: Final = timedelta(days=30)
"""How long before its end a certificate that wsgui made is renewed, and the end of any other one is spoken of."""
IMPORTED: Final = "imported"


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether one trust store of this computer trusts an authority."""

    store: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class AuthorityRow:
    """An authority of this computer: the certificates it has signed, and where its root is trusted."""

    stored: StoredAuthority
    signed: tuple[str, ...]
    stores: tuple[StoreState, ...] = ()

    @property
    def authority(self) -> Authority:
        return self.stored.authority


@dataclass(frozen=True, slots=True)
class Row:
    """One certificate.

    Args:
        managed: The certificate, without its key.
        used_by: Names of the profiles that name it in ``[tls] certificate``.
        renews_on: The day on which a running wsgui renews it; None when it cannot (imported).
        problem: What is or will soon be wrong with it, in a sentence; empty = nothing.
        hint: What to do about it.
    """

    managed: Managed
    used_by: tuple[str, ...] = ()
    renews_on: date | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A certificate whose files cannot be read; it hides no other."""

    name: str
    problem: WsguiError


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything at one moment.

    Args:
        stores: Each trust store with what it is to all authorities of this computer: trusted only if each is.
    """

    rows: tuple[Row, ...] = ()
    authorities: tuple[AuthorityRow, ...] = ()
    stores: tuple[StoreState, ...] = ()
    broken: tuple[Broken, ...] = field(default=())
