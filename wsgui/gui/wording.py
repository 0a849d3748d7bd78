"""What a tunnel's state means in words, and which buttons help: the same in the row, the page and the tray."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, Reach, Reason, ReasonKind, TunnelSnapshot, TunnelState
from wsgui.gui.certificate_wording import end_hint, end_sentence, end_words, ends_soon
from wsgui.gui.formatting import safe_origin

translate = QCoreApplication.translate
SERVING: Final = (TunnelState.RUNNING, TunnelState.FINISHING)
"""The states in which there are clients and figures."""


_FOR_THE_USER: Final = ("origin", "host", "lookup")
_HINT: Final = 600
"""Characters of a hint that may name files."""


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
    SETTINGS = "settings"
    REPLACE = "replace"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button beside a reason. `value` is the port, the origin or the profile's field that it is about."""

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


def needs_attention(tunnel: TunnelSnapshot, now: float) -> bool:
    """Whether the user should look at `now` (Unix time): it is wanted but not (wholly) there, or not for long."""
    stuck = tunnel.state in (TunnelState.WAITING, TunnelState.FAILED)
    return stuck or _is_impaired(tunnel) or target_refuses(tunnel) or ends_soon(tunnel, now)


def _is_impaired(tunnel: TunnelSnapshot) -> bool:
    """Whether it runs while its program does not, or without a change that could not be made."""
    return tunnel.state is TunnelState.RUNNING and tunnel.reason is not None


def target_refuses(tunnel: TunnelSnapshot) -> bool:
    """Whether it runs while its target could not be reached at the last real attempt."""
    return tunnel.target_problem is not None and tunnel.state in SERVING


def shape_and_tone(tunnel: TunnelSnapshot, now: float) -> tuple[str, str]:
    """The icon's name and its colour's name in the theme, at `now` (Unix time)."""
    if target_refuses(tunnel) or _is_impaired(tunnel) or ends_soon(tunnel, now):
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


def overlay_words(tunnel: TunnelSnapshot, now: float) -> str:
    """What is to be said of a tunnel that runs, beside its state; nothing when all is well."""
    refuses = translate("state", "Target refuses") if target_refuses(tunnel) else ""
    return " · ".join(words for words in (refuses, end_words(tunnel, now)) if words)


def state_notice(tunnel: TunnelSnapshot, now: float) -> Notice | None:
    """Why the tunnel is not wholly running at `now` (Unix time), with what helps; None when all is well."""
    edit = Remedy(Deed.EDIT, translate("remedy", "Edit profile"))
    retry = Remedy(Deed.RETRY, translate("remedy", "Retry"))
    if tunnel.state in (TunnelState.WAITING, TunnelState.FAILED):
        reason = tunnel.reason
        tone = "warn" if tunnel.state is TunnelState.WAITING else "err"
        if reason is None:
            return Notice(tone, state_word(tunnel.state), "", (retry, edit))
        mending = _mending(reason)
        again = () if any(remedy.deed is Deed.RETRY for remedy in mending) else (retry,)
        return Notice(tone, *_said(reason), (*mending, *again, edit))
    if _is_impaired(tunnel) and (reason := tunnel.reason) is not None:
        return Notice("warn", *_said(reason), (*_mending(reason), edit))
    if target_refuses(tunnel) and (problem := tunnel.target_problem) is not None:
        target = Remedy(Deed.EDIT, translate("remedy", "Edit target"))
        return Notice("warn", display(problem.message), display(problem.hint), (target,))
    return _end_notice(tunnel, now)


def _end_notice(tunnel: TunnelSnapshot, now: float) -> Notice | None:
    certificate = tunnel.certificate
    if certificate is None or not ends_soon(tunnel, now):
        return None
    remedy = Remedy(Deed.CERTIFICATES, translate("remedy", "Certificates"))
    if not certificate.managed:
        remedy = _choose_certificate()
    return Notice("warn", end_sentence(certificate, now), end_hint(certificate, now), (remedy,))


def _said(reason: Reason) -> tuple[str, str]:
    """What is, and what to do; of a secret also what it is needed for: its reason tells only what became of it."""
    message, hint = display(reason.message), display(reason.hint, limit=_HINT)
    if reason.kind not in (ReasonKind.SECRET, ReasonKind.KEYRING_LOCKED):
        return message, hint
    match reason.field.partition(".")[0]:
        case "tls":
            lacking = translate("reason", "the certificate's key cannot be opened")
        case "access":
            lacking = translate("reason", "nobody's password can be checked")
        case "tokens":
            lacking = translate("reason", "no token can be looked up")
        case _:
            return message, hint
    if reason.kind is ReasonKind.KEYRING_LOCKED:
        # Here buttons do what its hint has people write into a file.
        message = translate("reason", "The keyring is locked, so {0}.").format(lacking)
        return message, translate("reason", "Unlock it and try again.")
    return message, translate("reason", "Without it {0}. {1}").format(lacking, hint).rstrip()


def _mending(reason: Reason) -> tuple[Remedy, ...]:
    """The buttons that help against this reason, the likeliest first; besides trying again."""
    choose = _choose_certificate()
    match reason.kind:
        case ReasonKind.PORT_IN_USE if reason.suggested_port:
            return (use_port(reason.suggested_port),)
        case ReasonKind.SECRET | ReasonKind.KEYRING_LOCKED if reason.field == "tls.certificate":
            unlock = Remedy(Deed.UNLOCK, translate("remedy", "Unlock"))
            own = Remedy(Deed.USE_PASSPHRASE, translate("remedy", "Use a passphrase"))
            return (unlock, own, choose)
        case ReasonKind.KEYRING_LOCKED:
            return (Remedy(Deed.RETRY, translate("remedy", "Unlock")),)  # trying again has the keyring ask
        case ReasonKind.SECRET if reason.field:
            return (Remedy(Deed.SETTINGS, translate("remedy", "Store the secret"), reason.field),)
        case ReasonKind.CERTIFICATE if reason.field == "tls.certificate":
            return (Remedy(Deed.CERTIFICATES, translate("remedy", "Certificates")), choose)
        case ReasonKind.CERTIFICATE if reason.field in ("tls.certificate_file", "tls.key_file"):
            return (choose,)
        case ReasonKind.CERTIFICATE if reason.field == "tls.key_password":
            return (Remedy(Deed.SETTINGS, translate("remedy", "Store the passphrase"), reason.field), choose)
        case ReasonKind.CERTIFICATE if reason.field:
            return (Remedy(Deed.SETTINGS, translate("remedy", "Edit security"), reason.field),)
        case _:
            return ()


def _choose_certificate() -> Remedy:
    return Remedy(Deed.SETTINGS, translate("remedy", "Choose certificate"), "tls.certificate")


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


def row_line(tunnel: TunnelSnapshot, refusal: Notice | None, now: float) -> tuple[str, str, Remedy | None]:
    """A row's second line at `now` (Unix time): the text, its tone, and at most one button."""
    if (notice := state_notice(tunnel, now)) is not None:
        first = notice.remedies[0]
        if first.deed is Deed.USE_PORT:
            port = tunnel.listen.rpartition(":")[2]
            return translate("row", "Waiting for port {0}").format(display(port)), notice.tone, first
        if first.deed is Deed.UNLOCK and tunnel.reason is not None:
            return display(tunnel.reason.message), notice.tone, first
        if notice == _end_notice(tunnel, now):
            return end_words(tunnel, now), notice.tone, None
        return notice.message, notice.tone, None
    if refusal is not None:
        return refusal.message, "warn", Remedy(Deed.REVIEW, translate("remedy", "Review"))
    arrow = (
        translate("row", "{0}  →  {1}").format(short_address(tunnel), display(tunnel.target)) if tunnel.target else ""
    )
    return arrow or short_address(tunnel), "dim", None


def foot_counts(snapshot: EngineSnapshot) -> tuple[str, str, str]:
    """The foot of the list: how many run, need attention, are connected. The middle one is "" for none."""
    now = snapshot.time
    running = sum(t.state is TunnelState.RUNNING and not needs_attention(t, now) for t in snapshot.tunnels)
    attention = sum(needs_attention(tunnel, now) for tunnel in snapshot.tunnels)
    connections = sum(len(t.connections) for t in snapshot.tunnels)
    return (
        translate("foot", "%n running", None, running),
        translate("foot", "%n need(s) attention", None, attention) if attention else "",
        translate("foot", "%n connection(s)", None, connections),
    )
