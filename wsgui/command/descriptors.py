"""How many files a program that we start may open: as many as we ourselves could when we were started."""

from __future__ import annotations

import contextlib
import sys

_given: int | None = None


def remember_limit(soft: int) -> None:
    """Keep the soft limit that the process was started with, before it is raised for the sake of many clients.

    A limit of a million makes programs slow that close all descriptors there could be, and breaks those that use
    select(2).
    """
    global _given
    _given = soft


def give_back_limit(pid: int) -> None:
    """Give a program that has just been started the limit that we were started with; on Linux only."""
    if _given is None or not sys.platform.startswith("linux"):
        return
    import resource

    with contextlib.suppress(OSError, ValueError):  # it may have ended, or be another user's by now
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (_given, hard))
