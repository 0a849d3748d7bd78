"""What `[tokens] source` may say: which kind of source, and where it is; nothing is opened or looked up here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from wsgui.errors import FieldError
from wsgui.profiles.addresses import MAX_UNIX_PATH
from wsgui.profiles.findings import Finding
from wsgui.profiles.formats import has_hidden_characters, is_import_path, is_reference
from wsgui.profiles.hosts import canonical_host, is_loopback_host

if TYPE_CHECKING:
    from wsgui.profiles.access import Tokens

SourceKind = Literal["file", "file-per-token", "redis", "jwt", "http", "unix-directory", "plugin"]

FIELD: Final = "tokens.source"
PLACEHOLDER: Final = "%s"
"""Where a URL takes the token, as in websockify's."""
DEFAULT_REDIS_PORT: Final = 6379

_KIND: Final = re.compile(r"[a-z][a-z-]{0,31}", re.ASCII)
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]", re.ASCII)
_PART: Final = re.compile(r'(?:"([^"]*)"|([^:"]*))(?::|$)')
_HINT: Final = (
    'Write one of "file:/PATH", "file-per-token:/FOLDER", "redis://HOST", "jwt:/PATH", "https://HOST/PATH?x=%s", '
    '"unix-directory:/FOLDER" and "plugin:package.module.Class".'
)
_SECRET_REFERENCES: Final = ("keyring:", "env:", "file:")


@dataclass(frozen=True, slots=True)
class Source:
    """A source of tokens.

    Args:
        kind: Its kind; `http` stands for both http:// and https://.
        place: An absolute path, a URL, a reference to a secret or an import path, by kind. A `redis` source is always
            a URL, ``redis://host:port/db?namespace=x`` or the same with ``rediss://``, without a password.
    """

    kind: SourceKind
    place: str


def parse_source(text: str) -> Source:
    """Return what `text` names.

    Raises:
        FieldError: It names no source of tokens; no secret that it may hold is repeated.
    """
    text = text.strip()
    if not text:
        _fail("The source is empty.", _HINT)
    if has_hidden_characters(text):
        _fail("The source has invisible characters in it.", _HINT)
    if text.startswith("unbound:"):
        _fail("The source came with an imported profile and is bound to nothing yet.", _HINT)
    scheme, colon, rest = text.partition(":")
    parse = _PARSERS.get(scheme.lower())
    if parse is None or not colon:
        known = _KIND.fullmatch(scheme) and colon
        _fail(f'"{scheme}:" is not a source of tokens.' if known else "It is not a source of tokens.", _HINT)
    return parse(scheme.lower(), rest)


def problems_of_tokens(tokens: Tokens, *, has_targets: bool) -> Iterator[Finding]:
    """What is wrong with `[tokens]` as a whole.

    Args:
        has_targets: Whether the profile has `[targets]`, which are tokens too.
    """
    source: Source | None = None
    if tokens.source:
        try:
            source = parse_source(tokens.source)
        except FieldError as error:
            yield Finding(FIELD, error.message, error.hint)
            return
    kind = source.kind if source is not None else None
    for field, given, wanted, words in (
        ("tokens.argument", tokens.argument, "plugin", "Only a plugin is built with an argument."),
        ("tokens.password", tokens.password, "redis", "Only a Redis source takes a password."),
        ("tokens.audience", tokens.audience, "jwt", "Only a JWT names an audience."),
    ):
        if given and kind != wanted:
            hint = f"Remove {field.partition('.')[2]}, or choose a {wanted} source."
            yield Finding(field, words, hint, (FIELD,))
    if tokens.allow is not None and source is None:
        yield Finding(
            "tokens.allow", "There is no source whose targets could be allowed.", "Remove allow, or name a source."
        )
    if tokens.by_host and source is None and not has_targets:
        yield Finding(
            "tokens.by_host",
            "The Host header is to be the token, but nothing says where tokens lead.",
            "Name a source, or write [targets].",
            (FIELD, "targets"),
        )
    if tokens.password and source is not None and source.kind == "redis":
        parts = urlsplit(source.place)
        if parts.scheme == "redis" and not is_loopback_host(parts.hostname or ""):
            yield Finding(
                FIELD,
                "The password would go to another computer without encryption.",
                "Write rediss:// for TLS, or reach Redis through an encrypted tunnel on this computer.",
                ("tokens.password",),
            )


def _fail(message: str, hint: str) -> NoReturn:
    raise FieldError(message, hint, field=FIELD)


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~/")) or _DRIVE.match(text) is not None


def _path(kind: SourceKind, what: str, example: str) -> Callable[[str, str], Source]:
    def parse(_: str, rest: str) -> Source:
        place = rest[2:] if rest.startswith("///") else rest  # file:///x, as URLs have it, is the same file
        if not _is_path(place):
            _fail(f"The {what} is not named by its full path.", f'Write "{kind}:{example}".')
        if kind == "unix-directory" and len(os.fsencode(place)) >= MAX_UNIX_PATH:
            _fail(f"A socket's path has at most {MAX_UNIX_PATH} bytes.", "Choose a folder with a shorter path.")
        return Source(kind, place)

    return parse


def _jwt(_: str, rest: str) -> Source:
    if _is_path(rest) or (rest.startswith(_SECRET_REFERENCES) and is_reference(rest)):
        return Source("jwt", rest)
    # The text is not repeated: somebody may have written the key itself.
    _fail(
        "It does not say where the key of the JWTs is.",
        'Write "jwt:/PATH/key.pem", "jwt:keyring:NAME", "jwt:env:VARIABLE" or "jwt:file:/PATH".',
    )


def _plugin(_: str, rest: str) -> Source:
    if not is_import_path(rest):
        _fail("It is not the path of a class.", 'Write "plugin:package.module.Class".')
    return Source("plugin", rest)


def _http(scheme: str, rest: str) -> Source:
    hint = f'Write a URL with {PLACEHOLDER} where the token goes, such as "https://host/path?token={PLACEHOLDER}".'
    if not rest.startswith("//"):
        _fail("It is not a URL.", hint)
    if any(character.isspace() for character in rest) or "\\" in rest:
        _fail("The URL has a space or a backslash in it.", hint)
    if "#" in rest:
        _fail("The URL has a # part, which no server gets to see.", hint)
    authority, host = _authority(scheme, rest, hint)
    if "%" in authority:
        _fail("The token would choose the host that is asked.", hint)
    if PLACEHOLDER not in rest:
        _fail(f"The URL has no {PLACEHOLDER} where the token goes.", hint)
    if scheme == "http" and not is_loopback_host(host):
        _fail(
            "Tokens would go to another computer without encryption.",
            "Write https://, or ask a server on this computer, such as http://127.0.0.1:8000/.",
        )
    return Source("http", f"{scheme}:{rest}")


def _authority(scheme: str, rest: str, hint: str) -> tuple[str, str]:
    """The authority of a URL and its canonical host."""
    try:
        parts = urlsplit(f"{scheme}:{rest}")
        parts.port  # noqa: B018  # raises when it is none
    except ValueError:
        _fail("Its host or port is none.", hint)
    user, at, _ = parts.netloc.rpartition("@")
    if at and (scheme in ("http", "https") or ":" in user):
        _fail("The address has a password in it, which belongs into no profile.", hint)
    try:
        return parts.netloc, canonical_host(parts.hostname or "")
    except ValueError as error:
        if "%" in parts.netloc:
            return parts.netloc, ""
        _fail(f"It names no host: {error}.", hint)


def _redis(scheme: str, rest: str) -> Source:
    hint = 'Write "redis://host:port/database?namespace=name", or "redis:host:port:database::namespace".'
    if rest.startswith("//"):
        return _redis_url(scheme, rest, hint)
    parts = [match[1] or match[2] or "" for match in _PART.finditer(rest)]
    if rest and not rest.endswith(":"):
        parts = parts[:-1]  # the empty match at the very end
    joined = "".join(match[0] for match in _PART.finditer(rest))
    if joined != rest or not 1 <= len(parts) <= 5:
        _fail("It does not say where Redis is.", hint)
    host, port, database, password, namespace = (*parts, "", "", "", "", "")[:5]
    if password:
        _fail("The Redis source has a password in it.", "Put it into [tokens] password, as a reference.")
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    query = f"?{urlencode({'namespace': namespace}, quote_via=quote)}" if namespace else ""
    return _redis_url(scheme, f"//{host}{f':{port}' if port else ''}/{database}{query}", hint)


def _redis_url(scheme: str, rest: str, hint: str) -> Source:
    if "#" in rest or any(character.isspace() for character in rest):
        _fail("The address of Redis has a space or a # in it.", hint)
    _, host = _authority(scheme, rest, hint)
    parts = urlsplit(f"{scheme}:{rest}")
    database = parts.path.removeprefix("/") or "0"
    if not (database.isascii() and database.isdigit() and len(database) <= 6):
        _fail("The database of Redis is no number.", hint)
    try:
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=8)
    except ValueError:
        _fail("What follows the ? in the address of Redis is not namespace=name.", hint)
    if [name for name, _ in query] not in ([], ["namespace"]):
        _fail("What follows the ? in the address of Redis is not namespace=name.", hint)
    port = parts.port or DEFAULT_REDIS_PORT
    user, at, _ = parts.netloc.rpartition("@")
    shown = f"{user}{at}[{host}]" if ":" in host else f"{user}{at}{host}"
    namespace = f"?{urlencode(query, quote_via=quote)}" if query and query[0][1] else ""
    return Source("redis", f"{scheme}://{shown}:{port}/{int(database)}{namespace}")


_PARSERS: Final[Mapping[str, Callable[[str, str], Source]]] = {
    "file": _path("file", "file with the tokens", "/PATH"),
    "file-per-token": _path("file-per-token", "folder with a file for each token", "/FOLDER"),
    "unix-directory": _path("unix-directory", "folder with the sockets", "/FOLDER"),
    "redis": _redis,
    "rediss": _redis,
    "jwt": _jwt,
    "http": _http,
    "https": _http,
    "plugin": _plugin,
}
