"""Where notes go: to the desktop, to the tray, or into the window that is in front."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.gui.test_notes import ends, failed
from wsgui.gui import notes as rules
from wsgui.gui import notifications as module
from wsgui.gui.notes import Note
from wsgui.gui.notifications import Notifications


class Tasks:
    """Runs what it is given at once: nothing here waits for anything."""

    def start(self, coroutine: Coroutine[Any, Any, Any], *, what: str) -> None:
        assert what
        asyncio.run(coroutine)


class Window:
    def __init__(self) -> None:
        self.active = False
        self.told: list[Note] = []

    def isActiveWindow(self) -> bool:  # noqa: N802  # as Qt has it
        return self.active

    def tell(self, notes: tuple[Note, ...]) -> None:
        self.told += notes


class Desk:
    """Notifications over a bus that takes notes, or does not, and a tray."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.window = Window()
        self.bus_works = True
        self.on_bus: list[Note] = []
        self.by_tray: list[tuple[str, str]] = []
        self.well_again: set[str] = set()

        async def show(_: object, note: Note) -> bool:
            if self.bus_works:
                self.on_bus.append(note)
            return self.bus_works

        monkeypatch.setattr("wsgui.gui.notification_bus.NotificationBus.show", show)
        monkeypatch.setattr(rules, "QUIET_SECONDS", 0.0)
        monkeypatch.setattr(rules, "WAIT_SECONDS", 0.0)
        self.notifications = Notifications(
            Tasks(),  # type: ignore[arg-type]
            self.window,
            still=lambda note: note.tunnel not in self.well_again,
            by_tray=lambda title, body: bool(self.by_tray.append((title, body))) or True,
        )


@pytest.fixture
def desk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_a_failure_goes_to_the_desktop(desk: Desk, qtbot: QtBot) -> None:
    desk.notifications.take((failed(),))
    qtbot.waitUntil(lambda: bool(desk.on_bus))
    assert [note.title for note in desk.on_bus] == ["Office has failed"]
    assert desk.by_tray == []


def test_where_the_desktop_has_no_service_the_tray_tells(desk: Desk, qtbot: QtBot) -> None:
    desk.bus_works = False
    desk.notifications.take((failed(),))
    qtbot.waitUntil(lambda: bool(desk.by_tray))
    assert desk.by_tray == [("Office has failed", "Its key cannot be opened. Unlock the keyring.")]


def test_a_click_on_what_the_tray_told_names_the_note(desk: Desk, qtbot: QtBot) -> None:
    desk.bus_works = False
    desk.notifications.take((ends(),))
    qtbot.waitUntil(lambda: bool(desk.by_tray))
    with qtbot.waitSignal(desk.notifications.clicked) as heard:
        desk.notifications.tray_clicked()
    assert heard.args is not None
    assert heard.args[0].certificate == "lab.lan"


def test_while_the_window_is_in_front_it_tells_itself(desk: Desk, qtbot: QtBot) -> None:
    desk.window.active = True
    desk.notifications.take((failed(), ends()))
    qtbot.waitUntil(lambda: bool(desk.window.told))
    assert [note.about for note in desk.window.told] == [("Office", ""), ("", "lab.lan")]
    assert desk.on_bus == []


def test_what_is_well_again_is_not_told(desk: Desk, qtbot: QtBot) -> None:
    desk.well_again.add("Office")
    desk.notifications.take((failed(), ends()))
    qtbot.waitUntil(lambda: bool(desk.on_bus))
    assert [note.about for note in desk.on_bus] == [("", "lab.lan")]


def test_after_a_sleep_it_is_quiet_for_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "QUIET_SECONDS", 30.0)
    desk.notifications.look_at_clock()
    ahead = module._ahead()
    monkeypatch.setattr(module, "_ahead", lambda: ahead + 3600.0)
    desk.notifications.look_at_clock()
    desk.notifications.take((failed(),))
    assert 28_000 < desk.notifications._timer.remainingTime() < 32_000
    desk.notifications.close()
