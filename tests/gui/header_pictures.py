"""A tunnel's head and row with certificates that end or are not trusted, for `pictures`."""

from __future__ import annotations

from collections.abc import Callable

from tests.gui import certificates, samples
from tests.gui.certificates import FakeRequests
from wsgui.certificates.trust.store import TrustState
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.gui.views.main_window import MainWindow

Prepare = Callable[[MainWindow], None]
Screen = tuple[EngineSnapshot, tuple[int, int], float, Prepare]
USUAL = (1236, 760)
DAY = 86400.0


def _trust(window: MainWindow, **states: TrustState) -> None:
    requests = window._actions.certificates
    assert isinstance(requests, FakeRequests)
    row = certificates.row(certificates.managed("lab-pc.local", "issued", certificates.NAMES))
    requests.facade.shown = certificates.listing(row, trusted=certificates.stores(**states))
    # As when somebody comes back from the Certificates page.
    window.show_certificates()
    window.select(window.selected)


def _trusted(window: MainWindow) -> None:
    _trust(window)


def _untrusted(window: MainWindow) -> None:
    _trust(window, system=TrustState.UNTRUSTED, chrome=TrustState.UNTRUSTED, firefox=TrustState.ABSENT)


def screens() -> dict[str, Screen]:
    soon = samples.busy(certificate=samples.certificate(not_after=samples.NOW + 5.5 * DAY))
    file = samples.certificate(
        name="/etc/ssl/private/office.pem", managed=False, renews=False, not_after=samples.NOW - 2.5 * DAY
    )
    ended = samples.busy(certificate=file)
    return {
        "trusted": (samples.office(), USUAL, 1, _trusted),
        "not-trusted": (samples.office(), USUAL, 1, _untrusted),
        "not-trusted-900x600": (samples.office(), (900, 600), 1, _untrusted),
        "not-trusted-text-200": (samples.office(), USUAL, 2, _untrusted),
        "certificate-ends": (samples.engine(soon, samples.stopped()), USUAL, 1, _trusted),
        "certificate-ended": (samples.engine(ended, samples.stopped()), USUAL, 1, lambda _: None),
    }
