"""`wsgui websockify …`, and wsgui started under the name websockify: that program's command line on our engine."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from wsgui.app.process import raise_descriptor_limit
from wsgui.cli.parser import complain
from wsgui.engine.terms import Terms
from wsgui.errors import EXIT_OK, UsageError, WsguiError
from wsgui.profiles.access import Access, Tls, Tokens
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, TlsAddress, UnixAddress
from wsgui.profiles.hosts import canonical_host
from wsgui.profiles.model import Profile
from wsgui.profiles.sections import Command, Limits, Web
from wsgui.profiles.websockify.manual import help_text
from wsgui.profiles.websockify.options import Options, absolute, parse

NAME: Final = "websockify"
HANDSHAKE_SECONDS: Final = 3.0
"""As long as websockify waits for a first byte; a whole request gets as long again."""
LOOK_UP_SECONDS: Final = 30.0
"""Their look-ups have no deadline; ours end some time."""
_WHEN_IT_ENDS: Final[Mapping[str, Literal["restart", "stop", "ignore"]]] = {
    "exit": "stop",
    "ignore": "ignore",
    "respawn": "restart",
}
_TLS_MINIMUM: Final = {
    "default": ssl.TLSVersion.TLSv1_2,
    "tlsv1_1": ssl.TLSVersion.TLSv1_1,
    "tlsv1_2": ssl.TLSVersion.TLSv1_2,
    "tlsv1_3": ssl.TLSVersion.TLSv1_3,
}


def main(arguments: Sequence[str]) -> int:
    """Run websockify's command line; returns the exit code."""
    if "--install-link" in arguments[:1]:
        from wsgui.cli.install_link import install

        return install(arguments[1:])
    try:
        given = parse(arguments)
        if given.help:
            print(help_text())
            return EXIT_OK
        return run(_checked(absolute(given, os.getcwd())))
    except WsguiError as error:
        return complain(error, program=NAME)


def run(options: Options) -> int:
    """Serve as `options` say, until a signal or one of them ends it; call it in the main thread."""
    raise_descriptor_limit()
    from wsgui.cli.websockify_process import serve

    return serve(options)


def _checked(options: Options) -> Options:
    """Look at the files that the line names, before anything begins.

    Raises:
        UsageError: One that cannot be done without is missing.
    """
    if options.ssl_only and not os.path.exists(options.certificate):
        raise UsageError(
            f"--ssl-only needs a certificate, and there is no {options.certificate}.",
            "Name one with --cert, or make one: wsgui certificate create.",
        )
    if options.web and not os.path.isdir(options.web):
        raise UsageError(f"--web names no folder: {options.web}.", "Create it, or name another one.")
    return options


def settings_lines(options: Options) -> list[str]:
    """Return what is said at the start, in websockify's words, which scripts wait for."""
    lines = ["WebSocket server settings:"]
    if options.inetd:
        lines.append("  - Listen for inetd connections")
    elif options.unix_listen:
        lines.append(f"  - Listen on unix socket {options.unix_listen}")
    else:
        lines.append(f"  - Listen on {options.listen_host}:{options.listen_port}")
    if options.web:
        how = " (no directory listings)" if options.file_only else ""
        lines.append(f"  - Web server{how}. Web root: {options.web}")
    if os.path.exists(options.certificate):
        lines.append("  - SSL/TLS support")
        if options.ssl_only:
            lines.append("  - Deny non-SSL/TLS connections")
    else:
        lines.append("  - No SSL/TLS support (no cert file)")
    if options.daemon:
        lines.append("  - Backgrounding (daemon)")
    if options.record:
        lines.append(f"  - Recording to '{options.record}.*'")
    return lines


ANY_PAGE: Final = (
    "Web pages of any site may connect here, as with websockify. "
    "A profile lets in its own pages only: wsgui profile import -- websockify …"
)


def warnings(options: Options) -> list[str]:
    """Return what a person should know of a line that works all the same: what it does not guard, a secret in sight."""
    open_to_pages = [] if options.auth_plugin else [ANY_PAGE]
    said = ["--libserver is taken, but changes nothing: there is one server only."] if options.libserver else []
    in_sight = [
        *(["--key-password"] if options.key_password else []),
        *(["--auth-source"] if options.auth_plugin.rpartition(".")[2] == "BasicHTTPAuth" else []),
        *(["--token-source"] if _holds_password(options) else []),
    ]
    return (
        said
        + open_to_pages
        + [
            f"{option} has a secret in it, which other users of this computer can see in the list of processes. "
            "A profile refers to it instead: wsgui profile import -- websockify …"
            for option in in_sight[:1]
        ]
    )


def _holds_password(options: Options) -> bool:
    source = options.token_source or ""
    return options.token_plugin.rpartition(".")[2] == "TokenRedis" and source.count(":") >= 3


def proxying_line(options: Options) -> str:
    """Return the last line of the start: from where to where."""
    source = "inetd" if options.inetd else f"{options.listen_host}:{options.listen_port}"
    if options.unix_listen:
        source = options.unix_listen
    if options.token_plugin:
        plugin = options.token_plugin.rpartition(".")[2]
        target = f"targets generated by {plugin}"
    elif options.command:
        target = wrapped_program(options)
    elif options.unix_target:
        target = options.unix_target
    else:
        target = f"{options.target_host}:{options.target_port}"
    return f"  - proxying from {source} to {target}{' (using SSL)' if options.ssl_target else ''}"


def wrapped_program(options: Options) -> str:
    """Return what a line's program is called in the log; empty without one."""
    return f"'{' '.join(options.command)}' (port {options.listen_port})" if options.command else ""


def profile_of(options: Options, listener: int | None = None) -> Profile:
    """Return the tunnel that a line asks for: no limits, and no rules but those it names.

    `listener` is the descriptor of the socket that inetd has handed over.

    It is not checked as a profile is: a line of websockify has rules of its own, which `parse` has checked.
    """
    certificate = options.certificate if os.path.exists(options.certificate) else ""
    return Profile.model_construct(
        name=NAME,
        listen=_listen(options) if listener is None else InheritedAddress(listener),
        target=_target(options),
        tls=Tls.model_construct(
            certificate_file=certificate,
            key_file=options.key if certificate else "",
            only=options.ssl_only,
            ciphers=options.ssl_ciphers,
            client_authority=options.cafile if options.verify_client and options.cafile and certificate else None,
        ),
        tokens=Tokens.model_construct(by_host=options.host_token, deadline_seconds=LOOK_UP_SECONDS),
        access=Access.model_construct(origins=("*",), hosts=("*",), anyone=True),
        web=Web.model_construct(root=options.web, listing=not options.file_only, require_access=options.web_auth),
        command=_command(options),
        limits=Limits.model_construct(
            connections=0,
            per_address=0,
            handshakes_per_address=0,
            handshake_seconds=2 * HANDSHAKE_SECONDS,
            connect_seconds=0,
            heartbeat_seconds=options.heartbeat_seconds,
        ),
    )


def terms_of(options: Options) -> Terms:
    """Return what of a line no profile can say."""
    return Terms(
        websockify=True,
        log_requests=options.verbose,
        tls_minimum=_TLS_MINIMUM[options.ssl_version],
        passphrase=options.key_password,
        verify_client=options.verify_client,
        encrypted_target=options.ssl_target,
        token_plugin=(options.token_plugin, options.token_source) if options.token_plugin else None,
        auth_plugin=(options.auth_plugin, options.auth_source) if options.auth_plugin else None,
        once=options.run_once,
        unix_mode=options.unix_listen_mode if options.unix_listen else None,
    )


def _command(options: Options) -> Command:
    if not options.command:
        return Command.model_construct()
    # Not checked either: an argument may have a line break in it.
    return Command.model_construct(
        run=options.command,
        port=options.listen_port or None,
        mode="port" if any("{port}" in argument for argument in options.command) else "rebind",
        when_it_ends=_WHEN_IT_ENDS[options.wrap_mode],
    )


def _listen(options: Options) -> TcpAddress | UnixAddress:
    if options.unix_listen:
        return UnixAddress(options.unix_listen)
    host = options.listen_host
    if not host:
        host = "*"
    return TcpAddress(_host(host), options.listen_port or 0)


def _target(options: Options) -> TcpAddress | TlsAddress | UnixAddress | None:
    if options.command or options.token_plugin:
        return None
    if options.unix_target:
        return UnixAddress(options.unix_target)
    assert options.target_port is not None
    host = _host(options.target_host or "localhost")
    return (TlsAddress if options.ssl_target else TcpAddress)(host, options.target_port)


def _host(host: str) -> str:
    if host == "*":
        return host
    try:
        return canonical_host(host)
    except ValueError:
        return host  # whether it is one, the resolver says
