"""A framed row that can be chosen: a mark, what it is called, and what it means."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from wsgui.gui.theme import Type, theme

MARK: Final = 16
SIDE: Final = 14
_ABOVE: Final = 10
_GAP: Final = 10
_WRAP: Final = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignTop)


class FramedOption(QAbstractButton):
    """What `Choice` and `Tick` are but for their mark: as high as its texts are at its width.

    Args:
        title: What it is called.
        meaning: What it means; empty = nothing more is said.
        small: Whether the meaning is in small letters.
        usual_width: In pixels at usual text size, where nothing else decides.
    """

    def __init__(self, title: str, meaning: str = "", *, small: bool = False, usual_width: int = 240) -> None:
        super().__init__()
        self.meaning = ""
        self._title, self._tone = title, ""
        self._type = Type.SMALL if small else Type.BODY
        self._usual_width = usual_width
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(title)
        theme.changed.connect(self._changed)
        self.say(meaning)

    def say(self, meaning: str, tone: str = "") -> None:
        """Show what it means, in the colour of `tone`."""
        if (meaning, tone) != (self.meaning, self._tone):
            self.meaning, self._tone = meaning, tone
            self.setAccessibleDescription(meaning)
            self._changed()

    def sizeHint(self) -> QSize:
        width = theme.px(self._usual_width)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        # Its height is a matter of its width; a guess here would make whoever scrolls it too high.
        return QSize(theme.px(160), self.heightForWidth(10_000))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        title, meaning = self._texts(width)
        return (meaning if self.meaning else title).bottom() + 1 + theme.px(_ABOVE)

    def _texts(self, width: int) -> tuple[QRect, QRect]:
        """Where the title and the meaning stand."""
        left = theme.px(SIDE + MARK + _GAP)
        room = QRect(left, theme.px(_ABOVE), max(width - theme.px(SIDE) - left, 1), 10_000)
        title = QFontMetrics(theme.font(Type.STRONG)).boundingRect(room, _WRAP, self._title)
        room.moveTop(title.bottom() + 1 + theme.px(2))
        meaning = QFontMetrics(theme.font(self._type)).boundingRect(room, _WRAP, self.meaning)
        title.setWidth(room.width())
        meaning.setWidth(room.width())
        return title, meaning

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, focus = theme.colours, self.hasFocus()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(colours.accent if focus or self.isChecked() else colours.line), 2 if focus else 1))
        painter.setBrush(QColor(colours.hover if self.underMouse() and self.isEnabled() else colours.card))
        painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5) if focus else frame, 8, 8)
        title, meaning = self._texts(self.width())
        line = QFontMetrics(theme.font(Type.STRONG)).height()
        side = theme.px(MARK)
        self._paint_mark(painter, QRectF(theme.px(SIDE), title.top() + (line - side) / 2, side, side))
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(QColor(colours.text if self.isEnabled() else colours.off))
        painter.drawText(title, _WRAP, self._title)
        painter.setFont(theme.font(self._type))
        painter.setPen(theme.colour(self._tone or "dim"))
        painter.drawText(meaning, _WRAP, self.meaning)

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        raise NotImplementedError

    def _changed(self) -> None:
        self.updateGeometry()
        self.update()
