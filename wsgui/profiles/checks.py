"""What the fields of a profile must be to one another; each alone is right already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsgui.profiles.addresses import TcpAddress, UnixAddress
from wsgui.profiles.availability import not_built
from wsgui.profiles.findings import Finding
from wsgui.profiles.token_sources import problems_of_tokens

if TYPE_CHECKING:
    from wsgui.profiles.access import Tls
    from wsgui.profiles.model import Profile


def problems_of(profile: Profile) -> tuple[Finding, ...]:
    """All that is wrong with `profile` as a whole, in the order in which a file names the fields."""
    return (
        *_target(profile),
        *_tls(profile),
        *problems_of_tokens(profile.tokens, has_targets=bool(profile.targets)),
        *_access(profile),
        *_command(profile),
        *_metrics(profile),
        *not_built(profile),
    )


def _target(profile: Profile) -> Iterator[Finding]:
    if not profile.name:
        yield Finding("name", "The profile has no name.", 'Write name = "Office desktop" or the like.')
    by_token = bool(profile.targets or profile.tokens.source)
    given = [
        *(["target"] if profile.target is not None else []),
        *(["targets" if profile.targets else "tokens"] if by_token else []),
        *(["command"] if profile.command.run else []),
    ]
    if not given:
        yield Finding(
            "target",
            "The profile has no target.",
            'Write target = "office:5901", or target = "demo:" to try it.',
            ("targets", "tokens", "command"),
        )
    elif len(given) > 1:
        words = {
            "target": "a target",
            "targets": "targets by token",
            "tokens": "targets by token",
            "command": "a command",
        }
        yield Finding(
            given[0],
            f"The profile has {' and '.join(words[each] for each in given)}, and clients can be taken to one only.",
            "Keep the one you mean.",
            tuple(given[1:]),
        )
    if profile.target is not None and _leads_to(profile.target, profile.listen):
        yield Finding(
            "target",
            "The tunnel would connect to itself.",
            "Give target the address of the service, or choose another listen port.",
            ("listen",),
        )


def _leads_to(target: object, listen: object) -> bool:
    if isinstance(target, UnixAddress):
        return target == listen
    if not isinstance(target, TcpAddress) or not isinstance(listen, TcpAddress) or target.port != listen.port:
        return False
    return target.host == listen.host or (target.is_loopback and (listen.is_loopback or listen.is_wildcard))


def _tls(profile: Profile) -> Iterator[Finding]:
    tls = profile.tls
    add = 'Write certificate_file = "/path/to/certificate.pem"'
    make = 'Make a certificate (wsgui certificate create) and write certificate = ["NAME"]'
    certificate = ("tls.certificate", "tls.certificate_file")
    if tls.certificate and tls.certificate_file:
        yield Finding(
            "tls.certificate",
            "There are a managed certificate and a certificate_file, and only one can be shown.",
            "Remove one of them.",
            certificate,
        )
    if tls.certificate and not tls.certificate_file:
        yield from _of_managed(tls)
        return
    if tls.key_file and not tls.certificate_file:
        yield Finding(
            "tls.key_file", "There is a key without its certificate.", f"{add}, or remove key_file.", certificate
        )
    if tls.key_password and not tls.certificate_file:
        remove = f"{add}, or remove key_password."
        yield Finding("tls.key_password", "There is a key's password without a certificate.", remove, certificate)
    if tls.only and not tls.enabled:
        remove = f"{make}, or remove only."
        yield Finding("tls.only", "Plain connections are refused, but there is no certificate.", remove, certificate)
    if tls.client_authority and not tls.enabled:
        remove = f"{make}, or remove client_authority."
        yield Finding("tls.client_authority", "Clients can show a certificate over TLS only.", remove, certificate)


def _of_managed(tls: Tls) -> Iterator[Finding]:
    """What files need and a certificate that wsgui keeps does not."""
    for field, what, value in (
        ("tls.key_file", "key", tls.key_file),
        ("tls.key_password", "key's passphrase", tls.key_password),
    ):
        if value:
            yield Finding(
                field,
                f'wsgui keeps the {what} of the certificate "{tls.certificate[0]}" itself.',
                f"Remove {field.partition('.')[2]}, or name the certificate's own file in certificate_file instead.",
                ("tls.certificate",),
            )


def _access(profile: Profile) -> Iterator[Finding]:
    access = profile.access
    if access.client_names is not None and profile.tls.client_authority is None:
        yield Finding(
            "access.client_names",
            "Names of client certificates count only with the authority that signs them.",
            'Write [tls] client_authority = "/path/to/ca.pem".',
            ("tls.client_authority",),
        )
    if access.plugin_argument and access.plugin is None:
        yield Finding("access.plugin_argument", "There is no plugin to give it to.", "Name one, or remove it.")


def _command(profile: Profile) -> Iterator[Finding]:
    command = profile.command
    if not command.run:
        for field in type(command).model_fields:
            if field != "run" and getattr(command, field) != type(command).model_fields[field].default:
                yield Finding(f"command.{field}", "There is no program to run.", 'Write run = ["program", "argument"].')
        return
    if command.mode in ("stdio", "terminal"):
        if command.port is not None:
            yield Finding(
                "command.port", "A process for each connection binds no port.", 'Remove port, or use mode = "rebind".'
            )
        credential = access_needs_credential(profile)
        if not (credential or profile.access.anyone or isinstance(profile.listen, UnixAddress)):
            yield Finding(
                "command.mode",
                "Anybody who reaches this tunnel could run the program.",
                'Ask for a password ([access] basic = "keyring:office") or a client certificate, listen on a unix '
                "socket in a folder of your own, or write [access] anyone = true.",
                ("access",),
            )
    elif command.port is None and not (isinstance(profile.listen, TcpAddress) and profile.listen.port):
        yield Finding(
            "command.port", "The port that the program binds is not known.", "Write port = 5901, or what it binds."
        )


def access_needs_credential(profile: Profile) -> bool:
    """Whether nobody gets in without something secret: a password, a client certificate, or a token of their own."""
    if profile.access.basic is not None or profile.tls.client_authority is not None:
        return True
    return bool(profile.targets or profile.tokens.source) and not profile.tokens.by_host


def _metrics(profile: Profile) -> Iterator[Finding]:
    listen = profile.metrics.listen
    if listen is not None and listen == profile.listen:
        yield Finding(
            "metrics.listen",
            "Metrics would be served where the tunnel listens.",
            "Choose another port.",
            ("listen",),
        )
