"""Questions to the person before the terminal; nobody is asked where nobody can answer."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from typing import Final

from wsgui.display import display
from wsgui.errors import SecretError, UsageError
from wsgui.profiles.formats import is_reference
from wsgui.profiles.secrets import resolve

ASK: Final = "ask"
"""Instead of a reference to a secret: ask for it each time."""
LEAST_CHARACTERS: Final = 8
_ATTEMPTS: Final = 3


def somebody_is_there() -> bool:
    """Whether questions would reach somebody: the standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def somebody_has_a_screen() -> bool:
    """Whether a keyring could show somebody its own question for a password."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("win32", "darwin")
    return bool(screen) and somebody_is_there()


def yes(question: str) -> bool:
    """Ask a question that "no" is the usual answer to."""
    print(f"{display(question, limit=1000)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def typed(prompt: str) -> str:
    """What is typed after a prompt, without an echo; empty at the end of the input. Whoever gets it judges it."""
    try:
        return getpass.getpass(display(prompt, limit=500))
    except EOFError:
        return ""


def password(what: str) -> str:
    """Ask for a password that exists; it is not echoed.

    Raises:
        SecretError: none was given.
    """
    given = typed(f"{what}: ")
    if not given:
        raise SecretError(f"{display(what)} was not given.", "Try again, and type it.")
    return given


def new_password(what: str) -> str:
    """Ask for a new password, twice, until both are the same.

    Raises:
        SecretError: it was too short, or not repeated, too often.
    """
    for _ in range(_ATTEMPTS):
        first = password(what)
        if len(first) < LEAST_CHARACTERS:
            print(f"Use at least {LEAST_CHARACTERS} characters.", file=sys.stderr)
        elif password(f"{what}, again") != first:
            print("They are not the same.", file=sys.stderr)
        else:
            return first
    raise SecretError(f"{display(what)} was not chosen.", "Try again.")


def from_here(reference: str) -> str:
    """A reference as it was typed: a file's path counts from the working folder."""
    kind, _, place = reference.partition(":")
    return f"file:{os.path.abspath(os.path.expanduser(place))}" if kind == "file" and place else reference


def from_option(reference: str, option: str, what: str, ask: Callable[[str], str]) -> str:
    """The password that ``OPTION REFERENCE`` names; without one, or with "ask", somebody is asked.

    Args:
        reference: What was given; empty = nothing.
        option: The option's name, for the error.
        what: What the password is for.
        ask: `password` or `new_password`.

    Raises:
        UsageError: there is nobody to ask.
        SecretError: it cannot be had.
    """
    if reference and reference != ASK:
        reference = from_here(reference)
        if not is_reference(reference):
            # It may be the password itself, so it is not shown.
            raise UsageError(
                f"{option} is given something that is no place of a password.",
                f"Write {option} env:VARIABLE, file:PATH or keyring:NAME, and never the password itself.",
            )
        return resolve(reference)
    if not somebody_is_there():
        raise UsageError(
            f"{display(what)} is needed, and nobody is there to be asked.",
            f"Say where it is: {option} env:VARIABLE or {option} file:/PATH.",
        )
    return ask(what)
