"""Addresses as people write them (`host:port`, `unix:/run/x`, `tls://h:p`, `fd:3` …): parse and print."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import quote

from wsgui.display import display
from wsgui.errors import AddressError
from wsgui.profiles.hosts import canonical_host, is_loopback_host, is_unspecified_host

DEFAULT_LISTEN_HOST: Final = "127.0.0.1"
DEFAULT_TARGET_HOST: Final = "localhost"
MAX_PORT: Final = 65535
MAX_UNIX_PATH: Final = 103
"""Bytes of a unix socket's path that every system takes (`sun_path` less its NUL: Linux 107, macOS 103)."""
MAX_TEXT: Final = 2048
"""Characters of any address; more is no address but an attempt to fill a log."""

LISTEN_HINT: Final = "Write host:port, such as 127.0.0.1:6080."
TARGET_HINT: Final = "Write host:port, such as office:5901."

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_PRINTABLE_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP endpoint. `host` is canonical and without brackets; ``*`` (listen only) is every IPv4 and IPv6 address.

    Port 0 (listen only) is any free port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return _join(self.host, self.port)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer can reach it: 127.0.0.0/8, ::1, localhost."""
        return is_loopback_host(self.host)

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for all of this computer's addresses: ``*``, 0.0.0.0, ``::``."""
        return is_unspecified_host(self.host)


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix stream socket at an absolute path."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class InheritedAddress:
    """A listening socket that whoever started the program left open as descriptor `fd` (systemd's begin at 3)."""

    fd: int

    def __str__(self) -> str:
        return f"fd:{self.fd}"


@dataclass(frozen=True, slots=True)
class TlsAddress:
    """A TCP target spoken to through verified TLS."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tls://{_join(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """The small target inside the program."""

    def __str__(self) -> str:
        return "demo:"


@dataclass(frozen=True, slots=True)
class DialAddress:
    """A WebSocket server as target; `resource` is path and query, beginning with a slash (RFC 6455, section 3)."""

    secure: bool
    host: str
    port: int
    resource: str = "/"

    def __str__(self) -> str:
        scheme, default_port = ("wss", 443) if self.secure else ("ws", 80)
        authority = _join(self.host, self.port)
        if self.port == default_port:
            authority = authority.rpartition(":")[0]
        return f"{scheme}://{authority}{self.resource}"


@dataclass(frozen=True, slots=True)
class ReverseAddress:
    """A TCP address on which to wait for a server that calls in."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"listen:{_join(self.host, self.port)}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer can call in."""
        return is_loopback_host(self.host)


ListenAddress = TcpAddress | UnixAddress | InheritedAddress
TargetAddress = TcpAddress | TlsAddress | UnixAddress | DemoAddress | DialAddress | ReverseAddress


def parse_listen(text: str, *, field: str = "") -> ListenAddress:
    """The address that `text` says to listen on.

    Takes ``host:port``, ``[::1]:80``, ``*:443`` (every IPv4 and IPv6 address), ``6080`` (on 127.0.0.1), ``unix:/path``
    and ``fd:3``; port 0 is any free one.

    Raises:
        AddressError: it is none; message and hint say what would be right.
    """
    text = _clean(text, field, LISTEN_HINT)
    if text.startswith("unix:"):
        return UnixAddress(_unix_path(text, field))
    if text.startswith("fd:"):
        return InheritedAddress(_descriptor(text, field))
    if text.startswith(("demo:", "listen:")):
        _fail(text, "it is a target, not where to listen", LISTEN_HINT, field)
    _refuse_scheme(text, field, LISTEN_HINT)
    host, port = _split(text, text, field, LISTEN_HINT, DEFAULT_LISTEN_HOST, lowest_port=0, listening=True)
    return TcpAddress(host, port)


def parse_target(text: str, *, field: str = "") -> TargetAddress:
    """The address that `text` says to connect to.

    Takes ``host:port``, ``5901`` (on localhost), ``tls://host:port``, ``unix:/path``, ``demo:``, ``ws://…``,
    ``wss://…`` and ``listen:[address:]port``.

    Raises:
        AddressError: it is none; message and hint say what would be right.
    """
    text = _clean(text, field, TARGET_HINT)
    if text == "demo:":
        return DemoAddress()
    if text.startswith("unix:"):
        return UnixAddress(_unix_path(text, field))
    if text.startswith("listen:"):
        hint = "Write listen:port or listen:address:port, such as listen:5500."
        rest = text.removeprefix("listen:")
        return ReverseAddress(*_split(rest, text, field, hint, DEFAULT_LISTEN_HOST, lowest_port=1, listening=True))
    if text.startswith("fd:"):
        _fail(text, "a descriptor is where to listen, not a target", TARGET_HINT, field)
    lower = text.lower()
    if lower.startswith("tls://"):
        return TlsAddress(*_split(text[6:], text, field, "Write tls://host:port, such as tls://office:5901.", None))
    if lower.startswith(("ws://", "wss://")):
        return _dial(text, field)
    _refuse_scheme(text, field, TARGET_HINT)
    host, port = _split(text, text, field, TARGET_HINT, DEFAULT_TARGET_HOST)
    return TcpAddress(host, port)


def is_local(address: ListenAddress) -> bool:
    """Whether only programs on this computer can reach a listener: loopback TCP, or a unix socket.

    An inherited descriptor may be anything until it is opened, so it counts as reachable from the network.
    """
    return isinstance(address, UnixAddress) or (isinstance(address, TcpAddress) and address.is_loopback)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _fail(text: str, why: str, hint: str, field: str) -> NoReturn:
    # What stands before an @ may be a password: such a text is not repeated.
    shown = "This text" if "@" in text else f'"{display(text, limit=80)}"'
    raise AddressError(f"{shown} is not an address{f': {why}' if why else ''}.", hint, field=field)


def _clean(text: str, field: str, hint: str) -> str:
    text = text.strip(" \t\r\n")
    if not text:
        raise AddressError("The address is empty.", hint, field=field)
    if len(text) > MAX_TEXT:
        raise AddressError(f"The address is longer than {MAX_TEXT} characters.", hint, field=field)
    for character in text:
        # Invisible characters make one address look like another; white space is part of none but a path.
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            _fail(text, "it has invisible characters in it", hint, field)
    if not text.startswith("unix:") and any(character.isspace() for character in text):
        _fail(text, "it has a space in it", hint, field)
    return text


def _refuse_scheme(text: str, field: str, hint: str) -> None:
    if text.lower() == "demo":
        _fail(text, "", 'Write "demo:" with a colon for the demo.', field)
    scheme = _SCHEME.match(text)
    if scheme:
        _fail(text, f"{scheme[1].lower()}:// does not belong here", hint, field)


def _split(
    text: str,
    whole: str,
    field: str,
    hint: str,
    default_host: str | None = "",
    *,
    lowest_port: int = 1,
    listening: bool = False,
) -> tuple[str, int]:
    """`text` as canonical host and port; `whole` is what messages name. Without `default_host` a bare port is none."""
    if default_host and _DIGITS.fullmatch(text):
        return default_host, _port(text, whole, field, hint, lowest_port)
    host, colon, port = text.rpartition(":")
    if not colon or (text.startswith("[") and text.endswith("]")):
        named = _is_host(text) and ("." in text or not text[0].isdigit())
        _fail(whole, "the port is missing" if named else "", hint, field)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host:
            _fail(whole, "only IPv6 addresses stand in brackets", hint, field)
    elif ":" in host:
        why = "an IPv6 address needs brackets" if _is_host(host) or _is_host(text) else ""
        _fail(whole, why, "Write [address]:port, such as [::1]:6080." if why else hint, field)
    if not host:
        everyone = " or *" if listening else ""
        hint = f"Write the host too, such as {DEFAULT_LISTEN_HOST}{everyone}, before the colon."
        _fail(whole, "the host is missing", hint, field)
    if _is_host(port) and not _DIGITS.fullmatch(port) and _DIGITS.fullmatch(host):
        _fail(whole, "host and port are swapped", hint, field)
    if host != "*":
        try:
            host = canonical_host(host)
        except ValueError as error:
            _fail(whole, str(error), hint, field)
    if is_unspecified_host(host) and not listening:
        _fail(whole, f"{host} stands for every address, and one is needed", hint, field)
    return host, _port(port, whole, field, hint, lowest_port)


def _is_host(text: str) -> bool:
    try:
        canonical_host(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _port(text: str, whole: str, field: str, hint: str, lowest: int) -> int:
    if not _DIGITS.fullmatch(text):
        _fail(whole, "" if text else "the port is missing", hint, field)
    port = int(text) if len(text) <= 9 else MAX_PORT + 1
    if not lowest <= port <= MAX_PORT:
        _fail(whole, f"a port is a number from {lowest} to {MAX_PORT}", hint, field)
    return port


def _unix_path(text: str, field: str) -> str:
    hint = "Write unix: and the full path, such as unix:/run/office.sock."
    path = text.removeprefix("unix:")
    if not path.startswith("/"):
        _fail(text, "the path does not begin with /", hint, field)
    path = "/" + path.lstrip("/")  # unix:///run/x, as URLs have it, is the same socket
    if path.endswith("/"):
        _fail(text, "the path names a folder", hint, field)
    if len(os.fsencode(path)) > MAX_UNIX_PATH:
        _fail(text, f"a socket's path has at most {MAX_UNIX_PATH} bytes", "Choose a shorter path.", field)
    return path


def _descriptor(text: str, field: str) -> int:
    hint = "Write fd: and the number of an inherited socket, such as fd:3."
    digits = text.removeprefix("fd:")
    if not _DIGITS.fullmatch(digits) or len(digits) > 6:
        _fail(text, "", hint, field)
    number = int(digits)
    if number in (1, 2):
        _fail(text, "1 and 2 are the program's output", hint, field)
    return number


def _dial(text: str, field: str) -> DialAddress:
    hint = "Write wss://host/path, such as wss://gate/ssh."
    scheme, _, rest = text.partition("://")
    secure = scheme.lower() == "wss"
    if "#" in rest:
        _fail(text, "a WebSocket address has no # part", hint, field)
    end = next((i for i, character in enumerate(rest) if character in "/?"), len(rest))
    authority, resource = rest[:end], rest[end:]
    if "@" in authority:
        _fail(text, "a password does not belong into it", "Put it into [remote] basic, as a reference.", field)
    if "\\" in rest:
        _fail(text, "it has a backslash in it", hint, field)
    bare = authority.endswith("]") or ":" not in authority
    with_port = f"{authority}:{443 if secure else 80}" if bare and authority else authority
    host, port = _split(with_port, text, field, hint, None)
    if not resource.startswith("/"):
        resource = f"/{resource}"
    return DialAddress(secure, host, port, quote(resource, safe=_PRINTABLE_ASCII))
