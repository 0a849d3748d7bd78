"""The TLS contexts of one port: which of its certificates a client is shown, by the name that it asks for."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wsgui.certificates.stamps import Stamp


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A certificate that a port can show.

    Args:
        context: What shows it. All contexts of a port ask the same of a client: by its certificate, version, ciphers.
        label: The managed certificate's name, or the file's path.
        names: Host names (`*.domain` too) and IP addresses that it is for.
        fingerprint: Of the leaf, as `Description` has it.
        not_before: From when it counts, Unix time.
        not_after: Until when, Unix time.
        managed: Whether wsgui keeps it.
        renews: Whether it is renewed by itself.
    """

    context: ssl.SSLContext
    label: str = ""
    names: tuple[str, ...] = ()
    fingerprint: str = ""
    not_before: float = 0.0
    not_after: float = 0.0
    managed: bool = False
    renews: bool = False


class PortContexts:
    """The certificates of one port, under one rule for clients: the first is for those that none is meant for.

    The rule (client authority, lowest version, ciphers, tickets) is the port's and stays as long as this object does.
    A renewed certificate is exchanged in it, so that connections that came before go on; another rule is another
    object. Used on one loop.

    Args:
        shown: At least one.
        files: What they and the rule were read from, as it was just before.
    """

    def __init__(self, shown: Sequence[Shown], files: Mapping[str, Stamp | None] = MappingProxyType({})) -> None:
        self.shown = tuple(shown)
        self.files = files

    @property
    def default(self) -> ssl.SSLContext:
        return self.shown[0].context

    @property
    def names(self) -> frozenset[str]:
        """All names and addresses that one of them is for."""
        return frozenset(name for each in self.shown for name in each.names)

    def exchange(self, fresh: PortContexts) -> None:
        """Show what `fresh` shows to whoever connects from now on; its rule must be the same."""
        self.shown, self.files = fresh.shown, fresh.files

    def choose(self, server_name: str, address: str) -> ssl.SSLContext:
        """Return what a client gets.

        Args:
            server_name: What it asks for by SNI (RFC 6066, 3); empty when it does not.
            address: The local IP address it has connected to; empty for a unix socket.
        """
        name = server_name.lower().removesuffix(".")
        if name and (found := self._of_name(name)) is not None:
            return found.context
        ip = _ip(name or address)  # some send an address as the name, which RFC 6066 does not allow
        if ip is not None and (found := self._of_address(ip)) is not None:
            return found.context
        return self.default

    def _of_name(self, name: str) -> Shown | None:
        _, _, above = name.partition(".")
        for wanted in (name, f"*.{above}" if above else name):
            for each in self.shown:
                if any(wanted == its.lower() for its in each.names):
                    return each
        return None

    def _of_address(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Shown | None:
        return next((each for each in self.shown if any(_ip(name) == ip for name in each.names)), None)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
