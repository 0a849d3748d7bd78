"""Where a Redis with tokens is, as a profile's URL or websockify's command line says it; nothing is opened here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from wsgui.errors import WsguiError
from wsgui.profiles.hosts import canonical_host, is_loopback_host

DEFAULT_PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where Redis is, and what of it is asked.

    Args:
        password_reference: Names the password; `password` itself is only for what a command line says.
        namespace: Stands before each token, with a colon in between; empty = none.
        tls: Verified TLS, by the system's authorities.
    """

    host: str
    port: int = DEFAULT_PORT
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    password_reference: str = field(default="", repr=False)
    namespace: str = ""
    tls: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of_url(cls, url: str, password_reference: str = "") -> RedisSettings:
        """Return what ``redis://[user@]host[:port][/database][?namespace=x]`` says; ``rediss://`` is with TLS.

        Raises:
            WsguiError: It is no such URL, a password is in it, or one would cross a network in clear.
        """
        hint = "Write redis://host:port/database?namespace=name, or rediss:// for TLS."
        try:
            parts = urlsplit(url)
            port = DEFAULT_PORT if parts.port is None else parts.port
            host = canonical_host(parts.hostname or "")
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            database = parts.path.removeprefix("/") or "0"
            if parts.scheme not in ("redis", "rediss") or parts.fragment or query.keys() - {"namespace"}:
                raise ValueError
            if not (database.isascii() and database.isdigit() and len(database) <= 6 and port > 0):
                raise ValueError
        except ValueError:
            raise _fault("The address of Redis is none.", hint) from None
        if parts.password is not None:
            raise _fault("The address of Redis has a password in it.", "Put it into [tokens] password, as a reference.")
        tls = parts.scheme == "rediss"
        if password_reference and not tls and not is_loopback_host(host):
            raise _fault(
                "The password would go to Redis on another computer without encryption.",
                "Write rediss:// for TLS, or reach Redis through an encrypted tunnel on this computer.",
            )
        return cls(
            host,
            port,
            int(database),
            unquote(parts.username or ""),
            password_reference=password_reference,
            namespace=query.get("namespace", ""),
            tls=tls,
        )

    @classmethod
    def of_websockify(cls, source: str) -> RedisSettings:
        """Return what websockify's ``host[:port[:db[:password[:namespace]]]]`` says.

        Parts may be empty; one in double quotes may hold colons.

        Raises:
            WsguiError: It has other parts than these; none of them is repeated.
        """
        parts = split_quoted(source)
        host, port, database, password, namespace = (*parts, "", "", "", "", "")[:5]
        numbers = [number.strip() for number in (port, database)]
        if len(parts) > 5 or not all(not text or (text.isascii() and text.isdigit()) for text in numbers):
            _not_websockifys()
        port, database = numbers
        if len(port) > 5 or len(database) > 6 or not 0 < int(port or DEFAULT_PORT) < 65536:
            _not_websockifys()
        # Left out is localhost, which a name that is empty never is.
        return cls(
            host or "localhost",
            int(port or DEFAULT_PORT),
            int(database or 0),
            password=password,
            namespace=namespace,
        )


def split_quoted(text: str) -> list[str]:
    """Return the parts of `text` between colons; what is wholly in double quotes is one part, without them."""
    parts: list[str] = []
    at = 0
    while True:
        end = text.find('"', at + 1) if text[at : at + 1] == '"' else -1
        if end > at + 1 and text[end + 1 : end + 2] in ("", ":"):
            parts.append(text[at + 1 : end])
            at = end + 1
        else:
            end = text.find(":", at)
            end = len(text) if end < 0 else end
            parts.append(text[at:end])
            at = end
        if at >= len(text):
            return parts
        at += 1


def _not_websockifys() -> NoReturn:
    hint = "Write host[:port[:db[:password[:namespace]]]]; a part with colons in it stands in double quotes."
    raise _fault("The source of the tokens does not say where Redis is.", hint)


def _fault(message: str, hint: str) -> WsguiError:
    return WsguiError(message, hint, field="tokens.source")
