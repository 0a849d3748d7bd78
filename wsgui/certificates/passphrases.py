"""Passphrases of keys by where they are kept: the keyring, a variable, a file, or a person's memory."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wsgui.display import display
from wsgui.errors import SecretError
from wsgui.profiles import keyring_access
from wsgui.profiles.formats import is_reference
from wsgui.profiles.keyring_access import KeyringError, KeyringState
from wsgui.profiles.secrets import resolve
from wsgui.profiles.withheld import withhold

ASK: Final = "ask"
KEYRING: Final = "keyring"
OWN_ENTRIES: Final = ("certificate/", "authority/")
"""What the names of our own entries in the keyring begin with."""
TRIES: Final = 3

_SECRET_BYTES: Final = 32
_OTHER_PLACES: Final = 'name another place for the passphrase: "env:VARIABLE", "file:/PATH" or "ask"'
_FIRST: Final = {
    KeyringState.LOCKED: "Unlock it",
    KeyringState.ABSENT: "Install one",
    KeyringState.NOT_INSTALLED: "Install it (pip install keyring)",
    KeyringState.PLAINTEXT: "Set up another",
    KeyringState.FAILED: "Look after the keyring's program",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A passphrase and where it is; `made` is the entry of the keyring that was made for it, else empty."""

    reference: str
    value: str = field(repr=False)
    made: str = ""


def own_entry(reference: str) -> str:
    """The name of our own entry in the keyring that `reference` names; empty when it names something else."""
    kind, _, name = reference.partition(":")
    return name if kind == KEYRING and name.startswith(OWN_ENTRIES) else ""


def in_keyring(name: str) -> Chosen:
    """Put a new passphrase (256 random bits) into the keyring, under `name` or one like it that is free.

    An entry that is there already may be another installation's, and is left alone.

    Raises:
        KeyringError: The keyring is locked, absent, or fails; the hint says what else there is.
    """
    try:
        while keyring_access.get(name) is not None:
            name = f"{name.partition('~')[0]}~{secrets.token_hex(3)}"
        chosen = Chosen(f"keyring:{name}", secrets.token_urlsafe(_SECRET_BYTES), name)
        try:
            keyring_access.store(name, chosen.value)
        except BaseException:
            forget(name)  # it may have been kept all the same
            raise
    except KeyringError as error:
        raise _with_choices(error) from None
    return chosen


def ready_keyring() -> None:
    """See to it that the keyring can be used, which may ask somebody to unlock it.

    Raises:
        KeyringError: It cannot.
    """
    try:
        keyring_access.get(OWN_ENTRIES[0])
    except KeyringError as error:
        raise _with_choices(error) from None


def forget(entry: str) -> None:
    """Remove an entry of ours that no key needs any more; one that cannot be removed opens nothing, and is left."""
    if not entry:
        return
    try:
        keyring_access.remove(entry)
    except SecretError as error:
        _log.warning('The entry "%s" is left in the keyring: %s', display(entry), error.message)


def named(reference: str) -> Chosen:
    """What a reference to somebody's own secret comes to; a name that the keyring has not gets a new passphrase.

    Raises:
        SecretError: There is nothing, it cannot be had, or it belongs to another key.
    """
    kind, _, place = reference.partition(":")
    if kind == "unbound" or not is_reference(reference):
        hint = 'Write "keyring:NAME", "env:VARIABLE", "file:/PATH" or "ask".'
        raise SecretError("That is no place for a passphrase.", hint)
    if own_entry(reference):
        message = f'The secret "{display(place)}" belongs to another certificate.'
        raise SecretError(message, 'Write "keyring" for one of its own, or another name.')
    if kind == KEYRING and keyring_access.get(place) is None:
        return in_keyring(place)
    withhold([reference])
    return Chosen(reference, resolve(reference))


class Asking:
    """Asks a person, and remembers in this process what was right.

    Args:
        ask: Shows a prompt and returns what was typed, empty when nothing was; None where nobody can be asked.
    """

    def __init__(self, ask: Callable[[str], str] | None) -> None:
        self._ask = ask
        self._known: dict[str, str] = {}
        self._turn = threading.Lock()

    def known(self, key: str) -> str:
        """What was right for `key`; empty when nothing was yet."""
        return self._known.get(key, "")

    def remember(self, key: str, value: str) -> None:
        self._known[key] = value

    def forget(self, key: str) -> None:
        self._known.pop(key, None)

    def existing(self, key: str, what: str, opens: Callable[[str], bool]) -> str:
        """Ask for the passphrase of `what` until one opens it, at most `TRIES` times.

        Raises:
            SecretError: None was given, or none opens it.
        """
        ask = self._asker(what)
        with self._turn:  # of several threads that need it, one asks
            if (value := self.known(key)) and opens(value):
                return value
            wrong = ""
            for _ in range(TRIES):
                value = _given(ask, f"{wrong}Passphrase of {what}: ")
                if opens(value):
                    self.remember(key, value)
                    return value
                wrong = "That is not it. "
        raise SecretError(f"None of {TRIES} passphrases opens {what}.", "Try again, or make a new one.")

    def new(self, what: str) -> Chosen:
        """Ask for a new passphrase, twice.

        Raises:
            SecretError: None was given, or not the same twice.
        """
        ask = self._asker(what)
        with self._turn:
            again = ""
            for _ in range(TRIES):
                value = _given(ask, f"{again}New passphrase of {what}: ")
                if _given(ask, "The same again: ") == value:
                    return Chosen(ASK, value)
                again = "They are not the same. "
        raise SecretError("The two passphrases were not the same.", "Try again.")

    def _asker(self, what: str) -> Callable[[str], str]:
        if self._ask is None:
            raise SecretError(
                f"The passphrase of {what} is kept nowhere, and there is nobody here to ask.",
                'Unlock it in the window, or keep the passphrase in "keyring", "env:VARIABLE" or "file:/PATH".',
            )
        return self._ask


def _given(ask: Callable[[str], str], prompt: str) -> str:
    try:
        value = ask(prompt)
    except EOFError:
        value = ""
    if not value:
        raise SecretError("No passphrase was given.", "Give one, or keep it in the keyring, a variable or a file.")
    return value


def _with_choices(error: KeyringError) -> KeyringError:
    return KeyringError(error.state, error.message, f"{_FIRST.get(error.state, error.hint)}, or {_OTHER_PLACES}.")
