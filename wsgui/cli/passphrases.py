"""Passphrases of certificates that are kept nowhere: asked for on the terminal, before a tunnel starts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from wsgui.cli.asking import ASK, password, somebody_is_there
from wsgui.display import display
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles.model import Profile

if TYPE_CHECKING:
    from wsgui.certificates.vault import Vault

ATTEMPTS: Final = 3


def open_certificates(profiles: Sequence[Profile], vault: Vault) -> None:
    """Ask for the passphrase of each certificate that these profiles name and whose passphrase is kept nowhere.

    Where there is no terminal nobody is asked, and starting such a tunnel says what is missing.

    Raises:
        SecretError: None of three attempts opens the key, or whoever is asked wants no more of it.
    """
    if not (somebody_is_there() and sys.stderr.isatty()):
        return
    for name in dict.fromkeys(name for profile in profiles for name in profile.tls.certificate):
        try:
            asked = vault.read(name).passphrase == ASK
        except CertificateError:
            continue  # the tunnel's start says it, with the profile that names it
        if asked:
            _open(name, vault)


def _open(name: str, vault: Vault) -> None:
    for left in reversed(range(ATTEMPTS)):
        given = password(f'The passphrase of the certificate "{display(name)}"')
        try:
            vault.unlock(name, given)
        except SecretError as error:
            if not left:
                raise
            print(error.message, file=sys.stderr, flush=True)
        else:
            return
