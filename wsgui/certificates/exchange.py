"""Certificates and keys in files of others: reading what was got elsewhere, and writing what others read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from wsgui.certificates.issue import Bundle
from wsgui.errors import CertificateError

MAX_FILE_BYTES: Final = 1 << 20
MAX_PASSPHRASE_BYTES: Final = 1023
"""What OpenSSL takes when it reads a key in PEM."""
_ROUNDS: Final = 100_000
"""Windows refuses files of which all derivations together take more than 600,000; there are three."""


def read_bundle(files: Sequence[Path], password: Callable[[str], str] | None) -> Bundle:
    """Read a key, its certificate and intermediates from PEM and PKCS#12 files, recognised by what is in them.

    Blocking.

    Args:
        files: In any order, each with any of the parts; a root is left out of the chain.
        password: Asked once for each encrypted file, with its name; None when there is nobody to ask.

    Raises:
        CertificateError: The parts cannot be had or do not make a certificate that a server can use; the message names
            the file and the remedy.
    """
    raise CertificateError("Reading is not built yet.", "Wait.")


def bundle_pem(bundle: Bundle, passphrase: str) -> bytes:
    """Return the encrypted key (PKCS#8), the leaf and its intermediates as one PEM file.

    Raises:
        CertificateError: The passphrase is empty or longer than OpenSSL takes.
    """
    key = bundle.key.private_bytes(
        serialization.Encoding.PEM, PrivateFormat.PKCS8, serialization.BestAvailableEncryption(_secret(passphrase))
    )
    return key + chain_pem(bundle.chain)


def bundle_pkcs12(bundle: Bundle, name: str, password: str) -> bytes:
    """Return key and chain as a PKCS#12 file (AES-256-CBC, PBKDF2 and HMAC with SHA-256).

    Args:
        bundle: What goes in.
        name: What programs that import it show ("friendly name").
        password: What it is encrypted with.

    Raises:
        CertificateError: The password is empty or too long.
    """
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(_secret(password))
    )
    return pkcs12.serialize_key_and_certificates(
        name.encode(), bundle.key, bundle.leaf, bundle.chain[1:] or None, encryption
    )


def chain_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as PEM, in their order."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def _secret(passphrase: str) -> bytes:
    secret = passphrase.encode()
    if not secret:
        raise CertificateError("A key is not written without a passphrase.", "Give one of at least one character.")
    if len(secret) > MAX_PASSPHRASE_BYTES:
        raise CertificateError(
            "The passphrase is longer than OpenSSL takes.", f"Use at most {MAX_PASSPHRASE_BYTES} bytes of UTF-8."
        )
    return secret
