"""websockify's command line as a value: every option and positional of version 0.13, parsed and checked."""

from __future__ import annotations

import difflib
import optparse
import os.path
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NoReturn, cast

from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.addresses import MAX_PORT
from wsgui.profiles.websockify.table import DEFAULT_CERT, DEFAULT_UNIX_MODE, ROWS, TOKEN_MODULE, Row, short_name

SslVersion = Literal["default", "tlsv1_1", "tlsv1_2", "tlsv1_3"]
WrapMode = Literal["exit", "ignore", "respawn"]

SOURCE: Final = "[source_addr:]source_port"
TARGET: Final = "target_addr:target_port"
_SOURCE_HINT: Final = f"Write {SOURCE}, such as 6080 or 127.0.0.1:6080."
_TARGET_HINT: Final = f"Write {TARGET}, such as office:5901."


@dataclass(frozen=True, slots=True)
class Options:
    """What a line of websockify asks for, as it was typed; empty text is an option that was left out.

    Nothing has been opened and no name resolved: whether files and plugins are there is for whoever starts it.

    Args:
        listen_host: Without brackets; empty = all interfaces.
        listen_port: 0 is any free one; None with `unix_listen` and `inetd`.
        target_host: Without brackets; empty with a `target_port` = this computer.
        target_port: None with `command`, `unix_target` and `token_plugin`.
        command: The wrapped program and its arguments.
        cert: See `certificate`.
        token_plugin: `TokenFile` also when `target_config` was given, which then is the `token_source`.
        help: Only the help is asked for; nothing else counts.
    """

    listen_host: str = ""
    listen_port: int | None = None
    target_host: str = ""
    target_port: int | None = None
    command: tuple[str, ...] = field(default=(), repr=False)
    prefer_ipv6: bool = False
    unix_listen: str = ""
    unix_listen_mode: int = DEFAULT_UNIX_MODE
    inetd: bool = False
    unix_target: str = ""
    ssl_target: bool = False
    wrap_mode: WrapMode = "exit"
    token_plugin: str = ""
    token_source: str | None = field(default=None, repr=False)
    host_token: bool = False
    target_config: str = ""
    auth_plugin: str = ""
    auth_source: str | None = field(default=None, repr=False)
    web_auth: bool = False
    cert: str = ""
    key: str = ""
    key_password: str | None = field(default=None, repr=False)
    ssl_only: bool = False
    ssl_version: SslVersion = "default"
    ssl_ciphers: str = ""
    verify_client: bool = False
    cafile: str = ""
    web: str = ""
    file_only: bool = False
    daemon: bool = False
    run_once: bool = False
    timeout_seconds: int = 0
    idle_timeout_seconds: int = 0
    heartbeat_seconds: int = 0
    libserver: bool = False
    verbose: bool = False
    traffic: bool = False
    record: str = ""
    log_file: str = ""
    syslog: str = ""
    legacy_syslog: bool = False
    help: bool = False

    @property
    def certificate(self) -> str:
        """The certificate's file; when it is missing there is no TLS."""
        return self.cert or DEFAULT_CERT

    @property
    def syslog_address(self) -> tuple[str, int] | str:
        """UDP host and port, or the path of a unix socket; empty = no syslog."""
        host, colon, port = self.syslog.rpartition(":")
        return (host, int(port)) if colon else self.syslog


def parse(argv: Sequence[str], *, program: str = "websockify") -> Options:
    """What the arguments `argv` (without the program's own name) ask for.

    Options stand before, between and after the positionals, may be shortened as long as they stay unambiguous
    (``--verb``), and take their value by a space or ``=``; short ones may be joined (``-vD``). With a ``--`` everything
    that is left after the source is the command to wrap, that which follows the ``--`` word for word.

    Raises:
        UsageError: the line is wrong; the message names the option.
    """
    parser = _Parser(program)
    try:
        values, positionals = parser.parse_args(list(argv))
    except _HelpAskedError:
        return Options(help=True)
    given: dict[str, Any] = {row.field: value for row in ROWS if (value := getattr(values, row.field)) is not None}
    _check_combinations(given)
    if given.get("target_config"):
        given |= {"token_plugin": "TokenFile", "token_source": given["target_config"]}
    if given.get("unix_listen"):
        given["unix_listen_mode"] = _mode(given.get("unix_listen_mode"))
    else:
        given.pop("unix_listen_mode", None)
    return Options(**given, **_positionals(positionals, given, wrapping=parser.separated))


def absolute(options: Options, folder: str) -> Options:
    """`options` with the paths as websockify takes them when it is started in `folder`, which is absolute.

    It changes into the folder of `web` before it listens, so sockets, and what a token class opens later, count from
    there. The certificate is named also when it was left out.
    """
    later = os.path.join(folder, options.web)  # The folder itself without `web`.

    def path(text: str, start: str = folder) -> str:
        return os.path.normpath(os.path.join(start, text)) if text else ""

    source, plugin = options.token_source, short_name(options.token_plugin, TOKEN_MODULE)
    if source:
        if options.target_config or plugin in ("TokenFileName", "UnixDomainSocketDirectory"):
            source = path(source)
        elif plugin in ("TokenFile", "ReadOnlyTokenFile", "JWTTokenApi"):
            source = path(source, later)
    return replace(
        options,
        cert=path(options.certificate),
        key=path(options.key),
        cafile=path(options.cafile),
        web=path(options.web),
        record=path(options.record),
        log_file=path(options.log_file),
        syslog=options.syslog if ":" in options.syslog else path(options.syslog),
        unix_listen=path(options.unix_listen, later),
        unix_target=path(options.unix_target, later),
        target_config=path(options.target_config),
        token_source=source,
    )


def _check_combinations(given: dict[str, Any]) -> None:
    for option, needed in _NEEDS:
        if given.get(_field(option)) and not given.get(_field(needed)):
            raise UsageError(f"{option} is of no use without {needed}.", f"Add {needed}, or leave {option} out.")
    _, colon, port = (given.get("syslog") or "").rpartition(":")
    if colon and not (port.isascii() and port.isdigit() and 1 <= int(port[:9]) <= MAX_PORT):
        hint = "Write a host and a port, such as loghost:514, or a path such as /dev/log."
        raise UsageError(f'--syslog names no port: "{display(port)}" is none.', hint)


def _mode(text: str | None) -> int:
    if not text:
        return DEFAULT_UNIX_MODE
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise UsageError(
            f'--unix-listen-mode: "{display(text)}" is no mode of a file.', "Write it in octal, such as 0660."
        )
    return mode


def _positionals(positionals: list[str], given: dict[str, Any], *, wrapping: bool) -> dict[str, Any]:
    """Listener, target and command; with a socket that needs no port there is no source among `positionals`."""
    found: dict[str, Any] = {}
    left = list(positionals)
    elsewhere = next((option for option in ("--inetd", "--unix-listen") if given.get(_field(option))), "")
    if elsewhere and wrapping:
        raise UsageError(
            f"{elsewhere} goes with no wrapped program: its port would be the one to listen on, and there is none.",
            f"Leave {elsewhere} out, or start the program by itself and name its address as the target.",
        )
    if not elsewhere:
        if not left:
            raise UsageError(f"There is no {SOURCE}.", _SOURCE_HINT)
        source = left.pop(0)
        host, colon, port = source.rpartition(":")
        found["listen_host"] = host.strip("[]")
        found["listen_port"] = _port(port, source, SOURCE, _SOURCE_HINT, lowest=0)
    if wrapping:
        return found | {"command": tuple(left)}
    if not given.get("unix_target") and not given.get("token_plugin"):
        if not left:
            otherwise = "--token-plugin, --unix-target, or -- and a program to wrap"
            raise UsageError(f"There is no {TARGET}.", f"Add one, such as office:5901, or {otherwise}.")
        target = left.pop(0)
        host, colon, port = target.rpartition(":")
        if not colon:
            raise UsageError(f"{_shown(target)} is no {TARGET}: the colon is missing.", _TARGET_HINT)
        found["target_host"] = host.strip("[]")
        found["target_port"] = _port(port, target, TARGET, _TARGET_HINT, lowest=1)
    if left:
        raise UsageError(
            f"There is one argument too many: {_shown(left[0])}.",
            f"After the options stand {'no source' if elsewhere else SOURCE} and, without --token-plugin and "
            f"--unix-target, {TARGET}.",
        )
    return found


def _port(text: str, whole: str, what: str, hint: str, *, lowest: int) -> int:
    try:
        port = int(text)
    except ValueError:
        raise UsageError(f"{_shown(whole)} is no {what}: the port is no number.", hint) from None
    if not lowest <= port <= MAX_PORT:
        raise UsageError(
            f"{_shown(whole)} is no {what}: a port is a number from {lowest} to {MAX_PORT}.", hint
        ) from None
    return port


def _shown(text: str) -> str:
    # What stands before an @ may be a password.
    return "One of the addresses" if "@" in text else f'"{display(text, limit=80)}"'


_NEEDS: Final = (
    ("--token-source", "--token-plugin"),
    ("--host-token", "--token-plugin"),
    ("--auth-source", "--auth-plugin"),
    ("--web-auth", "--auth-plugin"),
    ("--web-auth", "--web"),
    ("--legacy-syslog", "--syslog"),
)


def _field(option: str) -> str:
    return next(row.field for row in ROWS if option in row.flags)


class _HelpAskedError(Exception):
    """The help was asked for before anything was wrong."""


def _ask_help(*_arguments: object) -> NoReturn:
    raise _HelpAskedError


def _seconds(_option: optparse.Option, name: str, text: str) -> int:
    """Whole seconds as optparse reads them: hexadecimal, binary and octal too."""
    base = {"0x": 16, "0b": 2}.get(text[:2].lower(), 8 if text[:1] == "0" else 10)
    digits = text[2:] or "0" if base in (2, 16) else text
    try:
        seconds = int(digits, base)
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise UsageError(
            f'{name}: "{display(text, limit=80)}" is no number of seconds.', "Write a whole number; 0 is never."
        )
    return seconds


def _chosen(option: optparse.Option, name: str, text: str) -> str:
    choices = list(option.choices or ())
    if text not in choices:
        raise UsageError(f'{name} knows no "{display(text, limit=80)}".', f"Write one of: {', '.join(choices)}.")
    return text


class _Option(optparse.Option):
    """An option whose value, when it is wrong, is told of in our own words."""

    TYPES = (*optparse.Option.TYPES, "seconds")
    TYPE_CHECKER = optparse.Option.TYPE_CHECKER | cast(
        dict[str, Callable[[optparse.Option, str, str], Any]], {"seconds": _seconds, "choice": _chosen}
    )


class _Parser(optparse.OptionParser):
    """What scripts are used to, by the same library: shortened and joined options, values by space or ``=``."""

    def __init__(self, program: str) -> None:
        super().__init__(prog=program, option_class=_Option, add_help_option=False)
        for row in ROWS:
            self.add_option(*row.flags, **_settings(row))

    @property
    def separated(self) -> bool:
        """Whether there was a ``--`` with something behind it."""
        return bool(self.rargs)

    def error(self, msg: str) -> NoReturn:
        sentence = display(msg[:1].upper() + msg[1:].rstrip("."), limit=500)
        option = next((word.rstrip(":") for word in msg.split() if word.startswith("-")), "")
        known = [flag for row in ROWS for flag in row.flags if flag.startswith("--")]
        unknown = option.startswith("--") and not any(flag.startswith(option) for flag in known)
        near = difflib.get_close_matches(option, known, n=1) if unknown else []
        raise UsageError(f"{sentence}.", f"Did you mean {near[0]}?" if near else f"See: {self.prog} --help")


def _settings(row: Row) -> dict[str, Any]:
    if row.field == "help":
        return {"dest": row.field, "action": "callback", "callback": _ask_help}
    if not row.metavar:
        return {"dest": row.field, "action": "store_true"}
    if row.choices:
        return {"dest": row.field, "type": "choice", "choices": row.choices}
    return {"dest": row.field, "type": "seconds" if row.seconds else "string"}
