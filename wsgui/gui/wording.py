"""What a tunnel's state means in words, and which buttons help: the same in the row, the page and the tray."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, Reach, ReasonKind, TunnelSnapshot, TunnelState
from wsgui.gui.formatting import safe_origin

translate = QCoreApplication.translate
SERVING: Final = (TunnelState.RUNNING, TunnelState.FINISHING)
"""The states in which there are clients and figures."""


_FOR_THE_USER: Final = ("origin", "host", "lookup")


class Deed(enum.Enum):
    """What a remedy's button does."""

    USE_PORT = "use-port"
    RETRY = "retry"
    EDIT = "edit"
    ALLOW_ORIGIN = "allow-origin"
    REVIEW = "review"
    DISMISS = "dismiss"
    OPEN_SOURCE = "open-source"
    UNLOCK = "unlock"
    USE_PASSPHRASE = "use-passphrase"  # noqa: S105  # a deed
    CERTIFICATES = "certificates"
    OTHER_DEVICE = "other-device"
    REPLACE = "replace"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button beside a reason. `value` is the port or the origin that it is about."""

    deed: Deed
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say about a tunnel: one sentence what is, one what to do, and the buttons that do it."""

    tone: str
    message: str
    hint: str
    remedies: tuple[Remedy, ...] = ()


def state_word(state: TunnelState, connections: int = 0) -> str:
    """The state in one word, as the row, the header and a screen reader have it."""
    match state:
        case TunnelState.STOPPED:
            return translate("state", "Stopped")
        case TunnelState.STARTING:
            return translate("state", "Starting")
        case TunnelState.RUNNING:
            return translate("state", "Running")
        case TunnelState.WAITING:
            return translate("state", "Waiting")
        case TunnelState.FAILED:
            return translate("state", "Failed")
        case TunnelState.FINISHING:
            return translate("state", "Finishing (%n left)", None, connections)


def needs_attention(tunnel: TunnelSnapshot) -> bool:
    """Whether the user should look: it is wanted but not (wholly) there."""
    stuck = tunnel.state in (TunnelState.WAITING, TunnelState.FAILED)
    return stuck or _is_impaired(tunnel) or target_refuses(tunnel)


def _is_impaired(tunnel: TunnelSnapshot) -> bool:
    """Whether it runs while its program does not, or without a change that could not be made."""
    return tunnel.state is TunnelState.RUNNING and tunnel.reason is not None


def target_refuses(tunnel: TunnelSnapshot) -> bool:
    """Whether it runs while its target could not be reached at the last real attempt."""
    return tunnel.target_problem is not None and tunnel.state in SERVING


def shape_and_tone(tunnel: TunnelSnapshot) -> tuple[str, str]:
    """The icon's name and its colour's name in the theme."""
    if target_refuses(tunnel) or _is_impaired(tunnel):
        return "warning", "warn"
    match tunnel.state:
        case TunnelState.STOPPED:
            return "state-stopped", "off"
        case TunnelState.STARTING:
            return "state-starting", "dim"
        case TunnelState.RUNNING:
            return "state-running", "ok"
        case TunnelState.WAITING:
            return "state-waiting", "warn"
        case TunnelState.FINISHING:
            return "state-finishing", "ok"
        case TunnelState.FAILED:
            return "state-failed", "err"


def address_of(tunnel: TunnelSnapshot) -> str:
    """What a client needs: the WebSocket's address, or what the profile listens on while there is none."""
    return display(tunnel.websocket_url or tunnel.listen)


def short_address(tunnel: TunnelSnapshot) -> str:
    """The address for a row, without a lone trailing slash."""
    return address_of(tunnel).removesuffix("/")


def reach_words(reach: Reach) -> str:
    """Who can reach the address."""
    match reach:
        case Reach.THIS_COMPUTER:
            return translate("reach", "This computer only")
        case Reach.NETWORK:
            return translate("reach", "Network")
        case Reach.SOCKET_FILE:
            return translate("reach", "Socket file")


def state_notice(tunnel: TunnelSnapshot) -> Notice | None:
    """Why the tunnel is not wholly running, with what helps; None when all is well."""
    edit = Remedy(Deed.EDIT, translate("remedy", "Edit profile"))
    retry = Remedy(Deed.RETRY, translate("remedy", "Retry"))
    if tunnel.state in (TunnelState.WAITING, TunnelState.FAILED):
        reason = tunnel.reason
        tone = "warn" if tunnel.state is TunnelState.WAITING else "err"
        if reason is None:
            return Notice(tone, state_word(tunnel.state), "", (retry, edit))
        remedies = [retry, edit]
        if reason.kind is ReasonKind.PORT_IN_USE and reason.suggested_port:
            remedies.insert(0, use_port(reason.suggested_port))
        elif reason.field == "tls.certificate" and reason.kind is ReasonKind.SECRET:
            remedies.insert(0, Remedy(Deed.UNLOCK, translate("remedy", "Unlock")))
        elif reason.field == "tls.certificate":
            remedies.insert(0, Remedy(Deed.CERTIFICATES, translate("remedy", "Certificates")))
        return Notice(tone, display(reason.message), display(reason.hint), tuple(remedies))
    if _is_impaired(tunnel) and (reason := tunnel.reason) is not None:
        return Notice("warn", display(reason.message), display(reason.hint), (edit,))
    if target_refuses(tunnel) and (problem := tunnel.target_problem) is not None:
        target = Remedy(Deed.EDIT, translate("remedy", "Edit target"))
        return Notice("warn", display(problem.message), display(problem.hint), (target,))
    return None


def use_port(port: int) -> Remedy:
    return Remedy(Deed.USE_PORT, translate("remedy", "Use {0}").format(port), str(port))


def refusal_notice(tunnel: TunnelSnapshot) -> Notice | None:
    """The latest client that was turned away by a rule that the user may loosen, or by what the user should mend.

    Not the others: each browser is asked for its password by a refusal.
    """
    refusal = tunnel.refusal
    if refusal is None or refusal.rule not in _FOR_THE_USER or tunnel.state is not TunnelState.RUNNING:
        return None
    dismiss = Remedy(Deed.DISMISS, translate("remedy", "Dismiss"))
    remedies: tuple[Remedy, ...] = (dismiss,)
    hint = display(refusal.hint)
    if refusal.rule == "origin" and refusal.origin.startswith(("http://", "https://")):
        origin = safe_origin(refusal.origin)
        remedies = (Remedy(Deed.ALLOW_ORIGIN, translate("remedy", "Allow {0}").format(origin), origin), dismiss)
        # The refusal's own hint says what to write into the file; here a button does that.
        hint = translate("refusal", "Allow it only if you know that page.")
    return Notice("warn", display(refusal.message), hint, remedies)


def row_line(tunnel: TunnelSnapshot, refusal: Notice | None) -> tuple[str, str, Remedy | None]:
    """A row's second line: the text, its tone, and at most one button."""
    if (notice := state_notice(tunnel)) is not None:
        first = notice.remedies[0]
        if first.deed is Deed.USE_PORT:
            port = tunnel.listen.rpartition(":")[2]
            return translate("row", "Waiting for port {0}").format(display(port)), notice.tone, first
        return notice.message, notice.tone, None
    if refusal is not None:
        return refusal.message, "warn", Remedy(Deed.REVIEW, translate("remedy", "Review"))
    arrow = (
        translate("row", "{0}  →  {1}").format(short_address(tunnel), display(tunnel.target)) if tunnel.target else ""
    )
    return arrow or short_address(tunnel), "dim", None


def foot_counts(snapshot: EngineSnapshot) -> tuple[str, str, str]:
    """The foot of the list: how many run, need attention, are connected. The middle one is "" for none."""
    running = sum(t.state is TunnelState.RUNNING and not needs_attention(t) for t in snapshot.tunnels)
    attention = sum(map(needs_attention, snapshot.tunnels))
    connections = sum(len(t.connections) for t in snapshot.tunnels)
    return (
        translate("foot", "%n running", None, running),
        translate("foot", "%n need(s) attention", None, attention) if attention else "",
        translate("foot", "%n connection(s)", None, connections),
    )
