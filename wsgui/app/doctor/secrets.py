"""Looks whether the secrets that profiles and certificates refer to are where they are said to be."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence

from wsgui.app.certificates import Certificates
from wsgui.app.doctor.check import Check, Level
from wsgui.certificates.passphrases import ASK
from wsgui.display import display
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles.keyring_access import KeyringError
from wsgui.profiles.model import Profile
from wsgui.profiles.references import references
from wsgui.profiles.secrets import resolve

_FILE = "file:"


def secrets(profiles: Sequence[Profile]) -> list[Check]:
    """Say which secrets of profiles cannot be had; of what a keyring keeps to itself, the look at the keyring tells."""
    checks = []
    for profile in profiles:
        for field, reference in references(profile):
            try:
                resolve(reference, field=field)
            except KeyringError:
                continue
            except SecretError as error:
                name = f"Secret of {display(profile.name)} ({field})"
                checks.append(
                    Check(name, Level.PROBLEM, display(error.message, limit=500), display(error.hint, limit=500))
                )
    return checks


def authorities(certificates: Certificates) -> list[Check]:
    """Say whose keys cannot be opened among the authorities that have certificates to renew."""
    checks = []
    for row in certificates.listing(stores=False).authorities:
        if not row.signed:
            continue
        identity = row.authority.id
        signed = ", ".join(row.signed[:3]) + (f" and {len(row.signed) - 3} more" if len(row.signed) > 3 else "")
        name = f"Authority {identity}"
        if row.stored.passphrase == ASK:
            why = (
                f"Its passphrase is kept nowhere, so that {signed} cannot be renewed where nobody is there to type it."
            )
            hint = "Renew in time: wsgui certificate renew --all"
            checks.append(Check(name, Level.NOTE, display(why, limit=500), hint))
            continue
        try:
            certificates.vault.signing_key(identity)
        except KeyringError:
            continue  # it is the keyring that is looked after first
        except (SecretError, CertificateError) as error:
            why = f"{error.message} Without its key nothing renews {signed}."
            checks.append(Check(name, Level.WARNING, display(why, limit=500), display(error.hint, limit=500)))
    return checks


def files(certificates: Certificates, profiles: Sequence[Profile]) -> list[Check]:
    """Say which files with secrets everybody on this computer can read."""
    if os.name == "nt":
        return []
    found: dict[str, None] = {}
    for reference in _all(certificates, profiles):
        path = os.path.expanduser(reference.removeprefix(_FILE))
        try:
            mode = os.stat(path).st_mode
        except OSError:
            continue  # that it is missing is said where it is needed
        if mode & stat.S_IROTH:
            found[path] = None
    return [
        Check(
            "Secrets",
            Level.WARNING,
            f"Every user of this computer can read {display(path, limit=500)}.",
            f"Run: chmod 600 {shlex.quote(display(path, limit=500))}",
        )
        for path in found
    ]


def _all(certificates: Certificates, profiles: Sequence[Profile]) -> Iterator[str]:
    """All references to files with a secret in them."""
    listing = certificates.listing(stores=False)
    for reference in (
        *(reference for profile in profiles for _, reference in references(profile)),
        *(row.managed.passphrase for row in listing.rows),
        *(row.stored.passphrase for row in listing.authorities),
    ):
        if reference.startswith(_FILE):
            yield reference
