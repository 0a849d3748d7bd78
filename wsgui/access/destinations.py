"""Where tokens may lead: judged by the address that is connected, not by the name that a source gave."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wsgui.profiles.hosts import ip_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")
"""RFC 1122, 3.2.1.3; systems take 0.0.0.0 for this computer."""
_BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052, 2.1: the IPv4 address stands in the last 32 bits."""
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
"""RFC 8215: where it stands is up to each network."""
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_TRANSLATED: Final = ipaddress.IPv6Network("::ffff:0:0:0/96")
"""RFC 2765, 2.1: IPv4-translated addresses."""


@dataclass(frozen=True, slots=True)
class _Allowed:
    network: Network
    first: int
    last: int

    @classmethod
    def of(cls, text: str) -> _Allowed:
        network, _, ports = text.rpartition(":")
        first, _, last = ports.partition("-")
        parsed: Network = ipaddress.ip_network(network.removeprefix("[").removesuffix("]"))
        if isinstance(parsed, ipaddress.IPv6Network) and parsed.prefixlen >= 96:
            mapped = parsed.network_address.ipv4_mapped
            parsed = parsed if mapped is None else ipaddress.ip_network((mapped, parsed.prefixlen - 96))
        return cls(parsed, int(first), int(last or first))

    def has(self, address: Address, port: int) -> bool:
        return address.version == self.network.version and address in self.network and self.first <= port <= self.last


class Destinations:
    """What a source outside the profile may lead to.

    Args:
        allow: `[tokens] allow`, each ``network:port`` or ``network:first-last`` with IPv6 networks in brackets; None:
            every address but those that nothing useful can be at; empty: none.
    """

    def __init__(self, allow: Sequence[str] | None) -> None:
        self._allow = None if allow is None else tuple(map(_Allowed.of, allow))

    @property
    def no_sockets(self) -> str | None:
        """Why no unix socket may be connected, in one sentence; None: they may."""
        return None if self._allow is None else "The token leads to a unix socket, which [tokens] allow cannot name."

    def refusal(self, ip: str, port: int) -> str | None:
        """Return in one sentence why `ip` (numeric, IPv6 with or without its zone) may not be connected; None: it may.

        An IPv4 address in an IPv6 one (v4-mapped) is judged as itself; link-local ones and the like are also found
        behind the prefixes of NAT64 and 6to4.
        """
        address = ip_of(ip.partition("%")[0])
        if address is None:
            return "The token leads to something that is no IP address."
        shown = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        for each in (address, *_inside(address)):
            why = _never(each)
            if why:
                return f"The token leads to {shown}, {why}."
        if self._allow is not None and not any(each.has(address, port) for each in self._allow):
            return f"The token leads to {shown}, which is not in [tokens] allow."
        return None


def leads_back(peer: tuple[str, int], local_ip: str, listeners: Collection[tuple[str, int]]) -> bool:
    """Return whether a connected socket's other end is one of `listeners`.

    Args:
        peer: Numeric address and port that it is connected to.
        local_ip: Its own numeric address. One that is also the peer's belongs to this computer.
        listeners: Address and port of each; ``*`` (or nothing), ``0.0.0.0`` and ``::`` are all of this computer's.
    """
    address, own = _plain(peer[0]), _plain(local_ip)
    if address is None:
        return False
    here = address.is_loopback or address == own
    return any(port == peer[1] and _is_at(address, _plain(host), here) for host, port in listeners)


def _is_at(address: Address, listening: Address | None, here: bool) -> bool:
    """Whether who connects to `address` gets to a listener at `listening`; None is a name, or all addresses."""
    if listening is None:
        return here
    if listening.is_unspecified:
        # One for :: may take IPv4 too; one for 0.0.0.0 takes nothing else.
        return here and (listening.version == 6 or address.version == 4)
    return listening == address


def _plain(ip: str) -> Address | None:
    return ip_of(ip.partition("%")[0])


def _never(address: Address) -> str:
    if address.is_link_local:
        return "which is link-local"
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "which stands for this computer itself"
    if address.is_multicast or address == _BROADCAST:
        return "which is a multicast or broadcast address"
    return ""


def _inside(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that a router on the way may make of an IPv6 one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    number = int(address)
    if address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    elif address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and number > 0xFFFF):
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
    elif address in _LOCAL_NAT64:
        # RFC 6052, 2.2: behind a prefix of 48, 56, 64 or 96 bits, with bits 64 to 71 left out of the first three.
        joined = number >> 64 << 56 | number & (1 << 56) - 1
        for bits in (number, *(joined >> (120 - prefix - 32) for prefix in (48, 56, 64))):
            found = ipaddress.IPv4Address(bits & 0xFFFFFFFF)
            if found.is_link_local:  # anything else may be there by chance
                yield found
