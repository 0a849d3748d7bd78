"""Secrets by reference: `keyring:NAME`, `env:VARIABLE`, `file:/PATH`; no profile holds one itself."""

from __future__ import annotations

import logging
import os
import shlex
import stat

from wsgui.display import display
from wsgui.errors import SecretError
from wsgui.profiles import keyring_access
from wsgui.profiles.formats import is_reference
from wsgui.profiles.keyring_access import MAX_BYTES

_log = logging.getLogger(__name__)


def resolve(reference: str, *, field: str = "") -> str:
    """The secret that `reference` names. Blocking: a keyring may ask its user for a password.

    A secret file's one trailing newline is not part of the secret.

    Args:
        field: The profile's dotted field that holds the reference, for the error.

    Raises:
        SecretError: It is missing, empty, unreadable or unbound; no message holds the secret or anything like it.
    """
    kind, _, place = reference.partition(":")
    if not is_reference(reference):
        # What is no reference may be the secret itself, so it is not shown.
        hint = 'Write "keyring:NAME", "env:VARIABLE" or "file:/PATH".'
        raise SecretError("It is not a reference to a secret.", hint, field=field)
    if kind == "keyring":
        return _from_keyring(place, field)
    if kind == "env":
        return _from_environment(place, field)
    if kind == "file":
        return _from_file(os.path.expanduser(place), field)
    raise SecretError(
        f'The secret "{display(place)}" came with an imported profile and is bound to nothing yet.',
        'Write "keyring:NAME", "env:VARIABLE" or "file:/PATH" in its place.',
        field=field,
    )


def _from_environment(variable: str, field: str) -> str:
    value = os.environ.get(variable)
    if not value:
        state = "is not set" if value is None else "is empty"
        raise SecretError(
            f"The environment variable {variable} {state}.", "Set it where wsgui is started from.", field=field
        )
    return value


def _from_file(path: str, field: str) -> str:
    shown = display(path)
    try:
        # Links are followed, as container platforms hand secrets out as such.
        data, mode = _read_file(path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SecretError(
            f"The secret's file {shown} cannot be read: {why}.",
            "Create it with the secret in it, readable for the user wsgui runs as (chmod 600).",
            field=field,
        ) from None
    if not stat.S_ISREG(mode):
        raise SecretError(f"{shown} is not a file.", "Name a file with the secret in it.", field=field)
    _check_mode(shown, mode, field)
    if len(data) > MAX_BYTES:
        raise SecretError(
            f"The secret's file {shown} is longer than {MAX_BYTES // 1024} KiB.", "Name another file.", field=field
        )
    try:
        value = data.decode("utf-8")
    except UnicodeDecodeError:
        message = f"The secret's file {shown} is not UTF-8 text."
        raise SecretError(message, "Save the secret as text.", field=field) from None
    value = value[:-1] if value.endswith("\n") else value
    value = value[:-1] if value.endswith("\r") else value
    if not value:
        raise SecretError(f"The secret's file {shown} is empty.", "Write the secret into it.", field=field)
    return value


def _check_mode(shown: str, mode: int, field: str) -> None:
    if os.name == "nt":
        return  # Its access lists are not in the mode.
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SecretError(
            f"Others can change the secret's file {shown}.", f"Run: chmod 600 {shlex.quote(shown)}", field=field
        )
    if mode & stat.S_IROTH:
        # Container platforms mount secrets 0444, so this cannot be refused.
        _log.warning(
            "Every user of this computer can read the secret's file %s. Run: chmod 600 %s", shown, shlex.quote(shown)
        )


def _read_file(path: str) -> tuple[bytes, int]:
    """Up to `MAX_BYTES` + 1 bytes of a file and its mode; nothing of what is no file, which could hold us up."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        return os.read(descriptor, MAX_BYTES + 1) if stat.S_ISREG(mode) else b"", mode
    finally:
        os.close(descriptor)


def _from_keyring(name: str, field: str) -> str:
    shown = display(name)
    try:
        value = keyring_access.get(name)
    except SecretError as error:
        error.field = field
        raise
    if value is None:
        message = f'The keyring has no secret "{shown}".'
        raise SecretError(message, f"Store it: {store_command(name)}", field=field)
    if not value:
        message = f'The secret "{shown}" in the keyring is empty.'
        raise SecretError(message, f"Store it anew: {store_command(name)}", field=field)
    return value


def store_command(name: str) -> str:
    """The command line that puts the secret `name` into the keyring."""
    return f"wsgui secret set {shlex.quote(display(name))}"
