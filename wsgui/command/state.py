"""How a program that runs with a tunnel is doing, in values and in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class ProgramKind(StrEnum):
    STARTING = "starting"
    """It runs, but does not listen yet."""
    RUNNING = "running"
    """It listens on the port that it was given."""
    RESTARTING = "restarting"
    """It has ended and is started again in `restart_seconds`."""
    ENDED = "ended"
    """It has ended, and that is that."""
    GAVE_UP = "gave up"
    """It cannot be started, and is not tried again."""


@dataclass(frozen=True, slots=True)
class ProgramState:
    """One moment of a program.

    Args:
        kind: What it is doing.
        pid: Its process, while there is one.
        status: How it ended, as `subprocess` has it: an exit status, or the negative number of a signal.
        ending: The same in words: ``with status 1``.
        restart_seconds: When RESTARTING, how long that takes.
        message: What is wrong, in one sentence; empty when nothing is.
        hint: What to do about it; may be empty.
    """

    kind: ProgramKind
    pid: int | None = None
    status: int | None = None
    ending: str = ""
    restart_seconds: float | None = None
    message: str = ""
    hint: str = ""


def ending_in_words(status: int) -> str:
    """Return how a program ended, to go behind "ended": ``with status 1``, ``by signal SIGSEGV (…)``.

    Args:
        status: As in `subprocess.Popen.returncode`.
    """
    if status >= 0:
        return f"with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"by signal {-status}"
    words = signal.strsignal(-status) if hasattr(signal, "strsignal") else None
    return f"by signal {name} ({words})" if words else f"by signal {name}"
