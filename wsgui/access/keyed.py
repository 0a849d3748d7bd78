"""Keyed digests: what secrets are compared, remembered and named by; the key is this process's own."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

DIGEST_BYTES: Final = 32
LABEL_DIGITS: Final = 6

_KEY: Final = secrets.token_bytes(32)


def digest(*parts: bytes) -> bytes:
    """Return the digest of `parts`; where one part ends and the next begins counts too."""
    hashing = hashlib.blake2b(key=_KEY, digest_size=DIGEST_BYTES)
    for part in parts:
        hashing.update(len(part).to_bytes(8, "big"))
        hashing.update(part)
    return hashing.digest()


def equal(one: bytes, other: bytes) -> bool:
    """Return whether two secrets are the same, in a time that tells neither where they differ nor their lengths."""
    return hmac.compare_digest(digest(one), digest(other))


def token_label(token: str) -> str:
    """Return what a token is called in logs, windows and exports, such as `token 3fa9c1`."""
    return f"token {digest(b'label', token.encode('utf-8', 'surrogatepass')).hex()[:LABEL_DIGITS]}"
