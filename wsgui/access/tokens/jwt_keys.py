"""The key that JWTs are checked with: read where it lies, again when it has changed; and what it may be used for."""

from __future__ import annotations

import os
import re
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wsgui.display import display
from wsgui.errors import SecretError, WsguiError
from wsgui.profiles.disk import DiskError, Signature, read_regular
from wsgui.profiles.formats import is_reference
from wsgui.profiles.secrets import resolve

if TYPE_CHECKING:
    from jwcrypto.jwk import JWK

FIELD: Final = "tokens.source"
MIN_SECRET_BYTES: Final = 32
"""Of a symmetric key in a profile: as long as the digest of HS256 (RFC 7518, section 3.2)."""
MIN_RSA_BITS: Final = 2048
MAX_KEY_BYTES: Final = 64 * 1024

_RSA_SIGNATURES: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_RSA_ENCRYPTION: Final = frozenset({"RSA-OAEP", "RSA-OAEP-256"})  # RSA1_5 tells attackers too much
_EC_SIGNATURES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "secp256k1": "ES256K"}
_EC_ENCRYPTION: Final = frozenset({"ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"})
_SECRET_SIGNATURES: Final = frozenset({"HS256", "HS384", "HS512"})
# No PBES2: how long that takes is for the token to say.
_SECRET_ENCRYPTION: Final = frozenset({"dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"})

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_OTHER_KEYS: Final = re.compile(
    rb"-----? ?BEGIN |\b(?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-)|PuTTY-User-Key-File", re.ASCII
)
_SETTLE_NS: Final = 2 * 10**9
"""A file written to so lately could be written to again without its times showing it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What one key file holds, and what may be done with it: the type of the key decides, never a token.

    Args:
        keys: The readings of it, one of which has to fit: a secret in base64 also stands for the bytes it encodes.
        signatures: Algorithms (`alg`) of a JWS (RFC 7518, section 3.1).
        encryption: Algorithms of a JWE's key (section 4.1).
        symmetric: Whether whoever can encrypt with it also holds the secret.
    """

    keys: tuple[JWK, ...] = field(repr=False)
    signatures: frozenset[str]
    encryption: frozenset[str]
    symmetric: bool


def keys_of(data: bytes, *, strict: bool) -> Keys:
    """Return what the bytes of a key file are: PEM (key or certificate), or else a symmetric secret.

    Args:
        strict: Ask for the lengths that RFC 7518 does.

    Raises:
        WsguiError: It is neither; nothing of it is in the message.
    """
    if not data.strip():
        raise _fault("The key of the tokens is empty.")
    if len(data) > MAX_KEY_BYTES:
        raise _fault(f"The key of the tokens is longer than {MAX_KEY_BYTES // 1024} KiB.")
    return _from_pem(data, strict) if b"-----BEGIN " in data else _from_secret(data, strict)


def _from_pem(data: bytes, strict: bool) -> Keys:
    from cryptography.exceptions import UnsupportedAlgorithm
    from jwcrypto.common import JWException
    from jwcrypto.jwk import JWK

    key = JWK()
    try:
        key.import_from_pem(data)
    except TypeError:
        hint = "Name the public key: nothing else is needed for signatures."
        raise _fault("The key of the tokens is encrypted.", hint) from None
    except (ValueError, KeyError, NotImplementedError, UnsupportedAlgorithm, JWException):
        raise _fault("The key of the tokens is no PEM of an RSA, EC or EdDSA key.") from None
    kind, curve = key.get("kty"), key.get("crv")
    if kind == "RSA":
        bits = key.get_op_key("verify").key_size
        if strict and bits < MIN_RSA_BITS:
            raise _fault(f"The RSA key of the tokens has {bits} bits; {MIN_RSA_BITS} are needed.", "Make a longer one.")
        return Keys((key,), _RSA_SIGNATURES, _RSA_ENCRYPTION, symmetric=False)
    if kind == "EC" and curve in _EC_SIGNATURES:
        return Keys((key,), frozenset({_EC_SIGNATURES[curve]}), _EC_ENCRYPTION, symmetric=False)
    if kind == "OKP" and curve in ("Ed25519", "Ed448"):
        return Keys((key,), frozenset({"EdDSA", curve}), frozenset(), symmetric=False)
    raise _fault("The key of the tokens is of a kind that signs no tokens.", "Name an RSA, EC or Ed25519 key.")


def _from_secret(data: bytes, strict: bool) -> Keys:
    from jwcrypto.jwk import JWK

    readings = _readings(data)
    if any(_is_no_secret(reading) for reading in readings):
        # Such text is public, or half of it: whoever has seen it could sign.
        raise _fault("The key of the tokens is JSON or a key in another format, which is no secret.")
    enough = [reading for reading in readings if len(reading) >= (MIN_SECRET_BYTES if strict else 1)]
    if not enough:
        message = f"The secret key of the tokens is shorter than {MIN_SECRET_BYTES} bytes."
        raise _fault(message, "Make a longer one: openssl rand -base64 48")
    keys = tuple(JWK(kty="oct", k=urlsafe_b64encode(each).decode().rstrip("=")) for each in enough)
    return Keys(keys, _SECRET_SIGNATURES, _SECRET_ENCRYPTION, symmetric=True)


def _readings(data: bytes) -> list[bytes]:
    """The bytes that a secret stands for: those which its base64 encodes first, as websockify takes it, then itself."""
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        return [data]
    if not text.isprintable():
        return [data]
    readings = [text.encode()]
    if _BASE64.fullmatch(text) and len(text.rstrip("=")) % 4 != 1:
        bare = text.rstrip("=").replace("+", "-").replace("/", "_")
        readings.insert(0, urlsafe_b64decode(bare + "=" * (-len(bare) % 4)))
    return readings


def _is_no_secret(data: bytes) -> bool:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    if _OTHER_KEYS.search(data) or (data[:1] in (b"{", b"[") and data.isascii()):
        return True
    loaders: tuple[Callable[[bytes], object], ...] = (
        serialization.load_der_public_key,
        lambda der: serialization.load_der_private_key(der, None),
        x509.load_der_x509_certificate,
    )
    for load in loaders:
        try:
            load(data)
        except ValueError:
            continue
        except (TypeError, UnsupportedAlgorithm):
            return True  # it is one that is encrypted, or of a kind not known here
        return True
    return False


class KeyPlace:
    """Where the key lies: read once, and again when its file has changed. Blocking, and for any thread.

    Args:
        place: A file's path, or a reference to a secret.
        strict: See `keys_of`.
    """

    def __init__(self, place: str, *, strict: bool) -> None:
        self._reference = place if is_reference(place) else ""
        file = place.removeprefix("file:") if self._reference.startswith("file:") else place
        watched = not self._reference or self._reference.startswith("file:")
        self._path = Path(os.path.abspath(os.path.expanduser(file))) if watched else None
        self._strict = strict
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._signature: Signature | None = None

    def keys(self) -> Keys:
        """Return what lies there now.

        Raises:
            WsguiError: It is missing, unreadable or no key; so it is as long as it stays like that.
        """
        with self._lock:
            # From before the reading: what is written meanwhile is seen the next time.
            signature = self._look()
            if self._keys is None or signature != self._signature or not _settled(signature):
                self._keys = None
                self._keys = keys_of(self._read(), strict=self._strict)
                self._signature = signature
            return self._keys

    def _look(self) -> Signature | None:
        if self._path is None:
            return None
        try:
            return Signature.of(os.stat(self._path))
        except OSError as error:
            self._keys = None
            raise self._unreadable(error.strerror or type(error).__name__) from None

    def _read(self) -> bytes:
        if self._reference:
            return resolve(self._reference, field=FIELD).encode()
        assert self._path is not None
        try:
            return read_regular(self._path, MAX_KEY_BYTES)[0]
        except DiskError:
            raise self._unreadable("it is not a file") from None
        except OSError as error:
            raise self._unreadable(error.strerror or type(error).__name__) from None

    def _unreadable(self, why: str) -> WsguiError:
        shown = display(str(self._path))
        hint = "Name a file with the key in it, readable for the user wsgui runs as."
        kind = SecretError if self._reference else WsguiError
        return kind(f"The key file {shown} cannot be read: {why}.", hint, field=FIELD)


def _settled(signature: Signature | None) -> bool:
    return signature is None or time.time_ns() - signature.changed_ns > _SETTLE_NS


def _fault(
    message: str, hint: str = "Name a PEM file with a key, or a file with a secret of 32 bytes or more."
) -> WsguiError:
    return WsguiError(message, hint, field=FIELD)
