"""Host names and IP literals as text: what is one, and its one canonical spelling."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

MAX_NAME: Final = 253
"""Characters of a DNS name without its final dot (RFC 1035, 2.3.4)."""

# RFC 1123 knows no underscore, but names of containers and Windows machines have it, and resolvers take it.
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9._~-]{1,32}", re.ASCII)


def canonical_host(text: str) -> str:
    """The one spelling of a host: a lower-case ASCII name (IDNA 2008, as in browsers), or an IP literal, no brackets.

    Raises:
        ValueError: `text` is neither; the message is a clause such as "a name has at most 253 characters".
    """
    if not text:
        raise ValueError("the host is missing")
    if ":" in text:
        return _ipv6(text)
    name = text.lower() if text.isascii() else _to_ascii(text)
    bare = name.removesuffix(".")
    if _NUMBER.fullmatch(bare.rpartition(".")[2]):
        # Like browsers (WHATWG URL): a last label that is a number makes it an IPv4 address or nothing at all, so that
        # "010.1", "0x7f.1" and "2130706433" do not become, behind everybody's back, what inet_aton makes of them.
        return _ipv4(bare)
    if len(bare) > MAX_NAME:
        raise ValueError(f"a host name has at most {MAX_NAME} characters")
    for label in bare.split("."):
        if not label:
            raise ValueError("the host name has an empty part")
        if not _LABEL.fullmatch(label):
            raise ValueError("a host name is made of letters, digits, - and dots, with at most 63 between two dots")
    return name


def is_loopback_host(host: str) -> bool:
    """Whether a canonical host names this computer's loopback: 127.0.0.0/8, ::1 (also v4-mapped) or localhost."""
    address = ip_of(host)
    if address is None:
        return host.removesuffix(".") == "localhost"
    return address.is_loopback


def is_unspecified_host(host: str) -> bool:
    """Whether a canonical host stands for all of a machine's addresses: ``*``, 0.0.0.0 or ``::``."""
    address = ip_of(host)
    return host == "*" if address is None else address.is_unspecified


def ip_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a canonical host spells, v4-mapped ones as IPv4; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError("a host that ends in a number must be an IPv4 address, such as 192.168.1.20") from None


def _ipv6(text: str) -> str:
    literal, percent, zone = text.partition("%")
    if percent and not _ZONE.fullmatch(zone):
        raise ValueError("what follows % must be a network interface, such as fe80::1%eth0")
    try:
        return f"{ipaddress.IPv6Address(literal)}{percent}{zone}"
    except ValueError:
        raise ValueError("a host with colons must be an IPv6 address, such as [::1]") from None


def _to_ascii(text: str) -> str:
    import idna  # Its tables take a while to load, and few names need them.

    try:
        return idna.encode(text, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise ValueError("the host name has characters that no host name can have") from None
