"""The main window: the tunnel list and the page of the selected tunnel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from wsgui.engine.snapshot import EngineSnapshot, ThroughputSnapshot
from wsgui.errors import ProfileError
from wsgui.gui.actions import Actions


class MainWindow(QMainWindow):
    """Shows snapshots and asks `actions` for what a person wants; it holds no state of the engine.

    Closing it hides it (`closed` is emitted; what then happens to the program is the application's affair).
    """

    selection_changed = Signal(str)
    """The selected tunnel's name, or "" when nothing is selected."""
    closed = Signal()
    """The person closed the window; it is hidden now."""
    visibility_changed = Signal(bool)
    """Shown or hidden: the application pulls 10 snapshots a second while shown."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._selected = ""

    @property
    def selected(self) -> str:
        """The selected tunnel's name; "" when none is."""
        return self._selected

    def select(self, name: str) -> None:
        """Show the tunnel `name`, now or as soon as a snapshot has it."""
        if name != self._selected:
            self._selected = name
            self.selection_changed.emit(name)

    def update_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Take over what the engine is now; cheap while hidden."""

    def update_throughput(self, name: str, throughput: ThroughputSnapshot) -> None:
        """Draw `throughput` when `name` is the selected tunnel."""

    def show_message(self, text: str, hint: str = "") -> None:
        """Show what went wrong and what to do in a bar that does not block; it stays until it is dismissed."""

    def set_problems(self, problems: tuple[ProfileError, ...]) -> None:
        """Name the profile files that cannot be read, below the list; () removes the message."""

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.closed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visibility_changed.emit(False)
