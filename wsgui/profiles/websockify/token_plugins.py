"""websockify's token classes and what they are built from, as `[tokens] source` says the same, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.formats import is_import_path
from wsgui.profiles.hosts import canonical_host, is_loopback_host
from wsgui.profiles.token_sources import parse_source
from wsgui.profiles.websockify.outcome import Lost
from wsgui.profiles.websockify.table import TOKEN_MODULE, short_name

KINDS: Final = {
    "TokenFile": "file",
    "ReadOnlyTokenFile": "file",
    "TokenFileName": "file-per-token",
    "UnixDomainSocketDirectory": "unix-directory",
    "JWTTokenApi": "jwt",
}
"""The classes whose source is a path, and the kind that begins the same source in a profile."""
APIS: Final = ("BaseTokenAPI", "JSONTokenApi")
REDIS: Final = "TokenRedis"
NAMES: Final = (*KINDS, *APIS, REDIS)
REDIS_PASSWORD: Final = "REDIS_PASSWORD"  # noqa: S105  # a word to be replaced
DEFAULT_REDIS_PORT: Final = 6379

_REDIS_PART: Final = re.compile(r'(?:"([^"]+)"|([^:]*))(:|$)')
_IN_WORDS: Final = "host[:port[:db[:password[:namespace]]]]"


@dataclass(frozen=True, slots=True)
class SourceInProfile:
    """A token class as fields of `[tokens]`; the password of a Redis source is told of, but not here."""

    source: str
    argument: str = field(default="", repr=False)
    has_password: bool = False
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceOnLine:
    """A source of tokens as ``--token-plugin`` and ``--token-source``."""

    plugin: str
    source: str = field(repr=False)
    lost: tuple[Lost, ...] = ()


def in_profile(plugin: str, source: str | None) -> SourceInProfile:
    """The fields of `[tokens]` that mean ``--token-plugin PLUGIN --token-source SOURCE``; paths are absolute.

    Raises:
        UsageError: there is no such class, or it cannot be built from that source.
    """
    name = short_name(plugin, TOKEN_MODULE)
    if name not in NAMES:
        return _third_party(name, source)
    if not source:
        raise UsageError(f"--token-plugin {name} says nothing without a source.", "Add --token-source.")
    if name == REDIS:
        return _redis_in_profile(source)
    if name in APIS:
        return _api_in_profile(source)
    lost = {
        "ReadOnlyTokenFile": ("--token-plugin", "The file is not read once only, but again when it changes."),
        "JWTTokenApi": (
            "--token-plugin",
            "A profile is stricter than JWTTokenApi: tokens must expire (exp), and a raw key has 32 bytes or more.",
        ),
    }.get(name)
    return SourceInProfile(f"{KINDS[name]}:{source}", lost=(Lost(*lost),) if lost else ())


def on_line(source: str, argument: str, *, has_password: bool) -> SourceOnLine:
    """websockify's class and source for the `source` and `argument` of `[tokens]`.

    Raises:
        FieldError: `source` is none.
    """
    parsed = parse_source(source)
    if parsed.kind == "plugin":
        return SourceOnLine(parsed.place, argument)
    if parsed.kind == "http":
        either = "Answers are read as text. Write JSONTokenApi instead if they are JSON; the profile takes both."
        return SourceOnLine("BaseTokenAPI", parsed.place, (Lost("tokens.source", either),))
    if parsed.kind == "redis":
        return _redis_on_line(parsed.place, has_password=has_password)
    plugin = next(name for name, kind in KINDS.items() if kind == parsed.kind)
    if parsed.kind == "jwt" and parsed.place.partition(":")[0] in ("keyring", "env"):
        why = "websockify reads the key from a file: write it into one, and the file's path in place of KEY_FILE."
        return SourceOnLine(plugin, "KEY_FILE", (Lost("tokens.source", why),))
    return SourceOnLine(plugin, parsed.place.removeprefix("file:"))


def _third_party(plugin: str, source: str | None) -> SourceInProfile:
    if not is_import_path(plugin):
        raise UsageError(
            f'--token-plugin: there is no class "{display(plugin, limit=80)}".',
            f"Write package.module.Class, or one of {', '.join(NAMES)}.",
        )
    lost = [Lost("--token-plugin", "A profile does not look for the module in the working directory: install it.")]
    if source:
        lost.append(
            Lost("--token-source", "It stands in the profile's file as it was typed, which matters if it is a secret.")
        )
    return SourceInProfile(f"plugin:{plugin}", source or "", lost=tuple(lost))


def _api_in_profile(url: str) -> SourceInProfile:
    lost = []
    try:
        parts = urlsplit(url)
        host = canonical_host(parts.hostname or "")
    except ValueError:
        return SourceInProfile(url)  # The profile's check says what is wrong with it.
    if "@" in parts.netloc:
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        lost.append(Lost("--token-source", "Its user and password are left out: a profile asks for tokens without."))
    if parts.scheme == "http" and not is_loopback_host(host):
        parts = parts._replace(scheme="https")
        lost.append(
            Lost("--token-source", "It is asked by https://, as tokens are secrets that go to another computer.")
        )
    return SourceInProfile(urlunsplit(parts) if lost else url, lost=tuple(lost))


def _redis_in_profile(source: str) -> SourceInProfile:
    host, port, database, password, namespace = _redis_parts(source)
    lost: tuple[Lost, ...] = ()
    scheme = "redis"
    if password and not is_loopback_host(host.lower()):
        scheme = "rediss"
        why = "Redis is spoken to by TLS (rediss://), as its password would cross the network readable otherwise."
        lost = (Lost("--token-source", why),)
    shown = f"[{host}]" if ":" in host else host
    query = f"?{urlencode({'namespace': namespace}, quote_via=quote)}" if namespace else ""
    url = f"{scheme}://{shown}:{port}/{database}{query}"
    return SourceInProfile(url, has_password=bool(password), lost=lost)


def _redis_parts(source: str) -> tuple[str, int, int, str, str]:
    """Host, port, database, password and namespace; quotes around a part let it hold colons."""
    wrong = UsageError(f"--token-source is not {_IN_WORDS}.", "Write it so; parts may be empty, as in redis-host:::pw.")
    parts: list[str] = []
    position = 0
    while match := _REDIS_PART.match(source, position):
        parts.append(match[1] or match[2] or "")
        position = match.end()
        if not match[3]:
            break
    if position < len(source) or not 1 <= len(parts) <= 5:
        raise wrong
    host, port, database, password, namespace = (*parts, "", "", "", "")[:5]
    try:
        return host.strip("[]") or "localhost", int(port or DEFAULT_REDIS_PORT), int(database or 0), password, namespace
    except ValueError:
        raise wrong from None


def _redis_on_line(url: str, *, has_password: bool) -> SourceOnLine:
    parts = urlsplit(url)
    namespace = dict(parse_qsl(parts.query)).get("namespace", "")
    fields = [parts.hostname or "", str(parts.port or DEFAULT_REDIS_PORT), unquote(parts.path.removeprefix("/"))]
    fields += [REDIS_PASSWORD if has_password else "", namespace]
    lost = []
    if has_password:
        why = f"websockify takes the password on the line: write it in place of {REDIS_PASSWORD}."
        lost.append(Lost("tokens.password", f"{why} Other users can read it in the process list."))
    if parts.scheme == "rediss":
        lost.append(
            Lost("tokens.source", "websockify speaks no TLS to Redis: everything crosses the network readable.")
        )
    while not fields[-1]:
        fields.pop()
    return SourceOnLine(REDIS, ":".join(f'"{part}"' if ":" in part else part for part in fields), tuple(lost))
