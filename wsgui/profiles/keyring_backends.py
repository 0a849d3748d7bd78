"""Which of the keyring library's backends may keep our secrets, and which of them would ask somebody first."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from wsgui.errors import SecretError

PROMPT_SECONDS: Final = 120.0
"""How long a keyring's question may stand unanswered."""
_ASK_AGAIN_SECONDS: Final = 30.0
"""After a question that was turned down; several tunnels that start at once are one question."""
_ELSEWHERE: Final = 'use "env:VARIABLE" or "file:/PATH"'

_SECRET_SERVICE: Final = frozenset({"keyring.backends.SecretService", "keyring.backends.libsecret"})
# The others of keyrings.alt write plain or merely encoded text.
_ENCRYPTING: Final = frozenset(
    {
        "keyrings.alt.file.EncryptedKeyring",
        "keyrings.alt.pyfs.EncryptedKeyring",
        "keyrings.alt.Windows.EncryptedKeyring",
        "keyrings.alt.Windows.RegistryKeyring",
        "keyrings.alt.Gnome.Keyring",
        "keyrings.alt.kwallet.QtKeyring",
    }
)

_question = threading.Lock()
_turned_down_at = -_ASK_AGAIN_SECONDS


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

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is copied by its args, which here are not what it was made of.
        return _copy, (type(self), self.state, self.message, self.hint, self.field)


def _copy(kind: type[KeyringError], state: KeyringState, message: str, hint: str, field: str) -> KeyringError:
    return kind(state, message, hint, field=field)


def locked(message: str = "The keyring is locked.") -> KeyringError:
    return KeyringError(KeyringState.LOCKED, message, f"Unlock it, or {_ELSEWHERE}.")


def absent(message: str = "There is no keyring on this computer.") -> KeyringError:
    return KeyringError(
        KeyringState.ABSENT, message, f"Install one (GNOME Keyring, KWallet, KeePassXC), or {_ELSEWHERE}."
    )


def failed(message: str) -> KeyringError:
    return KeyringError(KeyringState.FAILED, message, f"Look after the keyring's program, or {_ELSEWHERE}.")


def not_installed() -> KeyringError:
    return KeyringError(
        KeyringState.NOT_INSTALLED,
        "The keyring library is not installed.",
        f"Install it (pip install keyring), or {_ELSEWHERE}.",
    )


def plaintext() -> KeyringError:
    return KeyringError(
        KeyringState.PLAINTEXT,
        "The keyring that is set up keeps secrets as plain text.",
        f"Set up another in keyringrc.cfg or PYTHON_KEYRING_BACKEND, or {_ELSEWHERE}.",
    )


def backend_name(backend: Any) -> str:
    """A backend's name as people know it: "SecretService", "macOS", "WinVaultKeyring"."""
    kind = type(backend)
    return kind.__module__.rpartition(".")[2] if kind.__name__ == "Keyring" else str(kind.__name__)


def fit_backends(chosen: Any) -> Sequence[Any]:
    """The backends behind the one that is set up that may keep a secret, best first; at least one.

    Raises:
        KeyringError: There is none, or only such as keep plain text.
    """
    from keyring.backends import chainer, fail, null

    if isinstance(chosen, null.Keyring):
        raise absent("The keyring is switched off (PYTHON_KEYRING_BACKEND or keyringrc.cfg).")
    backends = list(chosen.backends) if isinstance(chosen, chainer.ChainerBackend) else [chosen]
    real = [each for each in backends if not isinstance(each, fail.Keyring | null.Keyring)]
    fit = [each for each in real if not _keeps_plain_text(each)]
    if fit:
        return fit
    raise plaintext() if real else absent()


def _keeps_plain_text(backend: Any) -> bool:
    for kind in type(backend).__mro__:
        name = f"{kind.__module__}.{kind.__name__}"
        if name in _ENCRYPTING:
            return False
        if "plaintext" in kind.__name__.lower() or kind.__module__.startswith("keyrings.alt."):
            return True
    return False


def check_unlocked(backend: Any, *, prompts: bool) -> None:
    """See to it that `backend` can be used without asking anybody, who might not be there to answer.

    Args:
        prompts: There is somebody: let a locked Secret Service ask, for at most `PROMPT_SECONDS`.

    Raises:
        KeyringError: It is locked.
        Exception: What the Secret Service's library raises when it cannot be asked.
    """
    if type(backend).__module__ in _SECRET_SERVICE:
        _check_secret_service(backend, prompts)
    elif hasattr(type(backend), "keyring_key") and "keyring_key" not in vars(backend):
        # It would ask on the terminal, whoever's that is.
        raise locked("The keyring asks for its password on a terminal.")


def _check_secret_service(backend: Any, prompts: bool) -> None:
    import secretstorage
    from secretstorage.collection import DEFAULT_COLLECTION
    from secretstorage.exceptions import ItemNotFoundException

    path = getattr(backend, "preferred_collection", DEFAULT_COLLECTION)
    with closing(secretstorage.dbus_init()) as connection:
        try:
            collection = secretstorage.Collection(connection, path)
        except ItemNotFoundException:
            if prompts:
                return  # The backend makes one, and asks for its password.
            raise absent("The computer's Secret Service has no keyring in it yet.") from None
        if collection.is_locked():
            if not prompts:
                raise locked()
            _let_it_ask(collection)


def _let_it_ask(collection: Any) -> None:
    global _turned_down_at
    with _question:
        if not collection.is_locked():
            return  # Somebody has answered meanwhile.
        if time.monotonic() - _turned_down_at < _ASK_AGAIN_SECONDS:
            raise locked()
        try:
            collection.unlock(timeout=PROMPT_SECONDS)
        except TimeoutError:
            logging.getLogger(__name__).info("Nobody has answered the keyring's question.")
        if collection.is_locked():
            _turned_down_at = time.monotonic()
            raise locked()
