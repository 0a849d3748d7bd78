"""Token and authentication classes of other people's, with websockify's interface, called in threads of their own."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import re
from collections.abc import Mapping
from http.client import HTTPMessage
from typing import Any, ClassVar, Final

from wsgui.access.plugin_import import build, place_of, trace_of
from wsgui.access.threads import Threads
from wsgui.access.tokens.source import LookupFailed
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor
from wsgui.access.websockify_modules import authentication_errors
from wsgui.display import display
from wsgui.errors import AddressError
from wsgui.profiles.addresses import DEFAULT_TARGET_HOST, TcpAddress, TlsAddress, UnixAddress, parse_target

MAX_THREADS: Final = 32
AUTHENTICATION_SECONDS: Final = 60.0
MAX_PLUGIN_TOKEN_BYTES: Final = 64 * 1024

_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields of an answer that tell of its body and of the connection (RFC 9110, section 7.6.1), which are ours."""

_log = logging.getLogger(__name__)


class _Plugin:
    """A class of somebody else, built once and called in threads, several at a time.

    Each call has the object to itself, as a shallow copy: websockify forks for each connection, so that what a call
    leaves in the object's attributes is gone after it, and plugins need not be ready for threads.

    Args:
        working_directory: Look in the working directory too, after all other places, and take it as it is: as on
            websockify's line. Otherwise files that others can write are refused.
    """

    def __init__(
        self, import_path: str, source: str | None, field: str, source_field: str, *, working_directory: bool
    ) -> None:
        self.name = display(import_path)
        self._import_path = import_path
        self._source = source
        self._fields = (field, source_field)
        self._folder = os.getcwd() if working_directory else None
        self._threads = Threads("plugin", MAX_THREADS)
        self._built: Any = None

    async def open(self) -> None:
        field, source_field = self._fields
        self._built = await self._threads.run(
            build, self._import_path, self._source, folder=self._folder, field=field, source_field=source_field
        )

    async def call(self, method: str, *args: object, **named: object) -> Any:
        return await self._threads.run(self._call, method, args, named)

    def close(self) -> None:
        self._built = None

    def _call(self, method: str, args: tuple[object, ...], named: dict[str, object]) -> Any:
        built = self._built
        try:
            built = copy.copy(built)
        except Exception:  # noqa: BLE001 - somebody else's code
            _log.debug("The plugin %s cannot be copied and is shared.", self.name)
        return getattr(built, method)(*args, **named)


class PluginTokens:
    """Asks `lookup(token)` of a class of somebody else.

    Args:
        import_path: `package.module.Class`, built once as `Class(source)`.
        source: `--token-source`, or the profile's `[tokens] argument`.
        working_directory: See `_Plugin`.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_PLUGIN_TOKEN_BYTES

    def __init__(self, import_path: str, source: str | None, *, working_directory: bool) -> None:
        self._plugin = _Plugin(
            import_path, source, "tokens.source", "tokens.argument", working_directory=working_directory
        )
        self._default_host = DEFAULT_TARGET_HOST if working_directory else ""

    async def open(self) -> None:
        await self._plugin.open()

    async def look_up(self, token: str) -> TargetAddress | None:
        try:
            found = await self._plugin.call("lookup", token)
        except Exception as error:
            raise LookupFailed(
                f"The plugin {self._plugin.name} failed: {place_of(error)}.", "Correct the plugin."
            ) from error
        target = None if found is None else _target(found, self._default_host)
        if found is not None and target is None:
            raise LookupFailed(
                f"The plugin {self._plugin.name} gave no [host, port].",
                'It should return [host, port], ["unix_socket", path] or None.',
            )
        return target

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        return True

    async def close(self) -> None:
        self._plugin.close()


class PluginAuthenticator:
    """Asks `authenticate(headers, target_host, target_port)` of a class of somebody else.

    Args:
        import_path: `package.module.Class`, built once as `Class(source)`.
        source: `--auth-source`, or the profile's `[access] plugin_argument`.
        working_directory: See `_Plugin`; plain requests are asked too then.
        target: The tunnel's own target. The plugin is told its port as a number, and that of a token as text.
    """

    needs_credential = False
    grants: Final = ""

    def __init__(
        self, import_path: str, source: str | None, *, working_directory: bool, target: TargetAddress | None = None
    ) -> None:
        self._plugin = _Plugin(
            import_path, source, "access.plugin", "access.plugin_argument", working_directory=working_directory
        )
        self._target = target
        self.guards_files = working_directory

    async def open(self) -> None:
        await self._plugin.open()

    async def authenticate(self, visitor: Visitor, target: TargetAddress | None) -> Grant | None:
        host, port = _endpoint(target or self._target)
        try:
            async with asyncio.timeout(AUTHENTICATION_SECONDS):
                await self._plugin.call(
                    "authenticate",
                    headers=_headers(visitor),
                    target_host=host,
                    target_port=port if target is None or port is None else str(port),
                )
        except authentication_errors() as error:
            raise self._denied(error) from error
        except TimeoutError as error:
            _log.warning("The plugin %s did not answer within %g s.", self._plugin.name, AUTHENTICATION_SECONDS)
            raise _failed(504) from error
        except Exception as error:
            _log.warning("The plugin %s failed: %s.", self._plugin.name, place_of(error))
            _log.debug("The plugin %s failed here: %s", self._plugin.name, trace_of(error))
            raise _failed(500) from error
        return None

    async def holds(self, _: Grant) -> bool:
        return True

    async def close(self) -> None:
        self._plugin.close()

    def _denied(self, error: Any) -> Denied:
        """Return what an AuthenticationError of websockify's interface stands for."""
        code = error.code
        fields = _answer_fields(error.headers)
        if type(code) is not int or not 200 <= code <= 599 or fields is None:
            _log.warning("The plugin %s gave an answer that is no HTTP.", self._plugin.name)
            return _failed(500)
        _log.info("The plugin %s let a client not in: %s", self._plugin.name, display(str(error)))
        message = display(str(error.msg)) if error.msg else "This client may not come in."
        return Denied(code, message, "", rule="plugin", headers=fields)


def _target(found: object, default_host: str) -> TargetAddress | None:
    """Return where a plugin says a token leads; None for what is no address."""
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    host, port = (part.decode("latin-1") if isinstance(part, bytes) else part for part in found)
    if not isinstance(host, str) or not isinstance(port, str | int) or isinstance(port, bool):
        return None
    host = host.strip() or default_host
    if host == "unix_socket":
        text = f"unix:{os.path.abspath(str(port))}"
    else:
        bare = host.removeprefix("[").removesuffix("]")
        text = f"[{bare}]:{port}" if ":" in bare else f"{bare}:{str(port).strip()}"
    try:
        address = parse_target(text)
    except AddressError:
        return None
    return address if isinstance(address, UnixAddress if host == "unix_socket" else TcpAddress) else None


def _endpoint(target: TargetAddress | None) -> tuple[str | None, int | None]:
    return (target.host, target.port) if isinstance(target, TcpAddress | TlsAddress) else (None, None)


def _headers(visitor: Visitor) -> HTTPMessage:
    headers = HTTPMessage()
    for name, value in visitor.fields.items():
        # A client's own must not pass for what TLS has verified.
        if not name.lower().replace("-", "_").startswith("ssl_"):
            headers[name.title()] = value
    if visitor.common_name:
        headers["SSL_CLIENT_S_DN_CN"] = visitor.common_name
    return headers


def _answer_fields(given: object) -> tuple[tuple[str, str], ...] | None:
    """Return the fields for an answer, None when one of them would break it apart."""
    if not isinstance(given, Mapping):
        return None if given else ()
    fields = [(str(name), str(value)) for name, value in given.items()]
    for name, value in fields:
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            return None
    return tuple((name, value) for name, value in fields if name.lower() not in _OURS)


def _failed(status: int) -> Denied:
    hint = "Try again later; the log of this tunnel says why."
    return Denied(status, "Whether you may come in could not be found out.", hint, rule="plugin")
