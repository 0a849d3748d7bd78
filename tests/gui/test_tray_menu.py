"""The tray's menu: what stands in it, in which order, and that nothing moves under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from wsgui.engine.snapshot import EngineSnapshot, TunnelSnapshot, TunnelState
from wsgui.gui.tray_menu import MOST_TUNNELS, TrayMenu, tunnel_text

if TYPE_CHECKING:
    from tests.gui.conftest import MakeTunnel


class Asked:
    """Notes what the menu asks of the application."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **named: self.calls.append((name, *values, *named.values()))


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def menu(qtbot: QtBot, asked: Asked) -> TrayMenu:
    return TrayMenu(asked, asked.open_window)


def show(menu: TrayMenu, *tunnels: TunnelSnapshot) -> None:
    menu.update(EngineSnapshot(0.0, tunnels))


def switches(menu: TrayMenu) -> list[QAction]:
    return [action for action in menu.menu.actions() if action.isCheckable()]


def texts(menu: TrayMenu) -> list[str]:
    return [action.text() for action in switches(menu)]


def test_each_tunnel_has_a_switch_that_shows_what_is_wanted(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, make_tunnel("Lab", TunnelState.RUNNING, clients=3), make_tunnel("Office"))
    assert [(action.text(), action.isChecked()) for action in switches(menu)] == [
        ("Lab, 3 connected", True),
        ("Office", False),
    ]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (TunnelState.WAITING, "Lab: Waiting"),
        (TunnelState.FAILED, "Lab: Failed"),
        (TunnelState.STARTING, "Lab: Starting"),
        (TunnelState.STOPPED, "Lab"),
        (TunnelState.RUNNING, "Lab"),
    ],
)
def test_a_state_that_needs_words_is_said(make_tunnel: MakeTunnel, state: TunnelState, text: str) -> None:
    assert tunnel_text(make_tunnel("Lab", state)) == text


def test_a_name_from_outside_is_shown_as_it_is_written(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, make_tunnel("<b>R&D\u202e\n"))
    assert texts(menu) == ["<b>R&&D\\u202e\\x0a"]


def test_those_that_are_on_come_first_then_those_that_were_on(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    off = [make_tunnel(name) for name in ("A", "B", "C", "D")]
    show(menu, off[0], make_tunnel("B", TunnelState.RUNNING), off[2], off[3])
    show(menu, off[0], off[1], off[2], make_tunnel("D", TunnelState.RUNNING))
    assert texts(menu) == ["D", "B", "A", "C"]


def test_no_more_than_twelve_tunnels_are_listed(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, *(make_tunnel(f"T{number}") for number in range(40)), make_tunnel("on", TunnelState.RUNNING))
    assert len(texts(menu)) == MOST_TUNNELS
    assert texts(menu)[0] == "on"


def test_nothing_changes_while_the_menu_is_open(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, make_tunnel("A"))
    menu.menu.aboutToShow.emit()
    before = menu.menu.actions()
    show(menu, make_tunnel("A", TunnelState.RUNNING, clients=2), make_tunnel("B"))
    assert menu.menu.actions() == before
    assert texts(menu) == ["A"]
    menu.menu.aboutToHide.emit()
    show(menu, make_tunnel("A", TunnelState.RUNNING, clients=2), make_tunnel("B"))
    assert texts(menu) == ["A, 2 connected", "B"]


def test_a_desktop_that_never_says_closed_blocks_the_menu_for_a_minute_at_most(
    menu: TrayMenu, make_tunnel: MakeTunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu.menu.aboutToShow.emit()
    monkeypatch.setattr("wsgui.gui.tray_menu.FORGOTTEN_SECONDS", 0.0)
    show(menu, make_tunnel("A"))
    assert texts(menu) == ["A"]


def test_a_switch_asks_for_start_and_stop(menu: TrayMenu, make_tunnel: MakeTunnel, asked: Asked) -> None:
    show(menu, make_tunnel("A"), make_tunnel("B", TunnelState.RUNNING))
    for action in switches(menu):
        action.trigger()
    assert asked.calls == [("stop", "B"), ("start", "A")]


def test_a_switch_of_which_nothing_came_shows_what_is_wanted_again(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, make_tunnel("A"))
    switches(menu)[0].trigger()
    assert switches(menu)[0].isChecked()
    show(menu, make_tunnel("A"))
    assert not switches(menu)[0].isChecked()


def test_a_late_click_means_the_tunnel_that_it_showed(menu: TrayMenu, make_tunnel: MakeTunnel, asked: Asked) -> None:
    show(menu, make_tunnel("A"), make_tunnel("B"))
    clicked = switches(menu)[0]
    show(menu, make_tunnel("A"), make_tunnel("B", TunnelState.RUNNING))
    clicked.trigger()
    assert asked.calls == [("start", "A")]


def test_addresses_and_pages_of_running_tunnels_can_be_had(
    menu: TrayMenu, make_tunnel: MakeTunnel, asked: Asked
) -> None:
    show(menu, make_tunnel("A"), make_tunnel("R&D", TunnelState.RUNNING))
    submenus = {action.text(): action.menu() for action in menu.menu.actions() if action.menu()}
    assert [action.text() for action in submenus["Copy address"].actions()] == ["R&&D"]
    for submenu in submenus.values():
        submenu.actions()[0].trigger()
    assert asked.calls == [("copy_address", "R&D"), ("open_page", "R&D")]


def test_without_a_running_tunnel_there_is_nothing_to_copy(menu: TrayMenu, make_tunnel: MakeTunnel) -> None:
    show(menu, make_tunnel("A"))
    assert [a.isEnabled() for a in menu.menu.actions() if a.menu()] == [False, False]


def test_open_and_quit_are_there_before_anything_is_known(menu: TrayMenu, asked: Asked) -> None:
    named = [action for action in menu.menu.actions() if action.text() in ("Open wsgui", "Quit")]
    for action in named:
        action.trigger()
    assert asked.calls == [("open_window",), ("quit",)]


def test_where_a_menu_cannot_reach_the_clipboard_the_window_shows_the_address(
    qtbot: QtBot, make_tunnel: MakeTunnel, asked: Asked
) -> None:
    menu = TrayMenu(asked, asked.open_window, asked.show_address)
    show(menu, make_tunnel("A", TunnelState.RUNNING))
    submenu = next(action for action in menu.menu.actions() if action.text() == "Show address…").menu()
    submenu.actions()[0].trigger()
    assert asked.calls == [("show_address", "A")]
