"""Keys and certificates as they lie in one file of somebody else's: PEM or PKCS#12, told apart by what is in it."""

from __future__ import annotations

import base64
import binascii
import codecs
import shlex
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_pem_private_key, pkcs12

from wsgui.certificates.description import UNREADABLE
from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.disk import DiskError, read_regular

MAX_FILE_BYTES: Final = 1 << 20

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_MAX_LABEL: Final = 40
_CERTIFICATES: Final = ("CERTIFICATE", "X509 CERTIFICATE")
_KEYS: Final = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY")
_FETCH_AGAIN: Final = "Copy it whole, from the first line with dashes to the last, or get it again."


@dataclass
class Parts:
    """What one file holds.

    Attributes:
        file: Its name, fit to be shown.
        keys: Its private keys, opened.
        certificates: Its certificates.
        other: Labels of blocks in PEM that are neither, such as "CERTIFICATE REQUEST".
    """

    file: str
    keys: list[PrivateKeyTypes] = field(default_factory=list, repr=False)
    certificates: list[x509.Certificate] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def read_parts(path: Path, password: Callable[[str], str] | None) -> Parts:
    """Read one file. Blocking.

    Args:
        path: Where it is.
        password: Asked at most once, with what it is for, and only when something in the file is encrypted; None when
            there is nobody to ask.

    Raises:
        CertificateError: It cannot be read, opened or made sense of; the message names it, the hint the remedy.
    """
    parts = Parts(display(str(path)))
    data = _without_mark(_content(path, parts.file))

    @lru_cache(maxsize=1)
    def asked() -> bytes:
        return _ask(parts.file, password)

    if _BEGIN in data:
        for label, block in _blocks(data, parts.file):
            if label in _CERTIFICATES:
                parts.certificates.append(_sound(_decoded(block, parts.file, "certificate"), parts.file))
            elif label in _KEYS:
                parts.keys.append(_key(label, block, parts.file, asked))
            else:
                parts.other.append(label)
    elif _content_tag(data)[:3] == b"\x02\x01\x03":  # PFX, version 3 (RFC 7292, 4)
        _read_pkcs12(data, parts, asked)
    else:
        raise _neither(path, data, parts.file)
    return parts


def _content(path: Path, file: str) -> bytes:
    try:
        data, _ = read_regular(path, MAX_FILE_BYTES)
    except FileNotFoundError:
        raise CertificateError(f"There is no file {file}.", "Correct its name.") from None
    except DiskError:
        raise CertificateError(f"{file} is not a file.", "Name a file in PEM or PKCS#12 form.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise CertificateError(f"{file} cannot be read: {why}.", "Check its name and permissions.") from error
    if len(data) > MAX_FILE_BYTES:
        raise CertificateError(
            f"{file} is larger than 1 MiB, which no key and no certificate is.", "Name the file in PEM or PKCS#12 form."
        )
    if not data.strip():
        raise CertificateError(f"{file} is empty.", "Get the file again from where it came from.")
    return data


def _without_mark(data: bytes) -> bytes:
    """Return the text of a file that Windows wrote as UTF-16 as others have it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode()
    return data


def _ask(file: str, password: Callable[[str], str] | None) -> bytes:
    if password is None:
        raise CertificateError(f"{file} is encrypted.", "Give its password.")
    # What the environment has that is not UTF-8 came in as surrogates, and goes out as it was.
    return password(f"The password of {file}").encode("utf-8", "surrogateescape")


def _blocks(data: bytes, file: str) -> Iterator[tuple[str, bytes]]:
    """Yield label and whole text of each block (RFC 7468, 2), whatever stands between them.

    Raises:
        CertificateError: A block does not end, or another begins in it.
    """
    position = 0
    while (begin := data.find(_BEGIN, position)) >= 0:
        start = begin + len(_BEGIN)
        label_end = data.find(_DASHES, start, start + _MAX_LABEL)
        label = data[start : max(label_end, start)]
        end_line = _END + label + _DASHES
        end = data.find(end_line, start)
        following = data.find(_BEGIN, start)
        if label_end < 0 or end < 0 or 0 <= following < end:
            raise CertificateError(f"{file} is broken: a block in it does not end.", _FETCH_AGAIN)
        position = end + len(end_line)
        yield label.decode("ascii", "replace"), data[begin:position]


def _decoded(block: bytes, file: str, what: str) -> bytes:
    body = block[block.index(_DASHES, len(_BEGIN)) + len(_DASHES) : block.rindex(_END)]
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise _damaged(file, what) from None


def _sound(der: bytes, file: str) -> x509.Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # oddities that browsers take
            certificate = x509.load_der_x509_certificate(der)
            # Much is read only when it is asked for.
            certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.serial_number  # noqa: B018
            certificate.subject, certificate.issuer, certificate.extensions  # noqa: B018
    except UNREADABLE:
        raise _damaged(file, "certificate") from None
    return certificate


def _key(label: str, block: bytes, file: str, asked: Callable[[], bytes]) -> PrivateKeyTypes:
    traditional = b"Proc-Type:" in block
    encrypted = traditional or label == "ENCRYPTED PRIVATE KEY"
    der = b"" if traditional else _decoded(block, file, "key")
    secret = asked() if encrypted else None
    try:
        if traditional:
            return load_pem_private_key(b"\n".join(line.strip() for line in block.splitlines()), secret)
        return load_der_private_key(der, secret)
    except UnsupportedAlgorithm:
        raise _unsupported(file) from None
    except (ValueError, TypeError):
        raise _wrong_password(file) if encrypted else _damaged(file, "key") from None


def _read_pkcs12(data: bytes, parts: Parts, asked: Callable[[], bytes]) -> None:
    # Without a password there are two spellings of none.
    for secret in (lambda: None, lambda: b"", asked):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                key, own, others = pkcs12.load_key_and_certificates(data, secret())
        except UnsupportedAlgorithm:
            raise _unsupported(parts.file) from None
        except (ValueError, TypeError) as error:
            if "password" in str(error).lower():
                continue
            raise CertificateError(
                f"{parts.file} is damaged, or not PKCS#12 after all.", "Export it again from where it came from."
            ) from None
        parts.keys += [key] if key is not None else []
        found = [*([own] if own is not None else []), *others]
        parts.certificates += [_sound(each.public_bytes(Encoding.DER), parts.file) for each in found]
        return
    raise _wrong_password(parts.file)


def _content_tag(data: bytes) -> bytes:
    """Return what follows the head of an outermost SEQUENCE in BER; nothing when there is none."""
    if data[:1] != b"\x30" or len(data) < 2:
        return b""
    long_form = data[1] & 0x7F if data[1] & 0x80 else 0
    return data[2 + long_form :]


def _neither(path: Path, data: bytes, file: str) -> CertificateError:
    source, target = shlex.quote(str(path)), shlex.quote(f"{path.with_suffix('')}-converted.pem")
    inside = _content_tag(data)
    command = ""
    if inside.startswith((b"\x02\x01\x00", b"\x02\x01\x01")):
        command = f"openssl pkey -inform DER -in {source} -aes256 -out {target}"
    elif inside.startswith(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"):
        command = f"openssl pkcs7 -inform DER -print_certs -in {source} -out {target}"
    elif inside.startswith(b"\x30"):
        command = f"openssl x509 -inform DER -in {source} -out {target}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                x509.load_der_x509_certificate(data)
            except UNREADABLE:
                command = f"openssl pkey -inform DER -in {source} -aes256 -out {target}"
    if command:
        return CertificateError(f"{file} is in DER form.", f"Convert it to PEM: {display(command, limit=1000)}")
    return CertificateError(
        f"{file} holds neither PEM nor PKCS#12.", "Name the files with the key, the certificate and its intermediates."
    )


def _damaged(file: str, what: str) -> CertificateError:
    return CertificateError(f"A {what} in {file} is damaged.", _FETCH_AGAIN)


def _wrong_password(file: str) -> CertificateError:
    return CertificateError(
        f"The password does not open {file}.", "Give the one that it was encrypted with; if you did, it is damaged."
    )


def _unsupported(file: str) -> CertificateError:
    return CertificateError(
        f"{file} has a key of a kind, or is encrypted in a way, that is not read here.",
        "Export it again with AES-256, and with an ECDSA or RSA key.",
    )
