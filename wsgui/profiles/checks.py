"""What the fields of a profile must be to one another; each alone is right already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsgui.profiles.addresses import TcpAddress, UnixAddress
from wsgui.profiles.availability import not_built
from wsgui.profiles.findings import Finding

if TYPE_CHECKING:
    from wsgui.profiles.model import Profile


def problems_of(profile: Profile) -> tuple[Finding, ...]:
    """All that is wrong with `profile` as a whole, in the order in which a file names the fields."""
    return (*_target(profile), *_tls(profile), *_metrics(profile), *not_built(profile))


def _target(profile: Profile) -> Iterator[Finding]:
    elsewhere = ("targets", "tokens", "command")
    otherwise = bool(profile.targets or profile.tokens.source or profile.command.run)
    if not profile.name:
        yield Finding("name", "The profile has no name.", 'Write name = "Office desktop" or the like.')
    if profile.target is None and not otherwise:
        yield Finding(
            "target",
            "The profile has no target.",
            'Write target = "office:5901", or target = "demo:" to try it.',
            elsewhere,
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
    certificate = ("tls.certificate", "tls.certificate_file")
    if tls.certificate and tls.certificate_file:
        yield Finding(
            "tls.certificate",
            "There are a managed certificate and a certificate_file, and only one can be shown.",
            "Remove one of them.",
            certificate,
        )
    if tls.key_file and not tls.certificate_file:
        yield Finding(
            "tls.key_file", "There is a key without its certificate.", f"{add}, or remove key_file.", certificate
        )
    if tls.key_password and not tls.certificate_file:
        remove = f"{add}, or remove key_password."
        yield Finding("tls.key_password", "There is a key's password without a certificate.", remove, certificate)
    if tls.only and not tls.enabled:
        remove = f"{add}, or remove only."
        yield Finding("tls.only", "Plain connections are refused, but there is no certificate.", remove, certificate)
    if tls.client_authority and not tls.enabled:
        remove = f"{add}, or remove client_authority."
        yield Finding("tls.client_authority", "Clients can show a certificate over TLS only.", remove, certificate)


def _metrics(profile: Profile) -> Iterator[Finding]:
    listen = profile.metrics.listen
    if listen is not None and listen == profile.listen:
        yield Finding(
            "metrics.listen",
            "Metrics would be served where the tunnel listens.",
            "Choose another port.",
            ("listen",),
        )
