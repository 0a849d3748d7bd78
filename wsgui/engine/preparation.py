"""From a profile to what its bridge goes by: certificates, pages, rules, who may come in, and the way to the target."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import stat
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from wsgui.access.admission import Admission
from wsgui.access.authentication import Authenticator, authenticators_of, websockify_authenticator
from wsgui.access.destinations import Destinations
from wsgui.access.machine_names import own_names
from wsgui.access.origins import OriginRules
from wsgui.access.tokens.factory import source_of, websockify_source
from wsgui.access.visitor import TargetAddress
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.guard import Guard
from wsgui.bridge.request import MAX_HEAD_BYTES, WEBSOCKIFY_HEAD_BYTES
from wsgui.bridge.settings import Settings, TargetConnector
from wsgui.bridge.targets import Connector
from wsgui.certificates.contexts import server_contexts
from wsgui.certificates.port import PortContexts
from wsgui.engine.terms import Terms
from wsgui.errors import TunnelError
from wsgui.profiles.addresses import DialAddress, ReverseAddress, TcpAddress, TlsAddress, UnixAddress
from wsgui.profiles.checks import access_needs_credential
from wsgui.profiles.fields import WEB_KEYWORDS
from wsgui.profiles.model import Profile
from wsgui.web.files import FileServer

if TYPE_CHECKING:
    from wsgui.certificates.chains import Keeper

Listening = Callable[[], Collection[tuple[str, int]]]
"""Host and port of every listener of this process."""


async def prepare(
    profile: Profile,
    terms: Terms,
    *,
    loop: asyncio.AbstractEventLoop,
    buffer: ReadBuffer,
    listening: Listening,
    connector: TargetConnector | None,
    vault: Keeper | None = None,
    say: Callable[[int, str], None],
) -> Settings:
    """Return what a bridge goes by; whatever is missing for that keeps the tunnel from starting.

    Its admission is open: whoever does not give the settings to a bridge closes it.

    Args:
        connector: To the tunnel's program; None when it has none.
        vault: Has the certificates that the profile names.
        say: Takes a level as in the logging module and a line for the tunnel's log.

    Raises:
        WsguiError: A file, secret or authority is missing, empty, unreadable, or the program may not run so.
    """
    target = profile.target
    if isinstance(target, DialAddress | ReverseAddress):
        raise TunnelError("This target is not built yet.", "Write target = host:port.", field="target")
    await loop.run_in_executor(None, functools.partial(_check_exposure, profile))
    tls, files, names = await loop.run_in_executor(None, functools.partial(_read, profile, terms, vault))
    seconds = profile.limits.connect_seconds
    if connector is None and target is not None:
        connector = Connector(loop, target, buffer, seconds)
    admission = _admission(profile, terms, target, say)
    guard = None
    if terms.token_plugin is None:
        guard = Guard(Destinations(profile.tokens.allow), listening)

    authorities = functools.cache(ssl.create_default_context)  # once for all clients, and for none that need it not

    def connector_to(address: TargetAddress, from_outside: bool) -> Connector:
        if terms.encrypted_target and isinstance(address, TcpAddress):
            address = TlsAddress(address.host, address.port)
        context = authorities() if isinstance(address, TlsAddress) else None
        return Connector(loop, address, buffer, seconds, guard if from_outside else None, context)

    # By host, a name that no token has leads nowhere: the list of tokens is the list of names.
    any_host = profile.tokens.by_host or (admission is not None and admission.needs_credential)
    # A credential that only upgrades ask for keeps no page that was steered here from reading a folder.
    any_page_host = profile.tokens.by_host or (
        any_host and (profile.web.root in WEB_KEYWORDS or (admission is not None and admission.guards_files))
    )

    def rules(*, anywhere: bool) -> OriginRules | None:
        if terms.websockify:
            return None
        return OriginRules(profile.access.origins, ("*",) if anywhere else profile.access.hosts, names)

    settings = Settings(
        connector=connector,
        rules=rules(anywhere=any_host),
        page_rules=rules(anywhere=any_page_host),
        limits=profile.limits,
        files=files,
        tls=tls,
        tls_only=profile.tls_only,
        has_page=not terms.websockify,
        sends_to_tls=not terms.websockify,
        admission=admission,
        connector_to=connector_to,
        taps=terms.taps,
        log_requests=terms.log_requests,
        withdraws=not terms.websockify,
        head_bytes=WEBSOCKIFY_HEAD_BYTES if terms.websockify else MAX_HEAD_BYTES,
        once=terms.once,
    )
    if admission is not None:
        await admission.open()  # last, as nobody would close it if anything else failed
    return settings


def _admission(
    profile: Profile, terms: Terms, target: TargetAddress | None, say: Callable[[int, str], None]
) -> Admission | None:
    """Return who may come in and where to, not open yet; None when everybody may and nobody says where."""
    tokens = (
        websockify_source(*terms.token_plugin) if terms.token_plugin else source_of(profile.tokens, profile.targets)
    )
    authenticators: tuple[Authenticator, ...] = ()
    if terms.auth_plugin is not None:
        authenticators = (websockify_authenticator(*terms.auth_plugin, target=target),)
    elif not terms.websockify:  # on its line it is TLS that asks for a certificate, and of its own clients only
        authenticators = authenticators_of(profile.access, profile.tls, target=target)
    if tokens is None and not authenticators:
        return None
    return Admission(
        authenticators,
        tokens,
        deadline_seconds=profile.tokens.deadline_seconds,
        by_host=profile.tokens.by_host,
        token_first=terms.websockify,
        files_need_access=profile.web.require_access,
        say=say,
    )


def contexts_of(profile: Profile, terms: Terms, vault: Keeper | None) -> PortContexts | None:
    """Return what a tunnel's port speaks TLS with; blocking, and raises as `server_contexts` does."""
    return server_contexts(
        profile.tls,
        vault=vault,
        minimum=terms.tls_minimum,
        passphrase=terms.passphrase,
        verify_client=terms.verify_client,
    )


def _read(
    profile: Profile, terms: Terms, vault: Keeper | None
) -> tuple[PortContexts | None, FileServer | None, frozenset[str]]:
    """Return what takes files or look-ups to make; blocking."""
    tls = contexts_of(profile, terms, vault)
    web = profile.web
    files = FileServer.of(web.root, web.frames, listing=web.listing, lenient=terms.websockify)
    names = own_names(tls.names if tls is not None else ())
    return tls, files, names


def _check_exposure(profile: Profile) -> None:
    """See to it that a program for each connection cannot be started by anybody who happens to reach the tunnel."""
    command, access = profile.command, profile.access
    if not command.run or command.mode not in ("stdio", "terminal") or access.anyone:
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        raise TunnelError(
            "Whoever connects would run the program as root.",
            "Run wsgui as another user, or write [access] anyone = true if you mean it.",
            field="access.anyone",
        )
    if access_needs_credential(profile) or not isinstance(profile.listen, UnixAddress):
        return
    folder = os.path.dirname(profile.listen.path)
    try:
        status = os.stat(folder)
    except OSError as error:
        raise TunnelError(
            f"The folder of the socket {profile.listen.path} cannot be looked at.", "Create it.", field="listen"
        ) from error
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise TunnelError(
            f"Other users can reach the socket {profile.listen.path}, and so run the program.",
            f"Run: chmod 700 {folder} — or ask for a password with [access] basic.",
            field="listen",
        )
