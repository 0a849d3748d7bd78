"""A switch with its name beside it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.shapes import paint_switch

_WIDTH, _HEIGHT, _GAP, _EDGE = 34, 19, 10, 3


class Toggle(QAbstractButton):
    """On or off: by a click, or with Space."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font(Type.STRONG))
        width = theme.px(_WIDTH + _GAP) + metrics.horizontalAdvance(self.text()) + 3 * _EDGE
        return QSize(width, max(theme.px(_HEIGHT), metrics.height()) + 2 * _EDGE)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        height = theme.px(_HEIGHT)
        switch = QRectF(_EDGE, (self.height() - height) / 2, theme.px(_WIDTH), height)
        paint_switch(painter, switch, theme.colours, on=self.isChecked())
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(QColor(theme.colours.text if self.isEnabled() else theme.colours.off))
        room = self.rect().adjusted(_EDGE + theme.px(_WIDTH + _GAP), 0, 0, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
