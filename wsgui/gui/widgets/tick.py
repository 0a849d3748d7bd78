"""One of several things of which any may be chosen: a framed row with a box to tick."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from wsgui.gui.theme import theme
from wsgui.gui.widgets.framed_option import FramedOption


class Tick(FramedOption):
    """Ticked by a click or with Space."""

    def __init__(self, title: str) -> None:
        super().__init__(title, small=True, usual_width=160)

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        box = box.adjusted(1, 1, -1, -1)
        on, side = self.isChecked(), box.width()
        painter.setPen(QPen(theme.colour("accent" if on else "off"), 1.75))
        painter.setBrush(theme.colour("accent") if on else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        if on:
            pen = QPen(theme.colour("on_accent"), 1.75)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            corners = ((0.22, 0.52), (0.43, 0.72), (0.8, 0.3))
            painter.drawPolyline([QPointF(box.left() + x * side, box.top() + y * side) for x, y in corners])
