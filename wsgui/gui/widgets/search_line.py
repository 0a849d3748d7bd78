"""A line to search by, emptied by a button in it that follows the theme (Qt's own cannot be seen on a dark one)."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

from wsgui.gui import icons
from wsgui.gui.theme import theme


class SearchLine(QLineEdit):
    """A QLineEdit with a button that clears it, while there is something to clear.

    Args:
        name: What a screen reader calls it.
        placeholder: What it says while it is empty.
    """

    def __init__(self, name: str, placeholder: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.clearing = QAction(self.tr("Clear"), self)
        self.clearing.setVisible(False)
        self.clearing.triggered.connect(self.clear)
        self.addAction(self.clearing, QLineEdit.ActionPosition.TrailingPosition)
        self.textChanged.connect(lambda text: self.clearing.setVisible(bool(text)))
        self._dress()
        theme.changed.connect(self._dress)

    def _dress(self) -> None:
        self.clearing.setIcon(icons.icon("close", theme.colours.dim, theme.px(16)))
