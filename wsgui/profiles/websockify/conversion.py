"""websockify's line as a profile: what each option becomes, and what a profile cannot hold."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.addresses import DEFAULT_TARGET_HOST
from wsgui.profiles.fields import MAX_NAME, MAX_SECONDS
from wsgui.profiles.hosts import ip_of, is_loopback_host, is_unspecified_host
from wsgui.profiles.naming import file_stem
from wsgui.profiles.websockify import auth_plugins
from wsgui.profiles.websockify.line import to_line
from wsgui.profiles.websockify.options import Options, absolute
from wsgui.profiles.websockify.outcome import Converted, Line, Lost, UnboundSecret
from wsgui.profiles.websockify.table import AUTH_MODULE, DEFAULT_CERT, DEFAULT_UNIX_MODE, short_name
from wsgui.profiles.websockify.token_plugins import in_profile

__all__ = ["Converted", "Line", "Lost", "UnboundSecret", "suggested_name", "to_line", "to_settings"]

WHEN_IT_ENDS: Final = {"exit": "stop", "ignore": "ignore", "respawn": "restart"}
NO_AUTHORITY: Final = "unbound:client-authority"

_UNFIT: Final = re.compile(r"[/\\\s]+|(?i:(\.toml)+$)")
_THE_PROCESS: Final = (
    ("daemon", "--daemon", "A profile runs in the tray app or as a service, which live in the background anyway."),
    ("run_once", "--run-once", "A tunnel serves until it is stopped."),
    ("timeout_seconds", "--timeout", "A tunnel serves until it is stopped."),
    ("idle_timeout_seconds", "--idle-timeout", "A tunnel serves until it is stopped."),
    ("libserver", "--libserver", "It changes nothing here."),
    ("verbose", "--verbose", "Whoever runs the profile says how much is logged: wsgui --log-level debug."),
    ("traffic", "--traffic", "A profile prints no symbols."),
    ("record", "--record", "Recording by a profile is not built yet in this version."),
    ("log_file", "--log-file", "The log goes where that of the whole process goes."),
    ("syslog", "--syslog", "The log goes where that of the whole process goes."),
    ("legacy_syslog", "--legacy-syslog", "The log goes where that of the whole process goes."),
)


def to_settings(options: Options, *, name: str = "", folder: str = "") -> Converted:
    """The profile that does what the line of `options` does, as far as a profile can.

    Nothing is opened and no name resolved. What only protects the line is never dropped without something that keeps
    the tunnel from starting in its place.

    Args:
        name: The profile's; empty = one that the line suggests.
        folder: What relative paths count from; empty = the working directory.

    Raises:
        UsageError: an option makes no sense in a profile or anywhere else.
    """
    if options.help:
        raise UsageError("The line asks only for websockify's help.", "Give the line that starts it.")
    conversion = _Conversion(options, name or suggested_name(options), folder or os.getcwd())
    return Converted(conversion.settings, tuple(conversion.lost), tuple(conversion.secrets))


def suggested_name(options: Options) -> str:
    """A profile's name for a line: after its target's host, its command, its socket, or its tokens."""
    if options.token_plugin:
        name = "Tokens"
    elif options.unix_target:
        name = os.path.basename(options.unix_target)
    elif options.command:
        name = os.path.basename(options.command[0])
    elif is_loopback_host(options.target_host.lower()) or not options.target_host:
        name = f"Port {options.target_port}"
    else:
        name = options.target_host
    name = _UNFIT.sub(" ", display(name, limit=MAX_NAME - 8).strip(" -")).strip(" -")
    return name or "websockify"


class _Conversion:
    """One line on its way; what it becomes gathers in `settings`."""

    def __init__(self, options: Options, name: str, folder: str) -> None:
        self.folder = folder
        self.line = line = absolute(options, folder)
        self.certificate_is_named = bool(options.cert)
        self.settings: dict[str, Any] = {"name": name}
        self.lost: list[Lost] = []
        self.secrets: list[UnboundSecret] = []
        self._listen()
        self._target()
        self._tls()
        self._access()
        self._web()
        self._heartbeat()
        for field, option, reason in _THE_PROCESS:
            if getattr(line, field):
                self._lose(option, reason)

    def _lose(self, option: str, reason: str) -> None:
        self.lost.append(Lost(option, reason))

    def _put(self, section: str, **values: object) -> None:
        self.settings.setdefault(section, {}).update(values)

    def _unbound(self, section: str, field: str, what: str, remedy: str = "") -> str:
        """A reference in place of a secret of the line, told of in `secrets`."""
        key = f"{file_stem(self.settings['name'])}-{what}"
        store = f"Store it: wsgui secret set {key}{remedy}"
        bind = f'then write {field} = "keyring:{key}" into [{section}].'
        self.secrets.append(UnboundSecret(f"{section}.{field}", f"unbound:{key}", f"{store}, {bind}"))
        return f"unbound:{key}"

    def _listen(self) -> None:
        line = self.line
        if line.inetd:
            self.settings |= {"listen": "fd:0", "autostart": False}
            self._lose("--inetd", "Only a process that is started with the socket as its standard input can run it.")
        elif line.unix_listen:
            self.settings["listen"] = f"unix:{line.unix_listen}"
            if line.unix_listen_mode != DEFAULT_UNIX_MODE:
                self._lose("--unix-listen-mode", f"A profile's socket has the mode {DEFAULT_UNIX_MODE:04o}.")
        else:
            self.settings["listen"] = _joined(line.listen_host or "*", line.listen_port)
        if line.prefer_ipv6 and line.listen_host and ip_of(line.listen_host) is None:
            self._lose("--prefer-ipv6", "Write the IPv6 address itself into listen.")

    def _target(self) -> None:
        """Tokens go before a unix target, and that before a command, as a profile leads to one only."""
        line = self.line
        if line.token_plugin:
            self._tokens()
            if line.ssl_target:
                self._lose("--ssl-target", "Only a source that names tls://host:port leads to TLS targets.")
        elif line.unix_target:
            self.settings["target"] = f"unix:{line.unix_target}"
            if line.ssl_target:
                self._lose("--ssl-target", "It has no effect on a unix socket.")
        elif line.command:
            self._command()
            if line.ssl_target:
                self._lose("--ssl-target", "A wrapped program is spoken to on this computer, without TLS.")
        else:
            host = line.target_host or DEFAULT_TARGET_HOST
            if is_unspecified_host(host):
                host = "::1" if ":" in host else "127.0.0.1"
            scheme = "tls://" if line.ssl_target else ""
            self.settings["target"] = f"{scheme}{_joined(host, line.target_port)}"
        if line.unix_target and line.token_plugin:
            self._lose("--unix-target", "The tokens say where clients are taken.")
        if line.command and (line.token_plugin or line.unix_target):
            self._lose("--", "A profile runs a program only if that is where clients are taken.")
        elif line.wrap_mode != "exit" and not line.command:
            self._lose("--wrap-mode", "There is no program to wrap.")

    def _tokens(self) -> None:
        line = self.line
        found = in_profile(line.token_plugin, line.token_source)
        self.lost += found.lost
        self._put("tokens", source=found.source)
        if found.argument:
            self._put("tokens", argument=found.argument)
        if found.has_password:
            self._put("tokens", password=self._unbound("tokens", "password", "redis"))
        if line.host_token:
            self._put("tokens", by_host=True)
        if line.target_config:
            self._lose("--target-config", "It is deprecated; the profile has the same as a source of tokens.")

    def _command(self) -> None:
        program, *arguments = self.line.command
        if os.path.dirname(program):
            program = os.path.join(self.folder, program)
        self._put("command", run=[program, *arguments], when_it_ends=WHEN_IT_ENDS[self.line.wrap_mode])
        if any("{port}" in argument for argument in self.line.command):
            self._put("command", mode="port")

    def _tls(self) -> None:
        line = self.line
        asked = (line.key, line.key_password, line.ssl_only, line.verify_client, line.ssl_ciphers, self._by_certificate)
        named = self.certificate_is_named
        if not named and not any(asked) and line.ssl_version == "default":
            why = f"It is left out, so websockify takes {DEFAULT_CERT} of its folder if there is one"
            self._lose("--cert", f"{why}: for TLS name it, as certificate_file in [tls].")
        else:
            self._put("tls", certificate_file=line.cert)
            self._put("tls", only=line.ssl_only or line.verify_client or self._by_certificate)
            if not named:
                self._lose("--cert", f"It is left out: {DEFAULT_CERT} of the folder is named, and has to be there.")
        if line.key:
            self._put("tls", key_file=line.key)
        if line.key_password:
            self._put("tls", key_password=self._unbound("tls", "key_password", "key"))
        if line.ssl_version == "tlsv1_3":
            self._put("tls", minimum="1.3")
        elif line.ssl_version == "tlsv1_1":
            self._lose("--ssl-version", "A profile speaks TLS 1.2 or later.")
        if line.ssl_ciphers:
            self._put("tls", ciphers=line.ssl_ciphers)
        self._client_certificates()

    @property
    def _by_certificate(self) -> bool:
        return short_name(self.line.auth_plugin, AUTH_MODULE) == auth_plugins.CERTIFICATE

    def _client_certificates(self) -> None:
        line = self.line
        if line.verify_client or self._by_certificate:
            self._put("tls", client_authority=(line.verify_client and line.cafile) or NO_AUTHORITY)
        if line.cafile and not line.verify_client:
            self._lose("--cafile", "It has no effect without --verify-client.")
        if line.verify_client and not line.ssl_only:
            self._lose("--verify-client", "Plain connections, which websockify lets in all the same, are refused.")
        if line.verify_client and not line.cafile:
            why = "A profile does not trust the system's authorities with clients"
            name = "name the one that signs them, as client_authority in [tls]. Until then the tunnel does not start."
            self._lose("--verify-client", f"{why}: {name}")
        if self._by_certificate and not line.verify_client:
            why = "Without --verify-client it lets nobody in"
            self._lose("--auth-plugin", f"{why}: name the authority of the certificates, as client_authority in [tls].")

    def _access(self) -> None:
        line = self.line

        def unbound() -> str:
            return self._unbound("access", "basic", "basic", " (as user:password)")

        found = auth_plugins.in_profile(line.auth_plugin, line.auth_source, unbound)
        self.lost += found.lost
        if found.settings:
            self._put("access", **found.settings)

    def _web(self) -> None:
        line = self.line
        if not line.web:
            if line.file_only:
                self._lose("--file-only", "It has no effect without --web.")
            return
        self._put("web", root=line.web)
        if not line.file_only:
            self._put("web", listing=True)
        if line.auth_plugin and not line.web_auth:
            self._put("web", require_access=False)
        self._lose("--web", "Names that begin with a dot, and links that lead out of the folder, are not served.")

    def _heartbeat(self) -> None:
        seconds = self.line.heartbeat_seconds
        if seconds > MAX_SECONDS:
            self._lose("--heartbeat", "A profile pings more often than once a week, or never.")
            seconds = 0
        self._put("limits", heartbeat_seconds=seconds)


def _joined(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
