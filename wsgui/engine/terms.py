"""On which terms a tunnel runs: a profile's own, or those of websockify's command line, which asks for less."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wsgui.recording.tap import Tap


@dataclass(frozen=True, slots=True)
class Terms:
    """What a profile cannot say and websockify's command line can; the defaults are a profile's.

    Args:
        websockify: Its ways throughout: no Origin and no Host rule, heads as large as it takes, hidden files and links
            out of the web root served, 405 instead of a page where there is no web root, nobody sent on to https, the
            token looked up before the authentication, which is told where it leads, sessions that outlast what let
            them in, and its pace of starting a program again.
        log_requests: Plain requests that were answered are logged too.
        tls_minimum: Instead of the profile's, which does not go below 1.2.
        passphrase: The key's, instead of the profile's reference.
        verify_client: Require a client certificate, of the profile's authority or else of the system's.
        encrypted_target: Tokens lead to TLS targets.
        token_plugin: A class name or import path with what it is built from, instead of the profile's source.
        auth_plugin: The same for authentication.
        unix_mode: Permissions of the listening unix socket.
        once: Nobody is let in once there was a session.
        taps: Called with the number of each accepted connection that becomes a session; what sees its bytes, or None.
    """

    websockify: bool = False
    log_requests: bool = False
    tls_minimum: ssl.TLSVersion | None = None
    passphrase: str | None = field(default=None, repr=False)
    verify_client: bool = False
    encrypted_target: bool = False
    token_plugin: tuple[str, str | None] | None = field(default=None, repr=False)
    auth_plugin: tuple[str, str | None] | None = field(default=None, repr=False)
    unix_mode: int | None = None
    once: bool = False
    taps: Callable[[int], Tap | None] | None = None


OF_A_PROFILE: Final = Terms()
