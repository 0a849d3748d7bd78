"""Private keys as encrypted PKCS#8: AES-256 with a key that scrypt makes of the passphrase."""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# What `openssl pkcs8 -scrypt` takes too; with more memory OpenSSL would not read it.
_N, _R, _P = 1 << 14, 8, 1
_LINE: Final = 64

_INTEGER, _OCTETS, _OBJECT, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PBES2: Final = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC: Final = bytes.fromhex("60864801650304012a")  # 2.16.840.1.101.3.4.1.42


def encrypted_pkcs8(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes) -> bytes:
    """Return a key as PEM "ENCRYPTED PRIVATE KEY" (RFC 5958, 3; RFC 8018, 6.2; RFC 7914, 7).

    `cryptography` itself derives the key with 2,048 rounds of PBKDF2, too few for what a person thought of.
    """
    salt, vector = secrets.token_bytes(16), secrets.token_bytes(16)
    derived = Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(derived), modes.CBC(vector)).encryptor()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    derivation = _sequence(
        _der(_OBJECT, _SCRYPT), _sequence(_der(_OCTETS, salt), _integer(_N), _integer(_R), _integer(_P))
    )
    scheme = _sequence(_der(_OBJECT, _AES_256_CBC), _der(_OCTETS, vector))
    algorithm = _sequence(_der(_OBJECT, _PBES2), _sequence(derivation, scheme))
    text = base64.b64encode(_sequence(algorithm, _der(_OCTETS, sealed)))
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join([b"-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, b"-----END ENCRYPTED PRIVATE KEY-----\n"])


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
