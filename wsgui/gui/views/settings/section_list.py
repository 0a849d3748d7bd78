"""The list of a tunnel's sections: each with a line that says how it is set, and whether it is changed or wrong."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.models.settings_fields import SECTIONS, text
from wsgui.gui.models.settings_form import SettingsForm, summary
from wsgui.gui.theme import Type, theme

WIDTH: Final = 208
_SIDE, _ABOVE, _DOT = 12, 8, 8


class SectionRow(QAbstractButton):
    """A section: its title, its summary, a mark."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._summary, self._changed, self._wrong = "", 0, 0
        self.setText(title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)
        theme.changed.connect(self.updateGeometry)

    def say(self, words: str, changed: int, wrong: int) -> None:
        """Show how it is set, how many of its fields are changed, and how many are wrong."""
        if (words, changed, wrong) != (self._summary, self._changed, self._wrong):
            self._summary, self._changed, self._wrong = words, changed, wrong
            parts = [words]
            if changed:
                parts.append(self.tr("%n changed", None, changed))
            if wrong:
                parts.append(self.tr("%n to correct", None, wrong))
            self.setAccessibleDescription(", ".join(parts))
            self.setToolTip("")
            self.update()

    def sizeHint(self) -> QSize:
        lines = QFontMetrics(theme.font(Type.STRONG)).height() + QFontMetrics(theme.font(Type.SMALL)).height()
        return QSize(theme.px(WIDTH), lines + 2 + 2 * theme.px(_ABOVE))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.colours
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(colours.accent), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        ground = colours.selected if self.isChecked() else colours.hover if self.underMouse() else ""
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 8, 8)
        side, above = theme.px(_SIDE), theme.px(_ABOVE)
        title, small = QFontMetrics(theme.font(Type.STRONG)), QFontMetrics(theme.font(Type.SMALL))
        room = QRect(side, above, self.width() - 2 * side, title.height())
        mark = self._mark()
        painter.setFont(theme.font(Type.SMALL_STRONG))
        painter.setPen(QColor(colours.err if self._wrong else colours.text))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), mark)
        taken = QFontMetrics(theme.font(Type.SMALL_STRONG)).horizontalAdvance(mark) + (theme.px(_DOT) if mark else 0)
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(QColor(colours.text))
        painter.drawText(room, title.elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width() - taken))
        painter.setFont(theme.font(Type.SMALL))
        painter.setPen(QColor(colours.dim))
        room.translate(0, title.height() + 2)
        painter.drawText(room, small.elidedText(self._summary, Qt.TextElideMode.ElideRight, room.width()))

    def _mark(self) -> str:
        if self._wrong:
            return f"! {self._wrong}"
        return f"● {self._changed}" if self._changed else ""


class SectionList(QWidget):
    """The sections below each other; ↑ and ↓ go from one to the next."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Sections of the settings"))
        self.rows = [SectionRow(text(section.title)) for section in SECTIONS]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for place, row in enumerate(self.rows):
            row.clicked.connect(lambda _=False, place=place: self.chosen.emit(place))
            column.addWidget(row)
        column.addStretch(1)
        self._fit()
        theme.changed.connect(self._fit)

    def show_form(self, form: SettingsForm) -> None:
        """Say how the sections are set; while something is wrong, how they were."""
        profile = form.profile or form.stored.profile
        for row, section in zip(self.rows, SECTIONS, strict=True):
            changed, wrong = form.mark(section)
            row.say(summary(section, profile) if profile is not None else "", changed, wrong)

    def mark(self, place: int) -> None:
        """Mark the section that is in sight."""
        self.rows[place].setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {int(Qt.Key.Key_Up): -1, int(Qt.Key.Key_Down): 1}
        focused = next((place for place, row in enumerate(self.rows) if row.hasFocus()), None)
        if focused is None or event.key() not in steps:
            super().keyPressEvent(event)
            return
        place = min(max(focused + steps[event.key()], 0), len(self.rows) - 1)
        self.rows[place].setFocus(Qt.FocusReason.TabFocusReason)
        self.rows[place].click()

    def _fit(self) -> None:
        self.setFixedWidth(theme.px(WIDTH))
