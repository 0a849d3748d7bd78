"""A profile as websockify's line: what each field becomes, and what that line cannot say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wsgui.profiles.addresses import InheritedAddress, TcpAddress, TlsAddress, UnixAddress
from wsgui.profiles.fields import WEB_KEYWORDS
from wsgui.profiles.model import Profile
from wsgui.profiles.websockify import auth_plugins, token_plugins
from wsgui.profiles.websockify.options import TARGET
from wsgui.profiles.websockify.outcome import Line, Lost

WRAP_MODE: Final = {"stop": "exit", "ignore": "ignore", "restart": "respawn"}
KEY_PASSWORD: Final = "KEY_PASSWORD"  # noqa: S105  # a word to be replaced
TOKEN_FILE: Final = "TOKEN_FILE"  # noqa: S105
UNBOUND: Final = "unbound:"
_FILE_WORDS: Final = {"--cert": "CERT_FILE", "--key": "KEY_FILE", "--cafile": "CA_FILE"}

_NOTHING_LIKE_IT: Final = "websockify has nothing like it."
_REASONS: Final[Mapping[str, str]] = {
    "autostart": "A line starts when somebody types it.",
    "limits.idle_seconds": "websockify closes no silent connections; its --idle-timeout ends the whole process.",
    "tls.certificate": "websockify takes a certificate's file only.",
    "tokens.allow": "websockify connects wherever the source says.",
    "command.environment": "The program gets the environment of the shell.",
}
_SAID: Final = (
    "name",
    "listen",
    "target",
    "targets",
    "tls.certificate_file",
    "tls.key_file",
    "tls.key_password",
    "tls.only",
    "tls.minimum",
    "tls.ciphers",
    "tls.client_authority",
    "tokens.source",
    "tokens.argument",
    "tokens.password",
    "tokens.by_host",
    "access.origins",
    "access.basic",
    "access.client_names",
    "access.plugin",
    "access.plugin_argument",
    "web.root",
    "web.listing",
    "web.require_access",
    "command.run",
    "command.port",
    "command.mode",
    "command.when_it_ends",
    "limits.heartbeat_seconds",
)
"""Fields that the line says, or that are told of one by one when it cannot."""


def to_line(profile: Profile) -> Line:
    """The arguments with which websockify does what `profile` does, as far as it can; no secret is in them."""
    writing = _Writing(profile)
    return Line(tuple(writing.argv), tuple(writing.lost))


class _Writing:
    """A line being written: options first, then where from and where to."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.argv: list[str] = []
        self.lost: list[Lost] = []
        self._tls()
        self._web()
        self._access()
        self._tokens()
        self._heartbeat()
        self._from_and_to()
        for field in _fields(profile.settings()):
            if field not in _SAID:
                self._lose(field, _REASONS.get(field, _NOTHING_LIKE_IT))

    def _lose(self, field: str, reason: str) -> None:
        self.lost.append(Lost(field, reason))

    def _option(self, option: str, value: str) -> None:
        # Joined, as the value may begin with a hyphen.
        self.argv += [f"{option}={value}"] if value.startswith("-") else [option, value]

    def _file(self, option: str, field: str, path: str) -> None:
        """An option for a file; a word in capitals for one that came with an imported profile and is not bound."""
        if path.startswith(UNBOUND):
            path = _FILE_WORDS[option]
            self._lose(field, f"It is bound to nothing yet: write the file in place of {path}.")
        self._option(option, path)

    def _tls(self) -> None:
        tls = self.profile.tls
        if not tls.enabled:
            return
        if tls.certificate_file:
            self._file("--cert", "tls.certificate_file", tls.certificate_file)
        else:
            self._option("--cert", _FILE_WORDS["--cert"])
        if tls.key_file:
            self._file("--key", "tls.key_file", tls.key_file)
        if tls.key_password:
            self._option("--key-password", KEY_PASSWORD)
            why = f"Write it in place of {KEY_PASSWORD}. Other users can read it in the process list."
            self._lose("tls.key_password", why)
        if self.profile.tls_only or tls.client_authority:
            # Without this websockify lets in plain connections, which show no certificate.
            self.argv.append("--ssl-only")
        if tls.minimum == "1.3":
            self._option("--ssl-version", "tlsv1_3")
        if tls.ciphers:
            self._option("--ssl-ciphers", tls.ciphers)
        if tls.client_authority:
            self.argv.append("--verify-client")
            self._file("--cafile", "tls.client_authority", tls.client_authority)

    def _web(self) -> None:
        web = self.profile.web
        if web.root in WEB_KEYWORDS:
            if web.root:
                self._lose("web.root", f'websockify has no page "{web.root}": add --web with a folder.')
            return
        self._option("--web", web.root)
        if not web.listing:
            self.argv.append("--file-only")

    def _access(self) -> None:
        found = auth_plugins.on_line(self.profile.access)
        self.lost += found.lost
        web = self.profile.web
        if not found.plugin:
            return
        self._option("--auth-plugin", found.plugin)
        if found.source:
            self._option("--auth-source", found.source)
        if web.require_access and web.root not in WEB_KEYWORDS:
            self.argv.append("--web-auth")

    def _tokens(self) -> None:
        tokens, targets = self.profile.tokens, self.profile.targets
        if targets:
            self._option("--token-plugin", "TokenFile")
            self._option("--token-source", TOKEN_FILE)
            why = f"Write a file with a line token: host:port for each, and its path in place of {TOKEN_FILE}."
            self._lose("targets", why)
            if tokens.source:
                self._lose("tokens.source", "websockify asks one source only.")
        elif tokens.source:
            found = token_plugins.on_line(tokens.source, tokens.argument, has_password=bool(tokens.password))
            self.lost += found.lost
            self._option("--token-plugin", found.plugin)
            if found.source:
                self._option("--token-source", found.source)
        if tokens.by_host and (targets or tokens.source):
            self.argv.append("--host-token")

    def _heartbeat(self) -> None:
        seconds = self.profile.limits.heartbeat_seconds
        if seconds:
            self._option("--heartbeat", str(math.ceil(seconds)))
            if not float(seconds).is_integer():
                self._lose("limits.heartbeat_seconds", "websockify takes whole seconds: it is rounded up.")

    def _from_and_to(self) -> None:
        profile = self.profile
        listen, target = profile.listen, profile.target
        source: str | None = None
        if isinstance(listen, UnixAddress):
            if not self._wraps:
                self._option("--unix-listen", listen.path)
        elif isinstance(listen, InheritedAddress):
            if not self._wraps:
                self.argv.append("--inetd")
            if listen.fd != 0:
                self._lose("listen", "websockify takes its socket from the standard input (fd:0) only.")
        else:
            source = _source(listen)
        if self._wraps:
            self._wrapped(source)
            return
        argv = [] if source is None else [source]
        if isinstance(target, TcpAddress):
            argv.append(str(target))
        elif isinstance(target, TlsAddress):
            self.argv.append("--ssl-target")
            argv.append(str(target).removeprefix("tls://"))
        elif isinstance(target, UnixAddress):
            self._option("--unix-target", target.path)
        elif target is not None or not (profile.targets or profile.tokens.source):
            argv.append(TARGET)
            field = "command" if target is None else "target"
            self._lose(field, f"{_NOTHING_LIKE_IT.removesuffix('.')}: write an address in place of {TARGET}.")
        self.argv += argv

    @property
    def _wraps(self) -> bool:
        return bool(self.profile.command.run) and self.profile.command.mode in ("rebind", "port")

    def _wrapped(self, source: str | None) -> None:
        command, listen = self.profile.command, self.profile.listen
        port = listen.port if isinstance(listen, TcpAddress) and listen.port else None
        program_port = command.port or port
        if source is None or port is None:
            source = f"127.0.0.1:{program_port}"
            self._lose("listen", "websockify wraps a program only where it listens on the program's port itself.")
        elif program_port != port:
            why = f"websockify moves the port that it listens on, {port}: have the program bind that one."
            self._lose("command.port", why)
        if command.mode == "port":
            self._lose("command.mode", "Only the websockify of wsgui puts a port in place of {port} and into PORT.")
        mode = WRAP_MODE[command.when_it_ends]
        if mode != "exit":
            self._option("--wrap-mode", mode)
        self.argv += [source, "--", *command.run]


def _source(listen: TcpAddress) -> str:
    return str(listen.port) if listen.host == "*" else str(listen)


def _fields(settings: Mapping[str, Any]) -> Iterator[str]:
    """The dotted fields of `settings`; nothing below `targets`, as tokens are secrets."""
    for name, value in settings.items():
        if isinstance(value, dict) and name != "targets":
            yield from (f"{name}.{field}" for field in value)
        else:
            yield name
