"""Tokens that are keys in Redis; a connection whose look-up did not end in its answer is never used again."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from wsgui.access.threads import Threads
from wsgui.access.tokens.redis_settings import RedisSettings
from wsgui.access.tokens.source import MAX_ANSWER_BYTES, MAX_TOKEN_BYTES, LookupFailed, parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.hosts import is_loopback_host
from wsgui.profiles.secrets import resolve

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 30.0
"""A connection that was not used for longer is not trusted to be alive."""
MAX_AT_ONCE: Final = 32
MAX_IDLE: Final = 8

_CODE: Final = re.compile(r"[A-Z]{2,20}\b", re.ASCII)

__all__ = ["RedisSettings", "RedisTokens"]

_log = logging.getLogger(__name__)


class RedisTokens:
    """A token is the name of a key, `token` or `namespace:token`.

    Its value is ``host:port`` or ``{"host": "host:port"}``, at most 4 KiB. Redis need not run when the tunnel starts,
    and may come and go.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._password: str | None = None
        self._context: ssl.SSLContext | None = None
        self._idle: list[tuple[float, Connection]] = []
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._whole_values = False
        self._closed = False
        self._threads = Threads("Redis", 1)

    def __repr__(self) -> str:
        return f"RedisTokens({self._settings})"

    async def open(self) -> None:
        """Get the password and the authorities; Redis is not asked yet.

        Raises:
            SecretError: The password is missing, empty or unreadable (`field` "tokens.password").
        """
        await self._threads.run(self._prepare)
        if self._settings.password and not self._settings.tls and not is_loopback_host(self._settings.host):
            _log.warning("The password for Redis at %s goes there without encryption.", self._settings)

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when Redis has no such key, or its value is no destination.

        Raises:
            LookupFailed: Redis cannot be reached, does not let us in, or answers with an error.
        """
        prefix = f"{self._settings.namespace}:" if self._settings.namespace else ""
        key = f"{prefix}{token}".encode("utf-8", "surrogatepass")
        value = await self._value(key)
        if not value:
            return None
        target = _destination(value)
        if target is None:
            _log.warning("What Redis at %s has for a token is neither host:port nor JSON with it.", self._settings)
        return target

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return True: keys in Redis are often for one use, or for a minute, and their sessions for longer."""
        return True

    async def close(self) -> None:
        """Close the connections."""
        self._closed = True
        await self._drop_idle()

    def _prepare(self) -> None:
        # Not on the loop: what is imported here takes a tenth of a second, and a keyring may ask its user.
        import redis.asyncio.connection  # noqa: F401

        settings = self._settings
        if self._password is None:
            reference = settings.password_reference
            self._password = resolve(reference, field="tokens.password") if reference else settings.password
        if settings.tls and self._context is None:
            self._context = ssl.create_default_context()
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def _value(self, key: bytes) -> bytes:
        """The first bytes of a key's value; empty when there is no such key."""
        import redis.exceptions as errors

        async with self._at_once:
            try:
                connection = await self._idle_one()
                if connection is not None:
                    try:
                        return await self._ask(connection, key)
                    except (errors.ConnectionError, OSError):
                        # Redis was restarted, say: the others that wait are no better.
                        await self._drop_idle()
                return await self._ask(await self._connected(), key)
            except WsguiError as error:  # the password is gone
                raise LookupFailed(error.message, error.hint) from error
            except (errors.RedisError, OSError, ValueError) as error:
                raise self._failure(error) from None

    async def _ask(self, connection: Connection, key: bytes) -> bytes:
        import redis.exceptions as errors

        async with self._kept(connection):
            if not self._whole_values:
                try:
                    await connection.send_command("GETRANGE", key, 0, MAX_ANSWER_BYTES)
                    return bytes(await connection.read_response())
                except errors.NoPermissionError:
                    self._whole_values = True  # this user may do no more than websockify's has to
            await connection.send_command("GET", key)
            return bytes(await connection.read_response() or b"")

    @asynccontextmanager
    async def _kept(self, connection: Connection) -> AsyncIterator[None]:
        """Keep the connection for the next look-up if this one had its answer; else, as when cancelled, close it."""
        import redis.exceptions as errors

        answered = False
        try:
            yield
            answered = True
        except errors.ResponseError:
            answered = True
            raise
        finally:
            if answered and connection.is_connected and len(self._idle) < MAX_IDLE and not self._closed:
                self._idle.append((time.monotonic(), connection))
            else:
                await connection.disconnect(nowait=True)

    async def _idle_one(self) -> Connection | None:
        while self._idle:
            since, connection = self._idle.pop()
            if connection.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return connection
            await connection.disconnect(nowait=True)
        return None

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop()[1].disconnect(nowait=True)

    async def _connected(self) -> Connection:
        from redis.asyncio.connection import Connection, SSLConnection
        from redis.exceptions import AuthenticationError

        settings = self._settings
        if self._password is None or (settings.tls and self._context is None):
            await self._threads.run(self._prepare)
        connection: Connection = (SSLConnection if settings.tls else Connection)(
            host=settings.host,
            port=settings.port,
            db=settings.database,
            username=settings.username or None,
            password=self._password or None,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=None,  # whoever asks has a deadline, and cancels
            protocol=2,
        )
        if isinstance(connection, SSLConnection):
            connection.ssl_context.context = self._context
        try:
            await connection.connect()  # type: ignore[no-untyped-call, unused-ignore]
        except BaseException as error:
            if isinstance(error, AuthenticationError) and settings.password_reference:
                self._password = None  # it was changed, perhaps where it is kept too
            await connection.disconnect(nowait=True)
            raise
        return connection

    def _failure(self, error: Exception) -> LookupFailed:
        """What went wrong, in words that hold neither a key nor a password: errors of Redis quote what it was sent."""
        import redis.exceptions as errors

        who = f"Redis at {display(str(self._settings))}"
        cause = error.__context__
        if isinstance(cause, ssl.SSLCertVerificationError):
            return LookupFailed(
                f"{who} has a certificate that cannot be verified: {display(cause.verify_message)}.",
                "Give it one of an authority that this system trusts.",
            )
        if isinstance(error, errors.TimeoutError):
            return LookupFailed(
                f"{who} did not answer in time.", "Look whether it runs, and can be reached.", status=504
            )
        code = _CODE.match(str(error))
        if isinstance(error, errors.AuthenticationError) or (code and code[0] in ("NOAUTH", "WRONGPASS")):
            return LookupFailed(f"{who} refused the user or the password.", "Look at [tokens] password.")
        if isinstance(error, errors.NoPermissionError):
            return LookupFailed(f"{who} does not allow the look-up.", "Allow the user GETRANGE or GET on these keys.")
        if isinstance(error, errors.BusyLoadingError):
            return LookupFailed(f"{who} is still loading its data.", "Wait a moment.")
        if isinstance(error, errors.ResponseError):
            shown = f" ({code[0]})" if code else ""
            return LookupFailed(f"{who} answered with an error{shown}.", "Look at what is under the token's key.")
        return LookupFailed(f"{who} cannot be reached, or is none.", "Look whether it runs, and can be reached.")


def _destination(value: bytes) -> TargetAddress | None:
    try:
        text = value.decode("utf-8").strip() if len(value) <= MAX_ANSWER_BYTES else ""
        if text.startswith("{"):
            text = json.loads(text).get("host")
    except (ValueError, RecursionError):
        return None
    return parse_destination(text) if isinstance(text, str) and text else None
