"""One family of errors, each saying in one sentence what is wrong and in one what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
"""A tunnel could not start, or a request to a running wsgui was not carried out."""
EXIT_USAGE: Final = 2
"""The command line or a profile is wrong."""


class WsguiError(Exception):
    """Something that the person who runs wsgui can do something about.

    Args:
        message: One sentence: what is wrong. No secret may be in it.
        hint: One sentence: what to do. Empty only when there is nothing to be done.
        field: The profile's field, dotted (``limits.idle_seconds``), when one is to blame.
    """

    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(WsguiError):
    """The command line asks for something that cannot be."""

    exit_code: ClassVar[int] = EXIT_USAGE


class AddressError(WsguiError):
    """Text that should be an address is none."""

    exit_code: ClassVar[int] = EXIT_USAGE


class FieldError(WsguiError):
    """One problem of one field of a profile; `line` is where its file names it, from 1, when that is known."""

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, message: str, hint: str = "", *, field: str = "", line: int | None = None) -> None:
        super().__init__(message, hint, field=field)
        self.line = line


class ProfileError(WsguiError):
    """One or more problems of one profile file, all found in one reading.

    Args:
        source: The file's path or the profile's name, as a person would look for it.
        problems: Each problem; its ``field`` is the dotted path inside the profile.
    """

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, source: str, problems: Sequence[WsguiError]) -> None:
        self.source = source
        self.problems = tuple(problems)
        first = self.problems[0] if self.problems else WsguiError("The profile is not valid.")
        super().__init__(f"{source}: {first.message}", first.hint, field=first.field)

    def __reduce__(self) -> tuple[type[ProfileError], tuple[str, tuple[WsguiError, ...]]]:
        # An exception is copied by its args, which here are not what it was made of.
        return type(self), (self.source, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}{_place(problem)}: {problem}" for problem in self.problems)


def _place(problem: WsguiError) -> str:
    line = problem.line if isinstance(problem, FieldError) else None
    return (f":{line}" if line else "") + (f": {problem.field}" if problem.field else "")


class SecretError(WsguiError):
    """A secret reference (``keyring:``, ``env:``, ``file:``) could not be resolved."""


class CertificateError(WsguiError):
    """A certificate, key or authority is missing, unreadable, or does not fit."""


class TunnelError(WsguiError):
    """A tunnel could not start or do what was asked of it."""


class TargetError(WsguiError):
    """A target could not be reached; `message` is fit for a close reason and a log line."""


class ControlError(WsguiError):
    """A running wsgui could not be reached or refused what was asked."""
