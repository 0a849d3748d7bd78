"""Writing down a new tunnel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.gui import samples
from tests.gui.recorder import RecordedActions
from wsgui.engine.snapshot import TunnelState
from wsgui.gui.views.main_window import MainWindow


def test_a_tunnel_is_made_with_three_answers_and_return(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    form = window.new_tunnel
    assert form.service.line.hasFocus()
    qtbot.keyClicks(form.service.line, "lab:2")
    qtbot.keyClick(form.service.line, Qt.Key.Key_Return)
    [(what, profile)] = actions.asked
    assert what == "create"
    assert (profile.name, str(profile.target), str(profile.listen)) == ("lab VNC", "lab:5902", "127.0.0.1:6081")
    assert window.selected == "lab VNC"
    window.update_snapshot(samples.engine(*samples.office().tunnels, samples.tunnel("lab VNC")))
    assert window.stack.currentWidget() is window.page


def test_a_tunnel_that_was_just_made_has_open_in_focus(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    window.page.show_tab(1)
    window.show_new_tunnel()
    qtbot.keyClicks(window.new_tunnel.service.line, "lab:2")
    window.new_tunnel.accept()
    for state in (TunnelState.STARTING, TunnelState.RUNNING):
        made = samples.tunnel("lab VNC", state=state)
        window.update_snapshot(samples.engine(*samples.office().tunnels, made))
    assert window.page.overview.isVisible()
    assert window.page.header.open.hasFocus()


def test_a_click_on_the_row_shown_before_leaves_the_page(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    view = window.sidebar.list
    spot = view.visualRect(window.sidebar.model.index_of(window.selected)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert window.selected == "Office desktop"
    assert window.stack.currentWidget() is window.page


def test_what_was_typed_stays_until_the_tunnel_is_there_and_is_asked_for_once(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    form = window.new_tunnel
    qtbot.keyClicks(form.service.line, "lab:2")
    form.accept()
    form.accept()
    assert [asked[0] for asked in actions.asked] == ["create"]
    window.update_snapshot(samples.office())
    assert window.stack.currentWidget() is form
    assert form.service.line.text() == "lab:2"


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_made(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    form = window.new_tunnel
    qtbot.keyClicks(form.service.line, "office")
    assert "is not an address" in form.service.below.text()
    assert form.service.line.property("wrong") == "true"
    form.start.click()
    assert actions.asked == []
    assert window.stack.currentWidget() is form


def test_an_empty_page_complains_only_when_it_is_to_start(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    form = window.new_tunnel
    assert form.service.line.property("wrong") == "false"
    form.start.click()
    assert form.service.line.property("wrong") == "true"


def test_the_own_name_is_kept_while_the_service_changes(window: MainWindow, qtbot: QtBot) -> None:
    window.show_new_tunnel()
    form = window.new_tunnel
    qtbot.keyClicks(form.name.line, "Mine")
    qtbot.keyClicks(form.service.line, "lab:2")
    assert form.name.line.text() == "Mine"


def test_listening_for_the_network_is_said_in_words(window: MainWindow, qtbot: QtBot) -> None:
    window.show_new_tunnel()
    form = window.new_tunnel
    qtbot.keyClicks(form.service.line, "lab:2")
    form.listen.line.selectAll()
    qtbot.keyClicks(form.listen.line, "*:6080")
    assert "Everybody in your network" in form.listen.below.text()
    assert form.listen.below.property("tone") == "warn"


def test_escape_leaves_the_page_without_making_anything(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.stack.currentWidget() is window.page
    assert actions.asked == []


def test_snapshots_do_not_disturb_what_is_being_typed(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    window.show_new_tunnel()
    qtbot.keyClicks(window.new_tunnel.service.line, "lab:2")
    window.update_snapshot(samples.engine(samples.stopped()))
    assert window.stack.currentWidget() is window.new_tunnel
    assert window.new_tunnel.service.line.text() == "lab:2"
