"""The user's keychain and trust settings on macOS. Written from security(1); not proven on a Mac."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from wsgui.certificates.trust.public_file import public_file
from wsgui.certificates.trust.store import Outcome, Trust, TrustState
from wsgui.certificates.trust.tools import Tools
from wsgui.errors import WsguiError

KEYCHAIN: Final = "Keychain"
SECURITY: Final = "/usr/bin/security"
DIALOG_SECONDS: Final = 180.0
"""macOS asks for the user's password before it changes trust settings."""


class KeychainStore:
    """The login keychain, by the system's own program.

    Args:
        tools: The environment that it runs in.
        folder: Where the public certificate is put, as `security` reads files.
        security: The program.
    """

    def __init__(self, tools: Tools, folder: Path, *, security: str = SECURITY) -> None:
        self._tools = tools
        self._folder = folder
        self._security = security

    @property
    def name(self) -> str:
        return KEYCHAIN

    def state(self, certificate: x509.Certificate) -> Trust:
        try:
            # A look leaves nothing behind.
            with tempfile.TemporaryDirectory(prefix="wsgui-") as folder:
                trusted = self._trusts(public_file(Path(folder), certificate))
        except OSError as error:
            return Trust(TrustState.UNKNOWN, f"A temporary file cannot be written: {error.strerror}.")
        except WsguiError as error:
            return Trust(TrustState.UNKNOWN, str(error))
        if trusted:
            return Trust(TrustState.TRUSTED, "macOS trusts it.")
        return Trust(TrustState.UNTRUSTED, "macOS does not trust it.")

    def add(self, certificate: x509.Certificate) -> Outcome:
        try:
            file = public_file(self._folder, certificate)
            if self._trusts(file):
                return Outcome(KEYCHAIN, True, "macOS trusted it already.")
            # -r trustRoot: as a root; -p: for servers, and for chains at all. Without -d it is for this user alone.
            command = [self._security, "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-p", "basic"]
            command += ["-k", self._keychain, str(file)]
            return self._run(command, "macOS trusts it now.")
        except WsguiError as error:
            return Outcome(KEYCHAIN, False, str(error))

    def remove(self, certificate: x509.Certificate) -> Outcome:
        # Trust settings and the certificate are kept apart. -Z: by its SHA-1, which is all that older ones know.
        digest = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 — names it, proves nothing
        delete = [self._security, "delete-certificate", "-Z", digest, self._keychain]
        try:
            file = public_file(self._folder, certificate)
            if not self._trusts(file):
                return Outcome(KEYCHAIN, True, "macOS did not trust it.")
            outcome = self._run([self._security, "remove-trusted-cert", str(file)], "macOS trusts it no longer.")
            if outcome.done:
                self._tools.run(delete, seconds=DIALOG_SECONDS)  # Untrusted it does no harm where it stays.
            return outcome
        except WsguiError as error:
            return Outcome(KEYCHAIN, False, str(error))

    def _trusts(self, file: Path) -> bool:
        # -l: the certificate is an authority's; -L: nothing is fetched from the network; -q: only the exit code.
        command = [self._security, "verify-cert", "-q", "-L", "-l", "-p", "basic", "-c", str(file)]
        return self._tools.run(command).code == 0

    def _run(self, command: list[str], done: str) -> Outcome:
        ran = self._tools.run(command, seconds=DIALOG_SECONDS)
        if ran.code == 0:
            return Outcome(KEYCHAIN, True, done)
        return Outcome(KEYCHAIN, False, f"The keychain could not be changed: {ran.complaint}.", shlex.join(command))

    @property
    def _keychain(self) -> str:
        return str(self._tools.home / "Library/Keychains/login.keychain-db")
