"""What is wrong with a certificate's files, in words: OpenSSL has but one for most faults ("PEM lib")."""

from __future__ import annotations

import os
import ssl
import stat
import warnings

from wsgui.display import display
from wsgui.errors import CertificateError


def check_readable(path: str, field: str) -> None:
    """See to it that a file is there to be read; `field` is its field in `[tls]`.

    Raises:
        CertificateError: It is missing, no regular file, or unreadable.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise CertificateError(f"{display(path)} is not a file.", "Name a file in PEM form.", field=f"tls.{field}")
        with open(path, "rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        raise CertificateError(
            f"There is no file {display(path)}.", f"Correct [tls] {field}, or put the file there.", field=f"tls.{field}"
        ) from error
    except OSError as error:
        raise unreadable(path, error, field) from error


def unreadable(path: str, error: OSError, field: str) -> CertificateError:
    """Return the error for a file that cannot be read."""
    return CertificateError(
        f"The file {display(path)} cannot be read: {(error.strerror or str(error)).lower()}.",
        "Let the user who runs wsgui read it.",
        field=f"tls.{field}",
    )


def explain(certificate: str, key: str, error: ssl.SSLError | ValueError, *, has_password: bool) -> CertificateError:
    """Say which of the two files is at fault, and how. Blocking: it looks into them.

    Args:
        certificate: The PEM file that OpenSSL was given.
        key: The same for the key; it may be the same file.
        error: What it said.
        has_password: Whether there was a passphrase for the key.
    """
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return CertificateError(
            f"The key in {display(key)} does not belong to the certificate in {display(certificate)}.",
            "Name the key that the certificate was made for.",
            field="tls.key_file",
        )
    if not holds_certificate(certificate):
        return CertificateError(
            f"There is no certificate in PEM form in {display(certificate)}.",
            "Convert it to PEM, the certificate first and its intermediates after it.",
            field="tls.certificate_file",
        )
    text = _read(key)
    if b"PRIVATE KEY-----" not in text:
        return CertificateError(
            f"There is no private key in PEM form in {display(key)}.",
            "Name the file with the key in [tls] key_file, or convert it to PEM.",
            field="tls.key_file",
        )
    if b"ENCRYPTED" not in text:
        return CertificateError(
            f"The private key in {display(key)} is damaged, or of a kind that OpenSSL does not read.",
            "Convert it to PEM (PKCS#8), or make a new key and certificate.",
            field="tls.key_file",
        )
    if has_password:
        return CertificateError(
            f"The passphrase does not open the key in {display(key)}.",
            "Correct what [tls] key_password refers to.",
            field="tls.key_password",
        )
    return CertificateError(
        f"The key in {display(key)} is encrypted.",
        'Say where its passphrase is, such as key_password = "keyring:office".',
        field="tls.key_password",
    )


def holds_certificate(path: str) -> bool:
    """Whether each certificate in a PEM file is whole, and there is one."""
    from cryptography import x509  # it takes a while to load, and most tunnels have no certificate

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(x509.load_pem_x509_certificates(_read(path)))
    except ValueError:
        return False


def _read(path: str) -> bytes:
    """Return what a file holds; nothing when it has become unreadable meanwhile."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
