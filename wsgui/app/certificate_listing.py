"""What is known of this computer's certificates: who uses them, when they end, where their authorities are trusted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from wsgui.certificates.authority import Authority
from wsgui.certificates.names import certificate_name
from wsgui.certificates.trust.store import Trust, TrustState, TrustStore
from wsgui.certificates.vault import Managed, StoredAuthority, Vault
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError
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
        renews_on: The day (UTC) from which a running wsgui renews it; None when it cannot (imported).
        problem: What is wrong with it, or soon will be, in a sentence; empty = nothing.
        hint: What to do about it.
    """

    managed: Managed
    used_by: tuple[str, ...] = ()
    renews_on: date | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A certificate, or an authority (without a name), whose files cannot be read; it hides no other."""

    name: str
    problem: WsguiError
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything at one moment.

    Args:
        rows: By name.
        authorities: Newest first.
        stores: Each trust store with what it says of the authorities in use: trusted only if each of them is.
            Empty when there is no authority, or nobody asked.
        broken: Certificates that cannot be read.
    """

    rows: tuple[Row, ...] = ()
    authorities: tuple[AuthorityRow, ...] = ()
    stores: tuple[StoreState, ...] = ()
    broken: tuple[Broken, ...] = ()

    def trusted_in(self, managed: Managed) -> tuple[str, ...]:
        """The names of the stores that trust the authority which signed a certificate."""
        found = (row for row in self.authorities if row.authority.id == managed.authority)
        return tuple(state.store for row in found for state in row.stores if state.trust.trusted)


def list_all(vault: Vault, profiles: Sequence[Profile], stores: Sequence[TrustStore], *, now: datetime) -> Listing:
    """Read the vault and ask the trust stores (none: leave them alone). Blocking."""
    rows: list[Row] = []
    broken: list[Broken] = []
    for name in vault.names():
        users = used_by(name, profiles)
        try:
            rows.append(row_of(vault.read(name), users, now=now))
        except WsguiError as error:
            broken.append(Broken(name, error, users))
    broken += [Broken("", problem) for problem in vault.broken_authorities()]
    known = vault.authorities()
    needed = in_use(known, [row.managed for row in rows])
    authorities: list[AuthorityRow] = []
    for stored in known:
        signed = tuple(row.managed.name for row in rows if row.managed.authority == stored.authority.id)
        asked = stores if stored in needed else ()
        states = tuple(StoreState(store.name, store.state(stored.authority.root)) for store in asked)
        authorities.append(AuthorityRow(stored, signed, states))
    return Listing(tuple(rows), tuple(authorities), _together([row.stores for row in authorities]), tuple(broken))


def row_of(managed: Managed, users: tuple[str, ...], *, now: datetime) -> Row:
    """A certificate with what is to be said about it at `now` (aware)."""
    ends = managed.description.not_after
    renewable = managed.kind != IMPORTED
    renews_on = (ends - RENEWED_BEFORE_END).date() if renewable else None
    if now < ends - (RENEWED_BEFORE_END / 2 if renewable else RENEWED_BEFORE_END):
        # What wsgui renews itself is spoken of only when that should have happened long ago.
        return Row(managed, users, renews_on)
    if now >= ends:
        problem = f"It ended on {ends:%Y-%m-%d}, and browsers refuse it."
    else:
        problem = f"It ends on {ends:%Y-%m-%d}{', and wsgui cannot renew it' if not renewable else ''}."
    hint = (
        f"Renew it: wsgui certificate renew {shlex.quote(managed.name)}"
        if renewable
        else f"Get its successor from whoever issued it: {import_command(managed.name)}"
    )
    return Row(managed, users, renews_on, problem, hint)


def import_command(name: str) -> str:
    """How a certificate that was imported is replaced by its successor."""
    return f"wsgui certificate import FILE --name {shlex.quote(name)} --replace"


def used_by(name: str, profiles: Sequence[Profile]) -> tuple[str, ...]:
    """The names of the profiles whose ``[tls] certificate`` names it."""
    return tuple(profile.name for profile in profiles if name in map(_spelled, profile.tls.certificate))


def in_use(known: Sequence[StoredAuthority], certificates: Sequence[Managed]) -> tuple[StoredAuthority, ...]:
    """The authorities that a device has to trust: those that signed a certificate, else the newest."""
    signers = {managed.authority for managed in certificates}
    return tuple(one for one in known if one.authority.id in signers) or tuple(known[:1])


def is_due(managed: Managed, now: datetime) -> bool:
    """Whether it is time to renew it; never for one that was imported."""
    return managed.kind != IMPORTED and now >= managed.description.not_after - RENEWED_BEFORE_END


def no_such(name: str, known: Sequence[str]) -> CertificateError:
    """There is no certificate of this name."""
    there = f"There are: {', '.join(known)}." if known else "Make one: wsgui certificate create"
    return CertificateError(f'There is no certificate "{display(name)}".', there)


def taken(name: str, otherwise: str = "renew that one") -> CertificateError:
    """There is a certificate of this name; `otherwise` is what to do instead of another name."""
    return CertificateError(
        f'There is a certificate "{name}" already.', f"Give the new one another name with --name, or {otherwise}."
    )


def _together(states: Sequence[tuple[StoreState, ...]]) -> tuple[StoreState, ...]:
    """Each store once, with what the least trusted authority gets from it."""
    worst: dict[str, StoreState] = {}
    for state in (state for row in states for state in row):
        known = worst.get(state.store)
        if known is None or _RANK[state.trust.state] > _RANK[known.trust.state]:
            worst[state.store] = state
    return tuple(worst.values())


_RANK: Final = {TrustState.ABSENT: 0, TrustState.TRUSTED: 1, TrustState.UNKNOWN: 2, TrustState.UNTRUSTED: 3}


def _spelled(name: str) -> str:
    try:
        return certificate_name(name)
    except CertificateError:
        return name
