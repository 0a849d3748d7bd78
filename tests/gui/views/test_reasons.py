"""What stands in the way of a tunnel's certificate or secret, and where its buttons lead."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui import samples
from tests.gui.profiles import OFFICE
from tests.gui.recorder import RecordedActions
from tests.gui.views.test_looks import settle
from tests.gui.views.test_main_window import click, row_places
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.main_window import MainWindow
from wsgui.gui.views.secret_sheet import SecretSheet
from wsgui.gui.views.tunnel_page import Tab
from wsgui.gui.widgets.secret_field import SecretField

NAME = "Office desktop"


def button(parent: QWidget, label: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == label)


def test_a_locked_keyring_is_unlocked_from_the_row(window: MainWindow, qtbot: QtBot, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.tunnel(), samples.locked()))
    click(qtbot, window, row_places(window, "Reception").button)
    assert actions.certificates.unlocked == ["Reception"]


def test_its_key_is_told_on_the_page_with_all_that_helps(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.locked()))
    notice = window.page.overview.state_notice
    assert notice.accessibleName().startswith(
        "The keyring is locked, so the certificate's key cannot be opened. Unlock it and try again."
    )
    button(notice, "Unlock").click()
    assert actions.certificates.unlocked == ["Reception"]
    button(notice, "Retry").click()
    assert actions.asked == [("start", "Reception")]


def test_a_passphrase_of_ones_own_is_chosen_for_a_new_certificate(window: MainWindow) -> None:
    window.update_snapshot(samples.engine(samples.locked()))
    button(window.page.overview.state_notice, "Use a passphrase").click()
    assert window.stack.currentWidget() is window.certificates
    sheet = window._sheets[-1]
    assert isinstance(sheet, NewSheet)
    assert sheet.passphrase.reference == "ask"


def test_another_certificate_is_chosen_in_the_settings(window: MainWindow, actions: RecordedActions) -> None:
    actions.profiles.put(OFFICE)
    window.update_snapshot(samples.engine(samples.locked(NAME)))
    button(window.page.overview.state_notice, "Choose certificate").click()
    settle()
    assert window.page.tabs.currentIndex() == Tab.SETTINGS
    field = window.page.settings.form_page.field("tls.certificate")
    focus = window.focusWidget()
    assert field is not None
    assert focus is not None
    assert field.isAncestorOf(focus)


def test_the_settings_wait_until_the_file_has_been_read(
    window: MainWindow, actions: RecordedActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.profiles.put(OFFICE)
    waiting = []
    monkeypatch.setattr(actions.profiles, "read", lambda name, done, failed: waiting.append(done))
    window.update_snapshot(samples.engine(samples.secretless(NAME)))
    button(window.page.overview.state_notice, "Store the secret").click()
    waiting[-1](actions.profiles.files[NAME])
    settle()
    focus = window.focusWidget()
    field = window.page.settings.form_page.field("access.basic")
    assert field is not None
    assert focus is not None
    assert field.isAncestorOf(focus)


def test_a_secret_is_stored_where_its_button_leads(window: MainWindow, qtbot: QtBot, actions: RecordedActions) -> None:
    actions.profiles.put(OFFICE)
    window.update_snapshot(samples.engine(samples.secretless(NAME)))
    button(window.page.overview.state_notice, "Store the secret").click()
    settle()
    focus = window.focusWidget()
    assert isinstance(focus, QPushButton)
    qtbot.keyClick(focus, Qt.Key.Key_Space)
    sheet = window._sheets[-1]
    assert isinstance(sheet, SecretSheet)
    qtbot.keyClicks(sheet.secret.line, "lee:new")
    qtbot.keyClick(sheet.secret.line, Qt.Key.Key_Return)
    assert actions.secrets.secrets == {"office-desktop": "lee:new"}
    assert not window.covered


def test_one_that_is_not_set_yet_gets_a_name_from_its_tunnel_and_waits_to_be_applied(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    actions.profiles.put(OFFICE.partition("[access]")[0])
    window.update_snapshot(samples.engine(samples.secretless(NAME)))
    button(window.page.overview.state_notice, "Store the secret").click()
    settle()
    field = window.page.settings.form_page.field("access.basic")
    assert field is not None
    (secret,) = field.findChildren(SecretField)
    secret.store.click()
    sheet = window._sheets[-1]
    assert isinstance(sheet, SecretSheet)
    name = sheet.name.text()
    assert name.startswith("office-desktop")
    qtbot.keyClicks(sheet.secret.line, "lee:new")
    sheet.do.click()
    assert window.page.settings.changes_of(NAME) == 1
    window.page.settings.apply()
    assert actions.profiles.applied == [{"access.basic": f"keyring:{name}"}]
