"""Names that a certificate can be for, in the one spelling that stands in it."""

from __future__ import annotations

import ipaddress
from typing import Final

from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.hosts import MAX_NAME, canonical_host, ip_of

_EXAMPLES: Final = "Name a host as browsers do, such as office.local, *.lab.lan or 192.168.1.20."


def certificate_name(text: str) -> str:
    """Return a name as it stands in a certificate (RFC 5280, 4.2.1.6).

    Args:
        text: A host name (Unicode is made A-labels, IDNA 2008), one with ``*`` as its leftmost label, or an IP address;
            brackets around IPv6 and a dot at the end are taken off.

    Returns:
        The name in lower-case ASCII, or the address in its usual spelling (a v4-mapped one as IPv4).

    Raises:
        CertificateError: It is neither, or no browser would accept a certificate for it.
    """
    name = text.strip()
    if not name:
        raise CertificateError("A name for the certificate is missing.", _EXAMPLES)
    if "/" in name:
        raise _refused(text, "is an address of a page or a range, not a name", "Name only the host in it.")
    if name.startswith("[") and name.endswith("]") and ":" in name:
        name = name[1:-1]
    wildcard = name.startswith("*.")
    try:
        host = canonical_host(name[2:] if wildcard else name).removesuffix(".")
    except ValueError as error:
        raise _refused(text, f"cannot stand in a certificate: {error}", _EXAMPLES) from None
    address = _address(host, text)
    if not wildcard:
        return address or host
    if address:
        raise _refused(text, "is not possible, because * stands for a part of a name", "Name each address by itself.")
    if "." not in host:
        # OpenSSL and Chromium want two labels after it.
        raise _refused(text, "is wider than browsers accept", "Name each host, or use a domain such as *.lab.lan.")
    if len(host) + 2 > MAX_NAME:
        raise _refused(text, "cannot stand in a certificate: it is too long", f"Use at most {MAX_NAME} characters.")
    return f"*.{host}"


def is_address(name: str) -> bool:
    """Whether a name that `certificate_name` returned is an IP address."""
    return ip_of(name) is not None


def parse_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a name of `certificate_name` spells; None for a host name."""
    return ip_of(name)


def _address(host: str, text: str) -> str:
    """Return the usual spelling of the address that `host` is; nothing for a name."""
    if "%" in host:
        bare = host.partition("%")[0]
        raise _refused(
            text,
            "is an address of one network interface, which certificates and browsers do not know",
            f"Name {bare} without it, or a host name.",
        )
    address = ip_of(host)
    if address is None:
        return ""
    if address.is_unspecified or address.is_multicast:
        raise _refused(text, "is not the address of one computer", "Name an address that clients connect to.")
    return str(address)


def _refused(text: str, why: str, hint: str) -> CertificateError:
    return CertificateError(f'"{display(text.strip())}" {why}.', hint)
