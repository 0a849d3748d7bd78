"""Names of certificates as file names that are safe on every system, and back."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from wsgui.display import display
from wsgui.errors import CertificateError

MAX_NAME: Final = 200
"""Characters of a name; file systems take 255 bytes, of which a suffix needs some."""

_PLAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?", re.ASCII)
_WILDCARD: Final = "_wildcard."
_ADDRESS: Final = "_v6."
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.ASCII)
"""What Windows finds in every folder, with any suffix."""


def file_stem(name: str) -> str:
    """The file name, without suffix, for a certificate's name; names that differ in case only have the same.

    A name has letters, digits, ``.``, ``_`` and ``-``, or is ``*.domain`` or an IPv6 address.

    Raises:
        CertificateError: It is no such name.
    """
    lower = name.lower()
    if len(lower) <= MAX_NAME and name.isascii():
        if ":" in lower and (address := _address(lower)):
            return _ADDRESS + address.replace(":", "-")
        plain = lower.removeprefix("*.")
        if _PLAIN.fullmatch(plain) and ".." not in plain:
            if plain != lower:
                return _WILDCARD + plain
            return f"_{plain}" if _DEVICE.fullmatch(plain) else plain
    raise CertificateError(
        f'"{display(name)}" cannot be the name of a certificate.',
        "Use letters, digits, dots and hyphens, such as office.lan or *.lan, or an IP address.",
    )


def name_of(stem: str) -> str | None:
    """The name whose file has this name, without suffix; None for a file that is no certificate's."""
    if stem.startswith(_WILDCARD):
        name = f"*.{stem.removeprefix(_WILDCARD)}"
    elif stem.startswith(_ADDRESS):
        name = stem.removeprefix(_ADDRESS).replace("-", ":")
    else:
        name = stem.removeprefix("_")
    try:
        return name if file_stem(name) == stem else None
    except CertificateError:
        return None


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text)) if "%" not in text else ""
    except ValueError:
        return ""
