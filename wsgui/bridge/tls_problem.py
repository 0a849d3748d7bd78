"""Why TLS with a client failed, in words."""

from __future__ import annotations

import ssl

from wsgui.display import display


def tls_problem(error: BaseException) -> tuple[str, str]:
    """Say why a TLS handshake failed, as far as the client told."""
    if isinstance(error, TimeoutError):
        return "A client did not complete TLS in time.", "Check the client's network."
    if isinstance(error, ssl.SSLError):
        reason = (getattr(error, "reason", None) or "").lower()  # aiofastnet's own have none
        if "unknown_ca" in reason or "certificate_unknown" in reason or "bad_certificate" in reason:
            return "A client does not trust the tunnel's certificate.", "Let its computer trust the authority."
        if "http_request" in reason:
            return "A client spoke something else than TLS.", "Use a browser or a WebSocket client."
        if "version" in reason or "protocol" in reason:
            return "A client offered no TLS version that is allowed here.", "Use a newer client."
        words = reason.replace("_", " ") or "unknown reason"
        return f"TLS with a client failed: {display(words)}.", "Check the client."
    return "A client broke off during TLS.", "If it is a browser, it may not trust the certificate."
