"""One of several things of which any may be chosen: a framed row with a box to tick, its name, and what it is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from wsgui.gui.theme import Type, theme

_SIDE: Final = 14
_ABOVE: Final = 10
_BOX: Final = 16
_GAP: Final = 10
_WRAP: Final = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignTop)


class Tick(QAbstractButton):
    """Ticked by a click or with Space."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title, self.meaning, self._tone = title, "", ""
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(title)
        theme.changed.connect(self._changed)

    def say(self, meaning: str, tone: str = "") -> None:
        """Show what it is, in the colour of `tone`."""
        if (meaning, tone) != (self.meaning, self._tone):
            self.meaning, self._tone = meaning, tone
            self.setAccessibleDescription(meaning)
            self._changed()

    def sizeHint(self) -> QSize:
        width = theme.px(160)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(160), self.heightForWidth(10_000))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        title, meaning = self._texts(width)
        return (meaning if self.meaning else title).bottom() + 1 + theme.px(_ABOVE)

    def _texts(self, width: int) -> tuple[QRect, QRect]:
        left = theme.px(_SIDE + _BOX + _GAP)
        room = QRect(left, theme.px(_ABOVE), max(width - theme.px(_SIDE) - left, 1), 10_000)
        title = QFontMetrics(theme.font(Type.STRONG)).boundingRect(room, _WRAP, self._title)
        room.moveTop(title.bottom() + 1 + theme.px(2))
        meaning = QFontMetrics(theme.font(Type.SMALL)).boundingRect(room, _WRAP, self.meaning)
        title.setWidth(room.width())
        meaning.setWidth(room.width())
        return title, meaning

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, focus = theme.colours, self.hasFocus()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(colours.accent if focus or self.isChecked() else colours.line), 2 if focus else 1))
        painter.setBrush(QColor(colours.hover if self.underMouse() else colours.card))
        painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5) if focus else frame, 8, 8)
        title, meaning = self._texts(self.width())
        self._paint_box(painter, title)
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(QColor(colours.text))
        painter.drawText(title, _WRAP, self._title)
        painter.setFont(theme.font(Type.SMALL))
        painter.setPen(theme.colour(self._tone or "dim"))
        painter.drawText(meaning, _WRAP, self.meaning)

    def _paint_box(self, painter: QPainter, title: QRect) -> None:
        line = QFontMetrics(theme.font(Type.STRONG)).height()
        side = theme.px(_BOX) - 2
        box = QRectF(theme.px(_SIDE) + 1, title.top() + (line - side) / 2, side, side)
        on = self.isChecked()
        painter.setPen(QPen(theme.colour("accent" if on else "off"), 1.75))
        painter.setBrush(theme.colour("accent") if on else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        if on:
            pen = QPen(theme.colour("on_accent"), 1.75)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            corners = ((0.22, 0.52), (0.43, 0.72), (0.8, 0.3))
            places = [QPointF(box.left() + x * side, box.top() + y * side) for x, y in corners]
            painter.drawPolyline(places)

    def _changed(self) -> None:
        self.updateGeometry()
        self.update()
