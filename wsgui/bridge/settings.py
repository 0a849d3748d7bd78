"""What a bridge goes by, and who is told what happens on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from wsgui.access.admission import Admission
from wsgui.access.origins import OriginRules
from wsgui.access.visitor import AccessRule, TargetAddress
from wsgui.bridge.request import MAX_HEAD_BYTES
from wsgui.bridge.targets import Connected, Failed
from wsgui.certificates.port import PortContexts
from wsgui.errors import TargetError
from wsgui.profiles.model import Limits
from wsgui.recording.tap import Tap
from wsgui.web.files import FileServer

if TYPE_CHECKING:
    from wsgui.bridge.relay import Relay

Rule = Literal["origin", "host", "limit", "request", "tls", "path"] | AccessRule


class TargetConnector(Protocol):
    """Opens connections to one target: `targets.Connector`, or `programs.ProgramConnector`."""

    @property
    def address(self) -> object:
        """What `str` makes a person know it by."""
        ...

    def connect(self, connected: Connected, failed: Failed) -> asyncio.Task[None] | None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What a bridge goes by; replaced as a whole on reload, for the clients that come after.

    Args:
        connector: To the tunnel's own target; None when each client's token leads to one.
        rules: Which pages and names are let in; None = any, also requests without a Host field.
        page_rules: The same for plain requests, which come without an Origin.
        connector_to: Makes one to where a token leads; the flag says that a source outside the profile named it.
        tls: None without a certificate.
        files: None without a web root.
        has_page: Whether a plain GET without a web root gets the page that says what this is.
        admission: Who may come in and where they may go; None when everybody may, to `connector`.
        taps: Called with the number of the accepted connection, from 1; what sees its bytes, or None.
        log_requests: Whether the observer is told of plain requests too.
        sends_to_tls: Whether a plain GET of a tunnel that is encrypted only is sent on to https.
        withdraws: Whether sessions end when what let them in is taken back.
        head_bytes: The most that a request's head may have.
        once: Whether nobody is let in once there was a session.
    """

    connector: TargetConnector | None
    rules: OriginRules | None
    page_rules: OriginRules | None
    limits: Limits
    files: FileServer | None
    tls: PortContexts | None
    tls_only: bool
    has_page: bool = True
    admission: Admission | None = None
    connector_to: Callable[[TargetAddress, bool], TargetConnector] | None = None
    taps: Callable[[int], Tap | None] | None = None
    log_requests: bool = False
    sends_to_tls: bool = True
    withdraws: bool = True
    head_bytes: int = MAX_HEAD_BYTES
    once: bool = False


class Observer(Protocol):
    """Who is told what happens on a bridge, on the engine's loop; the engine's tunnel."""

    def opened(self, relay: Relay) -> None: ...
    def closed(self, relay: Relay) -> None: ...
    def refused(self, client: str, origin: str, status: int, message: str, hint: str, rule: Rule) -> None: ...
    def answered(self, client: str, method: str, path: str, status: int) -> None: ...
    def target_problem(self, problem: TargetError | None) -> None: ...
    def starved(self) -> None: ...
