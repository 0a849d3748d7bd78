"""Keyrings for tests: in memory, failing as real ones do, and never the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keyring
import keyring.backend
import keyring.errors


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps secrets in memory.

    Args:
        secrets: By service and name.
    """

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None
        """What each call raises."""
        self.before_set: Callable[[str], None] = lambda _name: None
        """Called with the name of what is stored."""
        self.loses = False
        """Says that it stores, and does not."""

    @property
    def names(self) -> set[str]:
        return {name for _, name in self.secrets}

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.before_set(username)
        if not self.loses:
            self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        if (service, username) not in self.secrets:
            raise keyring.errors.PasswordDeleteError("No such password!")
        del self.secrets[service, username]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class PlaintextKeyring(MemoryKeyring):
    """Named as the one of keyrings.alt."""


@contextmanager
def keyring_is(backend: keyring.backend.KeyringBackend) -> Iterator[None]:
    """Meanwhile this process's keyring is `backend`."""
    before = keyring.core._keyring_backend
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.core._keyring_backend = before


@contextmanager
def memory_keyring() -> Iterator[MemoryKeyring]:
    """Meanwhile this process's keyring is an empty one in memory."""
    made = MemoryKeyring()
    with keyring_is(made):
        yield made
