"""One of several answers: a framed row with a round mark, what it is called, and what it means."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from wsgui.gui.theme import Type, theme

_SIDE: Final = 14
_ABOVE: Final = 10
_MARK: Final = 16
_GAP: Final = 10
_WRAP: Final = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignTop)


class Choice(QAbstractButton):
    """Exclusive among those of the same parent; arrows go from one to the next."""

    def __init__(self, title: str, meaning: str = "") -> None:
        super().__init__()
        self._title, self._meaning = title, meaning
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._name()
        theme.changed.connect(self.updateGeometry)

    def set_meaning(self, meaning: str) -> None:
        """Say something else about it."""
        if meaning != self._meaning:
            self._meaning = meaning
            self._name()
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        width = theme.px(240)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        # Its height is a matter of its width; a guess here would make whoever scrolls it too high.
        return QSize(theme.px(160), self.heightForWidth(10_000))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        title, meaning = self._texts(QRect(0, 0, width, 0))
        last = meaning if self._meaning else title
        return last.bottom() + 1 + theme.px(_ABOVE)

    def _texts(self, whole: QRect) -> tuple[QRect, QRect]:
        """Where the title and the meaning stand."""
        left = whole.left() + theme.px(_SIDE + _MARK + _GAP)
        width = max(whole.right() + 1 - theme.px(_SIDE) - left, 1)
        room = QRect(left, whole.top() + theme.px(_ABOVE), width, 10_000)
        title = QFontMetrics(theme.font(Type.STRONG)).boundingRect(room, _WRAP, self._title)
        room.moveTop(title.bottom() + 1 + theme.px(2))
        meaning = QFontMetrics(theme.font(Type.BODY)).boundingRect(room, _WRAP, self._meaning)
        title.setWidth(width)
        meaning.setWidth(width)
        return title, meaning

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.colours
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        marked = self.isChecked() or self.hasFocus()
        painter.setPen(QPen(QColor(colours.accent if marked else colours.line), 2 if self.hasFocus() else 1))
        painter.setBrush(QColor(colours.hover if self.underMouse() and self.isEnabled() else colours.card))
        if self.hasFocus():
            frame.adjust(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, 8, 8)
        title, meaning = self._texts(self.rect())
        self._paint_mark(painter, title)
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(QColor(colours.text if self.isEnabled() else colours.off))
        painter.drawText(title, _WRAP, self._title)
        painter.setFont(theme.font(Type.BODY))
        painter.setPen(QColor(colours.dim))
        painter.drawText(meaning, _WRAP, self._meaning)

    def _paint_mark(self, painter: QPainter, title: QRect) -> None:
        line = QFontMetrics(theme.font(Type.STRONG)).height()
        centre = QPointF(theme.px(_SIDE) + theme.px(_MARK) / 2, title.top() + line / 2)
        radius = theme.px(_MARK) / 2 - 1
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("accent" if self.isChecked() else "off"), 1.75))
        painter.drawEllipse(centre, radius, radius)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawEllipse(centre, radius * 0.52, radius * 0.52)

    def _name(self) -> None:
        self.setAccessibleName(self._title)
        self.setAccessibleDescription(self._meaning)
