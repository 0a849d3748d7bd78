"""Whether browsers will accept a certificate and key that others made: dates, names, purpose, kind and strength."""

from __future__ import annotations

import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from wsgui.certificates.description import alternative_names, is_authority, is_self_signed
from wsgui.certificates.issue import PrivateKey
from wsgui.errors import CertificateError

_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_LEAST_RSA_BITS: Final = 2048
_ANOTHER_KEY: Final = "Make an ECDSA key on P-256 or an RSA key of 2048 bits, and have a certificate issued for it."
_ANEW: Final = "Get a new one from its issuer."


def usable_key(key: PrivateKeyTypes, file: str) -> PrivateKey:
    """Return a key that browsers accept of a server.

    Raises:
        CertificateError: They do not; the message names `file`.
    """
    match key:
        case ec.EllipticCurvePrivateKey():
            if key.curve.name in _CURVES:
                return key
            kind = f"an ECDSA key on the curve {key.curve.name}"
        case rsa.RSAPrivateKey():
            if key.key_size >= _LEAST_RSA_BITS:
                return key
            kind = f"an RSA key of {key.key_size} bits"
        case ed25519.Ed25519PrivateKey():
            kind = "an Ed25519 key"
        case ed448.Ed448PrivateKey():
            kind = "an Ed448 key"
        case dsa.DSAPrivateKey():
            kind = "a DSA key"
        case _:
            kind = "a key of a kind"
    raise CertificateError(f"{file} has {kind}, which browsers do not accept.", _ANOTHER_KEY)


def check_dates(certificate: x509.Certificate, what: str, file: str, now: datetime.datetime) -> None:
    """Raise CertificateError when a certificate is not valid at `now`; `what` it is stands in the message."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends:
        raise CertificateError(
            f"The {what} in {file} ended on {ends:%Y-%m-%d}.", f"{_ANEW[:-1]}, or correct this computer's clock."
        )
    if now < begins:
        raise CertificateError(
            f"The {what} in {file} is not valid before {begins:%Y-%m-%d %H:%M} UTC.",
            "Wait until then, or correct this computer's clock.",
        )


def check_signature(certificate: x509.Certificate, what: str, file: str) -> None:
    """Raise CertificateError when browsers do not accept the kind of signature; one of its own key they do not read."""
    try:
        algorithm = certificate.signature_hash_algorithm
        name = algorithm.name.upper() if algorithm else "EdDSA"
        accepted = isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)
    except UnsupportedAlgorithm:
        name, accepted = "a method that is not known here", False
    if not accepted and not is_self_signed(certificate):
        raise CertificateError(
            f"The {what} in {file} is signed with {name}, which browsers do not accept.",
            "Get one that is signed with SHA-256.",
        )


def check_leaf(certificate: x509.Certificate, file: str) -> None:
    """Raise CertificateError when it names no host, or is for something else than servers."""
    if not alternative_names(certificate):
        raise CertificateError(
            f"The certificate in {file} has no subject alternative names, the only ones that browsers look at.",
            "Get one with each host name and address among its subject alternative names.",
        )
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usages):
        raise CertificateError(
            f"The certificate in {file} is not for servers.", 'Get one with the extended key usage "serverAuth".'
        )


def acts_as_authority(certificate: x509.Certificate) -> bool:
    """Whether it is made to sign others.

    What `openssl req -x509` makes for a server says that it is an authority too; but then it has names, signed itself
    and does not say that its key is for signing certificates.
    """
    if not is_authority(certificate):
        return False
    if not is_self_signed(certificate) or not alternative_names(certificate):
        return True
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return False
