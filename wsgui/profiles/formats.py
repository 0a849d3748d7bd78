"""Small formats inside a profile as pure functions on text: sizes, origins, networks, references."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from decimal import Decimal
from typing import Final, NoReturn

from wsgui.display import display
from wsgui.profiles.hosts import canonical_host

SIZE_UNITS: Final = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
"""Bytes of each unit; SI ones are powers of ten, IEC ones (with an i) of two."""
SAME_HOST: Final = "same-host"
ANY: Final = "*"
REFERENCE_KINDS: Final = ("keyring", "env", "file", "unbound")
"""Where a secret may be kept; an unbound one came with an imported profile and names none yet."""

_UNITS_BY_LOWER: Final = {unit.lower(): factor for unit, factor in SIZE_UNITS.items()}
_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)", re.ASCII)
_ORIGIN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s@\\;,'\"]+)", re.ASCII)
_IMPORT_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_REFERENCE: Final = re.compile(r"([a-z]+):(.+)", re.DOTALL)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PORTS: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# Bidirectional marks, controls and unassigned characters: nobody sees them, and they make one name look like another.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class FormatError(ValueError):
    """Text is not in the format; `message` is a sentence, `hint` says what would be right."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def has_hidden_characters(text: str) -> bool:
    """Whether `text` has controls, bidi marks or other characters in it that nobody sees."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def is_import_path(text: str) -> bool:
    """Whether `text` is ``package.module.Class``."""
    return _IMPORT_PATH.fullmatch(text) is not None


def is_reference(text: str) -> bool:
    """Whether `text` is a well-formed reference to a secret (`REFERENCE_KINDS`)."""
    match = _REFERENCE.fullmatch(text)
    if match is None or match[1] not in REFERENCE_KINDS or has_hidden_characters(text):
        return False
    kind, rest = match.groups()
    if kind == "env":
        return _VARIABLE.fullmatch(rest) is not None
    if kind == "file":
        return rest.startswith(("/", "~/")) or re.match(r"[A-Za-z]:[\\/]", rest) is not None
    return bool(rest.strip())


def parse_size(value: int | str) -> int | None:
    """Bytes that a number, or text such as ``256 MB``, stands for; None when it is no size."""
    if isinstance(value, int):
        return value if 0 <= value <= 10**18 else None
    match = _SIZE.fullmatch(value.strip())
    factor = _UNITS_BY_LOWER.get((match[2] or "B").lower()) if match else None
    if match is None or factor is None:
        return None
    size = int(Decimal(match[1]) * factor)
    return size if size <= 10**18 else None


def print_size(size: int) -> str:
    """`size` bytes in the largest unit that needs no fraction; `parse_size` gives it back."""
    if size:
        for unit, factor in sorted(SIZE_UNITS.items(), key=lambda item: item[1], reverse=True):
            if size % factor == 0:
                return f"{size // factor} {unit}"
    return "0 B"


def canonical_origin(text: str) -> str:
    """An entry of `[access] origins`: ``same-host``, ``*``, or ``scheme://host[:port]`` (default ports left out)."""
    return text if text in (SAME_HOST, ANY) else _web_origin(text, '"same-host", "*" or ')


def canonical_frame(text: str) -> str:
    """An entry of `[web] frames`: an origin that may frame our pages."""
    return _web_origin(text, "")


def canonical_allowed_host(text: str) -> str:
    """An entry of `[access] hosts`: a name, ``*.domain`` or IP address without port, or ``*``; no brackets."""
    if text == ANY:
        return text
    star, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        host = canonical_host(rest[1:-1] if rest.startswith("[") and rest.endswith("]") else rest)
    except ValueError as error:
        _fail(text, "a host", str(error), "Write a host without port, such as vnc.lab, or *.")
    return star + host.removesuffix(".")


def canonical_certificate_name(text: str) -> str:
    """A name a managed certificate is for: a host name, ``*.domain``, or an IP address."""
    star, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        return star + canonical_host(rest).removesuffix(".")
    except ValueError as error:
        _fail(text, "a certificate's name", str(error), "Write a host name or address, such as office.local.")


def canonical_network(text: str) -> str:
    """An IP address or network, as ``10.0.0.0/8``."""
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        _fail(text, "a network", "", "Write an address or a network, such as 10.0.0.0/8.")


def canonical_network_ports(text: str) -> str:
    """What a token may name: ``network:port`` or ``network:first-last``, IPv6 networks in brackets."""
    hint = "Write network:ports, such as 10.0.0.0/8:5900-5999."
    network, _, ports = text.strip().rpartition(":")
    match = _PORTS.fullmatch(ports)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        _fail(text, "a network with ports", "", hint)
    if network.startswith("[") and network.endswith("]"):
        network = network[1:-1]
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        _fail(text, "a network with ports", "", hint)
    shown = f"[{parsed}]" if parsed.version == 6 else str(parsed)
    return f"{shown}:{first}" if first == last else f"{shown}:{first}-{last}"


def _web_origin(text: str, also: str) -> str:
    hint = f'Write {also}scheme://host[:port], such as "https://vnc.lab".'
    if text in ("null", "file://") or text.startswith("file:"):
        _fail(text, "an origin", "any page opened from a file would have it", hint)
    match = _ORIGIN.fullmatch(text.removesuffix("/"))
    if match is None:
        _fail(text, "an origin", "", hint)
    scheme, authority = match[1].lower(), match[2]
    bracket = authority.rfind("]")
    host, colon, port = authority.rpartition(":") if authority.rfind(":") > bracket else (authority, "", "")
    if colon and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        _fail(text, "an origin", "its port is no number from 1 to 65535", hint)
    try:
        if host.startswith("[") and host.endswith("]"):
            host = f"[{canonical_host(host[1:-1])}]"
        elif ":" in host:
            _fail(text, "an origin", "an IPv6 address needs brackets", hint)
        else:
            host = canonical_host(host)
    except FormatError:
        raise
    except ValueError as error:
        _fail(text, "an origin", str(error), hint)
    default = not colon or _DEFAULT_PORTS.get(scheme) == int(port)
    return f"{scheme}://{host}" if default else f"{scheme}://{host}:{int(port)}"


def _fail(text: str, what: str, why: str, hint: str) -> NoReturn:
    shown = "It" if "@" in text else f'"{display(text, limit=80)}"'
    raise FormatError(f"{shown} is not {what}{f': {why}' if why else ''}.", hint)
