"""The window, the tray and the engine together on Qt's own loop, without a screen."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from wsgui.app import settings
from wsgui.app.runtime import Runtime
from wsgui.gui import application, shell
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.shell import Shell
from wsgui.gui.views.certificates.passphrase_sheet import PassphraseSheet
from wsgui.profiles.reading import build_profile

if TYPE_CHECKING:
    from wsgui.app.paths import Paths

Scenario = Callable[[Shell], Awaitable[None]]
Play = Callable[..., int]


class QuitRequests(QObject):
    """The part of the application object that the shell knows."""

    quit_requested = Signal()


@pytest.fixture
def play(qtbot: QtBot, qapp: QApplication, folders: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Run the tray app in this process while `scenario` does what a person does; returns the exit code."""
    shells: list[Shell] = []

    class Noted(Shell):
        def __init__(self, *values: Any) -> None:
            super().__init__(*values)
            shells.append(self)

    monkeypatch.setattr(application, "Shell", Noted)

    def run(scenario: Scenario, *, minimized: bool = False, open_runtime: Callable[[], Runtime] | None = None) -> int:
        async def all_of_it() -> int:
            requests = QuitRequests()
            engine = EngineThread(open_runtime or (lambda: Runtime(folders, name="tray", role="window")))
            noted = settings.load(folders.settings)
            serving = asyncio.ensure_future(application._serve(requests, engine, folders, noted, minimized))  # type: ignore[arg-type]
            while not shells:
                await asyncio.sleep(0)
            playing = asyncio.ensure_future(scenario(shells[0]))
            await asyncio.wait((serving, playing), return_when=asyncio.FIRST_EXCEPTION, timeout=30)
            if not playing.done() or playing.exception() is not None:
                shells[0].quit()
            await asyncio.wait((serving,), timeout=30)
            playing.result()
            return serving.result()

        with QEventLoop(qapp) as loop:
            try:
                return int(loop.run_until_complete(all_of_it()))
            finally:
                shells.clear()
                asyncio.set_event_loop(None)

    qapp.setQuitOnLastWindowClosed(False)
    yield run
    qapp.setQuitOnLastWindowClosed(True)


async def until(what: str, look: Callable[[], Any]) -> Any:
    """Wait, a turn of the loop at a time, until `look` returns something true."""
    async with asyncio.timeout(20):
        while not (seen := look()):
            await asyncio.sleep(0)
    assert seen, what
    return seen


def box() -> QMessageBox | None:
    return next((w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()), None)


def press(text: str) -> None:
    shown = box()
    assert shown is not None
    next(b for b in shown.findChildren(QPushButton) if b.text().replace("&", "") == text).click()


def messages(shown: Shell) -> list[tuple[str, str]]:
    """From now on, what the window is told to show."""
    told: list[tuple[str, str]] = []
    shown.window.show_message = lambda message, hint="": told.append((message, hint))  # type: ignore[method-assign]
    return told


def test_the_window_shows_the_demo_running_and_quits(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        assert shown.window.isVisible()
        shown.quit()

    assert play(scenario) == 0


def test_many_applications_one_after_another_leave_nothing_behind(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        shown.quit()

    def left() -> tuple[int, int, int]:
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return threading.active_count(), len(os.listdir("/proc/self/fd")), len(QApplication.topLevelWidgets())

    for _ in range(2):
        play(scenario)
    before = left()
    for _ in range(4):
        play(scenario)
    after = left()
    assert all(now <= then for now, then in zip(after, before, strict=True)), (before, after)


async def type_settings(shown: Shell) -> None:
    """Have a tunnel Lab and change a setting of it without applying that."""
    await until("the engine", lambda: shown._latest.tunnel("Demo"))
    profile = build_profile({"name": "Lab", "listen": "127.0.0.1:0", "target": "demo:", "autostart": False}, "Lab")
    shown.window._actions.create(profile)
    await until("Lab", lambda: shown._latest.tunnel("Lab"))
    shown.window.show_settings("Lab")
    settings_view = shown.window.page.settings
    await until("its form", lambda: settings_view._form)
    settings_view.form_page.edited.emit("access.origins", ["https://vnc.lab"])
    assert shown.window.unapplied() == {"Lab": 1}


def test_quitting_with_settings_that_are_not_applied_asks_and_leads_to_them(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await type_settings(shown)
        shown.window.select("Demo")
        shown.leave()
        await until("the question", box)
        shown.leave()
        assert [type(w) for w in QApplication.topLevelWidgets() if w.isVisible()].count(QMessageBox) == 1
        press("Show them")
        assert not shown._quit.is_set()
        assert (shown.window.selected, shown.window.page.settings.isVisible()) == ("Lab", True)
        shown.leave()
        press("Quit without them")

    assert play(scenario) == 0


def test_without_a_tray_quitting_from_the_question_asks_about_settings_that_are_not_applied_too(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await type_settings(shown)
        shown.window.close()
        await until("the question", box)
        press("Quit")
        assert box() is not None
        press("Show them")
        assert shown.window.isVisible()
        assert shown.window.unapplied() == {"Lab": 1}
        shown.quit()

    assert play(scenario) == 0


def test_a_signal_quits_without_a_question(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await type_settings(shown)
        os.kill(os.getpid(), signal.SIGTERM)
        await until("the end", shown._quit.is_set)
        assert box() is None

    assert play(scenario) == 0


def test_without_a_tray_and_with_a_tunnel_on_closing_asks(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo on", lambda: (demo := shown._latest.tunnel("Demo")) and demo.wanted)
        shown.window.close()
        await until("the question", box)
        press("Keep running")
        assert shown.window.isMinimized()
        shown.window.close()
        await until("the question", box)
        press("Quit")

    assert play(scenario) == 0


def test_without_a_tray_and_with_nothing_on_closing_quits(play: Play, folders: Paths) -> None:
    settings.update(folders.settings, wanted=())

    async def scenario(shown: Shell) -> None:
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        shown.window.close()

    assert play(scenario) == 0


def test_with_a_tray_closing_is_explained_once_and_quitting_offered(play: Play, folders: Paths) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        shown.tray._available = True
        shown.tray._timer.stop()
        shown.window.close()
        await until("what is said", box)
        shown.show_window()
        assert box() is None
        shown.window.close()
        assert box() is None
        shown.quit()

    assert play(scenario) == 0
    assert settings.load(folders.settings).told == (shell.SAID_KEEPS_RUNNING,)


def test_the_windows_size_and_selection_come_back(play: Play, folders: Paths) -> None:
    async def leave(shown: Shell) -> None:
        await until("the demo", lambda: shown.window.selected == "Demo")
        shown.window.resize(1000, 640)
        shown.quit()

    async def come_back(shown: Shell) -> None:
        assert (shown.window.width(), shown.window.height()) == (1000, 640)
        shown.quit()

    play(leave)
    assert settings.load(folders.settings).window.selected == "Demo"
    play(come_back)


def test_a_fault_in_the_window_is_told_once_and_the_pictures_go_on(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        told = messages(shown)
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        real, calls = shown.window.update_snapshot, []

        def faulty(snapshot: Any) -> None:
            calls.append(snapshot)
            if len(calls) < 3:
                raise ZeroDivisionError
            real(snapshot)

        shown.window.update_snapshot = faulty  # type: ignore[method-assign]
        await until("looks after the fault", lambda: len(calls) > 3)
        assert [message for message, _ in told] == ["Something in wsgui went wrong: ZeroDivisionError."]
        shown.quit()

    assert play(scenario) == 0


def test_a_fault_in_a_slot_is_told_and_the_window_goes_on(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        told = messages(shown)
        shown.window.selection_changed.connect(lambda _: 1 // 0)
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        shown.window.selection_changed.emit("Demo")
        await until("the message", lambda: told)
        assert told == [
            ("Something in wsgui went wrong: ZeroDivisionError.", "The tunnels go on; the log has the details.")
        ]
        shown.quit()

    assert play(scenario) == 0


def test_an_engine_that_cannot_start_is_said_in_the_window_which_then_closes(play: Play) -> None:
    from wsgui.errors import WsguiError

    def broken() -> Runtime:
        raise WsguiError("There is no room.", "Make some.")

    async def scenario(shown: Shell) -> None:
        told = messages(shown)
        await until("the message", lambda: told)
        assert told == [("There is no room.", "Make some.")]
        shown.window.close()

    assert play(scenario, open_runtime=broken) == 1


def test_an_engine_that_ends_by_itself_is_said(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        told = messages(shown)
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        await shown._engine.stop()
        await until("the message", lambda: told)
        assert told[0][0] == "The engine has ended."
        shown.quit()

    assert play(scenario) == 0


def test_while_hidden_the_engine_is_asked_for_no_throughput(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo selected", lambda: shown.window.selected == "Demo")
        asked: list[str] = []
        look = shown._engine.look

        def noted(selected: str = "") -> Any:
            asked.append(selected)
            return look(selected)

        shown._engine.look = noted  # type: ignore[method-assign]
        await until("a look while shown", lambda: asked)
        shown.window.hide()
        asked.clear()
        await until("a look while hidden", lambda: asked)
        assert asked[-1] == ""
        shown.window.show()
        asked.clear()
        await until("a look while shown", lambda: asked)
        assert asked[-1] == "Demo"
        shown.quit()

    assert play(scenario) == 0


def test_a_tunnel_that_fails_becomes_a_note_whose_click_shows_it(play: Play, folders: Paths) -> None:
    profile = folders.profiles / "lab.toml"
    profile.write_text(
        'name = "Lab"\nlisten = "127.0.0.1:0"\ntarget = "demo:"\nautostart = true\n[tls]\ncertificate = ["gone.lan"]\n'
    )
    profile.chmod(0o600)

    async def scenario(shown: Shell) -> None:
        await until("a note", lambda: shown._notifications._notes.due_at)
        note = next(iter(shown._notifications._notes._waiting.values()))
        assert (note.tunnel, note.title) == ("Lab", "Lab has failed")
        await until("the failure in the window", lambda: shown._is_still_so(note))
        shown.window.show_certificates()
        shown._notifications.clicked.emit(note)
        assert shown.window.stack.currentWidget() is shown.window.page
        assert shown.window.selected == "Lab"
        shown._notifications.clicked.emit(replace(note, tunnel="", certificate="gone.lan"))
        assert shown.window.stack.currentWidget() is shown.window.certificates
        shown.quit()

    assert play(scenario) == 0


def test_a_passphrase_is_asked_in_a_sheet_and_closing_it_is_an_answer(play: Play) -> None:
    async def scenario(shown: Shell) -> None:
        await until("the demo", lambda: shown._latest.tunnel("Demo"))
        for typed in ("sesame", ""):
            answer: list[str] = []
            with_asking = shown._engine.asking

            def ask(answer: list[str] = answer, asking: Any = with_asking) -> None:
                with asking.allowed():
                    answer.append(asking.ask("Passphrase of the key: "))

            thread = threading.Thread(target=ask)
            thread.start()
            await until("the sheet", lambda: shown.window.covered)
            sheet = shown.window._sheets[-1]
            assert isinstance(sheet, PassphraseSheet)
            if typed:
                sheet.line.line.setText(typed)
                sheet.line.line.returnPressed.emit()
            else:
                sheet.dismiss()
            await until("the answer", lambda answer=answer: answer)
            thread.join()
            assert answer == [typed]
        shown.quit()

    assert play(scenario) == 0
