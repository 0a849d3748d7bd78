"""The manual of websockify's command line, as ``--help`` prints it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from wsgui.profiles.websockify.options import SOURCE, TARGET
from wsgui.profiles.websockify.table import ACCESS, GROUPS, TOKENS, Row

WIDTH: Final = 100

_INDENT: Final = 2
_COLUMN: Final = 26
_PLUGIN_COLUMN: Final = 31

_SYNOPSIS: Final = (
    f"[options] {SOURCE} {TARGET}",
    f"[options] --token-plugin CLASS {SOURCE}",
    f"[options] --unix-target FILE {SOURCE}",
    f"[options] {SOURCE} -- COMMAND [ARG ...]",
)
_DESCRIPTION: Final = (
    "Takes WebSocket connections on source_port and connects each to target_port: what the client sends arrives there "
    "as bytes, what the target sends goes to the client as binary messages. So a page such as noVNC reaches a VNC, "
    "telnet or any other TCP server. TLS and plain connections share the port.",
    "Options may stand before, between and after the addresses, and may be shortened as long as they stay "
    "unambiguous. A value follows after a space or a =. With -- the rest is a program that is run, word for word; it "
    "binds source_port, which is moved to a free port of this computer, to which clients are taken.",
)
_ADDRESSES: Final = (
    "The port stands after the last colon; an IPv6 address may stand in brackets. An empty source_addr listens on all "
    "addresses, an empty target_addr is this computer. With --unix-listen and --inetd there is no source.",
)
_TOKEN_CLASSES: Final = (
    ("TokenFile FILE|FOLDER", "lines `token: host:port`, # comments; read again when the file changes"),
    ("ReadOnlyTokenFile FILE|FOLDER", "the same, read once"),
    ("TokenFileName FOLDER", "the file named like the token holds host:port"),
    ("BaseTokenAPI URL", "GET of the URL with the token in place of %s answers host:port"),
    ("JSONTokenApi URL", 'the same, answering {"host": ..., "port": ...}'),
    ("JWTTokenApi FILE", "the token is a JWT with the claims host and port; FILE holds its key"),
    ("TokenRedis SERVER", "the value of the token in Redis; SERVER is host[:port[:db[:password[:namespace]]]]"),
    ("UnixDomainSocketDirectory DIR", "the unix socket of that name in the folder"),
)
_AUTH_CLASSES: Final = (
    ("BasicHTTPAuth USER:PASSWORD", "the browser asks for user and password"),
    ("ExpectOrigin ORIGINS", "web pages of these origins only, separated by spaces"),
    ("ClientCertCNAuth NAMES", "client certificates with these common names only (needs --verify-client)"),
)
_DIFFERENCES: Final = (
    "One process serves all clients; there is no process for each. --libserver changes nothing.",
    "An unknown token is answered 404, where websockify hangs up without a word; a source of tokens that does not "
    "answer, 502 or 504.",
    "An empty source_addr listens on IPv6 too.",
    "Ports that no port can be and negative numbers of seconds are refused at the start.",
    "--unix-listen and --inetd with a program to wrap are refused: websockify fails with them.",
    "Wrapped programs may bind IPv6 too. For static and set-uid ones, whose port cannot be moved, write {port} in the "
    "arguments: it stands for the free port, as the variable PORT does.",
    "Passwords are compared in constant time, and TLS is 1.2 or later unless --ssl-version tlsv1_1 is given.",
    "--log-file is opened again on SIGUSR1, for log rotation.",
)
_EXAMPLES: Final = (
    ("6080 office:5901", "a VNC server, for noVNC anywhere"),
    ("--web /usr/share/novnc 6080 localhost:5901", "with noVNC's pages on the same port"),
    ("--cert chain.pem --key key.pem --ssl-only 443 office:5901", "encrypted only"),
    ("--token-plugin TokenFile --token-source /etc/vnc.tokens 6080", "where to, by ?token=..."),
    ("--auth-plugin BasicHTTPAuth --auth-source ann:secret 6080 office:5901", "with a password"),
    ("2023 --wrap-mode=respawn -- telnetd -debug 2023", "a program, started again when it ends"),
    ("--unix-target /run/app.sock 127.0.0.1:6080", "a unix socket, for this computer only"),
    ("-D --log-file /var/log/ws.log --heartbeat 30 6080 office:5901", "in the background"),
)
_END: Final = (
    "SIGTERM and Ctrl+C end every connection and the program.",
    "Exit codes: 0 ended as asked, 1 it could not start, 2 the line is wrong; with --wrap-mode exit that of the "
    "wrapped program.",
    "To keep a line as a tunnel of the window: wsgui profile import -- websockify ...",
)


def help_text(program: str = "websockify") -> str:
    """The whole manual, no line longer than `WIDTH` columns, with a line break at its end."""
    return "\n".join(_lines(program)) + "\n"


def _lines(program: str) -> Iterator[str]:
    yield "Usage:"
    yield from (f"  {program} {form}" for form in _SYNOPSIS)
    for paragraph in _DESCRIPTION:
        yield ""
        yield from _wrap(paragraph, WIDTH)
    yield from _section("Addresses", _wrapped(_ADDRESSES))
    for title, rows in GROUPS.items():
        yield from _section(title, _options(rows))
        if rows is TOKENS:
            yield from _classes("CLASS and what ARG is", _TOKEN_CLASSES)
        if rows is ACCESS:
            yield from _classes("CLASS and what ARG is", _AUTH_CLASSES)
    yield from _section("Examples", (line for form, what in _EXAMPLES for line in (f"{program} {form}", f"    {what}")))
    yield from _section("What differs from websockify 0.13", _points(_DIFFERENCES))
    yield from _section("The end", _wrapped(_END))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    yield from (f"{' ' * _INDENT}{line}" for line in lines)


def _wrapped(paragraphs: Iterable[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from _wrap(paragraph, WIDTH - _INDENT)


def _points(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        first, *others = _wrap(sentence, WIDTH - 2 * _INDENT)
        yield f"- {first}"
        yield from (f"  {line}" for line in others)


def _options(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield from _hanging(row.written, row.help, _COLUMN)


def _classes(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield ""
    yield f"{' ' * _INDENT}{title}:"
    for name, what in rows:
        yield from (f"{' ' * 2 * _INDENT}{line}" for line in _hanging(name, what, _PLUGIN_COLUMN))


def _hanging(name: str, text: str, column: int) -> Iterator[str]:
    """`text` beside `name` from `column` on; on a line of its own when the name reaches into it."""
    first, *others = _wrap(text, WIDTH - 2 * _INDENT - column)
    if len(name) + 2 > column:
        yield name
        yield f"{' ' * column}{first}"
    else:
        yield f"{name:<{column}}{first}"
    yield from (f"{' ' * column}{line}" for line in others)


def _wrap(text: str, width: int) -> list[str]:
    # No option is broken at its hyphens.
    return textwrap.wrap(text, width, break_on_hyphens=False)
