"""The Settings tab: picked, typed, applied, undone, kept; and what it says where there is nothing to change."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.gui import certificates, samples
from tests.gui.profiles import OFFICE, FakeProfiles
from tests.gui.recorder import RecordedActions
from wsgui.errors import CertificateError, TunnelError
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.main_window import MainWindow
from wsgui.gui.views.settings.certificates import CertificateInput
from wsgui.gui.views.settings.inputs import ChoiceInput, LineInput, LinesInput, OptionalLinesInput, SwitchInput
from wsgui.gui.views.settings.page import SettingsView
from wsgui.gui.views.tunnel_page import Tab
from wsgui.profiles.keyring_access import KeyringError, KeyringState

OTHER = OFFICE.replace("Office desktop", "Lab console").replace("lab-pc.local", "printer.lan")
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def show(window: MainWindow, actions: RecordedActions, text: str = OFFICE) -> SettingsView:
    actions.profiles.put(text)
    actions.profiles.put(OTHER, "Lab console", "lab-console.toml")
    actions.certificates.facade.shown = certificates.usual()
    window.update_snapshot(samples.engine(samples.busy(), samples.tunnel("Lab console"), samples.stopped()))
    window.page.show_tab(Tab.SETTINGS)
    return window.page.settings


@pytest.fixture
def settings(window: MainWindow, actions: RecordedActions) -> SettingsView:
    return show(window, actions)


@pytest.fixture
def files(actions: RecordedActions) -> FakeProfiles:
    return actions.profiles


def field(settings: SettingsView, path: str, kind: type) -> object:  # type: ignore[type-arg]
    view = settings.form_page.field(path)
    assert view is not None
    assert isinstance(view.input, kind)
    return view.input


def picker(settings: SettingsView) -> CertificateInput:
    found = field(settings, "tls.certificate", CertificateInput)
    assert isinstance(found, CertificateInput)
    return found


def below(settings: SettingsView, path: str) -> str:
    view = settings.form_page.field(path)
    assert view is not None
    return view.below.text()


def type_origin(settings: SettingsView, text: str) -> None:
    lines = field(settings, "access.origins", LinesInput)
    assert isinstance(lines, LinesInput)
    lines.lines.setFocus()
    lines.lines.selectAll()
    QTest.keyClicks(lines.lines, text)


def test_it_shows_what_the_file_says(settings: SettingsView) -> None:
    assert [name for name, tick in picker(settings).ticks.items() if tick.isChecked()] == ["lab-pc.local"]
    assert not settings.foot.isVisible()
    assert settings.form_page.list.rows[0].accessibleDescription() == "lab-pc.local, only encrypted"


def test_tab_goes_from_the_sections_through_the_certificates_down_the_form(
    window: MainWindow, settings: SettingsView, qtbot: QtBot
) -> None:
    bar = settings.form_page.area.verticalScrollBar()
    settings.form_page.list.rows[0].setFocus(Qt.FocusReason.TabFocusReason)
    heights: list[int] = []
    names: list[str] = []
    for _ in range(12):
        QTest.keyClick(window, Qt.Key.Key_Tab)
        focus = window.focusWidget()
        assert focus is not None
        heights.append(focus.mapTo(window, QPoint(0, 0)).y() + bar.value())
        names.append(focus.accessibleName())
    assert names[:4] == ["lab-pc.local", "printer.lan", "www.example.org", "New certificate…"]
    assert "Web pages that may connect, one a line" in names
    assert heights == sorted(heights)


def test_a_tab_that_is_left_hands_the_focus_to_the_tabs(window: MainWindow, settings: SettingsView) -> None:
    picker(settings).ticks["printer.lan"].setFocus()
    QTest.keyClick(window, Qt.Key.Key_1, CONTROL)
    assert window.focusWidget() is window.page.tabs


def test_a_certificate_is_picked_and_applied(settings: SettingsView, files: FakeProfiles) -> None:
    QTest.mouseClick(picker(settings).ticks["printer.lan"], LEFT)
    assert settings.foot.accessibleName().startswith("1 change.")
    QTest.mouseClick(settings.foot.apply, LEFT)
    assert files.applied == [{"tls.certificate": ["lab-pc.local", "printer.lan"]}]
    assert "# the password of the whole office" in files.text()
    assert settings.foot.accessibleName() == "1 change applied."
    assert settings.foot.undo.isVisible()


def test_the_first_of_several_is_chosen(settings: SettingsView) -> None:
    picked = picker(settings)
    QTest.mouseClick(picked.ticks["printer.lan"], LEFT)
    assert "for all other names" in picked.ticks["lab-pc.local"].meaning
    QTest.mouseClick(picked.firsts["printer.lan"], LEFT)
    assert picked.value() == ["printer.lan", "lab-pc.local"]


def test_a_certificate_that_is_gone_is_said(window: MainWindow, actions: RecordedActions) -> None:
    settings = show(window, actions, OFFICE.replace("lab-pc.local", "gone.lan"))
    assert picker(settings).ticks["gone.lan"].meaning.startswith("Not among your certificates")


def test_one_click_makes_a_certificate_trusts_it_and_picks_it(window: MainWindow, actions: RecordedActions) -> None:
    settings = show(window, actions, 'name = "Office desktop"\ntarget = "demo:"\n')
    actions.certificates.facade.shown = certificates.Listing()
    settings.form_page.look()
    QTest.mouseClick(picker(settings).create_button, LEFT)
    assert [what[0] for what in actions.certificates.facade.asked] == ["create", "trust"]
    assert picker(settings).value() == ["lab-pc.local"]
    assert settings.foot.isVisible()


def test_without_a_keyring_a_passphrase_of_ones_own_is_offered(window: MainWindow, actions: RecordedActions) -> None:
    settings = show(window, actions, 'name = "Office desktop"\ntarget = "demo:"\n')
    facade = actions.certificates.facade
    facade.shown = certificates.Listing()
    facade.failing["create"] = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")
    settings.form_page.look()
    picked = picker(settings)
    picked.make_one()
    assert "keyring is locked" in picked.notice.accessibleName()
    own = next(b for b in picked.notice.findChildren(type(picked.new)) if b.accessibleName() == "Use a passphrase")
    own.click()
    assert isinstance(window._sheets[-1], NewSheet)


def test_another_failure_is_said_beside_the_field(window: MainWindow, actions: RecordedActions) -> None:
    settings = show(window, actions)
    actions.certificates.facade.failing["create"] = CertificateError("The disk is full.", "Free some space.")
    picker(settings).make_one()
    assert "The disk is full." in picker(settings).notice.accessibleName()
    assert not settings.foot.isVisible()


def test_a_wrong_value_is_told_beside_its_field_and_never_written(
    settings: SettingsView, files: FakeProfiles, window: MainWindow
) -> None:
    type_origin(settings, "vnc.lab")
    assert below(settings, "access.origins").startswith('"vnc.lab" is not an origin.')
    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    assert files.applied == []
    assert "1 to correct first." in settings.foot.accessibleName()


def test_applying_leads_to_what_is_wrong(settings: SettingsView, window: MainWindow) -> None:
    type_origin(settings, "vnc.lab")
    window.sidebar.search.setFocus()
    settings.apply()
    lines = field(settings, "access.origins", LinesInput)
    assert isinstance(lines, LinesInput)
    assert lines.lines.hasFocus()


def test_a_list_that_lets_nobody_in_is_warned_of(settings: SettingsView) -> None:
    optional = field(settings, "access.client_names", OptionalLinesInput)
    assert isinstance(optional, OptionalLinesInput)
    optional.these.click()
    type_origin(settings, " ")
    assert below(settings, "access.origins") == "The list is empty, so no web page may connect."


def test_a_switch_and_a_choice_are_changed(settings: SettingsView, files: FakeProfiles) -> None:
    switch, choice = field(settings, "web.require_access", SwitchInput), field(settings, "tls.only", ChoiceInput)
    assert isinstance(switch, SwitchInput)
    assert isinstance(choice, ChoiceInput)
    QTest.keyClick(switch.toggle, Qt.Key.Key_Space)
    choice.choices[2][1].click()
    settings.apply()
    assert files.applied == [{"web.require_access": False, "tls.only": False}]


def test_keys_apply_and_undo(settings: SettingsView, files: FakeProfiles, window: MainWindow) -> None:
    ciphers = field(settings, "tls.ciphers", LineInput)
    assert isinstance(ciphers, LineInput)
    ciphers.line.setFocus()
    QTest.keyClicks(ciphers.line, "ECDHE")
    QTest.keyClick(ciphers.line, Qt.Key.Key_Z, CONTROL)
    assert ciphers.line.text() == ""
    QTest.keyClicks(ciphers.line, "ECDHE")
    QTest.keyClick(ciphers.line, Qt.Key.Key_S, CONTROL)
    assert 'ciphers = "ECDHE"' in files.text()
    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL)
    assert files.text() == OFFICE
    assert ciphers.line.text() == ""


def test_a_field_of_several_lines_leaves_undoing_to_the_form(settings: SettingsView) -> None:
    QTest.mouseClick(picker(settings).ticks["printer.lan"], LEFT)
    type_origin(settings, "https://vnc.lab")
    lines = field(settings, "access.origins", LinesInput)
    assert isinstance(lines, LinesInput)
    QTest.keyClick(lines.lines, Qt.Key.Key_Z, CONTROL)
    assert lines.lines.toPlainText() == "same-host"
    QTest.keyClick(lines.lines, Qt.Key.Key_Z, CONTROL)
    assert picker(settings).value() == ["lab-pc.local"]


def test_changes_are_kept_when_another_tab_or_tunnel_is_shown(settings: SettingsView, window: MainWindow) -> None:
    type_origin(settings, "vnc.lab")
    window.page.show_tab(Tab.OVERVIEW)
    assert window.page.tabs.tabText(Tab.SETTINGS).endswith("●")
    window.select("Lab console")
    window.page.show_tab(Tab.SETTINGS)
    assert window.page.tabs.tabText(Tab.SETTINGS) == "Settings"
    assert picker(settings).value() == ["printer.lan"]
    window.select("Office desktop")
    assert picker(settings).value() == ["lab-pc.local"]
    assert below(settings, "access.origins").startswith('"vnc.lab" is not an origin.')


def test_reverting_shows_what_the_file_says(settings: SettingsView) -> None:
    type_origin(settings, "vnc.lab")
    QTest.mouseClick(settings.foot.revert, LEFT)
    lines = field(settings, "access.origins", LinesInput)
    assert isinstance(lines, LinesInput)
    assert lines.lines.toPlainText() == "same-host"
    assert not settings.foot.isVisible()


def test_clients_who_stay_are_not_said_to_be_disconnected(settings: SettingsView) -> None:
    type_origin(settings, "https://vnc.lab")
    assert "disconnect" not in settings.foot.accessibleName()
    assert "Who is connected stays" in settings.foot.accessibleName()


def test_a_file_changed_meanwhile_is_said_and_changes_are_kept(settings: SettingsView, files: FakeProfiles) -> None:
    QTest.mouseClick(picker(settings).ticks["printer.lan"], LEFT)
    files.put(OFFICE.replace('"lab-pc.local"', '"www.example.org"'))
    settings.look()
    assert "changed by somebody else" in settings.notice.accessibleName()
    assert "“Certificate”" in settings.notice.accessibleName()
    assert picker(settings).value() == ["lab-pc.local", "printer.lan"]


def test_a_file_changed_meanwhile_is_shown_when_nothing_is_changed_here(
    settings: SettingsView, files: FakeProfiles
) -> None:
    files.put(OFFICE.replace('"lab-pc.local"', '"www.example.org"'))
    settings.look()
    assert picker(settings).value() == ["www.example.org"]
    assert not settings.notice.isVisible()


def test_a_broken_file_is_shown_as_such_and_changes_wait(
    settings: SettingsView, files: FakeProfiles, actions: RecordedActions
) -> None:
    type_origin(settings, "https://vnc.lab")
    files.put(OFFICE + 'bsic = "env:X"\n')
    settings.look()
    assert not settings.form_page.isVisible()
    assert "There is no field" in settings.absent._words.text()
    QTest.mouseClick(settings.absent.open, LEFT)
    assert actions.asked[-1] == ("open_source", str(files.files["Office desktop"].path))
    files.put(OFFICE)
    settings.look()
    assert settings.form_page.isVisible()
    assert settings.foot.isVisible()


def test_what_is_built_in_says_how_to_have_one_of_ones_own(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.tunnel("Demo", target="demo:")))
    window.page.show_tab(Tab.SETTINGS)
    settings = window.page.settings
    assert not settings.form_page.isVisible()
    QTest.mouseClick(settings.absent.new, LEFT)
    assert window.new_tunnel.isVisible()


def test_what_the_tunnel_cannot_do_is_said_and_stays_changed(settings: SettingsView, files: FakeProfiles) -> None:
    QTest.mouseClick(picker(settings).ticks["printer.lan"], LEFT)
    files.failing = TunnelError("The keyring is locked.", "Unlock it.")
    settings.apply()
    assert "The keyring is locked." in settings.notice.accessibleName()
    assert settings.changes_of("Office desktop") == 1


def test_a_secret_is_named_after_its_tunnel(settings: SettingsView) -> None:
    view = settings.form_page.field("access.basic")
    assert view is not None
    assert view.input.value() == "keyring:office-desktop"


def test_sections_are_gone_through_with_arrows(settings: SettingsView, qtbot: QtBot) -> None:
    rows = settings.form_page.list.rows
    rows[0].setFocus()
    QTest.keyClick(rows[0], Qt.Key.Key_Down)
    assert rows[1].hasFocus()
    assert rows[1].isChecked()
    assert settings.form_page.area.verticalScrollBar().value() > 0


def test_what_is_folded_is_opened_where_it_says_something(window: MainWindow, actions: RecordedActions) -> None:
    settings = show(window, actions, OFFICE.replace("[access]", 'minimum = "1.3"\n[access]'))
    folds = {
        group.fold.accessibleName(): group.fold for s in settings.form_page.sections for group in s.groups if group.fold
    }
    assert folds["Versions and ciphers"].isChecked()
    assert not folds["A certificate from files"].isChecked()


def test_hidden_it_asks_for_nothing(settings: SettingsView, window: MainWindow, files: FakeProfiles) -> None:
    window.page.show_tab(Tab.OVERVIEW)
    assert not settings._timer.isActive()
