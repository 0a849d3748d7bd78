"""One certificate in the list: what it is for, when it ends, who uses it, its menu, and what is asked about it."""

from __future__ import annotations

import enum

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.models.certificates import CertificateRow, in_use
from wsgui.gui.theme import GRID, Type, theme
from wsgui.gui.views.certificates.progress import Progress
from wsgui.gui.views.menus import Entry, popup
from wsgui.gui.widgets.buttons import Button, IconButton
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import ElidedText, Text
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import Deed, Notice, Remedy

COLUMN = 176
"""Pixels of the columns "Ends" and "Used by", at a text scale of 1."""
NARROW = 700
"""Below this width those columns stand beneath the names."""


class Wish(enum.Enum):
    """What a person wants of one certificate."""

    RENEW = "renew"
    REPLACE = "replace"
    DETAILS = "details"
    EXPORT = "export"
    REMOVE = "remove"


class CertificateRowView(QWidget):
    """Takes the focus; Return shows details, Del asks whether to remove, the menu key opens the menu."""

    wished = Signal(str, Wish)
    remedied = Signal(str, Remedy)
    step_wanted = Signal(int)

    def __init__(self, row: CertificateRow) -> None:
        super().__init__()
        self._row = row
        self._mending = Wish.RENEW
        self._narrow: bool | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icon = Icon(row.shape, row.tone, 18)
        self._title = ElidedText("", Type.ROW_NAME, mode=Qt.TextElideMode.ElideMiddle)
        self._mark = Text("", Type.SMALL_STRONG, "dim")
        self._names = ElidedText("", Type.BODY, "dim")
        self._ends = ElidedText("", Type.BODY)
        self._fate = ElidedText("", Type.SMALL, "dim")
        self._used = ElidedText("", Type.BODY)
        self._used_more = ElidedText("", Type.SMALL, "dim")
        self.menu = IconButton("more", self.tr("More"))
        self.menu.clicked.connect(self._open_menu)
        self._problem = Text("", Type.BODY, "warn", wrap=True)
        self.mend = Button("", "small")
        self.mend.clicked.connect(lambda: self.wished.emit(self.name, self._mending))
        self.notice = NoticeCard()
        self.notice.chosen.connect(self._chosen)
        self.progress = Progress()
        self.question = QWidget()
        self._lay_out()
        self.show_row(row)
        theme.changed.connect(self._fit)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._mark)
        head.addStretch(1)
        name = QVBoxLayout()
        name.setSpacing(2)
        name.addLayout(head)
        name.addWidget(self._names)
        ends = QVBoxLayout()
        ends.setSpacing(2)
        ends.addWidget(self._ends)
        ends.addWidget(self._fate)
        used = QVBoxLayout()
        used.setSpacing(2)
        used.addWidget(self._used)
        used.addWidget(self._used_more)
        self._cells = [QWidget(), QWidget(), QWidget()]
        for cell, layout in zip(self._cells, (name, ends, used), strict=True):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.addStretch(1)
            cell.setLayout(layout)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 12, 12)
        whole.setSpacing(GRID)
        whole.addLayout(self._grid)
        self._below = QVBoxLayout()
        self._below.setSpacing(GRID)
        self._below.addWidget(self._problem)
        # Aligned, as its fixed width would else be the most that this layout thinks it can have.
        self._below.addWidget(self.mend, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self.notice, self.progress, self.question):
            self._below.addWidget(widget)
        whole.addLayout(self._below)
        self._ask_layout()
        self._place(narrow=False)

    def _ask_layout(self) -> None:
        self._asks = Text("", Type.STRONG, wrap=True)
        self._warns = Text("", Type.BODY, "dim", wrap=True)
        self.remove = Button(self.tr("Remove"), "small")
        self.keep = Button(self.tr("Keep"), "small")
        self.remove.clicked.connect(self._removed)
        self.keep.clicked.connect(self.put_away)
        buttons = QWidget()
        flow = FlowRow(GRID, buttons)
        flow.addWidget(self.keep)
        flow.addWidget(self.remove)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        buttons.setSizePolicy(policy)
        column = QVBoxLayout(self.question)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        for widget in (self._asks, self._warns, buttons):
            column.addWidget(widget)
        self.question.hide()

    @property
    def name(self) -> str:
        return self._row.name

    @property
    def row(self) -> CertificateRow:
        return self._row

    def show_row(self, row: CertificateRow) -> None:
        """Show `row`; what is being asked about it stays."""
        self._row = row
        self._icon.set(row.shape, row.tone)
        self._title.set_whole(row.title)
        self._mark.setText(row.mark)
        self._mark.setVisible(bool(row.mark))
        self._names.set_whole(row.names)
        self._names.setVisible(bool(row.names))
        self._ends.set_tone(row.ends_tone)
        self._fate.set_whole(row.fate)
        self._fate.setVisible(bool(row.fate))
        self._used.set_tone("" if row.used_by else "dim")
        self._used_more.set_whole(", ".join(row.used_by[1:]))
        self._used_more.setVisible(len(row.used_by) > 1)
        self._head_words()
        self._problem.setText(f"{row.problem} {row.hint}".strip())
        self._problem.set_tone("err" if row.tone == "err" else "warn")
        self._problem.setVisible(bool(row.problem))
        self._mending = Wish.RENEW if row.renewable else Wish.REPLACE
        self.mend.set_label(self.tr("Renew") if row.renewable else self.tr("Import a new one…"))
        self.mend.setVisible(bool(row.problem) and row.readable)
        self.setAccessibleName(row.spoken)
        self.menu.setAccessibleName(self.tr("What to do with {0}").format(row.title))

    def _head_words(self) -> None:
        """Beneath one another the columns have no headings, so their texts say what they are."""
        row = self._row
        plain = self._narrow and row.readable and not row.ends_tone
        self._ends.set_whole(self.tr("Ends {0}").format(row.ends) if plain else row.ends)
        used = self.tr("Not used") if row.readable else "–"
        if row.used_by:
            used = self.tr("Used by {0}").format(row.used_by[0]) if self._narrow else row.used_by[0]
        self._used.set_whole(used)

    def show_notice(self, notice: Notice | None) -> None:
        """Say what came of a request about this certificate."""
        if notice is not None:
            dismiss = Remedy(Deed.DISMISS, self.tr("Dismiss"))
            notice = Notice(notice.tone, notice.message, notice.hint, (*notice.remedies, dismiss))
        self.notice.show_notice(notice)

    def ask_to_remove(self) -> None:
        """Ask, or say why it cannot be."""
        if self._row.used_by:
            self.show_notice(Notice("warn", *in_use(self._row.used_by)))
            return
        self.show_notice(None)
        self._asks.setText(self.tr("Remove {0}?").format(self._row.title))
        self._warns.setText(self.tr("Its key is deleted for good; nothing can bring it back."))
        self.question.show()
        self.keep.setFocus()

    def put_away(self) -> None:
        """Leave the question."""
        if self.question.isVisible():
            self.question.hide()
            self.setFocus()

    def _removed(self) -> None:
        self.question.hide()
        self.setFocus()
        self.wished.emit(self.name, Wish.REMOVE)

    def _chosen(self, remedy: Remedy) -> None:
        self.notice.show_notice(None)
        self.setFocus()
        if remedy.deed is not Deed.DISMISS:
            self.remedied.emit(self.name, remedy)

    def entries(self) -> list[Entry]:
        """The menu."""
        busy = self.progress.isVisible()
        entries: list[Entry] = []
        if self._row.readable and not busy:
            if self._row.renewable:
                entries.append((self.tr("Renew"), lambda: self.wished.emit(self.name, Wish.RENEW)))
            else:
                entries.append((self.tr("Import a new one…"), lambda: self.wished.emit(self.name, Wish.REPLACE)))
        if self._row.readable:
            entries.append((self.tr("Show details"), lambda: self.wished.emit(self.name, Wish.DETAILS)))
            entries.append((self.tr("Export…"), lambda: self.wished.emit(self.name, Wish.EXPORT)))
        if not busy:
            if entries:
                entries.append(None)
            entries.append((self.tr("Remove…"), self.ask_to_remove))
        return entries

    def _open_menu(self, at: QPoint | None = None) -> None:
        place = at if isinstance(at, QPoint) else self.menu.mapToGlobal(QPoint(0, self.menu.height() + 4))
        popup(self, self.entries(), place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        self._open_menu(None if keyboard else event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_wanted.emit(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.hasFocus() and self._row.readable:
            self.wished.emit(self.name, Wish.DETAILS)
        elif key == Qt.Key.Key_Delete:
            self.ask_to_remove()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._place(narrow=self.width() / theme.text_scale < NARROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(4, 3, -5, -4), 7, 7)

    def _place(self, *, narrow: bool) -> None:
        self._below.setContentsMargins(theme.px(18) + 16, 0, 0, 0)
        for cell in self._cells[1:]:
            cell.setMinimumWidth(0 if narrow else theme.px(COLUMN))
            cell.setMaximumWidth(16777215 if narrow else theme.px(COLUMN))
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._head_words()
        while self._grid.takeAt(0) is not None:
            pass
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(self._icon, 0, 0, top)
        for place, cell in enumerate(self._cells):
            self._grid.addWidget(cell, place if narrow else 0, 1 if narrow else 1 + place)
        self._grid.addWidget(self.menu, 0, 4, top)
        self._grid.setColumnStretch(1, 1)
