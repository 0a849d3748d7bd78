"""A sheet: what is asked or told for a moment, over the window's right side, without holding up anything."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.buttons import IconButton
from wsgui.gui.widgets.labels import Text

WIDTH: Final = 480
_SHADE: Final = QColor(10, 12, 16, 110)


class Sheet(QWidget):
    """Covers the window: the rest is shaded and cannot be reached until the sheet is closed (Esc, or its ✕).

    Fill `body` and `foot`, then `open`.
    """

    closed = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self._over: QWidget | None = None
        self._before: QWidget | None = None
        self.setAccessibleName(title)
        self._title = Text(title, Type.SECTION, wrap=True)
        self.close_button = IconButton("close", self.tr("Close"), size=18)
        self.close_button.clicked.connect(self.dismiss)
        self._inside = QWidget()
        self._inside.setObjectName("scrolled")
        # Its height follows from its width; its layout's guess, for the narrowest texts, would make it too high.
        self._inside.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.body = QVBoxLayout(self._inside)
        self.body.setContentsMargins(24, 4, 24, 20)
        self.body.setSpacing(16)
        self.foot = QHBoxLayout()
        self.foot.setContentsMargins(24, 12, 24, 16)
        self.foot.setSpacing(10)
        self._panel = QFrame(self)
        self._panel.setObjectName("sheet")
        self._lay_out_panel()
        theme.changed.connect(self._place)

    def _lay_out_panel(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(24, 18, 16, 12)
        head.setSpacing(8)
        head.addWidget(self._title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._inside)
        self._scroll = scroll
        self._rule = QFrame()
        self._rule.setObjectName("rule")
        column = QVBoxLayout(self._panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(scroll, 1)
        column.addWidget(self._rule)
        column.addLayout(self.foot)

    def open(self, over: QWidget, first: QWidget | None = None) -> None:
        """Show it over `over` (the window's central widget); `first` gets the focus. It returns at once."""
        self._over = over
        self._before = over.window().focusWidget()
        self.setParent(over)
        over.installEventFilter(self)
        self._rule.setVisible(self.foot.count() > 0)
        self._place()
        self.show()
        self.raise_()
        (first or self.close_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def dismiss(self) -> None:
        """Close it for good; the focus goes back to where it was."""
        over, self._over = self._over, None
        if over is None:
            return
        over.removeEventFilter(self)
        before, self._before = self._before, None
        self.hide()
        self.closed.emit()
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.deleteLater()

    def reveal(self, widget: QWidget) -> None:
        """Scroll until `widget` is in sight."""
        self._scroll.ensureWidgetVisible(widget)

    def focusNextPrevChild(self, next_one: bool) -> bool:
        """Go round inside the sheet only."""
        fields = self._fields()
        if not fields:
            return False
        now = self.window().focusWidget()
        place = fields.index(now) if now in fields else -1
        step = 1 if next_one else -1
        wanted = fields[(place + step) % len(fields)] if place >= 0 else fields[0]
        wanted.setFocus(Qt.FocusReason.TabFocusReason if next_one else Qt.FocusReason.BacktabFocusReason)
        self._scroll.ensureWidgetVisible(wanted)
        return True

    def _fields(self) -> list[QWidget]:
        """What takes the focus, from top to bottom; the way out comes last, though it stands on top.

        Not by nextInFocusChain: that leads through Qt's own widgets in the whole window, and PySide's wrappers of
        those took other widgets' children along when they were collected.
        """
        able = [
            field
            for field in self.findChildren(QWidget)
            if field.focusPolicy() & Qt.FocusPolicy.TabFocus and field.isVisible() and field.isEnabled()
        ]
        places = {field: field.mapTo(self, QPoint(0, 0)) for field in able if field.focusProxy() is None}
        return sorted(places, key=lambda field: (field is self.close_button, places[field].y(), places[field].x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            event.accept()  # a key that nobody here takes is not for what lies beneath

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), _SHADE)

    def _place(self) -> None:
        over = self._over
        if over is None:
            return
        self.setGeometry(over.rect())
        width = min(theme.px(WIDTH), over.width())
        self._panel.setGeometry(QRect(over.width() - width, 0, width, over.height()))
