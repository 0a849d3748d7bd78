"""How many clients may come in, in all and from one address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def address_key(host: str) -> str:
    """Return what counts as one address: an IPv4 address, or an IPv6 network of 64 bits.

    Args:
        host: As `socket.accept` gives it; `::ffff:192.0.2.1` counts as its IPv4 address.

    Returns:
        The key, or an empty string for a loopback or unix peer, which has no limit of its own: it is this computer.
    """
    if not host:
        return ""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        else:
            return "" if address.is_loopback else str(ipaddress.ip_network((address, 64), strict=False))
    return "" if address.is_loopback else str(address)


class Counts:
    """Counts by key; a key whose count is 0 takes no memory."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self.total = 0

    def __getitem__(self, key: str) -> int:
        return self._counts.get(key, 0)

    def add(self, key: str) -> None:
        """Count one more; the empty key counts in the total only."""
        self.total += 1
        if key:
            self._counts[key] = self._counts.get(key, 0) + 1

    def remove(self, key: str) -> None:
        self.total -= 1
        if key:
            left = self._counts[key] - 1
            if left:
                self._counts[key] = left
            else:
                del self._counts[key]
