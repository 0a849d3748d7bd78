"""Looks at the keyring, the certificates and who trusts them."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from wsgui.app.certificate_listing import RENEWED_BEFORE_END
from wsgui.app.certificates import Certificates
from wsgui.app.doctor.check import Check, Level
from wsgui.certificates.trust.store import TrustState
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.keyring_access import KeyringState
from wsgui.profiles.model import Profile
from wsgui.profiles.references import keyring_names

_IN_KEYRING = "keyring:"


def keyring(certificates: Certificates, profiles: Sequence[Profile]) -> list[Check]:
    """Say in what state the keyring is: a problem only where something is kept in it."""
    finding = certificates.keyring()
    users = _keyring_users(certificates, profiles)
    if finding.state is KeyringState.AVAILABLE:
        return [Check("Keyring", Level.OK, f"{display(finding.backend)} keeps secrets.")]
    if users:
        needed = f"It is needed for {_and(users)}."
        return [Check("Keyring", Level.PROBLEM, f"{finding.message} {needed}", finding.hint)]
    level = Level.NOTE if finding.state in (KeyringState.ABSENT, KeyringState.NOT_INSTALLED) else Level.WARNING
    return [Check("Keyring", level, f"{finding.message} Nothing is kept in it now.", finding.hint)]


def managed_certificates(certificates: Certificates, profiles: Sequence[Profile]) -> list[Check]:
    """Say which of wsgui's own certificates are missing, broken, end soon, or have keys that cannot be opened."""
    listing = certificates.listing(stores=False)
    there = {*(row.managed.name for row in listing.rows), *(broken.name for broken in listing.broken)}
    checks = []
    for name in dict.fromkeys(name for profile in profiles for name in profile.tls.certificate):
        if name not in there:
            users = [display(profile.name) for profile in profiles if name in profile.tls.certificate]
            made = f"wsgui certificate create {shlex.quote(display(name))}"
            checks.append(
                Check(
                    f"Certificate of {_and(users)}",
                    Level.PROBLEM,
                    f'There is no certificate "{display(name)}".',
                    f"Make it ({made}), or name another in [tls] certificate.",
                )
            )
    for broken in listing.broken:
        name = f'Certificate "{display(broken.name)}"' if broken.name else "Authority"
        level = Level.PROBLEM if broken.used_by else Level.WARNING
        checks.append(Check(name, level, display(broken.problem.message, limit=500), broken.problem.hint))
    now = datetime.now(UTC)
    for row in listing.rows:
        name = f'Certificate "{display(row.managed.name)}"'
        ends = row.managed.description.not_after
        if row.problem:
            ended = now >= ends and row.used_by
            checks.append(Check(name, Level.PROBLEM if ended else Level.WARNING, row.problem, row.hint))
            continue
        if row.used_by and (closed := _key_problem(certificates, row.managed.name, row.managed.passphrase)):
            checks.append(Check(name, *closed))
            continue
        renews = f", and renews itself from {row.renews_on:%Y-%m-%d} on" if row.renews_on else ""
        checks.append(Check(name, Level.OK, f"It is valid until {ends:%Y-%m-%d}{renews}."))
    return checks


def certificate_files(profiles: Sequence[Profile]) -> list[Check]:
    """Say which files of certificates that profiles name are missing or end soon."""
    now = datetime.now(UTC)
    checks = []
    for path, users in _by_file(profiles).items():
        name = f"Certificate of {_and(users)}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
        except OSError as error:
            why = f"{display(path)} cannot be read: {error.strerror or type(error).__name__}."
            checks.append(Check(name, Level.PROBLEM, why, "Put the file there, or correct [tls] certificate_file."))
            continue
        except ValueError:
            why = f"There is no certificate in PEM form in {display(path)}."
            checks.append(Check(name, Level.PROBLEM, why, "Convert it to PEM, or correct [tls] certificate_file."))
            continue
        ends = certificate.not_valid_after_utc
        replace = "Replace the file by its successor; wsgui takes it up by itself."
        if now >= ends:
            checks.append(Check(name, Level.PROBLEM, f"{display(path)} ended on {ends:%Y-%m-%d}.", replace))
        elif now >= ends - RENEWED_BEFORE_END:
            checks.append(Check(name, Level.WARNING, f"{display(path)} ends on {ends:%Y-%m-%d}.", replace))
        else:
            checks.append(Check(name, Level.OK, f"{display(path)} is valid until {ends:%Y-%m-%d}."))
    return checks


def trust_stores(certificates: Certificates) -> list[Check]:
    """Say which of this computer's trust stores trust the authority."""
    listing = certificates.listing()
    if not listing.stores:
        hint = "Make a certificate that browsers here accept: wsgui certificate create, then wsgui certificate trust"
        return [Check("Trust", Level.NOTE, "There is no authority of this computer yet.", hint)]
    levels = {
        TrustState.TRUSTED: Level.OK,
        TrustState.ABSENT: Level.NOTE,
        TrustState.UNTRUSTED: Level.WARNING,
        TrustState.UNKNOWN: Level.WARNING,
    }
    again = "Run: wsgui certificate trust"
    return [
        Check(
            f"Trust: {each.store}",
            levels[each.trust.state],
            display(each.trust.message, limit=500),
            again if each.trust.state is TrustState.UNTRUSTED else "",
        )
        for each in listing.stores
    ]


def _keyring_users(certificates: Certificates, profiles: Sequence[Profile]) -> list[str]:
    """What has a secret in the keyring, in words."""
    listing = certificates.listing(stores=False)
    users = [
        f'the certificate "{display(row.managed.name)}"'
        for row in listing.rows
        if row.managed.passphrase.startswith(_IN_KEYRING)
    ]
    if any(row.stored.passphrase.startswith(_IN_KEYRING) for row in listing.authorities):
        users.append("the authority that renews certificates")
    users += [f'the profile "{display(profile.name)}"' for profile in profiles if keyring_names(profile)]
    return users


def _key_problem(certificates: Certificates, name: str, passphrase: str) -> tuple[Level, str, str] | None:
    """Why the key of a certificate that is in use could not be opened; None when it can."""
    if passphrase == "ask":  # noqa: S105 — where it is, not what it is
        return Level.NOTE, "Its passphrase is asked for whenever a tunnel with it starts.", ""
    try:
        certificates.vault.passphrase(name)
    except WsguiError as error:
        return Level.PROBLEM, display(error.message, limit=500), display(error.hint, limit=500)
    return None


def _by_file(profiles: Sequence[Profile]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for profile in profiles:
        if profile.tls.certificate_file:
            users.setdefault(profile.tls.certificate_file, []).append(display(profile.name))
    return users


def _and(words: Sequence[str]) -> str:
    """ "a, b and 3 more" at most."""
    if len(words) > 3:
        return f"{', '.join(words[:2])} and {len(words) - 2} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
