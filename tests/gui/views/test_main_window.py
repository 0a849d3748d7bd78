"""The main window as a person uses it: with the mouse, with the keyboard, with what comes from the engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui import samples
from tests.gui.recorder import RecordedActions
from wsgui.errors import FieldError, ProfileError
from wsgui.gui.actions import FINISH_SECONDS
from wsgui.gui.models.tunnels import GroupRow, TunnelRow
from wsgui.gui.views.main_window import AWAIT_SECONDS, MainWindow
from wsgui.gui.widgets.row_delegate import RowPlaces, group_button, places

LEFT = Qt.MouseButton.LeftButton


def row_places(window: MainWindow, name: str) -> RowPlaces:
    view, model = window.sidebar.list, window.sidebar.model
    index = model.index_of(name)
    row = model.row_at(index)
    assert isinstance(row, TunnelRow)
    return places(QRectF(view.visualRect(index)), row, sparkline=True)


def click(qtbot: QtBot, window: MainWindow, spot: QRectF) -> None:
    qtbot.mouseClick(window.sidebar.list.viewport(), LEFT, pos=spot.center().toPoint())


def button(parent: QWidget, label: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == label)


def test_the_first_tunnel_is_selected_by_itself(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    assert window.selected == "Office desktop"
    assert window.stack.currentWidget() is window.page


def test_a_click_on_a_row_selects_its_tunnel(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    heard = QSignalSpy(window.selection_changed)
    click(qtbot, window, row_places(window, "Lab console").name)
    assert (window.selected, heard.count(), heard.at(0)[0]) == ("Lab console", 1, "Lab console")


def test_a_click_on_the_switch_starts_and_does_not_select(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    click(qtbot, window, row_places(window, "Staging SPICE").switch)
    assert actions.asked == [("start", "Staging SPICE")]
    assert window.selected == "Office desktop"


def test_a_click_on_the_rows_button_takes_the_free_port(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    click(qtbot, window, row_places(window, "Router serial").button)
    assert actions.asked == [("use_port", "Router serial", 7002)]


def test_a_heading_opens_and_collapses_and_leaves_the_selection(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    model, view = window.sidebar.model, window.sidebar.list
    before = model.rowCount()
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(model.index(3)).topLeft() + QPoint(30, 15))
    assert model.rowCount() == before - 5
    assert window.selected == "Office desktop"


def test_collapsing_the_selected_tunnels_group_keeps_its_page(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.sidebar.model.toggle_group("Office")
    assert window.selected == "Office desktop"
    window.sidebar.model.toggle_group("Office")
    assert window.sidebar.list.currentIndex() == window.sidebar.model.index_of("Office desktop")


def test_a_tunnel_that_is_not_there_yet_is_shown_when_it_comes(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.select("Brand new")
    window.update_snapshot(samples.office())
    assert window.selected == "Brand new"
    window.update_snapshot(samples.engine(*samples.office().tunnels, samples.tunnel("Brand new")))
    assert window.stack.currentWidget() is window.page
    assert window.page.header.address.address.whole() == "ws://127.0.0.1:6080/"


def test_a_tunnel_that_never_comes_gives_way_to_the_one_before(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.select("Lab console")
    window.select("Never made")
    window.update_snapshot(replace(samples.office(), time=samples.NOW + AWAIT_SECONDS))
    assert window.selected == "Lab console"


def test_a_selection_from_before_the_start_that_is_gone_gives_way_at_once(window: MainWindow) -> None:
    window.select("Gone since yesterday")
    window.update_snapshot(samples.office())
    assert window.selected == "Office desktop"
    assert window.stack.currentWidget() is window.page


def test_when_the_selected_tunnel_is_removed_another_is_shown(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.update_snapshot(samples.engine(samples.stopped()))
    assert window.selected == "Staging SPICE"


def test_without_tunnels_the_first_is_offered(window: MainWindow) -> None:
    window.update_snapshot(samples.engine())
    assert window.stack.currentWidget() is window.empty
    window.empty.new.click()
    assert window.stack.currentWidget() is window.new_tunnel


def test_ctrl_k_finds_and_return_goes_to_the_first_found(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.sidebar.search.hasFocus()
    qtbot.keyClicks(window.sidebar.search, "gateway")
    qtbot.keyClick(window.sidebar.search, Qt.Key.Key_Return)
    assert window.selected == "Remote gateway"
    assert window.sidebar.list.hasFocus()


def test_alt_and_arrows_go_from_tunnel_to_tunnel_past_headings(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    for expected in ("Accounting", "Lab console"):
        qtbot.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        assert window.selected == expected
    qtbot.keyClick(window, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert window.selected == "Accounting"


def test_space_switches(window: MainWindow, qtbot: QtBot, actions: RecordedActions) -> None:
    window.update_snapshot(samples.office())
    window.select("Staging SPICE")
    qtbot.keyClick(window.sidebar.list, Qt.Key.Key_Space)
    assert actions.asked == [("start", "Staging SPICE")]


@pytest.mark.parametrize(
    ("key", "modifiers", "asked"),
    [
        (Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, ("open_page", "Office desktop")),
        (
            Qt.Key.Key_C,
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
            ("copy_address", "Office desktop"),
        ),
        (Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier, ("quit",)),
    ],
)
def test_keys_do_what_the_buttons_do(
    window: MainWindow,
    qtbot: QtBot,
    actions: RecordedActions,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier,
    asked: tuple[str, ...],
) -> None:
    window.update_snapshot(samples.office())
    qtbot.keyClick(window, key, modifiers)
    assert actions.asked == [asked]


def test_ctrl_w_closes_the_window_and_says_so(window: MainWindow, qtbot: QtBot) -> None:
    closed, shown = QSignalSpy(window.closed), QSignalSpy(window.visibility_changed)
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()
    assert closed.count() == 1
    assert shown.at(0)[0] is False


def test_f6_goes_round_the_panes(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    window.sidebar.search.setFocus()
    visited = []
    for _ in range(4):
        qtbot.keyClick(window, Qt.Key.Key_F6)
        visited.append(window.focusWidget())
    assert visited[0] is window.sidebar.list
    assert window.page.header.isAncestorOf(visited[1])
    assert visited[2:] == [window.page.tabs, window.sidebar.search]


def test_stop_without_clients_stops_at_once(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.tunnel()))
    window.page.header.stop.click()
    assert actions.asked == [("stop", "Office desktop", 0.0)]


def test_stop_with_clients_asks_what_becomes_of_them(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.office())
    window.page.header.stop.click()
    assert actions.asked == []
    button(window.page.header, "Let 3 finish").click()
    assert actions.asked == [("stop", "Office desktop", FINISH_SECONDS)]


def test_escape_puts_the_question_away(window: MainWindow, qtbot: QtBot, actions: RecordedActions) -> None:
    window.update_snapshot(samples.office())
    window.page.header.stop.click()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.page.header.stop.isVisible()
    assert not window.page.header.finish.isVisible()
    assert actions.asked == []


def test_switching_off_with_clients_asks_the_same_question(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    click(qtbot, window, row_places(window, "Build farm").switch)
    assert window.selected == "Build farm"
    assert window.page.header.finish.isVisible()
    assert actions.asked == []


def test_stopping_a_group_lets_clients_finish_and_stops_the_rest(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    group = (samples.busy("a", group="G"), samples.busy("b", group="G"), samples.tunnel("c", group="G"))
    window.update_snapshot(samples.engine(*group, samples.busy("d")))
    heading = next(i for i in map(window.sidebar.model.index, range(9)) if i.data() == "G")
    row = window.sidebar.model.row_at(heading)
    assert isinstance(row, GroupRow)
    click(qtbot, window, group_button(QRectF(window.sidebar.list.visualRect(heading)), row))
    assert actions.asked == [("stop", "a", FINISH_SECONDS), ("stop", "b", FINISH_SECONDS), ("stop", "c", 0.0)]


def test_a_finishing_tunnel_can_be_stopped_now(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.finishing()))
    button(window.page.header, "Stop now").click()
    assert actions.asked == [("stop", "Office desktop", 0.0)]


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("Use 7002", ("use_port", "Router serial", 7002)),
        ("Retry", ("start", "Router serial")),
        ("Edit profile", ("edit_profile", "Router serial")),
    ],
)
def test_a_waiting_tunnel_says_why_and_its_buttons_help(
    window: MainWindow, actions: RecordedActions, label: str, asked: tuple[object, ...]
) -> None:
    window.update_snapshot(samples.engine(samples.waiting()))
    button(window.page.overview.state_notice, label).click()
    assert actions.asked == [asked]


def test_a_refused_page_can_be_allowed_from_its_notice_only(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.engine(samples.tunnel("a"), samples.tunnel("b", refusal=samples.refusal())))
    click(qtbot, window, row_places(window, "b").button)
    assert (window.selected, actions.asked) == ("b", [])
    button(window.page.overview.refusal_notice, "Allow https://vnc.lab").click()
    assert actions.asked == [("allow_origin", "b", "https://vnc.lab")]
    assert not window.page.overview.refusal_notice.isVisible()


def test_a_dismissed_refusal_stays_away_until_another_page_is_refused(window: MainWindow) -> None:
    tunnel = samples.tunnel(refusal=samples.refusal())
    window.update_snapshot(samples.engine(tunnel))
    button(window.page.overview.refusal_notice, "Dismiss").click()
    again = replace(samples.refusal(), time=samples.NOW + 3)
    window.update_snapshot(samples.engine(replace(tunnel, refusal=again)))
    assert not window.page.overview.refusal_notice.isVisible()
    window.update_snapshot(samples.engine(replace(tunnel, refusal=samples.refusal("https://other.lab"))))
    assert window.page.overview.refusal_notice.isVisible()


def test_running_with_nobody_waits_for_the_first_connection(window: MainWindow) -> None:
    window.update_snapshot(samples.engine(samples.tunnel()))
    assert window.page.overview.quiet.isVisible()
    assert window.page.overview.quiet.address.whole() == "ws://127.0.0.1:6080/"
    window.update_snapshot(samples.engine(samples.busy()))
    assert not window.page.overview.quiet.isVisible()
    assert window.page.overview.chart.isVisible()


def test_a_stopped_tunnel_offers_start(window: MainWindow, actions: RecordedActions) -> None:
    window.update_snapshot(samples.engine(samples.stopped()))
    button(window.page.overview.quiet, "Start").click()
    assert actions.asked == [("start", "Staging SPICE")]


def test_the_demo_alone_offers_an_own_tunnel_until_there_is_one(window: MainWindow) -> None:
    demo = samples.tunnel("Demo", target="demo:")
    window.update_snapshot(samples.engine(demo))
    assert window.page.overview.start_card.isVisible()
    window.update_snapshot(samples.engine(demo, samples.tunnel()))
    assert not window.page.overview.start_card.isVisible()


def test_live_numbers_are_shown_as_a_person_reads_them(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    shown = [
        card.accessibleName().replace("\N{NO-BREAK SPACE}", " ")
        for card in (
            window.page.overview.connections,
            window.page.overview.to_clients,
            window.page.overview.to_target,
            window.page.overview.round_trip,
            window.page.overview.transferred,
        )
    ]
    assert shown == [
        "Connections: 3",
        "To clients: 12.4 MB/s",
        "To target: 310 kB/s",
        "Round trip (median): 2.1 ms",
        "Transferred since start: 8.7 GB",
    ]


def test_the_limit_is_shown_only_near_it(window: MainWindow) -> None:
    window.update_snapshot(samples.engine(samples.busy(connection_limit=4)))
    assert window.page.overview.connections.accessibleName() == "Connections: 3"
    window.update_snapshot(samples.engine(samples.busy(connection_limit=3)))
    assert window.page.overview.connections.accessibleName().endswith("of 3")


def test_a_connection_is_ended_by_its_button(window: MainWindow, qtbot: QtBot, actions: RecordedActions) -> None:
    window.update_snapshot(samples.office())
    table = window.page.overview.table
    last = table.model().columnCount() - 1
    cell = table.visualRect(table.model().index(1, last))
    qtbot.mouseClick(table.viewport(), LEFT, pos=cell.center())
    assert actions.asked == [("disconnect", "Office desktop", 2)]


def test_the_connections_tab_lists_filters_and_ends_all(
    window: MainWindow, qtbot: QtBot, actions: RecordedActions
) -> None:
    window.update_snapshot(samples.office())
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    view = window.page.connections
    assert view.isVisible()
    assert view.table.model().rowCount() == 3
    qtbot.keyClicks(view.filter, "192.168")
    assert view.table.model().rowCount() == 1
    view.all.click()
    assert [asked[2] for asked in actions.asked] == [1, 2, 3]


def test_a_broken_file_is_named_with_its_line_below_the_list(window: MainWindow, actions: RecordedActions) -> None:
    problem = FieldError('"6080x" is not an address.', "Write host:port.", field="listen", line=12)
    window.update_snapshot(samples.office())
    window.set_problems((ProfileError("/home/x/office.toml", (problem,)),))
    notice = window.sidebar.problems
    assert notice.isVisible()
    assert notice.accessibleName() == 'office.toml line 12: "6080x" is not an address. Write host:port.'
    button(notice, "Open the file").click()
    assert actions.asked == [("open_source", "/home/x/office.toml")]
    window.set_problems(())
    assert not notice.isVisible()


def test_a_message_stays_until_it_is_dismissed(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.show_message("It failed.", "Try again.")
    window.update_snapshot(samples.office())
    assert window.message.isVisible()
    button(window.message, "Dismiss").click()
    assert not window.message.isVisible()


def test_a_count_in_the_foot_filters_the_list(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    button(window.sidebar, "2 need attention").click()
    names = {row.name for row in rows(window)}
    assert names == {"Accounting", "Router serial"}
    window.update_snapshot(samples.engine(samples.tunnel()))
    assert {row.name for row in rows(window)} == {"Office desktop"}


def rows(window: MainWindow) -> list[TunnelRow]:
    model = window.sidebar.model
    found = [model.row_at(model.index(place)) for place in range(model.rowCount())]
    return [row for row in found if isinstance(row, TunnelRow)]


def test_nothing_is_refreshed_while_hidden_and_all_when_shown_again(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.hide()
    changed = QSignalSpy(window.sidebar.model.dataChanged)
    inserted = QSignalSpy(window.sidebar.model.rowsInserted)
    window.update_snapshot(samples.engine(*samples.office().tunnels, samples.tunnel("Another")))
    assert (changed.count(), inserted.count()) == (0, 0)
    window.show()
    assert inserted.count() == 1
