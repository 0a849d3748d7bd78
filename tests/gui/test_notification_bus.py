"""Notifications at a real session bus."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from tests.support.notification_server import NotificationServer, session_bus
from wsgui.gui.notes import Note
from wsgui.gui.notification_bus import NotificationBus

pytestmark = pytest.mark.usefixtures("no_collecting")
NOTE = Note("Office", "", "Office has failed", "“a & <b>c</b>” cannot be opened.")
Play = Callable[[Callable[[NotificationBus], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NotificationServer]:
    with session_bus() as address, NotificationServer(address) as made:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield made


@pytest.fixture
def play(qapp: QApplication) -> Play:
    """Run a scenario with a NotificationBus on Qt's loop."""

    def run(scenario: Callable[[NotificationBus], Coroutine[Any, Any, None]]) -> None:
        async def all_of_it() -> None:
            bus = NotificationBus()
            try:
                async with asyncio.timeout(20):
                    await scenario(bus)
            finally:
                bus.close()

        with QEventLoop(qapp) as loop:
            try:
                loop.run_until_complete(all_of_it())
            finally:
                asyncio.set_event_loop(None)

    return run


def test_a_note_is_shown_with_its_body_escaped_where_bodies_are_markup(server: NotificationServer, play: Play) -> None:
    async def scenario(bus: NotificationBus) -> None:
        assert await bus.show(NOTE)

    play(scenario)
    title, body, actions, hints = server.shown.get(timeout=5)
    assert title == "Office has failed"
    assert body == "“a &amp; &lt;b&gt;c&lt;/b&gt;” cannot be opened."
    assert actions == ["default", "Open"]
    assert hints["desktop-entry"] == ("s", "wsgui")


def test_where_bodies_are_plain_text_they_stay_as_they_are(server: NotificationServer, play: Play) -> None:
    server.capabilities = ["body"]

    async def scenario(bus: NotificationBus) -> None:
        assert await bus.show(NOTE)

    play(scenario)
    assert server.shown.get(timeout=5)[1] == NOTE.body


def test_a_click_names_the_note_and_the_token_that_raises_the_window(
    server: NotificationServer, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)

    async def scenario(bus: NotificationBus) -> None:
        clicked: asyncio.Future[Note] = asyncio.get_running_loop().create_future()
        bus.clicked.connect(clicked.set_result)
        assert await bus.show(Note("Other", "", "Other", ""))
        assert await bus.show(NOTE)
        server.click(1, token="t-1")
        assert (await clicked).tunnel == "Other"
        assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "t-1"

    play(scenario)


def test_without_a_bus_nothing_is_shown(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")

    async def scenario(bus: NotificationBus) -> None:
        assert not await bus.show(NOTE)

    play(scenario)


def test_without_a_server_on_the_bus_nothing_is_shown(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(bus: NotificationBus) -> None:
        assert not await bus.show(NOTE)

    with session_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        play(scenario)


def test_a_server_that_refuses_is_no_disaster(server: NotificationServer, play: Play) -> None:
    server.refuses = True

    async def scenario(bus: NotificationBus) -> None:
        assert not await bus.show(NOTE)
        server.refuses = False
        assert await bus.show(NOTE)

    play(scenario)


def test_after_the_bus_has_gone_a_new_one_is_used(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(bus: NotificationBus) -> None:
        with session_bus() as address, NotificationServer(address):
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            assert await bus.show(NOTE)
        while bus._connection is not None:
            await asyncio.sleep(0)
        with session_bus() as address, NotificationServer(address):
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            assert await bus.show(NOTE)

    play(scenario)
