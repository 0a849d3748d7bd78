"""NSS's certutil: what a database holds, put something into it, take it out again."""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from wsgui.certificates.trust.store import der, nickname
from wsgui.certificates.trust.tools import Ran, Tools
from wsgui.errors import CertificateError

TRUSTED_FLAGS: Final = "C,,"
"""A trusted authority for servers, and for nothing else (certutil -A -H)."""

# "nick name       C,,  ": the nickname may have spaces in it.
_ENTRY: Final = re.compile(r"(.*\S)\s+([a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*)\s*")
_CERTIFICATE: Final = re.compile(r"^Certificate:$", re.MULTILINE)
_FINGERPRINT: Final = re.compile(r"^ +Fingerprint \(SHA-256\):\s+((?:[0-9A-F]{2}:)+\s*(?:[0-9A-F:]+\s)*)", re.MULTILINE)
_SSL_FLAGS: Final = re.compile(r"^ +SSL Flags:\n((?: {12,}.*\n)*)", re.MULTILINE)
_PACKAGES: Final = {
    "debian": "apt install libnss3-tools",
    "ubuntu": "apt install libnss3-tools",
    "fedora": "dnf install nss-tools",
    "rhel": "dnf install nss-tools",
    "suse": "zypper install mozilla-nss-tools",
    "opensuse": "zypper install mozilla-nss-tools",
    "arch": "pacman -S nss",
    "alpine": "apk add nss-tools",
    "void": "xbps-install -S nss",
}


class DatabaseError(CertificateError):
    """A database cannot be read or changed."""


class PasswordError(DatabaseError):
    """A database takes no changes without its own password."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a database's list: several certificates of one subject may stand behind it."""

    nickname: str
    flags: str


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate in a database."""

    nickname: str
    trusted: bool
    """For servers."""


class Certutil:
    """Asks and changes NSS databases (SQLite: cert9.db).

    Args:
        program: The program's path.
    """

    def __init__(self, program: str, tools: Tools) -> None:
        self._program = program
        self._tools = tools

    def find(self, database: Path, certificate: x509.Certificate) -> Found | None:
        """Look for the very certificate, under whatever nickname.

        Raises:
            CertificateError: The database cannot be read.
        """
        own, wanted = nickname(certificate), certificate.fingerprint(hashes.SHA256()).hex()
        for entry in sorted(self.entries(database), key=lambda entry: entry.nickname != own):
            for fingerprint, trusted in self._shown(database, entry.nickname):
                if fingerprint == wanted:
                    return Found(entry.nickname, trusted)
        return None

    def entries(self, database: Path) -> tuple[Entry, ...]:
        """Return the database's list; raises as `find`."""
        lines = _text(self._run(database, "-L")).splitlines()
        matches = [_ENTRY.fullmatch(line) for line in lines]
        return tuple(Entry(match[1], match[2]) for match in matches if match is not None)

    def create(self, database: Path) -> None:
        """Make a database without a password, as browsers do; raises as `find`."""
        self._run(database, "-N", "--empty-password")

    def trust(self, database: Path, certificate: x509.Certificate) -> None:
        """Put the certificate in as a trusted authority for servers.

        Raises:
            PasswordError: The database has a password; it is as it was.
            CertificateError: It cannot be changed.
        """
        before = self.find(database, certificate)
        name = before.nickname if before else nickname(certificate)
        try:
            self._add(database, name, TRUSTED_FLAGS, der(certificate))
        except PasswordError:
            if before is None and (left := self.find(database, certificate)):
                self._run(database, "-D", "-n", left.nickname)  # It came in, but its trust did not.
            raise

    def remove(self, database: Path, certificate: x509.Certificate) -> None:
        """Take the very certificate out, wherever it stands and as often as it does.

        A nickname is all that certutil deletes by, and others of the same subject may go first: they are put back.

        Raises:
            CertificateError: The database cannot be changed.
        """
        others: list[tuple[Entry, bytes]] = []
        try:
            while found := self.find(database, certificate):
                entries, before = self.entries(database), self._ders(database, found.nickname)
                self._run(database, "-D", "-n", found.nickname)
                left = self.entries(database)
                after = [data for entry in left for data in self._ders(database, entry.nickname)]
                gone = [data for data in before if data not in after]
                if not gone:
                    raise DatabaseError(
                        "certutil deleted nothing.", "Remove the certificate in the browser's settings."
                    )
                entry = next(iter((Counter(entries) - Counter(left)).elements()), Entry(found.nickname, ",,"))
                others += [(entry, data) for data in gone if data != der(certificate)]
        finally:
            for entry, data in others:
                self._add(database, entry.nickname, entry.flags.replace("u", ""), data)

    def _add(self, database: Path, name: str, flags: str, data: bytes) -> None:
        self._run(database, "-A", "-n", name, "-t", flags, given=data)

    def _shown(self, database: Path, name: str) -> list[tuple[str, bool]]:
        """All certificates behind a nickname: their SHA-256 in lower case, and whether servers are trusted."""
        shown = []
        for text in _CERTIFICATE.split(_text(self._run(database, "-L", "-n", name)))[1:]:
            if fingerprint := _FINGERPRINT.search(text):
                flags = _SSL_FLAGS.search(text)
                digits = re.sub(r"[:\s]", "", fingerprint[1]).lower()
                shown.append((digits, flags is not None and "Trusted CA\n" in flags[1]))
        return shown

    def _ders(self, database: Path, name: str) -> list[bytes]:
        """All certificates behind a nickname."""
        return [der(one) for one in x509.load_pem_x509_certificates(self._run(database, "-L", "-n", name, "-a").output)]

    def _run(self, database: Path, *arguments: str, given: bytes = b"") -> Ran:
        mode, *rest = arguments
        ran = self._tools.run([self._program, mode, "-d", f"sql:{database}", *rest], given=given)
        if ran.code == 0:
            return ran
        if "SEC_ERROR_BAD_PASSWORD" in ran.errors or "could not authenticate" in ran.errors:
            raise PasswordError(
                "It is protected by a password, which wsgui does not ask for.", "Run the command yourself."
            )
        if "SEC_ERROR_READ_ONLY" in ran.errors:
            raise DatabaseError("It cannot be written to.", "Make the folder and the files in it yours to write.")
        if "SEC_ERROR_BAD_DATABASE" in ran.errors or "SEC_ERROR_LEGACY_DATABASE" in ran.errors:
            raise DatabaseError(
                "It is damaged, or cannot be read.", "Start the browser, which repairs it, and try again."
            )
        raise DatabaseError(f"certutil failed: {ran.complaint}.", "Close the browser and try again.")


def install_command(system: str, release: Mapping[str, str] | None = None) -> str:
    """Return what installs certutil; "" where that is not known.

    Args:
        system: As `sys.platform`.
        release: What /etc/os-release says; None looks there.
    """
    if system == "darwin":
        return "brew install nss"
    if release is None:
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            return ""
    for word in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if command := _PACKAGES.get(word.partition("-")[0]):
            return f"sudo {command}"
    return ""


def _text(ran: Ran) -> str:
    return ran.output.decode("utf-8", "surrogateescape")
