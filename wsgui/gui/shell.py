"""The window and the tray as one: what is shown when, and how the program ends."""

from __future__ import annotations

import asyncio
import logging
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from wsgui.app import settings
from wsgui.engine.events import CertificateEvent
from wsgui.engine.snapshot import EngineSnapshot, TunnelState
from wsgui.errors import ProfileError, WsguiError
from wsgui.gui import farewell
from wsgui.gui.actions_live import LiveActions
from wsgui.gui.certificate_requests_live import LiveCertificateRequests
from wsgui.gui.engine_thread import EngineEndedError, EngineThread
from wsgui.gui.notes import Note
from wsgui.gui.notifications import Notifications
from wsgui.gui.secret_requests_live import LiveSecretRequests
from wsgui.gui.tasks import Tasks
from wsgui.gui.tray import Tray
from wsgui.gui.tray_menu import TrayMenu
from wsgui.gui.views.certificates.passphrase_sheet import PassphraseSheet
from wsgui.gui.views.main_window import MainWindow

log = logging.getLogger(__name__)
translate = QCoreApplication.translate
VISIBLE_SECONDS: Final = 0.1
"""Between two looks at the engine while the window is on the screen."""
HIDDEN_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 0.5
"""Ending that takes longer is shown, with a button that hurries."""
SAID_KEEPS_RUNNING: Final = "keeps-running"


class Shell:
    """Owns the window, the tray, and what runs on Qt's loop. Make it on that loop.

    Args:
        engine: Started and watched by the caller until `follow_engine`; ended by `close`.
        settings_file: Where the window's place and what has been said are kept.
        noted: What was in it.
    """

    def __init__(self, engine: EngineThread, settings_file: Path, noted: settings.Settings) -> None:
        self._engine = engine
        self._settings_file = settings_file
        self._told = set(noted.told)
        self._tasks = Tasks(self.say)
        self._latest = EngineSnapshot(0.0, ())
        self._problems: tuple[ProfileError, ...] = ()
        self._visible = False
        self._wake = asyncio.Event()
        self._quit = asyncio.Event()
        self._grace_seconds = 0.0
        self._following = False
        self._box: QMessageBox | None = None
        self._actions = LiveActions(
            engine,
            self._tasks,
            latest=lambda: self._latest,
            say=self.say,
            select=lambda name: self.window.select(name),
            leave=self.leave,
            certificates=LiveCertificateRequests(
                engine, self._tasks, engine.asking, lambda name: self._actions.start(name)
            ),
            secrets=LiveSecretRequests(engine, self._tasks),
        )
        engine.asking.attend(self._ask_passphrase)
        self.window = MainWindow(self._actions)
        self._restore(noted.window)
        # Wayland gives the clipboard only to a window in front.
        wayland = QGuiApplication.platformName().startswith("wayland")
        self._menu = TrayMenu(self._actions, self.show_window, self._show_address if wayland else None)
        self.tray = Tray(self._menu)
        self.tray.clicked.connect(self.toggle_window)
        self.tray.lost.connect(self._tray_lost)
        self._notifications = Notifications(
            self._tasks, self.window, still=self._is_still_so, by_tray=self.tray.show_message
        )
        self._notifications.clicked.connect(self._show_note)
        self.tray.message_clicked.connect(self._notifications.tray_clicked)
        self.window.closed.connect(self._window_closed)
        self.window.visibility_changed.connect(self._visibility_changed)
        self.window.selection_changed.connect(lambda _: self._wake.set())

    def follow_engine(self, *, minimized: bool) -> None:
        """Show what the (started) engine does from now on, and carry out what comes over the control channel.

        Args:
            minimized: The window stays hidden: where no tray ever comes, it is shown minimised instead.
        """
        self._following = True
        self._tasks.start(self._watch_engine(), what=translate("shell", "The engine"))
        self._tasks.start(self._pull(), what=translate("shell", "Showing what the tunnels do"))
        self._tasks.start(self._heed(), what=translate("shell", "Listening for what needs attention"))
        self._tasks.start(self._listen(), what=translate("shell", "Listening to the control channel"))

    def say(self, message: str, hint: str = "") -> None:
        """Show one sentence what is wrong and one what to do; in the window, and nothing waits for it."""
        self.window.show_message(message, hint)

    def show_window(self) -> None:
        """Bring the window to the front, wherever it was."""
        self._dismiss()
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def toggle_window(self) -> None:
        """What a click on the tray's icon does: raise the window, or hide it when it is in front already."""
        front = self.window.isVisible() and self.window.isActiveWindow() and not self.window.isMinimized()
        if front and sys.platform != "win32":
            self._note_place()
            self.window.hide()
        else:
            self.show_window()

    def _ask_passphrase(self, prompt: str, answer: Future[str]) -> None:
        """Ask for what a thread waits for; closing the sheet is an answer too."""
        sheet = PassphraseSheet(prompt)
        sheet.given.connect(answer.set_result)
        sheet.closed.connect(lambda: None if answer.done() else answer.cancel())
        self.show_window()
        self.window.open_sheet(sheet, sheet.first)

    def _show_address(self, name: str) -> None:
        self.window.select(name)
        self.show_window()
        if self.window.isActiveWindow():
            self._actions.copy_address(name)
        elif (shown := self.window.windowHandle()) is not None:
            once = Qt.ConnectionType.SingleShotConnection
            shown.activeChanged.connect(lambda: self._actions.copy_address(name), once)

    def leave(self) -> None:
        """A person in front of it quits: end the program, after asking where that drops what they have typed."""
        unapplied = {} if self._quit.is_set() else self.window.unapplied()
        if not unapplied:
            self.quit()
            return

        def show() -> None:
            self.show_window()
            self.window.show_settings(next(iter(unapplied)))

        self._say_in_box(farewell.unapplied(unapplied, self.quit, show))

    def quit(self, grace_seconds: float = 0.0) -> None:
        """End the program; asked for a second time, without waiting for anybody."""
        if self._quit.is_set():
            self._hurry()
            return
        self._grace_seconds = grace_seconds
        self._quit.set()

    async def quit_asked(self) -> None:
        """Return when somebody has asked for the end."""
        await self._quit.wait()

    async def close(self) -> None:
        """Stop the tunnels (clients get Close 1001), show that when it takes long, and end everything."""
        noted = self._note_place()
        self._dismiss()
        self._notifications.close()
        self.window.dismiss_sheets()
        self.window.hide()
        if self._following:
            await self._drain()
        await asyncio.wait((noted,))
        await self._tasks.close()
        await self._engine.stop()
        self.tray.close()
        self.window.deleteLater()

    # The engine

    async def _drain(self) -> None:
        what = translate("shell", "Ending the connections")
        drained = self._tasks.start(self._engine.drain(self._grace_seconds), what=what)
        while not (await asyncio.wait((drained,), timeout=PATIENCE_SECONDS))[0]:
            try:
                look = await self._engine.look()
            except EngineEndedError:
                break
            left = sum(len(tunnel.connections) for tunnel in look.snapshot.tunnels)
            if self._box is None:
                self._say_in_box(farewell.ending(left, self._hurry))
            else:
                self._box.setText(farewell.ending_text(left))
        self._dismiss()

    async def _pull(self) -> None:
        while True:
            pause = VISIBLE_SECONDS if self._visible else HIDDEN_SECONDS
            try:
                await self._look()
            except EngineEndedError:
                return
            except Exception as error:  # noqa: BLE001 handed to who logs and shows it; the window must not stand still
                asyncio.get_running_loop().call_exception_handler({"message": "showing a snapshot", "exception": error})
                pause = HIDDEN_SECONDS
            self._wake.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        selected = self.window.selected if self._visible else ""
        look = await self._engine.look(selected)
        self._latest = look.snapshot
        self._notifications.look_at_clock()
        self.tray.update(look.snapshot)
        self.window.update_snapshot(look.snapshot)
        if look.throughput is not None:
            self.window.update_throughput(selected, look.throughput)
        if look.problems != self._problems:
            self._problems = look.problems
            self.window.set_problems(look.problems)

    async def _listen(self) -> None:
        while True:
            asked = await self._engine.asked()
            if asked.do == "show":
                self.show_window()
            else:
                self.quit(asked.grace_seconds)

    async def _heed(self) -> None:
        while True:
            events = await self._engine.noteworthy()
            self._notifications.take(events)
            page = self.window.certificates
            if page.isVisible() and any(isinstance(event, CertificateEvent) for event in events):
                page.look()

    def _is_still_so(self, note: Note) -> bool:
        """A tunnel that has failed may run again by now; what happened to a certificate stays so."""
        tunnel = self._latest.tunnel(note.tunnel)
        return not note.tunnel or (tunnel is not None and tunnel.state is TunnelState.FAILED)

    def _show_note(self, note: Note) -> None:
        """Show what a notification was about."""
        self.show_window()
        if note.certificate:
            self.window.show_certificates()
        elif note.tunnel:
            self.window.select(note.tunnel)

    async def _watch_engine(self) -> None:
        await self._engine.ended()
        if not self._quit.is_set():
            raise EngineEndedError

    def _hurry(self) -> None:
        if self._following:
            self._tasks.start(self._engine.drain(), what=translate("shell", "Ending the connections"))

    # The window

    def _visibility_changed(self, visible: bool) -> None:
        self._visible = visible
        self._wake.set()

    def _window_closed(self) -> None:
        self._note_place()
        if self._quit.is_set():
            return
        if not self._following:
            self.quit()  # nothing ever ran
        elif self.tray.available:
            if SAID_KEEPS_RUNNING not in self._told:
                self._told.add(SAID_KEEPS_RUNNING)
                self._note(told=tuple(sorted(self._told)))
                self._say_in_box(farewell.keeps_running(self.tray.geometry, self.leave))
        elif on := sum(tunnel.wanted for tunnel in self._latest.tunnels):
            self._say_in_box(farewell.no_tray(on, self.leave, self.window.showMinimized))
        else:
            self.leave()

    def _tray_lost(self) -> None:
        if not self.window.isVisible() and self._box is None and not self._quit.is_set():
            self.window.showMinimized()

    def _say_in_box(self, box: QMessageBox) -> None:
        self._dismiss()
        self._box = box
        # A button of it may have shown another one by then.
        box.finished.connect(lambda: self._dismiss() if self._box is box else None)
        box.show()

    def _dismiss(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            box.hide()
            box.deleteLater()

    # What is kept for next time

    def _restore(self, hints: settings.WindowHints) -> None:
        if hints.width and hints.height:
            self.window.resize(hints.width, hints.height)
        if hints.maximized:
            self.window.setWindowState(Qt.WindowState.WindowMaximized)
        if hints.selected:
            self.window.select(hints.selected)

    def _note_place(self) -> asyncio.Task[Any]:
        size = self.window.normalGeometry().size() if self.window.isMaximized() else self.window.size()
        hints = settings.WindowHints(
            width=size.width(),
            height=size.height(),
            maximized=self.window.isMaximized(),
            selected=self.window.selected,
        )
        return self._note(window=hints.model_dump())

    def _note(self, **changes: Any) -> asyncio.Task[Any]:
        async def write() -> None:
            try:
                await asyncio.to_thread(settings.update, self._settings_file, **changes)
            except OSError as error:
                raise WsguiError(
                    translate("shell", "The settings cannot be written: {0}.").format(error.strerror or error),
                    translate("shell", "Look at the rights and the free space of {0}.").format(self._settings_file),
                ) from error

        return self._tasks.start(write(), what=translate("shell", "Keeping the settings"))
