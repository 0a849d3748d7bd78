"""What every trust store can be asked: whether it trusts an authority, to do so, and to stop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

ID_DIGITS: Final = 16
"""Of the certificate's SHA-256, in hexadecimal: what tells authorities apart in names."""


class TrustState(StrEnum):
    """Whether a store trusts a certificate."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    ABSENT = "absent"
    """There is no such store on this computer."""
    UNKNOWN = "unknown"
    """It cannot be found out; `Trust.message` says why."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a store says about a certificate.

    Args:
        message: One sentence, or two when there is something to do: "Firefox trusts it. Restart Firefox."
    """

    state: TrustState
    message: str

    @property
    def trusted(self) -> bool:
        return self.state is TrustState.TRUSTED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of adding a certificate to a store or removing it.

    Args:
        store: The store's name.
        done: Whether the store is now as was asked for.
        message: What was done, or why it could not be.
        command: What a person can run to do it, one command a line, quoted for a shell; "" when there is nothing.
    """

    store: str
    done: bool
    message: str
    command: str = ""


class TrustStore(Protocol):
    """One place where programs look up whom they trust. Everything blocks: programs are run, at most a few minutes."""

    @property
    def name(self) -> str:
        """As a person knows it: "Chrome and other programs on NSS", "Firefox", "System"."""

    def state(self, certificate: x509.Certificate) -> Trust:
        """Look whether the very certificate (not one of its name) is trusted; changes nothing."""

    def add(self, certificate: x509.Certificate) -> Outcome:
        """Have it trusted for servers; where it is already, nothing is done."""

    def remove(self, certificate: x509.Certificate) -> Outcome:
        """Have it trusted no longer; where it is not, nothing is done."""


def authority_id(certificate: x509.Certificate) -> str:
    """Return the first 16 hex digits of the certificate's SHA-256."""
    return certificate.fingerprint(hashes.SHA256()).hex()[:ID_DIGITS]


def nickname(certificate: x509.Certificate) -> str:
    """Return what a certificate is called in stores that want a name: one for each authority."""
    return f"wsgui local authority {authority_id(certificate)}"


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
