"""An HTTP/1.1 request head, parsed by llhttp within our own limits, and its upgrade fields (RFC 6455, section 4.2)."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Final

import httptools
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_connection, parse_subprotocol, parse_upgrade
from websockets.utils import accept_key

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_FIELDS: Final = 100
MAX_FIELD_BYTES: Final = 64 * 1024
"""Of one field, or of the request's line, where a head may be larger than that."""
WEBSOCKIFY_HEAD_BYTES: Final = MAX_FIELDS * MAX_FIELD_BYTES
"""What websockify takes."""
BINARY_SUBPROTOCOL: Final = "binary"

_SINGLE_FIELDS: Final = frozenset(
    {b"host", b"origin", b"sec-websocket-key", b"sec-websocket-version", b"content-length", b"authorization"}
)


class BadRequest(Exception):  # noqa: N818  # named after the answer it leads to
    """A request that gets an answer with `status` instead of what it asked for; `headers` go into the answer."""

    def __init__(self, status: int, message: str, hint: str = "", *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.headers = headers


class Request:
    """A request's head, complete when `RequestParser.feed` returns it. Field names are lower case, values bytes."""

    __slots__ = ("alone", "fields", "method", "target", "version")

    def __init__(self) -> None:
        self.alone = True
        """Whether nothing came right behind it: no body and no further request."""
        self.method = ""
        self.target = b""
        self.version = "1.1"
        self.fields: dict[bytes, bytes] = {}

    def text(self, name: bytes) -> str | None:
        """Return the field's value as text (latin-1, so that nothing is lost), or None when there was none."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for an upgrade to WebSocket, well-formed or not."""
        return b"websocket" in self.fields.get(b"upgrade", b"").lower()

    @property
    def wants_page(self) -> bool:
        """Whether a person's browser asks, which shows pages: programs do not say that they take HTML."""
        return (
            self.method == "GET"
            and not self.wants_websocket
            and b"text/html" in self.fields.get(b"accept", b"").lower()
        )

    @property
    def may_be_followed(self) -> bool:
        """Whether the connection may stay open for another request (RFC 9112, section 9.3).

        Not when something came with it that we have not looked at: its end would be guesswork.
        """
        fields = self.fields
        if self.version != "1.1" or not self.alone or b"transfer-encoding" in fields or b"upgrade" in fields:
            return False
        if fields.get(b"content-length", b"0").strip() != b"0":
            return False
        return b"close" not in fields.get(b"connection", b"").lower()


class RequestParser:
    """Feeds bytes to llhttp until one head is complete.

    Args:
        most_bytes: Of a head.
    """

    __slots__ = ("_count", "_done", "_most_bytes", "_parser", "_request", "_size", "_too_long", "_twice")

    def __init__(self, most_bytes: int = MAX_HEAD_BYTES) -> None:
        self._request = Request()
        self._most_bytes = most_bytes
        self._too_long = False
        self._parser = httptools.HttpRequestParser(self)
        self._size = 0
        self._count = 0
        self._done = False
        self._twice = b""

    @property
    def begun(self) -> bool:
        """Whether any byte has come."""
        return self._size > 0

    # httptools' callbacks

    def on_message_begin(self) -> None:
        if self._done:
            self._request.alone = False

    def on_url(self, url: bytes) -> None:
        if not self._done:
            self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._done:
            return  # of a request right behind this one, which gets no answer
        self._count += 1
        self._too_long |= len(name) + len(value) > MAX_FIELD_BYTES
        name = name.lower()
        fields = self._request.fields
        if name in fields:
            if name in _SINGLE_FIELDS:
                self._twice = name
            fields[name] += b", " + value
        else:
            fields[name] = value

    def on_headers_complete(self) -> None:
        if not self._done:
            self._done = True
            self._request.method = self._parser.get_method().decode("latin-1")
            self._request.version = self._parser.get_http_version()

    def feed(self, data: bytes) -> tuple[Request, bytes] | None:
        """Take the next bytes.

        Returns:
            The request and what came behind its head when that asks for an upgrade; None when more bytes are needed.

        Raises:
            BadRequest: The head is malformed or larger than our limits.
        """
        early = b""
        # No more than a head may hold is looked at, so that what comes behind it cannot count as part of it.
        looked_at = data[: self._most_bytes - self._size]
        self._size += len(looked_at)
        try:
            self._parser.feed_data(looked_at)
        except httptools.HttpParserUpgrade as upgrade:
            early = data[upgrade.args[0] :]
        except httptools.HttpParserError:
            if not self._done:
                raise BadRequest(400, "This is not an HTTP request.", "Use a browser or a WebSocket client.") from None
            # The head was fine; what is behind it is not looked at.
            self._request.alone = False
        if not self._done:
            if len(looked_at) == len(data):
                return None
            raise BadRequest(
                431,
                f"The request's head is larger than {self._most_bytes // 1024} KiB.",
                "Send fewer or smaller fields.",
            )
        if self._too_long or len(self._request.target) > MAX_FIELD_BYTES:
            raise BadRequest(
                431, f"A field of the request is larger than {MAX_FIELD_BYTES // 1024} KiB.", "Send a smaller one."
            )
        if self._count > MAX_FIELDS:
            raise BadRequest(431, f"The request has more than {MAX_FIELDS} header fields.", "Send fewer.")
        if self._twice:
            name = self._twice.decode("latin-1").title()
            raise BadRequest(400, f"The request has more than one {name} field.", "Send it once.")
        if len(looked_at) < len(data):
            self._request.alone = False
        if early and not self._request.wants_websocket:
            self._request.alone = False
            early = b""  # CONNECT, or an upgrade to something else: as if it had come later
        return self._request, early


_REMEMBERED_CHARACTERS: Final = 256
"""Longer values are parsed each time: what 16 KiB of options come to is no client's to have kept 256 times."""


@lru_cache(maxsize=256)
def _connection_options(value: str) -> frozenset[str]:
    return frozenset(option.lower() for option in parse_connection(value))


@lru_cache(maxsize=64)
def _upgrade_protocols(value: str) -> tuple[str, ...]:
    return tuple(protocol.lower() for protocol in parse_upgrade(value))


@lru_cache(maxsize=256)
def _offers_binary(value: str) -> bool:
    return BINARY_SUBPROTOCOL in parse_subprotocol(value)


def upgrade_response(request: Request) -> bytes:
    """Return the answer that opens the WebSocket (RFC 6455, section 4.2.2); `binary` is chosen when it is offered.

    Raises:
        BadRequest: A field is missing or wrong; the answer is 400, 405 or 426.
    """
    fields = request.fields
    if request.method != "GET":
        raise BadRequest(
            405, "A WebSocket is opened with GET.", "Use a browser or a WebSocket client.", headers=(("Allow", "GET"),)
        )
    if request.version != "1.1":
        raise BadRequest(400, "A WebSocket needs HTTP/1.1.", "Use a newer client, or a proxy that speaks HTTP/1.1.")
    if b"content-length" in fields or b"transfer-encoding" in fields:
        raise BadRequest(400, "A WebSocket's opening request has no body.", "Use a browser or a WebSocket client.")
    try:
        connection, upgrade = request.text(b"connection") or "close", request.text(b"upgrade") or ""
        brief = len(connection) <= _REMEMBERED_CHARACTERS
        if "upgrade" not in (_connection_options if brief else _connection_options.__wrapped__)(connection):
            raise BadRequest(
                400, "The Connection field does not say Upgrade.", "Let the proxy in between pass Upgrade on."
            )
        brief = len(upgrade) <= _REMEMBERED_CHARACTERS
        if (_upgrade_protocols if brief else _upgrade_protocols.__wrapped__)(upgrade) != ("websocket",):
            raise BadRequest(400, "The Upgrade field does not say websocket.", "Ask for websocket and nothing else.")
    except InvalidHeader:
        raise BadRequest(
            400, "The Connection or Upgrade field is malformed.", "Use a browser or a WebSocket client."
        ) from None
    if fields.get(b"sec-websocket-version") != b"13":
        raise BadRequest(
            426,
            "Only version 13 of the WebSocket protocol is spoken here.",
            "Use a newer client.",
            headers=(("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")),
        )
    key = fields.get(b"sec-websocket-key", b"")
    try:
        valid = len(key) == 24 and len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        valid = False
    if not valid:
        raise BadRequest(
            400, "The Sec-WebSocket-Key field is missing or is not 16 bytes of base64.", "Use a WebSocket client."
        )
    chosen = ""
    offered = request.text(b"sec-websocket-protocol")
    if offered is not None:
        try:
            if _offers_binary(offered):
                chosen = f"Sec-WebSocket-Protocol: {BINARY_SUBPROTOCOL}\r\n"
        except InvalidHeader:
            raise BadRequest(
                400, "The Sec-WebSocket-Protocol field is malformed.", "Offer names separated by commas."
            ) from None
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key.decode('ascii'))}\r\n{chosen}\r\n"
    ).encode("ascii")
