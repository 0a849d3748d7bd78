"""Where Linux systems keep the authorities that all their programs trust, and what takes a new one over."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.certificates.trust.tools import Tools

_LARGEST_FILE: Final = 16 * 1024 * 1024
_PEM: Final = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:TRUSTED |X509 )?CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One family of systems.

    Args:
        anchors: The folder for what the administrator adds.
        suffix: What a file's name must end in to count there.
        update: The command that takes the folder over into the bundle.
        bundle: The file with all authorities that programs read.
    """

    anchors: Path
    suffix: str
    update: tuple[str, ...]
    bundle: Path

    def anchors_of(self, certificate: bytes) -> list[Path]:
        """Return the files that hold the certificate (DER) and no other; raises OSError."""
        found = []
        for path in sorted(self.anchors.iterdir()):
            with contextlib.suppress(PermissionError):  # not ours: that one everybody may read
                if path.is_file() and certificates_in(path) == [certificate]:
                    found.append(path)
        return found

    def trusts(self, certificate: bytes) -> bool:
        """Whether the bundle has the certificate (DER) in it; raises OSError."""
        try:
            return certificate in certificates_in(self.bundle)
        except FileNotFoundError:
            return False


# Anchors, suffix, command and bundle, as in `Layout`; the folders below the root.
_LAYOUTS: Final = (
    (  # Fedora, RHEL: update-ca-trust(8)
        "etc/pki/ca-trust/source/anchors",
        ".pem",
        ("update-ca-trust", "extract"),
        "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    ),
    (  # Arch: trust(1)
        "etc/ca-certificates/trust-source/anchors",
        ".crt",
        ("trust", "extract-compat"),
        "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    ),
    (  # SUSE: update-ca-certificates(8)
        "etc/pki/trust/anchors",
        ".pem",
        ("update-ca-certificates",),
        "var/lib/ca-certificates/ca-bundle.pem",
    ),
    (  # Debian, Ubuntu, Alpine, Gentoo, Void: update-ca-certificates(8)
        "usr/local/share/ca-certificates",
        ".crt",
        ("update-ca-certificates",),
        "etc/ssl/certs/ca-certificates.crt",
    ),
)


def layout(root: Path, tools: Tools) -> Layout | None:
    """Return this system's, or None for a system of another kind; its command is a path."""
    for anchors, suffix, (name, *arguments), bundle in _LAYOUTS:
        if (root / anchors).is_dir() and (program := tools.find_for_root(name)):
            return Layout(root / anchors, suffix, (program, *arguments), root / bundle)
    return None


def certificates_in(path: Path) -> list[bytes]:
    """Return the certificates (DER) in a file, which is PEM or one in DER; raises OSError."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_FILE)
    if data[:1] == b"\x30":
        return [data]
    return list(_decoded(data))


def _decoded(data: bytes) -> Iterator[bytes]:
    for match in _PEM.finditer(data):
        try:
            yield base64.b64decode(match[1])
        except binascii.Error:
            continue
