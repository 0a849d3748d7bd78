"""Which addresses belong to one's own networks, and to nobody beyond them."""

from __future__ import annotations

import ipaddress
from typing import Final

PRIVATE_NETWORKS: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8",  # loopback: RFC 1122, 3.2.1.3, and RFC 4291, 2.5.3
            "::1/128",
            "10.0.0.0/8",  # RFC 1918
            "172.16.0.0/12",
            "192.168.0.0/16",
            "fc00::/7",  # RFC 4193
            "169.254.0.0/16",  # link-local: RFC 3927, and RFC 4291, 2.5.6
            "fe80::/10",
        ),
    )
)
"""Narrower than `ipaddress.is_private`, which counts addresses of documentation and benchmarks too."""


def is_private(host: str) -> bool:
    """Return whether a numeric address is loopback, private or link-local; what is no address is not.

    Args:
        host: As `socket.accept` gives it: a zone may follow (``fe80::1%eth0``), and ``::ffff:10.0.0.1`` is 10.0.0.1.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in network for network in PRIVATE_NETWORKS)
