"""The list of certificates: a heading over columns, and a row each, kept as long as its certificate is there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from wsgui.gui.models.certificates import CertificateRow
from wsgui.gui.theme import Type, theme
from wsgui.gui.views.certificates.row import COLUMN, NARROW, CertificateRowView, Wish
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.labels import Text
from wsgui.gui.wording import Remedy


class ListCard(Card):
    """Rows in the order given; arrows go from one to the next."""

    wished = Signal(str, Wish)
    remedied = Signal(str, Remedy)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Certificates"))
        self._rows: dict[str, CertificateRowView] = {}
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setSpacing(16)
        head.addWidget(Text(self.tr("Certificate"), Type.SMALL_STRONG, "dim"), 1)
        self._columns = [
            Text(self.tr("Ends"), Type.SMALL_STRONG, "dim"),
            Text(self.tr("Used by"), Type.SMALL_STRONG, "dim"),
        ]
        for text in self._columns:
            head.addWidget(text)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 5)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addLayout(self._column)
        self._fit()
        theme.changed.connect(self._fit)

    def show_rows(self, rows: Sequence[CertificateRow]) -> None:
        """Show `rows`; a row that stays keeps its focus, its question and its notice."""
        names = [row.name for row in rows]
        for name in [name for name in self._rows if name not in names]:
            gone = self._rows.pop(name)
            gone.hide()
            gone.deleteLater()
        for row in rows:
            known = self._rows.get(row.name)
            if known is None:
                self._rows[row.name] = view = CertificateRowView(row)
                view.wished.connect(self.wished)
                view.remedied.connect(self.remedied)
                view.step_wanted.connect(lambda by, view=view: self._step(view, by))
            elif known.row != row:
                known.show_row(row)
        order = [self._rows[name] for name in names]
        if self._in_order() != order:
            self._arrange(order)
            self._fit()

    def _arrange(self, order: list[CertificateRowView]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if isinstance(rule := item.widget(), QFrame):
                rule.deleteLater()
        before: QWidget = self._head
        for view in order:
            rule = QFrame()
            rule.setObjectName("rule")
            self._column.addWidget(rule)
            self._column.addWidget(view)
            view.show()  # now, not in the next turn of the loop: the focus may go to it
            QWidget.setTabOrder(before, view)
            QWidget.setTabOrder(view, view.menu)
            before = view.menu

    def row(self, name: str) -> CertificateRowView | None:
        return self._rows.get(name)

    @property
    def rows(self) -> tuple[CertificateRowView, ...]:
        return tuple(self._rows.values())

    def focus_first(self) -> None:
        """Give the first row the focus."""
        if shown := self._in_order():
            shown[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _in_order(self) -> list[CertificateRowView]:
        items = (self._column.itemAt(place) for place in range(self._column.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [
            widget for widget in widgets if isinstance(widget, CertificateRowView) and widget in self._rows.values()
        ]

    def _step(self, view: CertificateRowView, by: int) -> None:
        order = self._in_order()
        place = min(max(order.index(view) + by, 0), len(order) - 1)
        order[place].setFocus(Qt.FocusReason.TabFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # Over the rows' columns: beside their icon on the left, beside their menu on the right.
        menu = next(iter(self._rows.values())).menu.sizeHint().width() if self._rows else 0
        layout = self._head.layout()
        if layout is not None:
            layout.setContentsMargins(16 + theme.px(18) + 16, 10, 12 + menu + 16, 8)
        self._head.setVisible((self.width() - 2) / theme.text_scale >= NARROW)
        for text in self._columns:
            text.setFixedWidth(theme.px(COLUMN))
