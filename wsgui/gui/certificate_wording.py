"""What the certificate that a tunnel shows means in words: ready for https and wss, its end, who trusts it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from wsgui.display import display
from wsgui.engine.snapshot import CertificateSnapshot, TunnelSnapshot, TunnelState

translate = QCoreApplication.translate
SOON_DAYS: Final = 14
"""From so many days before a certificate's end on its tunnel says so. wsgui's own are renewed long before."""
NAMES_SHOWN: Final = 4
_DAY_SECONDS: Final = 86400.0


class Trusted(enum.Enum):
    """Whether programs on this computer trust who signed a certificate."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOBODY = "nobody"
    """It is signed by itself, so that no store can vouch for it."""


@dataclass(frozen=True, slots=True)
class TrustHere:
    """What this computer's trust stores say of a certificate: the names of those that trust it, and of the others."""

    trusted: Trusted
    by: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()


def ends_soon(tunnel: TunnelSnapshot, now: float) -> bool:
    """Whether the end of the certificate that a running tunnel shows is near, or was."""
    certificate = tunnel.certificate
    return certificate is not None and certificate.not_after - now < SOON_DAYS * _DAY_SECONDS


def end_words(tunnel: TunnelSnapshot, now: float) -> str:
    """`Certificate ends in 5 days`, when its end is near; else nothing."""
    certificate = tunnel.certificate
    if certificate is None or not ends_soon(tunnel, now):
        return ""
    left = certificate.not_after - now
    if left < 0:
        ago = int(-left // _DAY_SECONDS)
        if not ago:
            return translate("certificate", "Certificate ended today")
        return translate("certificate", "Certificate ended %n day(s) ago", None, ago)
    days = int(left // _DAY_SECONDS)
    if not days:
        return translate("certificate", "Certificate ends today")
    return translate("certificate", "Certificate ends in %n day(s)", None, days)


def end_sentence(certificate: CertificateSnapshot, now: float) -> str:
    """When a certificate ends, or ended, as a sentence that names it."""
    name, days = display(certificate.name), int(abs(certificate.not_after - now) // _DAY_SECONDS)
    if certificate.not_after < now:
        text = translate("certificate", "The certificate {0} ended %n day(s) ago.", None, days)
        return (text if days else translate("certificate", "The certificate {0} ended today.")).format(name)
    text = translate("certificate", "The certificate {0} ends in %n day(s).", None, days)
    return (text if days else translate("certificate", "The certificate {0} ends today.")).format(name)


def end_hint(certificate: CertificateSnapshot, now: float) -> str:
    """What follows from the end of a certificate, and what to do."""
    ended = certificate.not_after < now
    what = (
        translate("certificate", "Browsers refuse to connect.")
        if ended
        else translate("certificate", "Then browsers refuse to connect.")
    )
    if not certificate.managed:
        do = translate("certificate", "Put a new one into the file, or choose another certificate.")
    elif certificate.renews:
        do = translate("certificate", "It should have been renewed by now; Certificates says what stands in the way.")
    else:
        do = translate("certificate", "Import a new one, or choose another certificate.")
    return f"{what} {do}"


def is_ready(tunnel: TunnelSnapshot, now: float) -> bool:
    """Whether browsers can come by https and wss at `now` (Unix time)."""
    ended = tunnel.certificate is not None and tunnel.certificate.not_after < now
    return tunnel.state is TunnelState.RUNNING and tunnel.websocket_url.startswith("wss:") and not ended


def ready_words(trust: TrustHere | None) -> tuple[str, str]:
    """What stands beside the address of a tunnel that is ready for TLS, and its tone; `trust` is None until known."""
    ready = translate("certificate", "https/wss ready")
    if trust is None or trust.trusted is Trusted.YES:
        return ready, "ok"
    if trust.trusted is Trusted.NOBODY:
        return translate("certificate", "{0}, browsers warn").format(ready), "warn"
    if trust.trusted is Trusted.PARTLY:
        return translate("certificate", "{0}, not trusted everywhere here").format(ready), "warn"
    return translate("certificate", "{0}, not trusted here").format(ready), "warn"


def encryption_words(tunnel: TunnelSnapshot, trust: TrustHere | None) -> str:
    """All about the encryption of a tunnel, a line each: what certificate, its names, its end, who trusts it."""
    if not tunnel.secure:
        return translate("certificate", "Not encrypted")
    lines = [translate("certificate", "Encrypted (TLS)")]
    certificate = tunnel.certificate
    if certificate is None:
        return lines[0]
    lines.append(
        translate("certificate", "Certificate {0}, kept by wsgui").format(display(certificate.name))
        if certificate.managed
        else translate("certificate", "Certificate from the file {0}").format(display(certificate.name))
    )
    if certificate.names:
        lines.append(translate("certificate", "For {0}").format(_names(certificate.names)))
    ends = translate("certificate", "Ends on {0}").format(_day(certificate.not_after))
    lines.append(translate("certificate", "{0}, renews itself").format(ends) if certificate.renews else ends)
    if trust is not None:
        lines += _trust_lines(trust)
    return "\n".join(lines)


def _trust_lines(trust: TrustHere) -> list[str]:
    if trust.trusted is Trusted.NOBODY:
        return [translate("certificate", "Signed by itself: each browser warns about it")]
    lines = []
    if trust.by:
        lines.append(translate("certificate", "Trusted on this computer by {0}").format(", ".join(trust.by)))
    if trust.not_by:
        lines.append(translate("certificate", "Not trusted on this computer by {0}").format(", ".join(trust.not_by)))
    return lines


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(display(name) for name in names[:NAMES_SHOWN])
    left = len(names) - NAMES_SHOWN
    return translate("certificate", "{0} and %n other(s)", None, left).format(shown) if left > 0 else shown


def _day(unix_seconds: float) -> str:
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(unix_seconds)).date(), QLocale.FormatType.LongFormat)
