"""What is spoken over a connection, guessed from the first bytes each way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

NEEDED_BYTES: Final = 64
"""So many first bytes each way are enough."""

_RFB: Final = re.compile(rb"RFB (\d{3})\.(\d{3})\n")  # RFC 6143, 7.1.1
_SSH: Final = re.compile(rb"(?:[^\r\n]*\r?\n)*SSH-\d\.\d+-")  # RFC 4253, 4.2: lines of text may come first
_REQUEST: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND) \S|PRI \* HTTP/2")
_TELNET: Final = re.compile(rb"[\t-\r\x1b-\x7e]{0,48}\xff[\xfa-\xfe][\x00-\x31]")  # RFC 854: IAC, a verb, an option
_MQTT: Final = re.compile(rb"\x10[\x80-\xff]{0,3}[\x00-\x7f]\x00(?:\x04MQTT|\x06MQIsdp)", re.DOTALL)
_TLS_HELLO: Final = re.compile(rb"\x16\x03[\x00-\x04]..[\x01\x02]", re.DOTALL)
_RDP_REQUEST: Final = re.compile(rb"\x03\x00...\xe0", re.DOTALL)  # MS-RDPBCGR 2.2.1.1: TPKT, X.224 connection request
_RDP_CONFIRM: Final = re.compile(rb"\x03\x00...\xd0", re.DOTALL)
_X11: Final = re.compile(rb"l\x00\x0b\x00\x00\x00|B\x00\x00\x0b\x00\x00")
_POSTGRESQL: Final = re.compile(rb"\x00\x00..(?:\x00\x03\x00[\x00-\x02]|\x04\xd2\x16[\x2f\x30])", re.DOTALL)
_MYSQL: Final = re.compile(rb"..\x00\x00\x0a[\x20-\x7e]+\x00", re.DOTALL)
_REDIS: Final = re.compile(rb"\*\d+\r\n\$\d+\r\n")
_MAIL: Final = re.compile(rb"(?:EHLO|HELO|LHLO) ", re.IGNORECASE)
_FTP: Final = re.compile(rb"(?:USER |AUTH |FEAT\r)", re.IGNORECASE)
_DEMO: Final = re.compile(rb"\x01\x00\x00\x00.wsgui demo", re.DOTALL)


def guess(to_client: bytes, to_target: bytes) -> str:
    """Return what is spoken, in the words a window shows, or "" when it is not known (yet).

    Args:
        to_client: The first bytes that the target sent; `NEEDED_BYTES` of them are looked at.
        to_target: The first bytes that the client sent.
    """
    server, client = to_client[:NEEDED_BYTES], to_target[:NEEDED_BYTES]
    if version := _RFB.match(server) or _RFB.match(client):
        return f"VNC (RFB {int(version[1])}.{int(version[2])})"
    return next((name for name, speaks in _SPOKEN if speaks(server, client)), "")


def _server(pattern: re.Pattern[bytes]) -> Callable[[bytes, bytes], bool]:
    return lambda server, _: pattern.match(server) is not None


def _client(pattern: re.Pattern[bytes]) -> Callable[[bytes, bytes], bool]:
    return lambda _, client: pattern.match(client) is not None


def _either(pattern: re.Pattern[bytes]) -> Callable[[bytes, bytes], bool]:
    return lambda server, client: pattern.match(server) is not None or pattern.match(client) is not None


def _begins(*words: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(word) for word in words))


def _is_smtp(server: bytes, client: bytes) -> bool:
    return server.startswith((b"220 ", b"220-")) and (b"SMTP" in server.upper() or _MAIL.match(client) is not None)


def _is_ftp(server: bytes, client: bytes) -> bool:
    return server.startswith((b"220 ", b"220-")) and (b"FTP" in server.upper() or _FTP.match(client) is not None)


# The surest first: what both sides have to say wins over what a text might begin with by chance.
_SPOKEN: Final[tuple[tuple[str, Callable[[bytes, bytes], bool]], ...]] = (
    ("wsgui demo", _server(_DEMO)),
    ("SSH", _server(_SSH)),
    ("SSH", _client(_begins(b"SSH-2.0-", b"SSH-1."))),
    ("SPICE", _either(_begins(b"REDQ"))),
    ("HTTP", _server(_begins(b"HTTP/1.", b"HTTP/2"))),
    ("HTTP", _client(_REQUEST)),
    ("TLS", _either(_TLS_HELLO)),
    ("RDP", _client(_RDP_REQUEST)),
    ("RDP", _server(_RDP_CONFIRM)),
    ("MQTT", _client(_MQTT)),
    ("telnet", _either(_TELNET)),
    ("SMTP", _is_smtp),
    ("FTP", _is_ftp),
    ("IMAP", _server(_begins(b"* OK", b"* PREAUTH"))),
    ("POP3", _server(_begins(b"+OK "))),
    ("PostgreSQL", _client(_POSTGRESQL)),
    ("MySQL", _server(_MYSQL)),
    ("Redis", _client(_REDIS)),
    ("X11", _client(_X11)),
    ("AMQP", _client(_begins(b"AMQP\x00", b"AMQP\x01", b"AMQP\x02", b"AMQP\x03"))),
    ("XMPP", _client(_begins(b"<stream:stream", b"<?xml version='1.0'?><stream", b'<?xml version="1.0"?><stream'))),
)
