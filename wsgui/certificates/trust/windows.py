"""The user's root store on Windows. Written from Microsoft's documentation; not proven on Windows."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from wsgui.certificates.trust.public_file import public_file
from wsgui.certificates.trust.store import Outcome, Trust, TrustState, der
from wsgui.certificates.trust.tools import Tools
from wsgui.errors import WsguiError

WINDOWS: Final = "Windows"
DIALOG_SECONDS: Final = 180.0
"""Windows asks whether a root is to be installed, or removed."""

Roots = Callable[[], Iterable[tuple[bytes, str, object]]]
"""As `ssl.enum_certificates("ROOT")`: the certificate, its encoding, and True or what it is trusted for."""


class WindowsStore:
    """The current user's "Root" store, which Edge, Chrome and (from 120 on) Firefox read.

    Args:
        tools: The environment; SYSTEMROOT says where Windows' own certutil.exe is, which is not NSS's.
        folder: Where the public certificate is put, as certutil.exe reads files.
        roots: Lists the roots that this user trusts; None asks Windows.
    """

    def __init__(self, tools: Tools, folder: Path, *, roots: Roots | None = None) -> None:
        self._tools = tools
        self._folder = folder
        self._roots = _roots if roots is None else roots

    @property
    def name(self) -> str:
        return WINDOWS

    def state(self, certificate: x509.Certificate) -> Trust:
        try:
            trusted = self._trusts(certificate)
        except OSError as error:
            return Trust(TrustState.UNKNOWN, f"Windows' root certificates cannot be read: {error.strerror or error}.")
        if trusted:
            return Trust(TrustState.TRUSTED, "Windows trusts it.")
        return Trust(TrustState.UNTRUSTED, "Windows does not trust it.")

    def add(self, certificate: x509.Certificate) -> Outcome:
        try:
            if self._trusts(certificate):
                return Outcome(WINDOWS, True, "Windows trusted it already.")
            file = public_file(self._folder, certificate)
        except (OSError, WsguiError) as error:
            return Outcome(WINDOWS, False, str(error))
        return self._run([self._certutil, "-user", "-addstore", "Root", str(file)], "Windows trusts it now.")

    def remove(self, certificate: x509.Certificate) -> Outcome:
        try:
            if not self._trusts(certificate):
                return Outcome(WINDOWS, True, "Windows did not trust it.")
        except OSError as error:
            return Outcome(WINDOWS, False, str(error))
        # The SHA-1 is how Windows names a certificate: not by its subject, which another may have.
        thumbprint = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303
        return self._run([self._certutil, "-user", "-delstore", "Root", thumbprint], "Windows trusts it no longer.")

    def _trusts(self, certificate: x509.Certificate) -> bool:
        wanted = der(certificate)
        server = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
        return any(
            data == wanted and (trust is True or (isinstance(trust, Iterable) and server in trust))
            for data, _, trust in self._roots()
        )

    def _run(self, command: list[str], done: str) -> Outcome:
        line = subprocess.list2cmdline(command)
        try:
            ran = self._tools.run(command, seconds=DIALOG_SECONDS)
        except WsguiError as error:
            return Outcome(WINDOWS, False, str(error), line)
        if ran.code == 0:
            return Outcome(WINDOWS, True, done)
        return Outcome(WINDOWS, False, f"certutil.exe could not change the root store: {ran.complaint}.", line)

    @property
    def _certutil(self) -> str:
        return str(Path(self._tools.variable("SYSTEMROOT") or r"C:\Windows") / "System32" / "certutil.exe")


def _roots() -> Iterable[tuple[bytes, str, object]]:
    enumerate_certificates: Callable[[str], list[tuple[bytes, str, object]]] = getattr(ssl, "enum_certificates")  # noqa: B009
    return enumerate_certificates("ROOT")
