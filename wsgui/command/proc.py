"""What Linux tells of processes and of who listens: proc(5), /proc/net/tcp, /proc/PID/{stat,fd,comm}."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.display import display

PROC: Final = Path("/proc")
_LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp's `st` column (Linux, include/net/tcp_states.h)."""


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """A TCP socket that listens: the address it is bound to, the user who opened it, and its inode."""

    host: str
    port: int
    uid: int
    inode: str


def can_tell_owners() -> bool:
    """Whether this system tells which process a socket belongs to."""
    return sys.platform.startswith("linux") and (PROC / "net" / "tcp").exists()


def listeners() -> Iterator[ListeningSocket]:
    """Yield all listening TCP sockets of this computer (of this network namespace); none where it is not told."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTEN:
                host, _, port = columns[1].rpartition(":")
                yield ListeningSocket(_host(host), int(port, 16), int(columns[7]), columns[9])


def processes() -> Iterator[int]:
    """Yield the numbers of all processes that we may know of."""
    for entry in os.listdir(PROC):
        if entry.isdecimal():
            yield int(entry)


def group_and_session(pid: int) -> tuple[int, int] | None:
    """Return group and session of a living process; None for one that is gone, or dead and not yet buried."""
    try:
        # The name, in brackets, may hold anything; pid (comm) state ppid pgrp session
        state, _, group, session = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else (int(group), int(session))


def holders_of(inodes: Iterable[str], among: Iterable[int] | None = None) -> dict[str, list[int]]:
    """Return which processes hold each of the sockets, as far as we may look."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, list[int]] = {}
    for pid in processes() if among is None else among:
        folder = PROC / str(pid) / "fd"
        try:
            descriptors = os.listdir(folder)
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                inode = wanted.get(os.readlink(folder / descriptor))
            except OSError:
                continue
            if inode is not None and pid not in found.setdefault(inode, []):
                found[inode].append(pid)
    return found


def name_of(pid: int) -> str | None:
    """Return the name of a process, fit to be shown; None when it is gone or not told."""
    try:
        return display((PROC / str(pid) / "comm").read_text().strip())
    except OSError:
        return None


def _host(text: str) -> str:
    """An address of /proc/net/tcp: words of 32 bits, each as the processor keeps it."""
    raw = b"".join(int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
