"""Menus that pop up without holding up the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from wsgui.gui.formatting import escaped_ampersand

Entry = tuple[str, Callable[[], object]] | None


def popup(owner: QWidget, entries: Iterable[Entry], at: QPoint | None = None) -> QMenu:
    """Show a menu of (text, what to do) at `at` (global; the pointer's place when None); None is a separator.

    It returns at once. Texts are shown as they are, so they may hold what came from outside.
    """
    menu = QMenu(owner)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for entry in entries:
        if entry is None:
            menu.addSeparator()
            continue
        text, do = entry
        menu.addAction(escaped_ampersand(text)).triggered.connect(lambda _checked=False, do=do: do())
    menu.popup(at if at is not None else QCursor.pos())
    return menu
