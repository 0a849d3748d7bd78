"""The composition root of the tray app: Qt and its loop, the engine's thread, the tray, the window."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final

import PySide6
from PySide6.QtCore import QCoreApplication, QEvent, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

import wsgui
from wsgui.app import settings
from wsgui.app.logging import EventLog
from wsgui.app.paths import Paths
from wsgui.app.runtime import Runtime
from wsgui.app.single_instance import TRAY
from wsgui.errors import EXIT_FAILED, EXIT_OK, WsguiError
from wsgui.gui import binding
from wsgui.gui.asking import Asking
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.icons import app_icon
from wsgui.gui.plurals import EnglishPlurals
from wsgui.gui.qt_messages import QtMessages
from wsgui.gui.shell import Shell
from wsgui.gui.theme import theme
from wsgui.profiles import keyring_access

log = logging.getLogger(__name__)
translate = QCoreApplication.translate
DESKTOP_NAME: Final = "wsgui"
_THEMES: Final = {"system": None, "light": False, "dark": True}


class Program(QApplication):
    """The QApplication; what asks it to quit (a session's end, Cmd+Q) becomes a signal, as quitting takes a while."""

    quit_requested = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Quit:
            self.quit_requested.emit()
            return True
        return super().event(event)


def run_application(places: Paths, event_log: EventLog, *, minimized: bool) -> int:
    """Run the tray app until it is quit; returns the exit code.

    Raises:
        BindingError: This PySide6 would abort the program after a while.
    """
    with QtMessages():
        return _run(Program([DESKTOP_NAME]), places, event_log, minimized)


def _run(program: Program, places: Paths, event_log: EventLog, minimized: bool) -> int:
    binding.check(PySide6.__version__, binding.none_references_lost())
    program.setApplicationName(DESKTOP_NAME)
    program.setApplicationDisplayName(DESKTOP_NAME)
    program.setApplicationVersion(wsgui.__version__)
    QGuiApplication.setDesktopFileName(DESKTOP_NAME)
    program.setQuitOnLastWindowClosed(False)
    plurals = EnglishPlurals(program)
    program.installTranslator(plurals)
    theme.install(program)
    noted = settings.load(places.settings)
    theme.use(dark=_THEMES[noted.theme])
    program.setWindowIcon(app_icon())

    asking = Asking()
    keyring_access.allow_prompts(allowed=True)

    def open_runtime() -> Runtime:
        runtime = Runtime(places, name=TRAY, role="window", ask=asking.ask)
        runtime.engine.events.subscribe(event_log)
        return runtime

    with QEventLoop(program) as loop:
        loop.set_default_executor(ThreadPoolExecutor(2, thread_name_prefix="files"))
        asyncio.set_event_loop(loop)
        try:
            return int(
                loop.run_until_complete(_serve(program, EngineThread(open_runtime, asking), places, noted, minimized))
            )
        finally:
            asyncio.set_event_loop(None)


async def _serve(
    program: Program, engine: EngineThread, places: Paths, noted: settings.Settings, minimized: bool
) -> int:
    shell = Shell(engine, places.settings, noted)
    program.quit_requested.connect(shell.quit)
    with _faults_shown(shell), _signals_quit(shell):
        if not minimized:
            shell.show_window()
        code = EXIT_OK
        try:
            await engine.start()
        except WsguiError as error:
            log.error("The engine cannot start: %s", error)
            shell.say(error.message, error.hint)
            shell.show_window()
            code = EXIT_FAILED
        else:
            shell.follow_engine(minimized=minimized)
        await shell.quit_asked()
        try:
            await shell.close()
        finally:
            await engine.stop()
    return code


@contextlib.contextmanager
def _signals_quit(shell: Shell) -> Iterator[None]:
    """SIGTERM and SIGINT end the program as its menu does; a second one does not wait."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    if sys.platform == "win32":
        before = {number: signal.signal(number, lambda *_: shell.quit()) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return
    for number in signals:
        loop.add_signal_handler(number, shell.quit)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _faults_shown(shell: Shell) -> Iterator[None]:
    """What nobody caught, in a slot or on the loop, is logged and shown; the tunnels go on."""
    loop = asyncio.get_running_loop()
    last_told = -60.0

    def tell(error: BaseException | None, where: str) -> None:
        nonlocal last_told
        log.error("A fault of wsgui %s", where, exc_info=error)
        if time.monotonic() - last_told >= 60.0:
            last_told = time.monotonic()
            shell.say(
                translate("application", "Something in wsgui went wrong: {0}.").format(type(error).__name__),
                translate("application", "The tunnels go on; the log has the details."),
            )

    def from_slot(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell(error, "in the window")

    def from_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        tell(context.get("exception"), f"on the window's loop: {context.get('message', '')}")

    before, sys.excepthook = sys.excepthook, from_slot
    loop.set_exception_handler(from_loop)
    try:
        yield
    finally:
        sys.excepthook = before
        loop.set_exception_handler(None)
