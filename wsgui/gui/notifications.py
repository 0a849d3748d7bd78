"""Tells the person what needs attention: by the desktop's notifications, by the tray's, or in the window in front."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from wsgui.engine.events import Event
from wsgui.gui.notes import Note, Notes, folded
from wsgui.gui.notification_bus import NotificationBus
from wsgui.gui.tasks import Tasks

translate = QCoreApplication.translate
SLEPT_SECONDS: Final = 5.0
"""By so much the clock that goes on in sleep runs ahead of the one that does not, after a sleep."""


class Inline(Protocol):
    """The window, as far as it tells things itself."""

    def isActiveWindow(self) -> bool: ...

    def tell(self, notes: tuple[Note, ...]) -> None:
        """Show notes in the window, which has the focus."""


class Notifications(QObject):
    """Fed with events; decides, folds, and sends.

    Args:
        tasks: Runs the sending.
        window: Tells by itself what happens while it is in front.
        still: Whether what a note says is still so.
        by_tray: Shows a note where the desktop's service cannot; false when it cannot either.
    """

    clicked = Signal(Note)

    def __init__(
        self,
        tasks: Tasks,
        window: Inline,
        *,
        still: Callable[[Note], bool],
        by_tray: Callable[[str, str], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._window = window
        self._still = still
        self._by_tray = by_tray
        self._now = now
        self._notes = Notes(now())
        self._bus = NotificationBus(self)
        self._bus.clicked.connect(self.clicked)
        self._ahead = _ahead()
        self._latest: Note | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._deliver)

    def take(self, events: tuple[Event, ...]) -> None:
        """Take over what has happened."""
        self._notes.take(events, self._now())
        self._plan()

    def look_at_clock(self) -> None:
        """Notice that the computer has slept; called about once a second."""
        ahead = _ahead()
        if ahead - self._ahead > SLEPT_SECONDS:
            self._notes.resumed(self._now())
            self._plan()
        self._ahead = ahead

    def tray_clicked(self) -> None:
        """The person has clicked what the tray showed last."""
        if self._latest is not None:
            self.clicked.emit(self._latest)

    def close(self) -> None:
        """Send nothing any more."""
        self._timer.stop()
        self._bus.close()
        self.deleteLater()

    def _plan(self) -> None:
        due_at = self._notes.due_at
        if due_at is not None:
            self._timer.start(max(round((due_at - self._now()) * 1000), 0) + 1)

    def _deliver(self) -> None:
        notes = self._notes.due(self._now(), self._still)
        self._plan()
        if not notes:
            return
        if self._window.isActiveWindow():
            self._window.tell(notes)
            return
        what = translate("notification", "Showing a notification")
        self._tasks.start(self._send(folded(notes)), what=what)

    async def _send(self, note: Note) -> None:
        if not await self._bus.show(note):
            self._latest = note
            self._by_tray(note.title, note.body)


def _ahead() -> float:
    """How far the clock that goes on while the computer sleeps is ahead of the one that does not, in seconds."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.time() - time.monotonic()
