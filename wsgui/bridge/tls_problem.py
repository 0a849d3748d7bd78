"""Why TLS with a client failed, in words, and what to do about it."""

from __future__ import annotations

import ssl
from typing import Final

from wsgui.display import display

_TRUST: Final = (
    'Let it trust the authority: run "wsgui certificate trust" on this computer, or choose "Another device…" under '
    "Certificates for any other."
)
_OWN_CERTIFICATE: Final = "Let the client show one that [tls] client_authority has signed and that has not expired."
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
    if reason == "peer_did_not_return_a_certificate":
        return "A client showed no certificate, which this tunnel asks for.", _OWN_CERTIFICATE
    if reason == "certificate_verify_failed":
        cause = display(getattr(error, "verify_message", "") or "the reason is not known", limit=80)
        return f"A client's certificate is not accepted: {cause}.", _OWN_CERTIFICATE
    if "http_request" in reason:
        return "A client spoke something else than TLS.", "Use a browser or a WebSocket client."
    if "version" in reason or "protocol" in reason:
        return "A client offered no TLS version that is allowed here.", "Use a newer client."
    words = reason.replace("_", " ") or "unknown reason"
    return f"TLS with a client failed: {display(words)}.", "Check the client."
