"""Where a key's passphrase goes when the keyring cannot have it: never nowhere, and never silently elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wsgui.app.certificate_signing import AuthorityKeyError
from wsgui.app.certificates import Created
from wsgui.cli.asking import ASK, from_here, somebody_is_there, yes
from wsgui.cli.parser import complain
from wsgui.errors import SecretError, UsageError
from wsgui.profiles.formats import is_reference
from wsgui.profiles.keyring_access import KeyringError

KEYRING: Final = "keyring"
_ELSEWHERE: Final = "Unlock the keyring, or say where the passphrase is: --passphrase env:VARIABLE, file:/PATH or ask."


def place(given: str) -> str:
    """Where a passphrase is, of what was typed (empty = the keyring); raises UsageError for what is no place."""
    where = from_here(given)
    if where in ("", KEYRING, ASK) or (is_reference(where) and not where.startswith("unbound:")):
        return where
    # What is no reference may be the passphrase itself, so it is not shown.
    raise UsageError(
        "That is not a place where a passphrase could be.",
        "Write keyring, env:VARIABLE, file:/PATH or ask, and never the passphrase itself.",
    )


def keeping_passphrase(where: str, make: Callable[[str], Created]) -> Created:
    """Call `make` with `where`; where the keyring was meant and cannot be had, a person may choose to be asked instead.

    Raises:
        SecretError: the keyring cannot have it, and nobody chose otherwise; the hint says how.
    """
    try:
        return make(where)
    except SecretError as error:
        if where not in ("", KEYRING) or isinstance(error, AuthorityKeyError) or not isinstance(error, KeyringError):
            raise
        if not somebody_is_there():
            raise SecretError(error.message, f"{error.hint} Here that is --passphrase WHERE.") from None
        complain(error)
        if not yes("Protect the key by a passphrase that you choose, and type whenever it is used, instead?"):
            raise SecretError("Nothing was made.", _ELSEWHERE) from None
        return make(ASK)
