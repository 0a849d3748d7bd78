"""Small things drawn by hand: the switch, the sparkline, an icon that follows the theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from wsgui.gui import icons
from wsgui.gui.theme import Colours, theme


def paint_switch(painter: QPainter, rectangle: QRectF, colours: Colours, *, on: bool) -> None:
    """Draw a switch: on is filled with the knob right, off an outline with the knob left."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    radius = rectangle.height() / 2
    inset = rectangle.height() * 0.22
    knob = QRectF(0, 0, rectangle.height() - 2 * inset, rectangle.height() - 2 * inset)
    if on:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.ok))
        painter.drawRoundedRect(rectangle, radius, radius)
        painter.setBrush(QColor(colours.on_accent))
        knob.moveTopRight(QPointF(rectangle.right() - inset, rectangle.top() + inset))
    else:
        outline = rectangle.adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(QPen(QColor(colours.off), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(outline, radius, radius)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.off))
        knob.moveTopLeft(QPointF(rectangle.left() + inset, rectangle.top() + inset))
    painter.drawEllipse(knob)


def paint_sparkline(painter: QPainter, rectangle: QRectF, values: Sequence[float], colour: str) -> None:
    """Draw `values` (oldest first) as a line scaled to their largest; a flat line at the foot when all are 0."""
    if len(values) < 2:
        return
    top = max(values) or 1.0
    step = rectangle.width() / (len(values) - 1)
    points = [
        QPointF(rectangle.left() + i * step, rectangle.bottom() - rectangle.height() * (value / top))
        for i, value in enumerate(values)
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(QColor(colour), 1.5)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF(points))


class Icon(QWidget):
    """An icon of the family in a theme colour; `set` changes both. It says nothing to screen readers: words do."""

    def __init__(self, name: str, tone: str, size: int = 16) -> None:
        super().__init__()
        self._name, self._tone, self._size = name, tone, size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._refresh)

    def set(self, name: str, tone: str) -> None:
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(self._size), theme.px(self._size))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint_icon(painter, self._name, getattr(theme.colours, self._tone), QRectF(self.rect()))

    def _refresh(self) -> None:
        self.updateGeometry()
        self.update()
