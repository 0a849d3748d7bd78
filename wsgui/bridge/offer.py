"""A certificate that one other device may fetch, within minutes, at an address that nobody can guess."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from wsgui.access.names import MAX_HOST_CHARACTERS, parse_authority
from wsgui.access.origins import OriginRules
from wsgui.access.private_networks import is_private
from wsgui.bridge.request import Request
from wsgui.web.authority_page import Certificate, authority_page, certificate_file, nothing_here
from wsgui.web.response import Response

OFFER_PATH: Final = "/.wsgui/authority/"
SECRET_BYTES: Final = 16
FETCH_AGAIN_SECONDS: Final = 60.0
"""How long the device that has fetched the certificate may fetch it again."""

_PREFIX: Final = OFFER_PATH.encode()
_BY_A_PROXY: Final = frozenset(
    (
        *(b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip"),
        *(b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-forwarded-server"),
        *(b"cf-connecting-ip", b"cf-ray", b"fastly-client-ip", b"x-amzn-trace-id", b"x-original-forwarded-for"),
    )
)
"""RFC 7239, RFC 9110 (7.6.3), and what is usual: any of them says that the visitor is somebody else than the peer."""


class Offer:
    """The one-time download of an authority's certificate.

    "Once" is: the first address that fetches the certificate has it for itself, and may fetch it again for a minute,
    as phones do (the browser first, then what downloads or installs); to everybody else, and afterwards to all, there
    is nothing there. The page before it may be looked at as often as anybody likes, and HEAD never counts.

    Whatever is wrong, a path, a visitor from elsewhere, a name, the time, gets the same answer, and does so after the
    offer's end: a phone that comes late is not sent on to an encrypted page, which it could not trust yet.

    Args:
        certificate: What is offered; public.
        seconds: For how long.
        downloaded: Called with the visitor's address when the certificate is fetched for the first time.
    """

    __slots__ = ("_again_until", "_certificate", "_downloaded", "_ends", "_secret", "_taken_by", "until")

    def __init__(self, certificate: Certificate, seconds: float, downloaded: Callable[[str], None]) -> None:
        self._certificate: Certificate | None = certificate
        self._downloaded = downloaded
        self._secret = secrets.token_hex(SECRET_BYTES).encode()
        self._ends = time.monotonic() + seconds
        self._taken_by = ""
        self._again_until = 0.0
        self.until = time.time() + seconds
        """Unix time."""

    @property
    def path(self) -> str:
        """Where the page is. It is a secret: for the one who asked for the offer, and in no log."""
        return OFFER_PATH + self._secret.decode()

    @staticmethod
    def concerns(request: Request) -> bool:
        """Return whether a plain request is for what only offers have."""
        return request.target.startswith(_PREFIX)

    def answer(self, request: Request, visitor: str, rules: OriginRules | None) -> Response:
        """Return the answer to a request that this `concerns`.

        Args:
            visitor: The client's numeric address; empty for a unix peer.
            rules: Which names the tunnel has.
        """
        given, _, file = request.target.partition(b"?")[0][len(_PREFIX) :].partition(b"/")
        known = hmac.compare_digest(given, self._secret)
        certificate = self._certificate if self._is_open() else None
        if not known or certificate is None or not self._may(request, visitor, rules):
            return nothing_here()
        if not file:
            return authority_page(certificate, self.path, request.text(b"user-agent") or "")
        if file != certificate.file_name.encode():
            return nothing_here()
        if request.method == "GET":
            self._take(visitor)
        return certificate_file(certificate)

    def _is_open(self) -> bool:
        # Two clocks: one stands still while the computer sleeps, the other can be set back.
        now = time.monotonic()
        if now >= self._ends or time.time() >= self.until or (self._taken_by and now >= self._again_until):
            self._certificate = None
        return self._certificate is not None

    def _may(self, request: Request, visitor: str, rules: OriginRules | None) -> bool:
        return (
            request.method in ("GET", "HEAD")
            and is_private(visitor)
            and self._taken_by in ("", visitor)
            and _BY_A_PROXY.isdisjoint(request.fields)  # whose address is not the visitor's
            and _is_own_name(request.text(b"host") or "", rules)
        )

    def _take(self, visitor: str) -> None:
        if not self._taken_by:
            self._taken_by = visitor
            self._again_until = time.monotonic() + FETCH_AGAIN_SECONDS
            self._downloaded(visitor)


def _is_own_name(host: str, rules: OriginRules | None) -> bool:
    """Return whether a Host field names a private address, or the tunnel by a name that no public one can be."""
    name = parse_authority(host) if len(host) <= MAX_HOST_CHARACTERS else None
    if name is None:
        return False
    literal = name.host.strip("[]")
    if ":" in literal or literal.replace(".", "").isdigit():
        return is_private(literal)
    return name.local or (rules is not None and rules.names(name.host))
