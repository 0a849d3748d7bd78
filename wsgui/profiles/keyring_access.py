"""The system's keyring: what state it is in, and wsgui's entries in it, without ever hanging on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wsgui.errors import SecretError

SERVICE: Final = "wsgui"
"""The service's name in the keyring; a reference's NAME is the user name there."""


class KeyringState(StrEnum):
    """What can be expected of the keyring."""

    AVAILABLE = "available"
    LOCKED = "locked"
    ABSENT = "absent"
    PLAINTEXT = "plaintext"
    FAILED = "failed"
    NOT_INSTALLED = "not-installed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The keyring's state; `message` and `hint` are empty when it is available."""

    state: KeyringState
    backend: str
    """What keeps the secrets ("SecretService"); empty when nothing does."""
    message: str
    hint: str


class KeyringError(SecretError):
    """The keyring did not do what was asked; `state` says which of the reasons it is."""

    def __init__(self, state: KeyringState, message: str, hint: str, *, field: str = "") -> None:
        super().__init__(message, hint, field=field)
        self.state = state


def allow_prompts(allowed: bool) -> None:
    """Say whether this process has a person before it, whom a locked keyring may ask for its password (default: no)."""
    raise NotImplementedError


def state() -> Finding:
    """The keyring's state. Blocking, for some seconds at most; nobody is asked for anything."""
    raise NotImplementedError


def get(name: str) -> str | None:
    """The secret `name`, or None when there is none; raises KeyringError."""
    raise NotImplementedError


def store(name: str, value: str) -> None:
    """Keep `value` as the secret `name`, and see by reading that it is kept; raises KeyringError."""
    raise NotImplementedError


def remove(name: str) -> bool:
    """Remove the secret `name`; whether there was one. Raises KeyringError."""
    raise NotImplementedError
