"""Tokens that say themselves where they lead: JWTs signed by somebody whose key is known (RFC 7519)."""

from __future__ import annotations

import json
import logging
import math
import re
import time
from base64 import urlsafe_b64decode
from typing import Any, ClassVar, Final, NoReturn

from wsgui.access.threads import Threads
from wsgui.access.tokens.jwt_keys import KeyPlace, Keys
from wsgui.access.tokens.source import MAX_JWT_BYTES, LookupFailed, parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.errors import WsguiError

LEEWAY_SECONDS: Final = 10.0
"""How far the clocks of whoever signs and of this computer may be apart, in a profile."""

_MOST_THREADS: Final = 2
_CONTENT_ENCRYPTION: Final = frozenset(
    {"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"}
)
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_NEVER: Final = frozenset({"crit", "b64", "zip", "p2c", "p2s"})
"""Header parameters that change what the bytes mean, or how long it takes to find out."""
_KEYS_FROM_OUTSIDE: Final = frozenset({"jku", "jwk", "x5u", "x5c"})
"""Keys that a token brings along. Nobody here would take them, so there is no good reason to send one."""

_log = logging.getLogger(__name__)


class _Refused(Exception):  # noqa: N818  # an answer, not a fault
    """A token that is not taken; the text is a clause, with nothing of the token in it."""


class JwtTokens:
    """A token is a JWT in compact form, whose claims `host` and `port` are its target.

    It is a JWS; or a JWE around a JWS of the same key; or, of a secret key only, a JWE around the claims: with a
    public key anybody can encrypt. Which algorithms fit is decided by the key. `exp` and `nbf` are kept.

    Args:
        key: Path of a key file (PEM, or a symmetric secret), or a reference to a secret.
        audience: What `aud` must name; empty = not asked.
        strict: As profiles want it: `exp` is required (`LEEWAY_SECONDS` late at most), secrets have 32 bytes, tokens
            at most 8 KiB and no key in their header, and a missing key stops the tunnel from starting. False: as on
            websockify's command line.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_JWT_BYTES

    def __init__(self, key: str, *, audience: str = "", strict: bool = True) -> None:
        self._place = KeyPlace(key, strict=strict)
        self._audience = audience
        self._strict = strict
        self._threads = Threads("JWT", _MOST_THREADS)

    async def open(self) -> None:
        """Read the key.

        Raises:
            WsguiError: It is missing, unreadable or no key; not on websockify's line, where it may come later.
        """
        try:
            await self._threads.run(self._place.keys)
        except WsguiError as error:
            if self._strict:
                raise
            _log.error("%s", error)

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when it is forged, expired or no JWT.

        Raises:
            LookupFailed: The key cannot be read.
        """
        try:
            # In a thread, as the key's file is looked at each time, and an RSA key may be of any length.
            return await self._threads.run(self._check, token)
        except _Refused as refusal:
            _log.info("A JWT was refused: %s.", refusal)
            return None

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return True: a token is for coming in, and its session may last longer than it."""
        return True

    async def close(self) -> None:
        """Nothing is open."""

    def _check(self, token: str) -> TargetAddress | None:
        try:
            keys = self._place.keys()
        except WsguiError as error:
            raise LookupFailed(error.message, error.hint) from error
        claims = self._claims(token, keys)
        self._check_times(claims)
        if self._audience:
            audience = claims.get("aud")
            if self._audience not in (audience if isinstance(audience, list) else [audience]):
                raise _Refused("it is for another audience")
        target = _destination(claims.get("host"), claims.get("port"))
        if target is None:
            raise _Refused("its claims name no host and port")
        return target

    def _claims(self, token: str, keys: Keys) -> dict[str, Any]:
        if self._strict and len(token) > MAX_JWT_BYTES:
            raise _Refused(f"it is longer than {MAX_JWT_BYTES // 1024} KiB")
        if token.count(".") == 4:
            content = self._decrypted(token, keys)
            if keys.symmetric and content[:1] == b"{":
                return _json_object(content)
            try:
                token = content.decode("ascii")
            except UnicodeDecodeError:
                token = ""
            if token.count(".") != 2:
                raise _Refused("it is encrypted, and not signed")
        return _json_object(self._verified(token, keys))

    def _verified(self, token: str, keys: Keys) -> bytes:
        """The payload of a JWS in compact form."""
        from jwcrypto.common import JWException
        from jwcrypto.jws import JWS

        header = self._header(token)
        algorithm = _one_of(keys.signatures, header.get("alg"))
        for key in keys.keys:
            signed = JWS()
            signed.allowed_algs = [algorithm]
            try:
                signed.deserialize(token)
                signed.verify(key, algorithm)
                return bytes(signed.payload)
            except JWException:
                continue
        raise _Refused("its signature is not of this key")

    def _decrypted(self, token: str, keys: Keys) -> bytes:
        """The plaintext of a JWE in compact form."""
        from jwcrypto.common import JWException
        from jwcrypto.jwe import JWE

        header = self._header(token)
        algorithms = [_one_of(keys.encryption, header.get("alg")), _one_of(_CONTENT_ENCRYPTION, header.get("enc"))]
        for key in keys.keys:
            encrypted = JWE(algs=algorithms)
            try:
                encrypted.deserialize(token)
                encrypted.decrypt(key)
                return bytes(encrypted.payload)
            except JWException:
                continue
        raise _Refused("it cannot be decrypted with this key")

    def _header(self, token: str) -> dict[str, Any]:
        parts = token.split(".")
        if len(parts) not in (3, 5) or not all(_BASE64URL.fullmatch(part) for part in parts):
            raise _Refused("it is no JWT in compact form")
        try:
            data = urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
        except ValueError:
            raise _Refused("it is no JWT in compact form") from None
        header = _json_object(data)
        if header.keys() & (_NEVER | _KEYS_FROM_OUTSIDE if self._strict else _NEVER):
            raise _Refused("its header has parameters that are not taken")
        return header

    def _check_times(self, claims: dict[str, Any]) -> None:
        now, leeway = time.time(), LEEWAY_SECONDS if self._strict else 0.0
        if self._strict and "exp" not in claims:
            raise _Refused("it has no expiry (exp)")
        if "exp" in claims and now - leeway >= _instant(claims["exp"]):
            raise _Refused("it has expired")
        if "nbf" in claims and now + leeway < _instant(claims["nbf"]):
            raise _Refused("it is not valid yet")


def _destination(host: object, port: object) -> TargetAddress | None:
    if not isinstance(host, str) or isinstance(port, bool) or not isinstance(port, int | str):
        return None
    if len(host) > 512 or (isinstance(port, str) and not (port.isascii() and port.isdigit() and len(port) <= 5)):
        return None
    if isinstance(port, int) and not 0 < port < 65536:
        return None
    bare = ":" in host and not host.startswith(("[", "tls://"))
    return parse_destination(f"[{host}]:{port}" if bare else f"{host}:{port}")


def _one_of(known: frozenset[str], name: object) -> str:
    if isinstance(name, str) and name in known:
        return name
    raise _Refused("its algorithm is none of this key")


def _instant(value: object) -> int | float:
    """A NumericDate (RFC 7519, section 2): seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused("its times are no numbers")
    if isinstance(value, float) and not math.isfinite(value):  # as 1e999 is
        raise _Refused("its times are no numbers")
    return value


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _Refused("it holds no JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
