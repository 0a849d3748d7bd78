"""Host names, addresses and origins as browsers write them: parsed strictly, brought to one spelling."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

MAX_HOST_CHARACTERS: Final = 320
"""A name has at most 253 characters, and a port six more."""
MAX_ORIGIN_CHARACTERS: Final = 384
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_LOCAL_SUFFIXES: Final = (".localhost", ".local", ".lan", ".home.arpa", ".internal")
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host and perhaps a port.

    Args:
        host: In lower case, punycode, IP literals in their shortest form and IPv6 in brackets; no dot at the end.
        written: The same with the dot at its end, if there was one.
        port: None when none was written.
        local: Whether no public name can be this one: an IP literal, a name without dots or of a private suffix.
        loopback: Whether it names this computer alone (``localhost``, 127.0.0.0/8, ::1), or reaches
            it as they do (0.0.0.0, ::).
    """

    host: str
    written: str
    port: int | None
    local: bool
    loopback: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """A page's origin (RFC 6454): scheme, host and port, nothing else."""

    scheme: str
    authority: Authority

    @property
    def port(self) -> int | None:
        """The port, also when the scheme implies it; None for schemes that have none."""
        return self.authority.port or DEFAULT_PORTS.get(self.scheme)

    def __str__(self) -> str:
        port = self.authority.port
        shown = "" if port is None or port == DEFAULT_PORTS.get(self.scheme) else f":{port}"
        return f"{self.scheme}://{self.authority.host}{shown}"


@lru_cache(maxsize=1024)
def parse_authority(text: str) -> Authority | None:
    """Return what a Host header names, or None when it is no name or address that a browser would write.

    Numbers that the C library, but no canonical text, takes for an address (``0x7f.1``, ``2130706433``) are none.
    """
    if not text.isascii() or len(text) > MAX_HOST_CHARACTERS:
        return None
    text = text.lower()  # after the question: the Kelvin sign's lower case is an ASCII k
    if text.startswith("["):
        literal, bracket, rest = text.partition("]")
        host, port_text = literal + bracket, rest
        if not bracket or (rest and not rest.startswith(":")):
            return None
    else:
        host, colon, number = text.partition(":")
        port_text = colon + number
    port: int | None = None
    if port_text:
        if not _PORT.fullmatch(port_text, 1) or int(port_text[1:]) > 65535:
            return None
        port = int(port_text[1:])
    return _parse_ipv6(host, port) if host.startswith("[") else _parse_name(host, port)


def _parse_ipv6(literal: str, port: int | None) -> Authority | None:
    inner = literal[1:-1]
    if "%" in inner:  # a zone means something on the client's side only
        return None
    try:
        address = IPv6Address(inner)
    except ValueError:
        return None
    plain = address.ipv4_mapped or address
    host = f"[{address}]"
    return Authority(host, host, port, local=True, loopback=plain.is_loopback or plain.is_unspecified)


def _parse_name(written: str, port: int | None) -> Authority | None:
    host = written.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if _NUMBER.fullmatch(labels[-1]):
        # A browser reads such a host as an IPv4 address and writes it canonically (URL Standard, "ends in a number").
        try:
            address = IPv4Address(written)
        except ValueError:
            return None
        return Authority(host, host, port, local=True, loopback=address.is_loopback or address.is_unspecified)
    loopback = host == "localhost" or host.endswith(".localhost")
    local = len(labels) == 1 or host.endswith(_LOCAL_SUFFIXES)
    return Authority(host, written, port, local=local, loopback=loopback)


@lru_cache(maxsize=1024)
def parse_origin(text: str) -> Origin | None:
    """Return the one origin that an Origin header holds; None for ``null``, ``file://``, several, or anything more."""
    if not text.isascii() or len(text) > MAX_ORIGIN_CHARACTERS:
        return None
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or not _SCHEME.fullmatch(scheme) or scheme == "file":
        return None
    authority = parse_authority(rest)
    return None if authority is None else Origin(scheme, authority)


def to_ascii(name: str) -> str:
    """Return a name as a person wrote it in the form browsers send: lower case, punycode, no dot at the end."""
    name = unicodedata.normalize("NFKC", name.strip()).lower().removesuffix(".")
    if name.isascii():
        return name
    # As browsers do since 2023 (UTS 46, nontransitional): "ß" stays itself, unlike in Python's own "idna" codec.
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in name.split(".")
    )
