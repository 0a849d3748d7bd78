"""The page beside an empty list."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import Text


class EmptyPage(QWidget):
    """Says what a tunnel is good for, and offers the first."""

    new_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.new = Button(self.tr("New tunnel"), "primary", icon="plus")
        self.new.clicked.connect(self.new_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 28, 28, 28)
        layout.setSpacing(12)
        layout.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        layout.addWidget(Text(self.tr("There is no tunnel yet"), Type.SECTION), 0, centre)
        words = Text(self.tr("A tunnel lets a browser reach a VNC desktop, a terminal or any TCP service."), tone="dim")
        layout.addWidget(words, 0, centre)
        layout.addWidget(self.new, 0, centre)
        layout.addStretch(2)
