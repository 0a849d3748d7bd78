"""Wrong credentials are answered later and later, by address and by user; right ones never, and nobody is banned."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from wsgui.access.keyed import digest

FIRST_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 5.0
FORGOTTEN_AFTER_SECONDS: Final = 600.0
"""After so long without another failure, an address or a user begins anew."""
MAX_REMEMBERED: Final = 4096
MAX_WAITING: Final = 256
MAX_WAITING_OF_ONE: Final = 16


class FailureDelays:
    """Failures of late, and how long the next one's answer is held back.

    An attack from many addresses is slowed down by the user it aims at, one on many users by its address. What waits
    is bounded: beyond `MAX_WAITING`, or `MAX_WAITING_OF_ONE` of one address, a failure is answered at once.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[bytes, tuple[int, float]] = OrderedDict()
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Answers that are held back now."""
        return self._waiting.total()

    def failed(self, host: str, key: str) -> float:
        """Count a failure; returns the seconds by which its answer is to be held back.

        Args:
            host: The client's address; empty for a unix peer.
            key: What was tried, such as the user's name.
        """
        return max(self._count(b"address", address_of(host)), self._count(b"key", key))

    async def hold(self, host: str, key: str) -> None:
        """Count a failure, and return when it may be answered."""
        seconds = self.failed(host, key)
        address = address_of(host)
        if self._waiting.total() >= MAX_WAITING or self._waiting[address] >= MAX_WAITING_OF_ONE:
            return
        self._waiting[address] += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

    def _count(self, kind: bytes, what: str) -> float:
        key = digest(kind, what.encode("utf-8", "surrogatepass"))  # of one length, whatever a client sends
        now = self._clock()
        count, last = self._failures.pop(key, (0, now))
        if now - last > FORGOTTEN_AFTER_SECONDS:
            count = 0
        self._failures[key] = (count + 1, now)
        if len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)
        return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(count, 16)))


@lru_cache(maxsize=1024)
def address_of(host: str) -> str:
    """Return what counts as one address: an IPv4 address (also a v4-mapped one), or an IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
