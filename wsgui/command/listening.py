"""Who listens on a port: a process of the program that we started, or somebody else; where the system tells."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from wsgui.command.free_port import has_ipv6_loopback
from wsgui.command.proc import PROC, can_tell_owners, group_and_session, holders_of, listeners, name_of, processes


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
        return tuple(pid for pid in processes() if self.has(pid)) if can_tell_owners() else ()

    def has(self, pid: int) -> bool:
        status = group_and_session(pid)
        if status is None:
            return False
        group, session = status
        return self.leader in (pid, group, session) or self._is_marked(pid)

    def session(self) -> dict[int, int]:
        """The living processes of the leader's own session or group, each with its group."""
        return {
            pid: status[0]
            for pid in processes()
            if (status := group_and_session(pid)) is not None and self.leader in (pid, *status)
        }

    def _is_marked(self, pid: int) -> bool:
        try:
            return os.fsencode(self.mark) in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False


def listening_on(port: int, family: Family) -> tuple[Listening | None, str]:
    """Return the family's listening socket on `port`, IPv4 before IPv6, and the name of another program that has one.

    Both may be missing: None and the empty text. Blocking.
    """
    if not can_tell_owners():
        host = _host_in_use(port)
        return (Listening(host, host, port, None) if host else None), ""
    rows = [row for row in listeners() if row.port == port]
    if not rows:
        return None, ""
    owners = holders_of({row.inode for row in rows})
    stranger = ""
    for row in sorted(rows, key=lambda row: ":" in row.host):
        holders = owners.get(row.inode, ())
        own = next((pid for pid in holders if family.has(pid)), None)
        if own is not None or (not holders and _is_of_closed_member(row.uid, family)):
            return Listening(_reachable(row.host), row.host, port, own), ""
        stranger = stranger or _described(holders)
    return None, stranger


def ports_of(family: Family) -> tuple[int, ...]:
    """The ports that processes of the family listen on, lowest first; blocking."""
    if not can_tell_owners():
        return ()
    rows = tuple(listeners())
    owners = holders_of({row.inode for row in rows}, family.members())
    return tuple(sorted({row.port for row in rows if row.inode in owners}))


def _reachable(bound: str) -> str:
    """Where a socket that is bound to `bound` is reached from this computer."""
    if bound == "0.0.0.0":
        return "127.0.0.1"
    if bound == "::":
        return "::1" if has_ipv6_loopback() else "127.0.0.1"
    return bound


def _is_of_closed_member(uid: int, family: Family) -> bool:
    """Whether a member that does not let us look at its descriptors runs as the user who opened the socket."""
    for pid in family.members():
        if os.access(PROC / str(pid) / "fd", os.R_OK):
            continue
        try:
            lines = (PROC / str(pid) / "status").read_text().splitlines()
        except OSError:
            continue
        if any(str(uid) in line.split()[1:] for line in lines if line.startswith("Uid:")):
            return True
    return False


def _described(holders: Sequence[int]) -> str:
    name = name_of(holders[0]) if holders else None
    return f"{name} (process {holders[0]})" if name is not None else "another program"


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
