"""The tray's icon and tooltip say how the tunnels are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from wsgui.engine.snapshot import EngineSnapshot, Reason, ReasonKind, TunnelState
from wsgui.gui import tray as module
from wsgui.gui.actions import Actions
from wsgui.gui.plurals import EnglishPlurals
from wsgui.gui.tray import Tray, icon_state, summary
from wsgui.gui.tray_menu import TrayMenu

if TYPE_CHECKING:
    from tests.gui.conftest import MakeTunnel


@pytest.fixture
def menu(qtbot: QtBot) -> TrayMenu:
    return TrayMenu(Mock(spec=Actions), lambda: None)


@pytest.mark.parametrize(
    ("states", "shape"),
    [
        ([], "stopped"),
        ([TunnelState.STOPPED], "stopped"),
        ([TunnelState.STOPPED, TunnelState.RUNNING], "running"),
        ([TunnelState.RUNNING, TunnelState.FAILED], "attention"),
        ([TunnelState.RUNNING, TunnelState.WAITING], "attention"),
        ([TunnelState.FINISHING], "running"),
    ],
)
def test_the_shape_says_what_matters_most(make_tunnel: MakeTunnel, states: list[TunnelState], shape: str) -> None:
    tunnels = tuple(make_tunnel(f"T{number}", state) for number, state in enumerate(states))
    assert icon_state(EngineSnapshot(0.0, tunnels)) == shape


def test_a_target_that_refuses_needs_attention(make_tunnel: MakeTunnel) -> None:
    refused = make_tunnel("T", TunnelState.RUNNING, target_problem=Reason(ReasonKind.TARGET, "No answer."))
    assert icon_state(EngineSnapshot(0.0, (refused,))) == "attention"


def test_the_tooltip_counts(qtbot: QtBot, qapp: QApplication, make_tunnel: MakeTunnel) -> None:
    plurals = EnglishPlurals()
    qapp.installTranslator(plurals)
    try:
        tunnels = (make_tunnel("A", TunnelState.RUNNING, clients=3), make_tunnel("B", TunnelState.FAILED))
        assert summary(EngineSnapshot(0.0, tunnels)) == "1 running · 1 needs attention · 3 connections"
    finally:
        qapp.removeTranslator(plurals)


def test_the_icon_changes_at_most_once_in_two_seconds(
    menu: TrayMenu, make_tunnel: MakeTunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    shapes: list[str] = []
    made = module.tray_icon
    monkeypatch.setattr(module, "tray_icon", lambda shape, **more: shapes.append(shape) or made(shape, **more))
    tray = Tray(menu)
    running = EngineSnapshot(0.0, (make_tunnel("A", TunnelState.RUNNING),))
    failed = EngineSnapshot(0.0, (make_tunnel("A", TunnelState.FAILED),))
    tray.update(running)
    tray.update(failed)
    assert shapes == ["stopped", "running"]
    now += 2.0
    tray.update(failed)
    assert shapes == ["stopped", "running", "attention"]
    tray.close()


def test_a_tray_that_does_not_come_is_given_up_after_ten_seconds(
    menu: TrayMenu, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, there = 100.0, False
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: there))
    tray = Tray(menu)
    lost: list[Any] = []
    tray.lost.connect(lambda: lost.append(now))
    now = 109.0
    tray._look()
    assert tray.looking
    assert not lost
    now = 110.5
    tray._look()
    tray._look()
    assert lost == [110.5]
    there = True
    tray._look()
    assert tray.available
    there, now = False, 200.0
    tray._look()
    assert lost == [110.5, 200.0]
    tray.close()
