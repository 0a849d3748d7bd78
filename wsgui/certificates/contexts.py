"""TLS contexts for listeners, made from a profile's certificate files."""

from __future__ import annotations

import os
import ssl
import stat
import warnings
from typing import Final

from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.access import Tls
from wsgui.profiles.secrets import resolve

_OLD_VERSIONS: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


def server_context(
    tls: Tls, *, minimum: ssl.TLSVersion | None = None, passphrase: str | None = None, verify_client: bool = False
) -> ssl.SSLContext | None:
    """Return the context for a listener, or None when the profile names no certificate. Blocking: it reads files.

    Where clients must show a certificate, TLS 1.3 sessions are not resumed at all, and older ones by this very context
    only: what was shown under another rule, an earlier one of the same listener included, lets nobody in.

    Args:
        tls: The profile's section; `key_password` is resolved here and given to OpenSSL by callable.
        minimum: Instead of the profile's lowest version; 1.1 and older lower OpenSSL's security level to 0 too.
        passphrase: The key's, instead of what the profile refers to.
        verify_client: Ask for a client certificate also when the profile names no authority: one of the system's.

    Raises:
        CertificateError: A file is missing, unreadable, or does not fit; the message names the file and the remedy.
        SecretError: The key's passphrase cannot be had.
    """
    if not tls.certificate_file:
        return None
    certificate, key = tls.certificate_file, tls.key_file or tls.certificate_file
    _check_readable(certificate, "certificate_file")
    _check_readable(key, "key_file")
    if passphrase is None:
        passphrase = resolve(tls.key_password, field="tls.key_password") if tls.key_password else ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_versions(context, tls, minimum)
    context.set_alpn_protocols(["http/1.1"])
    if tls.client_authority is not None or verify_client:
        _demand_certificate(context, tls.client_authority)
    try:
        context.load_cert_chain(certificate, key, password=lambda: passphrase)
    except (ssl.SSLError, ValueError) as error:  # ValueError: a passphrase longer than OpenSSL takes
        raise _explain(certificate, key, error, has_password=bool(passphrase)) from error
    except OSError as error:
        raise CertificateError(
            f"The certificate {display(certificate)} cannot be read: {(error.strerror or str(error)).lower()}.",
            "Check the path and the file's permissions.",
            field="tls.certificate_file",
        ) from error
    return context


def _set_versions(context: ssl.SSLContext, tls: Tls, minimum: ssl.TLSVersion | None) -> None:
    if minimum is None:
        minimum = ssl.TLSVersion.TLSv1_3 if tls.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    old = minimum in _OLD_VERSIONS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is asked for
        context.minimum_version = minimum
    ciphers = tls.ciphers or ("DEFAULT" if old else "")
    if not ciphers:
        return
    # The signatures of TLS 1.1 are made with SHA-1, which OpenSSL 3 has below level 1 only.
    lowered = old and "@SECLEVEL" not in ciphers
    try:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0" if lowered else ciphers)
    except ssl.SSLError as error:
        raise CertificateError(
            f'No cipher matches "{display(tls.ciphers)}".',
            "Leave ciphers out, or write an OpenSSL cipher list such as ECDHE+AESGCM.",
            field="tls.ciphers",
        ) from error


def _demand_certificate(context: ssl.SSLContext, authority: str | None) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    if authority is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    _check_readable(authority, "client_authority")
    if not _holds_certificate(authority):
        raise CertificateError(
            f"There is no certificate of an authority in PEM form in {display(authority)}.",
            "Name a PEM file with the authorities that sign clients' certificates.",
            field="tls.client_authority",
        )
    # One that was itself signed by another is an authority too when it is named here.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(authority)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(
            f"The authorities in {display(authority)} cannot be used.",
            "Check that each certificate in the file is whole.",
            field="tls.client_authority",
        ) from error


def certificate_names(path: str) -> frozenset[str]:
    """Return the DNS names and IP addresses that the first certificate in a PEM file is for; none if it has none."""
    from cryptography import x509  # it takes a while to load, and most tunnels have no certificate

    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = x509.load_pem_x509_certificate(file.read())
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return frozenset()
    return frozenset(names.get_values_for_type(x509.DNSName)) | frozenset(
        str(address) for address in names.get_values_for_type(x509.IPAddress)
    )


def _check_readable(path: str, field: str) -> None:
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
        raise CertificateError(
            f"The file {display(path)} cannot be read: {(error.strerror or str(error)).lower()}.",
            "Let the user who runs wsgui read it.",
            field=f"tls.{field}",
        ) from error


def _explain(certificate: str, key: str, error: ssl.SSLError | ValueError, *, has_password: bool) -> CertificateError:
    """Say which of the two is at fault, and how: for most faults OpenSSL has but one word ("PEM lib")."""
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return CertificateError(
            f"The key in {display(key)} does not belong to the certificate in {display(certificate)}.",
            "Name the key that the certificate was made for.",
            field="tls.key_file",
        )
    if not _holds_certificate(certificate):
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


def _holds_certificate(path: str) -> bool:
    from cryptography import x509

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
