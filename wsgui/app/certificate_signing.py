"""Which of this computer's authorities signs a certificate, and when a new one has to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import Bundle, issue
from wsgui.certificates.vault import StoredAuthority, Vault
from wsgui.display import display
from wsgui.errors import CertificateError, SecretError

_LEAST_LEFT: Final = timedelta(days=60)
"""An authority that ends sooner signs nothing more: what it signs ends with it, and would be due at once."""


class AuthorityKeyError(SecretError):
    """The key of an authority that there is cannot be opened."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with the authority that signed it.

    Args:
        made: The authority was made for it; whoever cannot keep the certificate removes it again.
        again: There was an authority before.
    """

    bundle: Bundle
    stored: StoredAuthority
    made: bool = False
    again: bool = False


def sign(
    vault: Vault,
    names: Sequence[str],
    *,
    machine: Sequence[str],
    passphrase: str = "",
    preferred: str = "",
    make: bool = False,
    may_make: bool = True,
    now: datetime,
) -> Signed:
    """Have a new key's certificate signed by the newest authority that may sign it, or by a new one.

    Args:
        names: What it is for, normalised.
        machine: This computer's names, which a new authority may sign too.
        passphrase: Where a new authority's passphrase is, as `Vault.save_authority` has it.
        preferred: The ID of the authority to take before all others.
        make: Make a new one in any case.
        may_make: Whether one may be made at all.
        now: The time it begins to be valid, UTC.

    Raises:
        CertificateError: a new authority would be needed, but may not be made.
        AuthorityKeyError: the passphrase of the authority that is there cannot be had.
        SecretError: that of a new one cannot be had or stored.
    """
    known = vault.authorities()
    chosen = None if make else _choose(known, names, preferred, now)
    if chosen is not None:
        return Signed(issue(chosen.authority, _key_of(vault, chosen), names, now=now), chosen)
    if not may_make:
        raise CertificateError(
            f"No authority of this computer may sign a certificate for {display(', '.join(names))} any more.",
            "Renew it yourself: that makes a new authority, which each device has to trust.",
        )
    # What earlier ones could sign this one can too, so that no later certificate goes back to them.
    wanted = dict.fromkeys((*names, *(name for one in known for name in one.authority.permitted)))
    authority, key = make_authority(tuple(wanted), machine=machine, now=now)
    bundle = issue(authority, key, names, now=now)
    return Signed(bundle, vault.save_authority(authority, key, passphrase), made=True, again=bool(known))


def _key_of(vault: Vault, stored: StoredAuthority) -> EllipticCurvePrivateKey:
    try:
        return vault.signing_key(stored.authority.id)
    except SecretError as error:
        raise AuthorityKeyError(
            f"{error.message.removesuffix('.')}, so that the key of this computer's authority cannot be used.",
            "See to that, or make one with a new authority (wsgui certificate create NAME --new-authority), which each "
            "device has to trust.",
        ) from error


def _choose(
    known: Sequence[StoredAuthority], names: Sequence[str], preferred: str, now: datetime
) -> StoredAuthority | None:
    usable = [
        one
        for one in known
        if one.authority.intermediate.not_valid_after_utc > now + _LEAST_LEFT
        and all(one.authority.covers(name) for name in names)
    ]
    first = next((one for one in usable if one.authority.id == preferred), None)
    return first or next(iter(usable), None)
