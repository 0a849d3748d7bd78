"""What a certificate says, for people: names, ends, issuer, fingerprint, kind of key."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from wsgui.display import display

UNREADABLE: Final = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises over parts of a certificate that it cannot make sense of."""

_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True)
class Description:
    """A certificate's contents, fit to be shown.

    Attributes:
        subject: Its common name where it has one, else the whole name.
        names: The host names and IP addresses that it is for, in its order.
        issuer: As `subject`, of who signed it.
        not_before: UTC.
        not_after: UTC.
        serial: Hexadecimal, as in browsers ("0A:1B").
        fingerprint: SHA-256 over the whole certificate ("AB:CD…").
        key: Kind and size of its key ("ECDSA P-256").
        is_authority: It may sign others.
        self_signed: Its own key signed it.
    """

    subject: str
    names: tuple[str, ...]
    issuer: str
    not_before: datetime.datetime
    not_after: datetime.datetime
    serial: str
    fingerprint: str
    key: str
    is_authority: bool
    self_signed: bool

    def days_left(self, now: datetime.datetime) -> int:
        """Whole days from `now` (aware) to its end: 0 on the last day, negative afterwards."""
        return (self.not_after - now).days


def describe(certificate: x509.Certificate) -> Description:
    """Say what stands in a certificate. What it has malformed is left out; nothing is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # oddities of other people's certificates
        return Description(
            subject=_named(certificate.subject),
            names=alternative_names(certificate),
            issuer=_named(certificate.issuer),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            serial=_serial(certificate.serial_number),
            fingerprint=fingerprint(certificate),
            key=_kind_of_key(certificate),
            is_authority=is_authority(certificate),
            self_signed=is_self_signed(certificate),
        )


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the whole certificate as browsers show it: ``AB:CD:…``."""
    return _octets(certificate.fingerprint(hashes.SHA256()))


def alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names and IP addresses of the subjectAltName, in its order; none where it has none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ()
    return tuple(display(str(name.value)) for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether its basic constraints make it one that may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether its own key signed it."""
    return is_signed_by(certificate, certificate)


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has the issuer's name, and its key made the signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, *UNREADABLE):
        return False
    return True


def _named(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = common[0].value if common else name.rfc4514_string()
    return display(text if isinstance(text, str) else text.hex())


def _kind_of_key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return "unknown"
    match key:
        case ec.EllipticCurvePublicKey():
            return f"ECDSA {_CURVES.get(key.curve.name, key.curve.name)}"
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
    return "unknown"


def _serial(number: int) -> str:
    sign = "-" if number < 0 else ""  # against RFC 5280, and met all the same
    return sign + _octets(abs(number).to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


def _octets(data: bytes) -> str:
    return data.hex(":").upper()
