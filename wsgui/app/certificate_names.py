"""The names and addresses that a certificate for this computer is for when nobody says which."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

import ifaddr

from wsgui.access.machine_names import own_names
from wsgui.certificates.names import certificate_name
from wsgui.display import display
from wsgui.errors import CertificateError

OWN_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_MULTICAST_DNS: Final = ".local"


def default_names(hostname: str | None = None, addresses: Iterable[str] | None = None) -> tuple[str, ...]:
    """The computer's names with the usual one first, its addresses, then what it calls itself. Blocking.

    Args:
        hostname: Instead of the system's.
        addresses: Instead of those of its network interfaces.
    """
    hostname = socket.gethostname() if hostname is None else hostname
    first = certificate_names((hostname,))
    names = sorted(own_names(hostname=hostname), key=lambda name: (name.count("."), name))
    short = first[0].partition(".")[0] if first else ""
    # Phones and other computers of a home find it by this one (RFC 6762).
    announced = (f"{short}{_MULTICAST_DNS}",) if short and short not in OWN_NAMES else ()
    found = certificate_names((*first, *names, *announced, *(_addresses() if addresses is None else addresses)))
    return (*(name for name in found if name not in OWN_NAMES), *OWN_NAMES)


def certificate_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Each of `texts` once in its usual spelling, without what no certificate can be for."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[certificate_name(text)] = None
        except CertificateError:
            continue  # A computer may call itself what no certificate can be for ("my pc").
    return tuple(found)


def called(name: str) -> str:
    """What a certificate is to be called, as it is kept."""
    try:
        return certificate_name(name)
    except CertificateError:
        raise CertificateError(
            f'"{display(name)}" cannot be what a certificate is called.',
            "Use letters, digits, - and dots, such as office or office.lan.",
        ) from None


def _addresses() -> list[str]:
    """Addresses of this computer's network interfaces that mean the same to others (no link-local ones), v4 first."""
    written = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for each in ifaddr.get_adapters() for ip in each.ips]
    addresses = (ip_address(text.partition("%")[0]) for text in written)
    usable = {each for each in addresses if not (each.is_link_local or each.is_loopback or each.is_unspecified)}
    return [str(each) for each in sorted(usable, key=lambda each: (each.version, int(each)))]
