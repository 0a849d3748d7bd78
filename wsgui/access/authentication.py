"""What every kind of authentication has in common, and which of them a tunnel asks for."""

from __future__ import annotations

from typing import Literal, Protocol

from wsgui.access.visitor import Grant, TargetAddress, Visitor
from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.access import Access, Tls


class Authenticator(Protocol):
    """Says who a client is, or that it may not come in."""

    @property
    def needs_credential(self) -> bool:
        """Whether it asks every client for something that a web page cannot know: a password, a certificate."""

    @property
    def guards_files(self) -> bool:
        """Whether plain requests are asked too."""

    @property
    def grants(self) -> Literal["user", "certificate", ""]:
        """What kind of grant it gives; empty when its sessions rest on nothing that could be taken back."""

    async def open(self) -> None:
        """Get ready before the tunnel listens; fail closed.

        Raises:
            WsguiError: What it reads is missing, empty, unreadable or malformed.
        """

    async def authenticate(self, visitor: Visitor, target: TargetAddress | None) -> Grant | None:
        """Return what the visitor's session will rest on, None when it rests on nothing that could be taken back.

        Args:
            target: Where its token leads, when that is known already; None: the tunnel's own target.

        Raises:
            Denied: It may not come in.
        """

    async def holds(self, grant: Grant) -> bool:
        """Return whether what a session rests on still holds; True for kinds of grants that are not its own."""

    async def close(self) -> None:
        """Give back what is open; nobody is authenticated any more."""


def authenticators_of(access: Access, tls: Tls, *, target: TargetAddress | None = None) -> tuple[Authenticator, ...]:
    """Return what a profile asks of clients, in the order in which it is asked.

    Args:
        target: The tunnel's own target, which plugins are told.
    """
    # Each takes a while to load, and most tunnels ask for nothing.
    asked: list[Authenticator] = []
    if tls.client_authority is not None or access.client_names is not None:
        from wsgui.access.client_certificates import ClientCertificates

        asked.append(ClientCertificates(tls.client_authority, access.client_names))
    if access.basic is not None:
        from wsgui.access.basic import BasicAuthentication

        asked.append(BasicAuthentication(access.basic))
    if access.plugin is not None:
        from wsgui.access.plugins import PluginAuthenticator

        asked.append(
            PluginAuthenticator(access.plugin, access.plugin_argument or None, working_directory=False, target=target)
        )
    return tuple(asked)


def websockify_authenticator(plugin: str, source: str | None, *, target: TargetAddress | None = None) -> Authenticator:
    """Return what `--auth-plugin` and `--auth-source` of websockify's command line ask for.

    Args:
        plugin: One of websockify's own classes by its name alone, or the import path of another.
        source: What the class is built with.
        target: The tunnel's own target, which plugins are told.

    Raises:
        UsageError: A name without a dot that is none of websockify's.
    """
    from wsgui.access.plugins import PluginAuthenticator
    from wsgui.access.websockify_authentication import BUILT_IN

    name = plugin.removeprefix("websockify.auth_plugins.")
    if name in BUILT_IN:
        built: Authenticator = BUILT_IN[name](source)
        return built
    if "." not in plugin:
        raise UsageError(
            f"There is no authentication plugin {display(plugin)}.",
            f"Write {', '.join(sorted(BUILT_IN))}, or package.module.Class.",
            field="access.plugin",
        )
    return PluginAuthenticator(plugin, source, working_directory=True, target=target)
