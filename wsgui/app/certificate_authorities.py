"""This computer's authorities one by one: found by their IDs, and removed when nothing needs them."""

from __future__ import annotations

from collections.abc import Sequence

from wsgui.app.certificate_listing import in_use
from wsgui.certificates.trust.store import TrustState, TrustStore
from wsgui.certificates.vault import Managed, StoredAuthority, Vault
from wsgui.display import display
from wsgui.errors import CertificateError


def find(vault: Vault, identity: str, certificates: Sequence[Managed]) -> StoredAuthority:
    """An authority by its ID or the beginning of it; empty = the newest of those in use. Raises CertificateError."""
    known = vault.authorities()
    if not known:
        raise CertificateError(
            "There is no authority on this computer yet.",
            "Make a certificate, and one is made: wsgui certificate create",
        )
    if not identity:
        return in_use(known, certificates)[0]
    found = [one for one in known if one.authority.id.startswith(identity.lower())]
    if len(found) != 1:
        shown = f'"{display(identity)}"'
        raise CertificateError(
            f"{shown} is more than one authority." if found else f"There is no authority {shown}.",
            f"There are: {', '.join(one.authority.id for one in known)}.",
        )
    return found[0]


def remove(
    vault: Vault, stored: StoredAuthority, certificates: Sequence[Managed], stores: Sequence[TrustStore]
) -> None:
    """Remove an authority with its key, and take its certificate out of the trust stores before. Blocking.

    Raises:
        CertificateError: a certificate that is here was signed by it, or a store cannot be made to trust it no longer.
    """
    identity = stored.authority.id
    if signed := [managed.name for managed in certificates if managed.authority == identity]:
        raise CertificateError(
            f"The authority {identity} signed {', '.join(signed)}, and renews what it signed.",
            "Remove those first: wsgui certificate remove NAME",
        )
    for store in stores:
        # Once it is forgotten here, nobody could find it there.
        if store.state(stored.authority.root).state is TrustState.ABSENT:
            continue
        outcome = store.remove(stored.authority.root)
        if not outcome.done:
            raise CertificateError(
                f"The authority {identity} is kept, as it may still be trusted. {store.name}: {outcome.message}",
                f"Run this first: {outcome.command}" if outcome.command else "See to that first.",
            )
    vault.remove_authority(identity)
