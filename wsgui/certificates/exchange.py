"""Bundles from files of others, put together and judged as browsers will, and bundles written for others."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from wsgui.certificates.authority import whole_seconds
from wsgui.certificates.certificate_files import MAX_FILE_BYTES, Parts, read_parts
from wsgui.certificates.description import UNREADABLE, describe, is_authority, is_self_signed, is_signed_by
from wsgui.certificates.fitness import acts_as_authority, check_dates, check_leaf, check_signature, usable_key
from wsgui.certificates.issue import Bundle
from wsgui.certificates.key_encryption import encrypted_pkcs8
from wsgui.display import display
from wsgui.errors import CertificateError

__all__ = ["MAX_FILE_BYTES", "MAX_PASSPHRASE_BYTES", "bundle_pem", "bundle_pkcs12", "chain_pem", "read_bundle"]

MAX_PASSPHRASE_BYTES: Final = 1023
"""What OpenSSL takes when it reads a key in PEM."""
_ROUNDS: Final = 100_000
"""For each of the two parts: Windows refuses files of which all derivations together take more than 600,000."""
_MAX_CHAIN: Final = 10

_T = TypeVar("_T")
_Source = tuple[_T, str]
"""Something, and the name of the file it is from."""


def read_bundle(
    files: Sequence[Path], password: Callable[[str], str] | None, *, now: datetime.datetime | None = None
) -> Bundle:
    """Read a key, its certificate and intermediates from PEM and PKCS#12 files, recognised by what is in them.

    Blocking.

    Args:
        files: In any order, each with any of the parts; a root is left out of the chain.
        password: Asked once for each encrypted file, with what it is for ("The password of office.p12"); None when
            there is nobody to ask.
        now: Instead of the clock; aware.

    Raises:
        CertificateError: The parts cannot be had, or do not make a certificate that a server can use and browsers
            accept; the message names the file, the hint the remedy.
    """
    now = whole_seconds(now)
    parts = [read_parts(path, password) for path in dict.fromkeys(files)]
    keys = [(key, part.file) for part in parts for key in part.keys]
    certificates = _distinct((certificate, part.file) for part in parts for certificate in part.certificates)
    if not parts:
        raise CertificateError("No file was named.", "Name the files with the key, the certificate and intermediates.")
    if not keys:
        raise _no_key(parts)
    if not certificates:
        raise _no_certificate(parts)
    (key, key_file), (leaf, file) = _pair(keys, certificates, now)
    private = usable_key(key, key_file)
    check_dates(leaf, "certificate", file, now)
    check_signature(leaf, "certificate", file)
    check_leaf(leaf, file)
    return Bundle(private, _chain(leaf, file, certificates, now))


def bundle_pem(bundle: Bundle, passphrase: str) -> bytes:
    """Return the encrypted key (PKCS#8), the leaf and its intermediates as one PEM file.

    Raises:
        CertificateError: The passphrase is empty or longer than OpenSSL takes.
    """
    return encrypted_pkcs8(bundle.key, _secret(passphrase)) + chain_pem(bundle.chain)


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
        display(name).encode(), bundle.key, bundle.leaf, bundle.chain[1:] or None, encryption
    )


def chain_pem(certs: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as PEM, in their order."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certs)


def _pair(
    keys: Sequence[_Source[PrivateKeyTypes]], certificates: Sequence[_Source[x509.Certificate]], now: datetime.datetime
) -> tuple[_Source[PrivateKeyTypes], _Source[x509.Certificate]]:
    """Return the key and the server's certificate that belong together: of several for one key, the best."""
    pairs = [(key, certificate) for certificate in certificates for key in keys if _belong(key[0], certificate[0])]
    if not pairs:
        raise CertificateError(
            f"The key in {_names(keys)} does not belong to {_counted(certificates)} in {_names(certificates)}.",
            "Name the key that the certificate was made for.",
        )
    servers = [pair for pair in pairs if not acts_as_authority(pair[1][0])]
    if not servers:
        raise CertificateError(
            f"The certificate in {pairs[0][1][1]} is an authority's, which browsers do not accept from a server.",
            "Name a certificate that this authority issued for a server, and its key.",
        )
    first = servers[0][0][0].public_key()
    if any(pair[0][0].public_key() != first for pair in servers):
        raise CertificateError(
            f"There is more than one key with a certificate in {_names([pair[0] for pair in servers])}.",
            "Import one at a time.",
        )
    return max(servers, key=lambda pair: (pair[1][0].not_valid_before_utc <= now, pair[1][0].not_valid_after_utc))


def _belong(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    try:
        return bool(key.public_key() == certificate.public_key())
    except UNREADABLE:
        return False


def _chain(
    leaf: x509.Certificate, file: str, certificates: Sequence[_Source[x509.Certificate]], now: datetime.datetime
) -> tuple[x509.Certificate, ...]:
    """Return the leaf and the intermediates above it, each signed by the next, without the root."""
    chain = [leaf]
    while not is_self_signed(chain[-1]) and len(chain) < _MAX_CHAIN:
        issuers = [each for each in certificates if each[0] not in chain and is_signed_by(chain[-1], each[0])]
        if not issuers:
            break
        # One that was also signed by an older authority goes before the root of the same name and key.
        issuer, source = max(issuers, key=lambda each: (_alive(each[0], now), not is_self_signed(each[0])))
        if is_self_signed(issuer):
            return tuple(chain)
        if len(chain) > 1 and not _alive(issuer, now):
            break  # sent by some for old devices' sake; who trusts its successor does not need it
        check_dates(issuer, "intermediate", source, now)
        check_signature(issuer, "intermediate", source)
        if not is_authority(issuer):
            raise CertificateError(
                f"The certificate in {file} was signed by one in {source} that is no authority's.",
                "Get a certificate from an authority.",
            )
        chain.append(issuer)
    strangers = [each for each in certificates if is_authority(each[0]) and not is_self_signed(each[0])]
    if len(chain) == 1 and strangers and not is_self_signed(leaf):
        raise CertificateError(
            f"No intermediate in {_names(strangers)} signed the certificate in {file}.",
            f'Name the intermediate "{describe(leaf).issuer}", which its issuer offers, or leave intermediates out.',
        )
    return tuple(chain)


def _alive(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _no_key(parts: Sequence[Parts]) -> CertificateError:
    other = {label for part in parts for label in part.other}
    if "OPENSSH PRIVATE KEY" in other:
        hint = "An SSH key is none: name the key that the certificate was made for."
    else:
        hint = "Name the file with the key as well: it was made before the certificate was asked for."
    return CertificateError(f"There is no private key in {_files(parts)}.", hint)


def _no_certificate(parts: Sequence[Parts]) -> CertificateError:
    other = {label for part in parts for label in part.other}
    if other & {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}:
        hint = "A request is none: send it to an authority, and name what comes back."
    elif other & {"PKCS7", "CMS"}:
        hint = "Convert the PKCS#7 file: openssl pkcs7 -print_certs -in FILE -out chain.pem"
    elif "TRUSTED CERTIFICATE" in other:
        hint = "Convert the trusted certificate: openssl x509 -in FILE -out certificate.pem"
    else:
        hint = "Name the file with the certificate as well."
    return CertificateError(f"There is no certificate in {_files(parts)}.", hint)


def _distinct(found: Iterable[_Source[x509.Certificate]]) -> list[_Source[x509.Certificate]]:
    first: dict[x509.Certificate, str] = {}
    for certificate, file in found:
        first.setdefault(certificate, file)
    return list(first.items())


def _files(parts: Iterable[Parts]) -> str:
    return " and ".join(part.file for part in parts)


def _names(sources: Iterable[_Source[object]]) -> str:
    return " and ".join(dict.fromkeys(file for _, file in sources))


def _counted(certificates: Sequence[object]) -> str:
    return "the certificate" if len(certificates) == 1 else "any certificate"


def _secret(passphrase: str) -> bytes:
    try:
        secret = passphrase.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise CertificateError("The passphrase has characters that UTF-8 does not.", "Use others.") from None
    if not secret:
        raise CertificateError("A key is not written without a passphrase.", "Give one of at least one character.")
    if len(secret) > MAX_PASSPHRASE_BYTES:
        raise CertificateError(
            "The passphrase is longer than OpenSSL takes.", f"Use at most {MAX_PASSPHRASE_BYTES} bytes of UTF-8."
        )
    return secret
