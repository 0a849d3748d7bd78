"""Which program listens on a TCP port, where the system tells (Linux's /proc)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.display import display

_LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp's `st` column (Linux, include/net/tcp_states.h)."""


@dataclass(frozen=True, slots=True)
class PortOwner:
    """A process, by the name people know it by."""

    name: str
    pid: int


def port_owner(port: int) -> PortOwner | None:
    """Return who listens on `port` on any address, or None when that cannot be known (another user's, another OS)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            descriptors = os.listdir(process / "fd")
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                link = os.readlink(process / "fd" / descriptor)
            except OSError:
                continue
            if link.startswith("socket:[") and link[8:-1] in inodes:
                return PortOwner(_name(process), int(process.name))
    return None


def _listening_inodes(port: int) -> frozenset[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(columns[9])
    return frozenset(found)


def _name(process: Path) -> str:
    try:
        return display((process / "comm").read_text().strip())
    except OSError:
        return "a program"
