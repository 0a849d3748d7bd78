"""Who listens on a port: a process of the program that we started, or somebody else; where the system tells."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.command.free_port import has_ipv6_loopback
from wsgui.display import display

_LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp's `st` column (Linux, include/net/tcp_states.h)."""
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening TCP socket. `host` is where a client of this computer reaches it; `bound` what it was bound to."""

    host: str
    bound: str
    port: int
    pid: int | None
    """A process that holds it; None when that cannot be known."""

    @property
    def is_everywhere(self) -> bool:
        """Whether it is bound to every address of this computer."""
        return self.bound in ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Family:
    """The processes that came of one that we started: its session and group, and whoever carries its mark.

    Args:
        leader: The process that was started as the leader of its own session and group.
        mark: A variable that it was given (`NAME=value`). A child that leaves the session still has it.
    """

    leader: int
    mark: str

    def members(self) -> tuple[int, ...]:
        """The living ones."""
        return tuple(pid for pid in _processes() if self.has(pid)) if can_tell_owners() else ()

    def has(self, pid: int) -> bool:
        status = _status(pid)
        if status is None:
            return False
        group, session = status
        return self.leader in (pid, group, session) or self._is_marked(pid)

    def session(self) -> dict[int, int]:
        """The living processes of the leader's own session or group, each with its group."""
        return {
            pid: status[0]
            for pid in _processes()
            if (status := _status(pid)) is not None and self.leader in (pid, *status)
        }

    def _is_marked(self, pid: int) -> bool:
        try:
            return os.fsencode(self.mark) in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False


def can_tell_owners() -> bool:
    """Whether this system tells which process a socket belongs to."""
    return sys.platform.startswith("linux") and (_PROC / "net" / "tcp").exists()


def listening_on(port: int, family: Family) -> tuple[Listening | None, str]:
    """Return the family's listening socket on `port`, IPv4 before IPv6, and the name of another program that has one.

    Both may be missing: None and the empty text. Blocking.
    """
    if not can_tell_owners():
        host = _host_in_use(port)
        return (Listening(host, host, port, None) if host else None), ""
    rows = [row for row in _listeners() if row.port == port]
    if not rows:
        return None, ""
    owners = _owners({row.inode for row in rows})
    stranger = ""
    for row in sorted(rows, key=lambda row: ":" in row.host):
        holders = owners.get(row.inode, ())
        own = next((pid for pid in holders if family.has(pid)), None)
        if own is not None or (not holders and _is_of_closed_member(row.uid, family)):
            return Listening(_reachable(row.host), row.host, port, own), ""
        stranger = stranger or (_name(holders[0]) if holders else "another program")
    return None, stranger


def ports_of(family: Family) -> tuple[int, ...]:
    """The ports that processes of the family listen on, lowest first; blocking."""
    if not can_tell_owners():
        return ()
    rows = tuple(_listeners())
    owners = _owners({row.inode for row in rows}, family.members())
    return tuple(sorted({row.port for row in rows if row.inode in owners}))


# Linux: proc(5), /proc/net/tcp, /proc/PID/{stat,fd,environ,comm}


@dataclass(frozen=True, slots=True)
class _Row:
    host: str
    port: int
    uid: int
    inode: str


def _listeners() -> Iterator[_Row]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTEN:
                host, _, port = columns[1].rpartition(":")
                yield _Row(_host(host), int(port, 16), int(columns[7]), columns[9])


def _host(text: str) -> str:
    """An address of /proc/net/tcp: words of 32 bits, each as the processor keeps it."""
    raw = b"".join(int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _reachable(bound: str) -> str:
    """Where a socket that is bound to `bound` is reached from this computer."""
    if bound == "0.0.0.0":
        return "127.0.0.1"
    if bound == "::":
        return "::1" if has_ipv6_loopback() else "127.0.0.1"
    return bound


def _processes() -> Iterator[int]:
    for entry in os.listdir(_PROC):
        if entry.isdecimal():
            yield int(entry)


def _status(pid: int) -> tuple[int, int] | None:
    """Group and session of a living process; None for one that is gone, or dead and not yet buried."""
    try:
        # The name, in brackets, may hold anything; pid (comm) state ppid pgrp session
        state, _, group, session = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else (int(group), int(session))


def _owners(inodes: Iterable[str], among: Iterable[int] | None = None) -> dict[str, list[int]]:
    """Which processes hold each of the sockets, as far as we may look."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, list[int]] = {}
    for pid in _processes() if among is None else among:
        folder = _PROC / str(pid) / "fd"
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


def _is_of_closed_member(uid: int, family: Family) -> bool:
    """Whether a member that does not let us look at its descriptors runs as the user who opened the socket."""
    for pid in family.members():
        if os.access(_PROC / str(pid) / "fd", os.R_OK):
            continue
        try:
            lines = (_PROC / str(pid) / "status").read_text().splitlines()
        except OSError:
            continue
        if any(str(uid) in line.split()[1:] for line in lines if line.startswith("Uid:")):
            return True
    return False


def _name(pid: int) -> str:
    try:
        return f"{display((_PROC / str(pid) / 'comm').read_text().strip())} (process {pid})"
    except OSError:
        return "another program"


# Elsewhere (not proven there): a port that cannot be bound has somebody on it.


def _host_in_use(port: int) -> str:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if family == socket.AF_INET6 and not has_ipv6_loopback():
            continue
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
                if exclusive is not None:
                    sock.setsockopt(socket.SOL_SOCKET, exclusive, 1)
                sock.bind((host, port))
        except OSError:
            return host
    return ""
