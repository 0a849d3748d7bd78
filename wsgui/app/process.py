"""What the process settles for itself before anything else: its umask and how many files it may open."""

from __future__ import annotations

import os
import sys
from typing import Final

from wsgui.command.descriptors import remember_limit

PRIVATE_UMASK: Final = 0o077
_MOST_DESCRIPTORS: Final = 1 << 20


def private_umask() -> None:
    """What this process makes from now on is for this user only."""
    os.umask(PRIVATE_UMASK)


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one (at most 1,048,576); each client needs two.

    Returns:
        The soft limit that now holds; 0 where there is none to raise (Windows).
    """
    if sys.platform == "win32":
        return 0
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    remember_limit(soft)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    # macOS says "unlimited" but takes no more than its own OPEN_MAX: try less until one is taken.
    while wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            wanted //= 2
        else:
            return wanted
    return soft
