"""Refuses a PySide6 that would abort the program after a while, and names the version to install."""

from __future__ import annotations

import platform
import sys
from typing import Final

from PySide6.QtCore import QObject

from wsgui.errors import WsguiError

BROKEN_VERSIONS: Final = frozenset({"6.12.0"})
KILLED_TIMERS: Final = 50
REMEDY: Final = 'Install a working one: python -m pip install "PySide6-Essentials>=6.8,!=6.12.0"'
NONE_IS_IMMORTAL: Final = (3, 12)
"""From this Python on None is not counted (PEP 683), so nothing can be lost."""


class BindingError(WsguiError):
    """The installed PySide6 cannot be used with this Python."""


def none_references_lost(timers: int = KILLED_TIMERS) -> int:
    """Start and kill `timers` Qt timers, and return how many references to None that cost (0 when all is well).

    A Q(Core)Application must exist, and no other thread may run Python code: the count is the whole process's.
    """
    owner = QObject()
    owner.killTimer(owner.startTimer(0))  # the binding sets itself up at the first call, and takes references for that
    before = sys.getrefcount(None)
    for _ in range(timers):
        owner.killTimer(owner.startTimer(0))
    return before - sys.getrefcount(None)


def check(version: str, lost: int, *, python: tuple[int, int] | None = None) -> None:
    """Raise BindingError when PySide6 `version` on this Python drops references to None.

    Args:
        version: PySide6's own version.
        lost: What `none_references_lost()` measured.
        python: Major and minor version; the running one by default.
    """
    major, minor = python or sys.version_info[:2]
    if (major, minor) >= NONE_IS_IMMORTAL:
        return
    if version in BROKEN_VERSIONS or lost >= KILLED_TIMERS:
        raise BindingError(
            f"PySide6 {version} with Python {major}.{minor} ({platform.system()}) loses a reference to None with "
            "each timer, so the program would abort within minutes.",
            REMEDY + " (6.8 to 6.11 work), or use Python 3.12 or newer.",
        )
