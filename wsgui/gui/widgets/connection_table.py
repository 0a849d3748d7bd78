"""The table of live connections: figures to the right, one button a row, still while it is in use."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QCoreApplication,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from wsgui.engine.snapshot import TunnelSnapshot
from wsgui.gui.models.connections import ID_ROLE, Column, ConnectionTableModel, SortedConnections
from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.row_delegate import draw_button

translate = QCoreApplication.translate
Index = QModelIndex | QPersistentModelIndex
_WIDTHS: Final = {
    Column.CLIENT: 116,
    Column.IDENTITY: 108,
    Column.TARGET: 104,
    Column.TO_CLIENT: 84,
    Column.TO_TARGET: 84,
    Column.TOTAL: 92,
    Column.SINCE: 84,
}
_ORIGIN_LEAST: Final = 96
_ORIGIN_ENOUGH: Final = 160
_MORE: Final = 96
"""So much wider who it is and where to get where there is room."""


class _CellDelegate(QStyledItemDelegate):
    """Cells with room at both sides, and the button in the last column."""

    disconnect_wanted = Signal(int)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, theme.colour("selected"))
        if index.column() == Column.DO:
            draw_button(painter, self.button(QRectF(option.rect)), index.data())
        else:
            font = theme.font(Type.BODY)
            painter.setFont(font)
            painter.setPen(theme.colour("text"))
            box = QRectF(option.rect).adjusted(8, 0, -8, 0)
            text = QFontMetricsF(font).elidedText(index.data(), Qt.TextElideMode.ElideMiddle, box.width())
            alignment = index.data(Qt.ItemDataRole.TextAlignmentRole)
            painter.drawText(box, int(alignment) | int(Qt.TextFlag.TextSingleLine), text)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1, 1, -1, -1), 4, 4)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.px(60), theme.px(29))

    def button(self, cell: QRectF) -> QRectF:
        """Where the button is in its cell."""
        width = disconnect_width()
        return QRectF(cell.right() - width - 3, cell.center().y() - theme.px(10), width, theme.px(20))

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton
            and index.column() == Column.DO
            and self.button(QRectF(option.rect)).contains(event.position())
        ):
            self.disconnect_wanted.emit(index.data(ID_ROLE))
            return True
        return super().editorEvent(event, model, option, index)


def disconnect_width() -> float:
    metrics = QFontMetricsF(theme.font(Type.SMALL_STRONG))
    return metrics.horizontalAdvance(translate("connections", "Disconnect")) + theme.px(18)


class ConnectionTable(QTableView):
    """Shows a `ConnectionTableModel`.

    Args:
        model: What to show.
        most_rows: Grow with the rows up to this many and never scroll; None: fill the room and scroll.
    """

    disconnect_wanted = Signal(int)
    menu_wanted = Signal(int)

    def __init__(self, model: ConnectionTableModel, *, most_rows: int | None = None) -> None:
        super().__init__()
        self._most_rows = most_rows
        self.sorted = SortedConnections(model, self)
        self.setModel(self.sorted)
        self._cells = _CellDelegate(self)
        self._cells.disconnect_wanted.connect(self.disconnect_wanted)
        self.setItemDelegate(self._cells)
        self.setAccessibleName(translate("connections", "Live connections"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setHighlightSections(False)
        header.setSectionsClickable(most_rows is None)
        if most_rows is None:
            self.setSortingEnabled(True)
            self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        else:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setColumnHidden(Column.TOTAL, True)
        self._refit()
        theme.changed.connect(self._refit)
        for signal in (self.sorted.rowsInserted, self.sorted.rowsRemoved):
            signal.connect(self._fit_height)

    def show_columns_for(self, tunnel: TunnelSnapshot) -> None:
        """Hide the columns that would say nothing about `tunnel`."""
        identities = any(c.identity for c in tunnel.connections)
        targets = len({c.target for c in tunnel.connections}) > 1
        changed = False
        for column, shown in ((Column.IDENTITY, identities), (Column.TARGET, targets)):
            if self.isColumnHidden(column) == shown:
                self.setColumnHidden(column, not shown)
                changed = True
        if changed:
            self._fit_columns()

    def _refit(self) -> None:
        self.horizontalHeader().setFont(theme.font(Type.SMALL_STRONG))
        self.verticalHeader().setDefaultSectionSize(theme.px(29))
        self._fit_columns()
        self._fit_height()

    def _fit_columns(self) -> None:
        used = 0
        for column in Column:
            if column in _WIDTHS:
                self.setColumnWidth(column, theme.px(_WIDTHS[column]))
            elif column is Column.DO:
                self.setColumnWidth(column, round(disconnect_width()) + 8)
            if column is not Column.ORIGIN and not self.isColumnHidden(column):
                used += self.columnWidth(column)
        spare = self.viewport().width() - used - theme.px(_ORIGIN_ENOUGH)
        for column in (Column.IDENTITY, Column.TARGET):
            if spare > 0 and not self.isColumnHidden(column):
                more = min(spare // 3, theme.px(_MORE))
                self.setColumnWidth(column, self.columnWidth(column) + more)
                used += more
        least = max(theme.px(_ORIGIN_LEAST), 1)
        self.setColumnWidth(Column.ORIGIN, max(self.viewport().width() - used, least))

    def _fit_height(self) -> None:
        if self._most_rows is None:
            return
        rows = min(self.model().rowCount(), self._most_rows)
        bar = self.horizontalScrollBar()
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        height = self.horizontalHeader().sizeHint().height() + rows * theme.px(29) + extra + 2
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        self._fit_height()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._most_rows is not None and not event.angleDelta().x():
            event.ignore()
        else:
            super().wheelEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.sorted.hold(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.sorted.hold(self.hasFocus())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.sorted.hold(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.sorted.hold(self.underMouse())
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.clearSelection()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        on_button = self.currentIndex().column() == Column.DO
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and on_button
        if self.currentIndex().isValid() and (enter or event.key() == Qt.Key.Key_Delete):
            self.disconnect_wanted.emit(self.currentIndex().data(ID_ROLE))
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        if index.isValid():
            self.menu_wanted.emit(index.data(ID_ROLE))
