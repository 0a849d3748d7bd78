"""One of several answers: a framed row with a round mark."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from wsgui.gui.theme import theme
from wsgui.gui.widgets.framed_option import FramedOption


class Choice(FramedOption):
    """Exclusive among those of the same parent; arrows go from one to the next."""

    def __init__(self, title: str, meaning: str = "") -> None:
        super().__init__(title, meaning)
        self.setAutoExclusive(True)

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        radius = box.width() / 2 - 1
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("accent" if self.isChecked() else "off"), 1.75))
        painter.drawEllipse(box.center(), radius, radius)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawEllipse(box.center(), radius * 0.52, radius * 0.52)
