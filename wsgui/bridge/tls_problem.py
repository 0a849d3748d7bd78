"""Why TLS with a client failed, in words, and what to do about it."""

from __future__ import annotations

import ssl
from typing import Final

from wsgui.display import display

_TRUST: Final = (
    'Let it trust the authority: run "wsgui certificate trust" on this computer, or choose "Another device…" under '
    "Certificates for any other."
)
_DISTRUSTED: Final = ("A client does not trust this tunnel's certificate.", _TRUST)

# What a client says by an alert (RFC 8446, 6.2), in OpenSSL's words for it.
_REFUSES_OURS: Final = {
    "alert_unknown_ca": _DISTRUSTED,  # OpenSSL, Python, Node, Firefox
    "alert_certificate_unknown": _DISTRUSTED,  # Chrome and its kin
    "alert_bad_certificate": _DISTRUSTED,  # Firefox, Go
    "alert_certificate_expired": (
        "A client refused this tunnel's certificate because it has expired.",
        'Renew it, as with "wsgui certificate renew"; if it has not expired, set the clock of the client.',
    ),
    "alert_certificate_revoked": (
        "A client refused this tunnel's certificate because it was revoked.",
        "Give the tunnel another certificate.",
    ),
    "alert_unsupported_certificate": (
        "A client cannot use this kind of certificate.",
        'Make another one, as with "wsgui certificate create", or use a newer client.',
    ),
    # RFC 6066, 3.
    "alert_unrecognized_name": (
        "A client asked for a name that this tunnel's certificate is not for.",
        'Make one for that name too, as with "wsgui certificate create".',
    ),
}
# What our side has found wrong with theirs.
_REFUSED_THEIRS: Final = {
    "peer_did_not_return_a_certificate": (
        "A client showed no certificate, which this tunnel asks for.",
        "Install one in the client that [tls] client_authority has signed.",
    ),
    "certificate_verify_failed": (
        "A client's certificate is not accepted",
        "Use one that [tls] client_authority has signed and that has not expired.",
    ),
}


def tls_problem(error: BaseException) -> tuple[str, str]:
    """Say why a TLS handshake failed, as far as the client told: what is wrong, and what to do."""
    if isinstance(error, TimeoutError):
        return "A client did not complete TLS in time.", "Check the client's network."
    if not isinstance(error, ssl.SSLError):
        return "A client broke off during TLS, perhaps as it does not trust this tunnel's certificate.", _TRUST
    reason = (getattr(error, "reason", None) or "").lower()  # aiofastnet's own have none
    for alert, told in _REFUSES_OURS.items():
        if reason.endswith(alert):
            return told
    if reason in _REFUSED_THEIRS:
        message, hint = _REFUSED_THEIRS[reason]
        return _with_cause(message, error), hint
    if "http_request" in reason:
        return "A client spoke something else than TLS.", "Use a browser or a WebSocket client."
    if "version" in reason or "protocol" in reason:
        return "A client offered no TLS version that is allowed here.", "Use a newer client."
    words = reason.replace("_", " ") or "unknown reason"
    return f"TLS with a client failed: {display(words)}.", "Check the client."


def _with_cause(message: str, error: ssl.SSLError) -> str:
    """Return a sentence with what OpenSSL found wrong with a certificate, where it said so."""
    if message.endswith("."):
        return message
    cause = display(getattr(error, "verify_message", "") or "", limit=80)
    return f"{message}: {cause}." if cause else f"{message}."
