"""The Certificates page as a person uses it, over a facade that keeps everything in memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui import certificates as fakes
from tests.gui import samples
from tests.gui.certificates import FakeRequests
from tests.gui.recorder import RecordedActions
from tests.gui.views.test_looks import settle
from wsgui.certificates.trust.store import Outcome, TrustState
from wsgui.engine.snapshot import CertificateSnapshot, OfferSnapshot, Reach
from wsgui.errors import CertificateError
from wsgui.gui.views.certificates.device_sheet import DeviceSheet
from wsgui.gui.views.certificates.export_sheet import ExportSheet
from wsgui.gui.views.certificates.import_sheet import ImportSheet
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.certificates.page import CertificatesPage
from wsgui.gui.views.certificates.row import CertificateRowView
from wsgui.gui.views.main_window import MainWindow
from wsgui.gui.widgets.sheet import Sheet
from wsgui.profiles.keyring_access import KeyringError, KeyringState

LOCKED = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")
NO_KEYRING = KeyringError(KeyringState.ABSENT, "There is no keyring on this computer.", "Install one.")


@pytest.fixture
def requests(actions: RecordedActions) -> FakeRequests:
    return actions.certificates


@pytest.fixture
def page(window: MainWindow, requests: FakeRequests) -> CertificatesPage:
    """In sight, with three certificates."""
    requests.facade.shown = fakes.usual()
    window.update_snapshot(samples.office())
    window.show_certificates()
    return window.certificates


def button(parent: QWidget, label: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == label)


def choose(row: CertificateRowView | None, label: str) -> None:
    assert row is not None
    next(entry for entry in row.entries() if entry is not None and entry[0] == label)[1]()


def labels(row: CertificateRowView | None) -> list[str]:
    assert row is not None
    return [entry[0] for entry in row.entries() if entry is not None]


def sheet(window: MainWindow) -> Sheet:
    return window._sheets[-1]


# The place


def test_the_lists_foot_leads_to_the_page_and_a_row_leads_away(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    qtbot.mouseClick(window.sidebar.certificates, Qt.MouseButton.LeftButton)
    assert window.stack.currentWidget() is window.certificates
    assert window.sidebar.certificates.isChecked()
    window.update_snapshot(samples.office())
    assert window.stack.currentWidget() is window.certificates
    window.select("Office desktop")
    assert window.stack.currentWidget() is window.page
    assert not window.sidebar.certificates.isChecked()


def test_certificates_are_shown_before_the_stores_have_answered(window: MainWindow, requests: FakeRequests) -> None:
    requests.facade.shown = fakes.usual()
    requests.held = True
    window.show_certificates()
    requests.waiting.pop(0)()
    assert window.certificates.list.row("lab-pc.local") is not None
    assert not window.certificates.trust_card.untrust.isVisible()
    requests.answer()
    assert window.certificates.trust_card.untrust.isVisible()


def test_a_listing_that_fails_is_said_and_tried_again_when_the_page_comes_back(
    window: MainWindow, requests: FakeRequests
) -> None:
    requests.facade.failing["listing"] = CertificateError("The folder cannot be read.", "Look at its rights.")
    window.show_certificates()
    assert "The folder cannot be read." in window.certificates.notice.accessibleName()
    requests.facade.shown = fakes.usual()
    window.show_new_tunnel()
    window.show_certificates()
    assert window.certificates.list.isVisible()


# Making and trusting


def test_while_there_is_nothing_one_button_makes_and_trusts(window: MainWindow, requests: FakeRequests) -> None:
    window.show_certificates()
    shown = [b for b in window.certificates.findChildren(QPushButton) if b.isVisible()]
    assert [b.accessibleName() for b in shown] == ["Create and trust here"]
    shown[0].click()
    assert requests.facade.asked == [("create", (), {}), ("trust",)]
    assert not window.certificates.empty.isVisible()
    assert window.certificates.list.row("lab-pc.local") is not None
    assert window.certificates.trust_card.untrust.isVisible()


def test_what_is_being_done_is_shown_and_can_be_left(window: MainWindow, requests: FakeRequests) -> None:
    window.show_certificates()
    requests.held = True
    window.certificates.empty.create_button.click()
    assert window.certificates.progress.accessibleName() == "Making the certificate…"
    button(window.certificates.progress, "Cancel").click()
    assert not window.certificates.progress.isVisible()
    assert requests.cancelled == 1
    requests.answer()
    assert requests.facade.asked == []
    assert window.certificates.empty.create_button.isEnabled()


def test_a_second_click_while_one_is_under_way_does_nothing(window: MainWindow, requests: FakeRequests) -> None:
    window.show_certificates()
    requests.held = True
    window.certificates.create_and_trust()
    window.certificates.create_and_trust()
    assert not window.certificates.empty.create_button.isEnabled()
    requests.answer()
    assert [asked[0] for asked in requests.facade.asked] == ["create", "trust"]


def test_a_locked_keyring_can_be_unlocked_by_trying_again(window: MainWindow, requests: FakeRequests) -> None:
    requests.facade.failing["create"] = LOCKED
    window.show_certificates()
    window.certificates.empty.create_button.click()
    assert "The keyring is locked" in window.certificates.notice.accessibleName()
    button(window.certificates.notice, "Unlock").click()
    assert requests.facade.asked[-1] == ("trust",)


def test_without_a_keyring_a_passphrase_of_ones_own_is_offered(window: MainWindow, requests: FakeRequests) -> None:
    requests.facade.failing["create"] = NO_KEYRING
    requests.facade.finding = fakes.ABSENT
    window.show_certificates()
    window.certificates.empty.create_button.click()
    button(window.certificates.notice, "Use a passphrase").click()
    opened = sheet(window)
    assert isinstance(opened, NewSheet)
    assert not opened.passphrase.keyring.isVisible()
    focus = window.focusWidget()
    assert focus is not None
    assert opened.passphrase.isAncestorOf(focus), "what is typed now would replace the proposed names"
    opened.do.click()
    assert requests.facade.asked[-1][2]["passphrase"] == "ask"


def test_what_could_not_be_done_is_said_with_the_command_to_copy(
    page: CertificatesPage, requests: FakeRequests, actions: RecordedActions
) -> None:
    requests.facade.shown = fakes.listing(trusted=fakes.stores(system=TrustState.UNTRUSTED))
    requests.facade.outcomes = (Outcome("System", False, "It takes an administrator.", "sudo trust anchor x"),)
    page.look()
    page.trust_card.trust.click()
    settle()
    button(page.trust_card, "Copy the command").click()
    assert actions.asked == [("copy_text", "sudo trust anchor x")]


def test_the_focus_goes_to_what_came_of_the_click(window: MainWindow, requests: FakeRequests, qtbot: QtBot) -> None:
    window.show_certificates()
    requests.held = True
    window.certificates.empty.create_button.setFocus()
    qtbot.keyClick(window.certificates.empty.create_button, Qt.Key.Key_Space)
    assert window.focusWidget() is window.certificates.progress.cancel
    requests.answer()
    focus = window.focusWidget()
    assert isinstance(focus, CertificateRowView)
    assert focus.name == "lab-pc.local"


def test_a_row_with_a_problem_has_the_button_that_mends_it(window: MainWindow, page: CertificatesPage) -> None:
    row = page.list.row("www.example.org")
    assert row is not None
    button(row, "Import a new one…").click()
    assert isinstance(sheet(window), ImportSheet)


def test_trust_is_removed_by_its_button(page: CertificatesPage, requests: FakeRequests) -> None:
    page.trust_card.untrust.click()
    assert requests.facade.asked == [("untrust",)]


# One certificate


def test_each_row_is_read_as_one_sentence_and_walked_with_the_arrows(
    window: MainWindow, page: CertificatesPage, qtbot: QtBot
) -> None:
    page.list.focus_first()
    first = window.focusWidget()
    assert isinstance(first, CertificateRowView)
    assert first.accessibleName().startswith("lab-pc.local, valid")
    qtbot.keyClick(first, Qt.Key.Key_Down)
    second = window.focusWidget()
    assert isinstance(second, CertificateRowView)
    assert second.name == "printer.lan"
    qtbot.keyClick(second, Qt.Key.Key_Up)
    assert window.focusWidget() is first


def test_return_shows_details_with_a_fingerprint_to_select_and_copy(
    window: MainWindow, page: CertificatesPage, qtbot: QtBot, actions: RecordedActions
) -> None:
    page.list.focus_first()
    row = window.focusWidget()
    assert row is not None
    qtbot.keyClick(row, Qt.Key.Key_Return)
    button(sheet(window), "Copy the fingerprint").click()
    fingerprint = fakes.managed("lab-pc.local", "issued", fakes.NAMES).description.fingerprint
    assert actions.asked == [("copy_text", fingerprint)]
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert not window.covered
    assert window.focusWidget() is row


def test_the_menu_offers_what_the_kind_allows(page: CertificatesPage) -> None:
    assert labels(page.list.row("lab-pc.local")) == ["Renew", "Show details", "Export…", "Remove…"]
    assert labels(page.list.row("www.example.org")) == ["Import a new one…", "Show details", "Export…", "Remove…"]


def test_renewing_is_shown_in_the_row(page: CertificatesPage, requests: FakeRequests) -> None:
    requests.held = True
    row = page.list.row("lab-pc.local")
    choose(row, "Renew")
    assert row is not None
    assert row.progress.isVisible()
    assert "Renew" not in labels(row)
    requests.answer()
    assert not row.progress.isVisible()
    assert requests.facade.asked == [("renew", "lab-pc.local")]


def test_a_locked_keyring_is_told_in_the_row_and_unlocking_tries_again(
    page: CertificatesPage, requests: FakeRequests
) -> None:
    requests.facade.failing["renew"] = LOCKED
    row = page.list.row("lab-pc.local")
    choose(row, "Renew")
    assert row is not None
    assert row.notice.accessibleName().startswith(
        "The keyring is locked, so the key of “lab-pc.local” cannot be opened. Unlock it and try again."
    )
    button(row.notice, "Unlock").click()
    assert requests.facade.asked == [("renew", "lab-pc.local"), ("renew", "lab-pc.local")]
    assert not row.notice.isVisible()


def test_removal_asks_in_the_row_and_says_that_nothing_brings_the_key_back(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests, qtbot: QtBot
) -> None:
    row = page.list.row("printer.lan")
    assert row is not None
    row.setFocus()
    qtbot.keyClick(row, Qt.Key.Key_Delete)
    assert row.question.isVisible()
    assert window.focusWidget() is row.keep
    row.keep.click()
    assert not row.question.isVisible()
    assert requests.facade.asked == []
    qtbot.keyClick(row, Qt.Key.Key_Delete)
    row.remove.click()
    assert requests.facade.asked == [("remove", "printer.lan")]
    assert page.list.row("printer.lan") is None


def test_removal_is_refused_while_tunnels_use_it_by_their_names(page: CertificatesPage, requests: FakeRequests) -> None:
    row = page.list.row("lab-pc.local")
    choose(row, "Remove…")
    assert row is not None
    assert "“Office desktop”, “Build farm”" in row.notice.accessibleName()
    assert not row.question.isVisible()
    assert requests.facade.asked == []


# The sheets


def test_a_new_certificate_has_this_computers_names_proposed(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    page.new.click()
    opened = sheet(window)
    assert isinstance(opened, NewSheet)
    assert opened.names.toPlainText().split() == list(fakes.NAMES)
    opened.itself.setChecked(True)
    opened.label.setText("office")
    opened.do.click()
    options = {"name": "office", "self_signed": True, "passphrase": ""}
    assert requests.facade.asked == [("create", fakes.NAMES, options)]
    assert not window.covered


def test_a_wrong_name_is_said_below_the_field_while_it_is_typed(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    page.open_new()
    opened = sheet(window)
    assert isinstance(opened, NewSheet)
    opened.names.setPlainText("lab-pc.local\nhttps://x/")
    assert opened._names.below.text().startswith('Line 2: "https://x/" is an address of a page')
    opened.do.click()
    assert requests.facade.asked == []
    assert window.focusWidget() is opened.names


def test_what_goes_wrong_stands_in_the_form_which_stays(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    requests.facade.failing["create"] = CertificateError("There is a certificate called so.", "Name it otherwise.")
    page.open_new()
    opened = sheet(window)
    assert isinstance(opened, NewSheet)
    opened.do.click()
    assert opened.notice.accessibleName() == "There is a certificate called so. Name it otherwise."
    assert window.covered
    opened.do.click()
    assert not window.covered


def test_the_passphrase_can_be_in_a_variable_or_a_file(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    page.open_new()
    opened = sheet(window)
    assert isinstance(opened, NewSheet)
    opened.passphrase.elsewhere.click()
    opened.passphrase.variable.setChecked(True)
    opened.do.click()
    assert requests.facade.asked == []
    assert opened.passphrase.variable_line.below.text() == "Write which one it is."
    opened.passphrase.variable_line.field.setText("LAB_KEY")  # type: ignore[attr-defined]
    opened.do.click()
    assert requests.facade.asked[0][2]["passphrase"] == "env:LAB_KEY"


def test_import_asks_for_files_without_holding_anything_up(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests, tmp_path: Path
) -> None:
    page.import_.click()
    opened = sheet(window)
    assert isinstance(opened, ImportSheet)
    assert not opened.do.isEnabled()
    opened.choose.click()
    dialog = opened.findChild(QFileDialog)
    assert dialog is not None
    dialog.filesSelected.emit([str(tmp_path / "www.p12")])
    dialog.close()
    opened.password.line.setText("sesame")
    opened.do.click()
    options = {"name": "", "passphrase": "", "replace": False}
    assert requests.facade.asked == [("import", (tmp_path / "www.p12",), "sesame", options)]


def test_a_wrong_password_is_said_in_the_form(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    requests.facade.failing["import"] = CertificateError("The password does not open www.p12.", "Type it again.")
    page.open_import()
    opened = sheet(window)
    assert isinstance(opened, ImportSheet)
    opened.set_files(["/home/lee/www.p12"])
    opened.do.click()
    assert opened.notice.accessibleName() == "The password does not open www.p12. Type it again."


def test_a_new_import_takes_the_place_of_the_old_one(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    choose(page.list.row("www.example.org"), "Import a new one…")
    opened = sheet(window)
    assert isinstance(opened, ImportSheet)
    opened.set_files(["/home/lee/www.pem"])
    opened.do.click()
    options = {"name": "www.example.org", "passphrase": "", "replace": True}
    assert requests.facade.asked == [("import", (Path("/home/lee/www.pem"),), "", options)]


def test_a_key_is_exported_only_with_a_password_typed_twice(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    choose(page.list.row("lab-pc.local"), "Export…")
    opened = sheet(window)
    assert isinstance(opened, ExportSheet)
    opened.pkcs12.setChecked(True)
    opened.do.click()
    assert opened._password.below.text() == "Write a password that opens the file."
    opened.password.line.setText("one")
    opened.again.line.setText("two")
    opened.do.click()
    assert opened._again.below.text() == "It is not the same as above."
    opened.again.line.setText("one")
    opened.do.click()
    dialog = opened.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit("/tmp/x.p12")  # nothing is written
    dialog.close()
    assert requests.facade.asked == [
        ("export_pkcs12", "lab-pc.local", "one"),
        ("save_file", Path("/tmp/x.p12"), b"p12", True),
    ]
    assert not window.covered


# Another device


def offered(seconds: float = 600.0) -> OfferSnapshot:
    url = "http://192.168.1.20:6080/.wsgui/authority/0123456789abcdef0123456789abcdef"
    return OfferSnapshot((url,), fakes.authority()[0].description.fingerprint, time.time() + seconds)


def test_with_one_tunnel_in_the_network_the_click_offers_at_once(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests, actions: RecordedActions
) -> None:
    requests.offering = offered()
    certificate = CertificateSnapshot("lab-pc.local", fakes.NAMES, 0.0, managed=True, renews=True)
    window.update_snapshot(samples.engine(samples.busy(certificate=certificate), samples.tunnel("Here")))
    page.trust_card.device.click()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    assert requests.offers == [("Office desktop", fakes.authority()[0].id)]
    assert opened.code.isVisible()
    assert opened.address.value.text() == requests.offering.urls[0]  # type: ignore[union-attr]
    assert opened.fingerprint.value.text().replace("\n", ":") == fakes.authority()[0].description.fingerprint
    button(opened, "Copy the address").click()
    assert actions.asked == [("copy_text", requests.offering.urls[0])]  # type: ignore[union-attr]
    opened.stop.click()
    assert requests.withdrawn == ["Office desktop"]
    assert not opened.code.isVisible()


def test_an_offer_outlives_its_sheet(window: MainWindow, page: CertificatesPage, requests: FakeRequests) -> None:
    requests.offering = offered()
    window.update_snapshot(samples.engine(samples.busy()))
    page.open_device()
    sheet(window).dismiss()
    page.open_device()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    assert opened.stop.isVisible()
    assert len(requests.offers) == 1


def test_an_offer_that_has_ended_is_shown_no_longer(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests, qtbot: QtBot
) -> None:
    requests.offering = offered(0.05)
    window.update_snapshot(samples.engine(samples.busy()))
    page.open_device()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    qtbot.waitUntil(lambda: opened.offer.isVisible())
    assert not opened.code.isVisible()


def test_of_several_tunnels_one_is_chosen(window: MainWindow, page: CertificatesPage, requests: FakeRequests) -> None:
    requests.offering = offered()
    page.open_device()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    assert requests.offers == []
    opened._choices["Build farm"].click()
    opened.offer.click()
    assert [tunnel for tunnel, _ in requests.offers] == ["Build farm"]


def test_where_all_tunnels_are_for_this_computer_it_says_what_to_change(
    window: MainWindow, page: CertificatesPage, requests: FakeRequests
) -> None:
    window.update_snapshot(samples.engine(samples.tunnel(reach=Reach.THIS_COMPUTER)))
    page.open_device()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    assert "Let it listen on *:6080 instead of 127.0.0.1:6080" in opened._words.text()
    assert not opened.offer.isVisible()


def test_an_offer_that_fails_says_why(window: MainWindow, page: CertificatesPage) -> None:
    window.update_snapshot(samples.engine(samples.busy()))
    page.open_device()
    opened = sheet(window)
    assert isinstance(opened, DeviceSheet)
    assert opened.notice.accessibleName() == "There is no network. Connect to one."
