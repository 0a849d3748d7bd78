"""Which program listens on a TCP port, where the system tells."""

from __future__ import annotations

from dataclasses import dataclass

from wsgui.command.proc import holders_of, listeners, name_of


@dataclass(frozen=True, slots=True)
class PortOwner:
    """A process, by the name people know it by."""

    name: str
    pid: int


def port_owner(port: int) -> PortOwner | None:
    """Return who listens on `port` on any address, or None when that cannot be known (another user's, another OS)."""
    inodes = {listening.inode for listening in listeners() if listening.port == port}
    holders = [pid for held in holders_of(inodes).values() for pid in held] if inodes else []
    return PortOwner(name_of(holders[0]) or "a program", holders[0]) if holders else None
