"""A loopback port that nobody uses and that nobody is likely to take before the program does."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wsgui.errors import WsguiError

_TRIES: Final = 64
_LEAST: Final = 1000
"""Ports that there must be above the system's own range for it to be worth choosing among them."""
_LAST: Final = 65535


def free_port(*, avoid: int = 0) -> int:
    """Return a port that is free on 127.0.0.1 and on ::1, other than `avoid`.

    Linux gives the ports of its own range to every connection that goes out, at any moment, so one above it is chosen
    where there are some (ip(7), `ip_local_port_range`).

    Raises:
        WsguiError: There is none.
    """
    for port in _candidates():
        found = _bound_on_both(port)
        if found and found != avoid:
            return found
    raise WsguiError("There is no free port on loopback for the program.", "End programs that hold many ports.")


def has_ipv6_loopback() -> bool:
    """Whether ::1 exists here."""
    return _bind(socket.AF_INET6, "::1", 0) != 0


def _candidates() -> Iterator[int]:
    try:
        highest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        highest = _LAST
    if _LAST - highest >= _LEAST:
        for _ in range(_TRIES):
            yield random.randint(highest + 1, _LAST)  # noqa: S311 - it must be free, not secret
    for _ in range(_TRIES):
        yield 0


def _bound_on_both(port: int) -> int:
    """The port, or the system's choice for 0, when it can be bound on both loopback addresses; else 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as ipv4:
        try:
            ipv4.bind(("127.0.0.1", port))
        except OSError:
            return 0
        chosen = int(ipv4.getsockname()[1])
        return chosen if not has_ipv6_loopback() or _bind(socket.AF_INET6, "::1", chosen) else 0


def _bind(family: socket.AddressFamily, host: str, port: int) -> int:
    """The port that was bound and given back; 0 when that could not be."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((host, port))
            return int(sock.getsockname()[1])
    except OSError:
        return 0
