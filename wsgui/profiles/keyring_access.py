"""The system's keyring: what state it is in, and wsgui's entries in it, without ever hanging on it."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from wsgui.display import display
from wsgui.errors import SecretError
from wsgui.profiles.formats import is_reference
from wsgui.profiles.keyring_backends import (
    PROMPT_SECONDS,
    Finding,
    KeyringError,
    KeyringState,
    absent,
    backend_name,
    check_unlocked,
    failed,
    fit_backends,
    locked,
    not_installed,
)

__all__ = ["SERVICE", "Finding", "KeyringError", "KeyringState", "allow_prompts", "get", "remove", "state", "store"]

SERVICE: Final = "wsgui"
"""The service's name in the keyring; a reference's NAME is the user name there."""
ANSWER_SECONDS: Final = 15.0
"""How long the keyring may take when it asks nobody."""
MAX_BYTES: Final = 64 * 1024
_MAX_ABANDONED: Final = 8
"""Threads that may wait at once for a keyring that has not answered in time."""
_MAX_DUPLICATES: Final = 16

T = TypeVar("T")

_prompts = False
_found_none = False
_choosing = threading.Lock()
_abandoned: list[threading.Thread] = []


def allow_prompts(allowed: bool) -> None:
    """Say whether this process has a person before it, whom a locked keyring may ask for its password (default: no).

    Where it may, a call can take minutes; where it may not, a locked keyring is said to be locked.
    """
    global _prompts
    _prompts = allowed


def state() -> Finding:
    """The keyring's state. Blocking, for `ANSWER_SECONDS` at most; nobody is asked for anything."""

    def look() -> str:
        best = fit_backends(_chosen())[0]
        check_unlocked(best, prompts=False)
        if "kwallet" not in type(best).__module__.lower():  # It would ask for the wallet's password.
            best.get_password(SERVICE, "state")
        return backend_name(best)

    try:
        return Finding(KeyringState.AVAILABLE, _in_time(look, ANSWER_SECONDS), "", "")
    except KeyringError as error:
        return Finding(error.state, "", error.message, error.hint)


def get(name: str) -> str | None:
    """The secret `name`, or None when there is none. Blocking.

    Raises:
        KeyringError: The keyring is locked, absent, or fails; it is never waited for without end.
    """

    def read() -> str | None:
        for backend in fit_backends(_chosen()):
            check_unlocked(backend, prompts=_prompts)
            value: str | None = backend.get_password(SERVICE, name)
            if value is not None:
                return value
        return None

    return _in_time(read, _patience())


def store(name: str, value: str) -> None:
    """Keep `value` as the secret `name`, in the place of one that has the name, and see by reading that it is kept.

    Raises:
        SecretError: The name or the value cannot be kept.
        KeyringError: The keyring is locked, absent, or fails, or does not give back what was stored.
    """
    if not is_reference(f"keyring:{name}"):
        raise SecretError(
            f'"{display(name)}" cannot be a secret\'s name.', "Use letters, digits, spaces and -_./ only."
        )
    if not value:
        raise SecretError("An empty secret is none.", "Give one with at least one character.")
    try:
        data = value.encode()
    except UnicodeEncodeError:
        data = b"\0"
    if b"\0" in data or len(data) > MAX_BYTES:
        message = f"The secret is no text of at most {MAX_BYTES // 1024} KiB."
        raise SecretError(message, 'Keep it in a file, and refer to it by "file:/PATH".')

    def write() -> None:
        backend = fit_backends(_chosen())[0]
        check_unlocked(backend, prompts=_prompts)
        backend.set_password(SERVICE, name, value)
        kept = backend.get_password(SERVICE, name)
        if not isinstance(kept, str) or not hmac.compare_digest(kept.encode(), data):
            raise failed("The keyring did not keep the secret that was stored in it.")

    _in_time(write, _patience())


def remove(name: str) -> bool:
    """Remove the secret `name`; whether there was one. Blocking.

    Raises:
        KeyringError: The keyring is locked, absent, or fails.
    """

    def delete() -> bool:
        removed = False
        for backend in fit_backends(_chosen()):
            check_unlocked(backend, prompts=_prompts)
            # Some keep several of one name, and delete the first.
            for _ in range(_MAX_DUPLICATES):
                if backend.get_password(SERVICE, name) is None:
                    break
                backend.delete_password(SERVICE, name)
                removed = True
        return removed

    return _in_time(delete, _patience())


def _chosen() -> Any:
    """The backend that the keyring library has chosen; none is looked for anew, as a session's bus may come late."""
    global _found_none
    try:
        import keyring
        import keyring.backend
        import keyring.core
        from keyring.backends import fail
    except ImportError:
        raise not_installed() from None
    with _choosing:
        first = getattr(keyring.core, "_keyring_backend", None) is None
        try:
            if _found_none and isinstance(keyring.get_keyring(), fail.Keyring):
                vars(keyring.backend.get_all_keyring).pop("saved_result", None)  # it remembers what there was
                keyring.core.init_backend()
            chosen = keyring.get_keyring()
        except (ImportError, AttributeError, RuntimeError) as error:
            name = type(error).__name__
            message = f"The keyring that PYTHON_KEYRING_BACKEND or keyringrc.cfg names cannot be loaded ({name})."
            raise failed(message) from None
        if first or not isinstance(chosen, fail.Keyring):
            _found_none = isinstance(chosen, fail.Keyring)
        return chosen


def _patience() -> float:
    return ANSWER_SECONDS + PROMPT_SECONDS if _prompts else ANSWER_SECONDS


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """What `work` comes to, in a thread of its own that is left behind when it takes longer than `seconds`.

    Raises:
        KeyringError: It takes too long, or has raised something.
    """
    _abandoned[:] = [thread for thread in _abandoned if thread.is_alive()]
    if len(_abandoned) >= _MAX_ABANDONED:
        raise failed("The keyring does not answer.")
    done: list[T] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 — it is raised in the caller's thread
            raised.append(error)

    thread = threading.Thread(target=run, name="wsgui-keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    if done:
        return done[0]
    if raised:
        raise _in_our_words(raised[0]) from None
    _abandoned.append(thread)
    raise failed("The keyring does not answer.")


def _in_our_words(error: Exception) -> SecretError:
    """The error that says it without the backend's own text, which is not ours to vouch for."""
    if isinstance(error, SecretError):
        return error
    import keyring.errors

    kind = type(error).__name__
    if isinstance(error, keyring.errors.NoKeyringError) or kind == "SecretServiceNotAvailableException":
        return absent()
    if isinstance(error, keyring.errors.KeyringLocked) or kind in ("LockedException", "PromptDismissedException"):
        return locked()
    if kind == "DBusErrorResponse" and getattr(error, "name", "").endswith(".IsLocked"):
        return locked()
    if isinstance(error, UnicodeDecodeError):
        return failed("What the keyring has under that name is no text.")
    return failed(f"The keyring could not be asked ({kind}).")
