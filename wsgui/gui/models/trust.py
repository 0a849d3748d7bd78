"""Whether this computer trusts the certificates that tunnels show: asked seldom, as the stores take a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Signal

from wsgui.app.certificate_listing import Listing
from wsgui.certificates.trust.store import TrustState
from wsgui.display import display
from wsgui.engine.snapshot import CertificateSnapshot
from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.certificate_wording import Trusted, TrustHere

LOOK_AGAIN_SECONDS: Final = 60.0


class TrustKnowledge(QObject):
    """What is known of trust; `of` asks when that is old, and `changed` says that the answer has come."""

    changed = Signal()

    def __init__(self, requests: CertificateRequests, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._requests = requests
        self._clock = clock
        self._known: dict[str, TrustHere] = {}
        self._asked_at: float | None = None
        self._asking = False

    def of(self, certificate: CertificateSnapshot | None) -> TrustHere | None:
        """Whether `certificate` is trusted here; None while that is not known, or cannot be, as of files."""
        if certificate is None or not certificate.managed:
            return None
        if not self._asking and (self._asked_at is None or self._clock() - self._asked_at >= LOOK_AGAIN_SECONDS):
            self._ask()
        return self._known.get(certificate.name)

    def forget(self) -> None:
        """Ask anew at the next `of`: a person may just have changed it. What was known stands until then."""
        self._asked_at = None

    def _ask(self) -> None:
        self._asking, self._asked_at = True, self._clock()
        what = QCoreApplication.translate("certificate", "Looking who trusts this computer's certificates")
        self._requests.ask(what, lambda certificates: certificates.listing(), self._answered, self._failed)

    def _answered(self, listing: Listing) -> None:
        self._asking = False
        known = trust_here(listing)
        if known != self._known:
            self._known = known
            self.changed.emit()

    def _failed(self, _: WsguiError) -> None:
        # The Certificates page says why; here it is just not known.
        self._asking = False


def trust_here(listing: Listing) -> dict[str, TrustHere]:
    """What is known of each certificate in `listing`, by its name."""
    authorities = {row.authority.id: row.stores for row in listing.authorities}
    found: dict[str, TrustHere] = {}
    for row in listing.rows:
        managed = row.managed
        if managed.kind == "self-signed":
            found[managed.name] = TrustHere(Trusted.NOBODY)
            continue
        stores = authorities.get(managed.authority, ())
        by = tuple(_short(store.store) for store in stores if store.trust.state is TrustState.TRUSTED)
        not_by = tuple(_short(store.store) for store in stores if store.trust.state is TrustState.UNTRUSTED)
        if by or not_by:
            trusted = Trusted.YES if not not_by else Trusted.PARTLY if by else Trusted.NO
            found[managed.name] = TrustHere(trusted, by, not_by)
    return found


def _short(store: str) -> str:
    return display(store).partition(" and ")[0]
