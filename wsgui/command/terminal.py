"""Pseudo-terminals: one for each program that is to believe that somebody sits in front of it."""

from __future__ import annotations

import os
import struct
import sys
from dataclasses import dataclass
from typing import Final

if sys.platform != "win32":
    import fcntl
    import termios

_IUTF8: Final = 0x4000
"""Linux: the line editor rubs out whole characters (termios(3)); Python's termios has no name for it before 3.14."""


@dataclass(frozen=True, slots=True)
class Size:
    """A window in characters."""

    columns: int
    rows: int


USUAL_SIZE: Final = Size(80, 24)
TERMINAL_ENVIRONMENT: Final = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""What xterm.js and today's terminals are; COLUMNS and LINES are not set, as they would hide a new size."""
FORGOTTEN: Final = ("COLUMNS", "LINES", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERMCAP", "STY", "TMUX", "WINDOWID")
"""What our own terminal has put into our environment, and is not so in the new one."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A pseudo-terminal (pty(7)).

    Args:
        fd: The side that is the window: non-blocking, closed for programs that we start.
        program_fd: The side that is the program's; to be closed once it has it open.
        path: Where the program opens it.
    """

    fd: int
    program_fd: int
    path: str


def open_terminal(size: Size = USUAL_SIZE) -> Terminal:
    """Make one, with a new terminal's usual settings.

    Raises:
        OSError: The system has none left, or shows us no path to it.
    """
    fd, program_fd = os.openpty()
    try:
        os.set_blocking(fd, False)
        set_size(fd, size)
        settings = termios.tcgetattr(program_fd)
        if sys.platform == "linux":
            settings[0] |= _IUTF8
            termios.tcsetattr(program_fd, termios.TCSANOW, settings)
        return Terminal(fd, program_fd, os.ttyname(program_fd))
    except BaseException:
        os.close(fd)
        os.close(program_fd)
        raise


def set_size(fd: int, size: Size) -> None:
    """Tell the program its window's size; the kernel sends SIGWINCH when it is another one (TIOCSWINSZ, tty_ioctl(4)).

    Raises:
        OSError: The terminal is gone.
    """
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))


def environment_on_terminal(environment: dict[str, str], chosen: dict[str, str]) -> dict[str, str]:
    """Return `environment` for a program on a terminal of ours; what the user has `chosen` counts more."""
    kept = {name: value for name, value in environment.items() if name not in FORGOTTEN or name in chosen}
    return kept | TERMINAL_ENVIRONMENT | chosen
