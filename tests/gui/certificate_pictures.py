"""The Certificates page and its sheets in their states, for `pictures`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from tests.gui import certificates, samples
from tests.gui.certificates import FakeRequests
from wsgui.certificates.trust.store import Outcome, TrustState
from wsgui.engine.snapshot import EngineSnapshot, OfferSnapshot
from wsgui.errors import CertificateError
from wsgui.gui.models.certificates import undone
from wsgui.gui.views.certificates.passphrase_sheet import PassphraseSheet
from wsgui.gui.views.main_window import MainWindow
from wsgui.profiles.keyring_access import KeyringError, KeyringState

Prepare = Callable[[MainWindow], None]
Screen = tuple[EngineSnapshot, tuple[int, int], float, Prepare]
USUAL = (1236, 760)
LOCKED = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")


def _requests(window: MainWindow) -> FakeRequests:
    requests = window._actions.certificates
    assert isinstance(requests, FakeRequests)
    return requests


def _page(window: MainWindow) -> None:
    _requests(window).facade.shown = certificates.usual()
    window.show_certificates()


def _empty(window: MainWindow) -> None:
    window.show_certificates()


def _making(window: MainWindow) -> None:
    window.show_certificates()
    _requests(window).held = True
    window.certificates.create_and_trust()


def _locked(window: MainWindow) -> None:
    _requests(window).facade.failing["create"] = LOCKED
    window.show_certificates()
    window.certificates.create_and_trust()


def _untrusted(window: MainWindow) -> None:
    facade = _requests(window).facade
    made = certificates.row(certificates.managed("lab-pc.local", "issued", certificates.NAMES))
    states = {"system": TrustState.UNTRUSTED, "chrome": TrustState.UNTRUSTED, "firefox": TrustState.ABSENT}
    facade.shown = certificates.listing(made, trusted=certificates.stores(**states))
    window.show_certificates()
    command = "sudo cp ~/wsgui/authority.crt /usr/local/share/ca-certificates/\nsudo update-ca-certificates"
    failed = Outcome("System", False, "Changing it takes an administrator's rights.", command)
    window.certificates.trust_card.show_undone(undone((failed,)))


def _asks(window: MainWindow) -> None:
    _page(window)
    row = window.certificates.list.row("printer.lan")
    used = window.certificates.list.row("lab-pc.local")
    assert row is not None
    assert used is not None
    row.ask_to_remove()
    used.ask_to_remove()


def _renewal_locked(window: MainWindow) -> None:
    _page(window)
    _requests(window).facade.failing["renew"] = LOCKED
    row = window.certificates.list.row("lab-pc.local")
    assert row is not None
    row.entries()[0][1]()  # type: ignore[index]


def _details(window: MainWindow) -> None:
    _page(window)
    row = window.certificates.list.row("lab-pc.local")
    assert row is not None
    next(entry for entry in row.entries() if entry is not None and entry[0] == "Show details")[1]()


def _export(window: MainWindow) -> None:
    _page(window)
    row = window.certificates.list.row("lab-pc.local")
    assert row is not None
    next(entry for entry in row.entries() if entry is not None and entry[0] == "Export…")[1]()
    sheet = window._sheets[-1]
    sheet.pkcs12.setChecked(True)  # type: ignore[attr-defined]


def _new(window: MainWindow) -> None:
    _page(window)
    window.certificates.open_new()


def _new_wrong(window: MainWindow) -> None:
    _page(window)
    _requests(window).facade.finding = certificates.ABSENT
    window.certificates.open_new()
    window._sheets[-1].names.setPlainText("lab-pc.local\nhttps://lab-pc.local/\n192.168.1.20")  # type: ignore[attr-defined]


def _import_wrong(window: MainWindow) -> None:
    _page(window)
    _requests(window).facade.failing["import"] = CertificateError(
        "The password does not open www.p12.", "Type it again; large and small letters count."
    )
    window.certificates.open_import()
    sheet = window._sheets[-1]
    sheet.set_files(["/home/lee/Downloads/www.p12"])  # type: ignore[attr-defined]
    sheet.do.click()  # type: ignore[attr-defined]


def _device(window: MainWindow) -> None:
    _page(window)
    until = datetime.now(UTC).replace(hour=16, minute=30).timestamp()
    until = until if until > time.time() else until + 86400
    address = "http://192.168.1.20:6080/.wsgui/authority/5f0c1f5ad1b1d8b5a8a4e6e1f9b0c7d2"
    fingerprint = certificates.authority()[0].description.fingerprint
    _requests(window).offering = OfferSnapshot((address,), fingerprint, until)
    window.certificates.open_device("Office desktop")


def _choose_device(window: MainWindow) -> None:
    _page(window)
    window.certificates.open_device()


def _ask(window: MainWindow) -> None:
    _page(window)
    sheet = PassphraseSheet('Passphrase of the key of "printer.lan": ')
    window.open_sheet(sheet, sheet.first)


def _hostile(window: MainWindow) -> None:
    facade = _requests(window).facade
    problem = samples.HOSTILE
    made = certificates.row(
        certificates.managed("lab-pc.local"), used_by=(samples.HOSTILE,), problem=problem, hint=problem
    )
    facade.shown = certificates.listing(made)
    window.show_certificates()
    window.certificates.show_notice(None)


def screens() -> dict[str, Screen]:
    """As in `pictures.screens`."""
    office = samples.office()
    here = samples.engine(*(t for t in office.tunnels if t.reach is not samples.busy().reach))
    one = samples.engine(samples.busy(group="Office"), *here.tunnels)
    small = (900, 600)
    return {
        "certificates": (office, USUAL, 1, _page),
        "certificates-900x600": (office, small, 1, _page),
        "certificates-text-200": (office, USUAL, 2, _page),
        "certificates-900x600-text-200": (office, small, 2, _page),
        "certificates-3840x2160": (office, (3840, 2160), 1, _page),
        "certificates-empty": (office, USUAL, 1, _empty),
        "certificates-making": (office, USUAL, 1, _making),
        "certificates-locked": (office, USUAL, 1, _locked),
        "certificates-untrusted": (office, USUAL, 1, _untrusted),
        "certificates-asks": (office, USUAL, 1, _asks),
        "certificates-renewal-locked": (office, USUAL, 1, _renewal_locked),
        "certificates-hostile": (office, USUAL, 1, _hostile),
        "certificate-details": (office, USUAL, 1, _details),
        "certificate-export": (office, USUAL, 1, _export),
        "certificate-new": (office, USUAL, 1, _new),
        "certificate-new-wrong": (office, (1236, 1100), 1, _new_wrong),
        "certificate-new-900x600-text-200": (office, small, 2, _new),
        "certificate-import-wrong": (office, USUAL, 1, _import_wrong),
        "certificate-passphrase": (office, USUAL, 1, _ask),
        "device": (one, (1236, 860), 1, _device),
        "device-900x600": (one, small, 1, _device),
        "device-text-200": (one, USUAL, 2, _device),
        "device-choose": (office, USUAL, 1, _choose_device),
        "device-this-computer": (replace(here), USUAL, 1, _choose_device),
    }
