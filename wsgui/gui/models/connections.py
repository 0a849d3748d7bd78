"""The live connections of one tunnel as a table that keeps its rows' places."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from wsgui.display import display
from wsgui.engine.snapshot import ConnectionSnapshot, TunnelSnapshot
from wsgui.gui import formatting

translate = QCoreApplication.translate
Index = QModelIndex | QPersistentModelIndex
SORT_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
ID_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 2


class Column(enum.IntEnum):
    """The table's columns, in order."""

    CLIENT = 0
    ORIGIN = 1
    IDENTITY = 2
    TARGET = 3
    TO_CLIENT = 4
    TO_TARGET = 5
    TOTAL = 6
    SINCE = 7
    DO = 8


FIGURES: Final = frozenset({Column.TO_CLIENT, Column.TO_TARGET, Column.TOTAL, Column.SINCE})


def column_title(column: Column) -> str:
    match column:
        case Column.CLIENT:
            return translate("connections", "Client")
        case Column.ORIGIN:
            return translate("connections", "Origin")
        case Column.IDENTITY:
            return translate("connections", "Identity")
        case Column.TARGET:
            return translate("connections", "Target")
        case Column.TO_CLIENT:
            return translate("connections", "To client")
        case Column.TO_TARGET:
            return translate("connections", "To target")
        case Column.TOTAL:
            return translate("connections", "Transferred")
        case Column.SINCE:
            return translate("connections", "Since")
        case Column.DO:
            return ""


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    texts: tuple[str, ...]
    sort: tuple[str | float, ...]
    client: str
    since: float


def _row(connection: ConnectionSnapshot, now: float) -> _Row:
    total = connection.to_client_bytes + connection.to_target_bytes
    texts = (
        formatting.host_of(connection.client),
        formatting.safe_origin(connection.origin) or translate("connections", "no origin (native client)"),
        display(connection.identity),
        display(connection.target),
        str(formatting.rate(connection.to_client_rate)),
        str(formatting.rate(connection.to_target_rate)),
        str(formatting.size(total)),
        formatting.duration(now - connection.since),
        translate("connections", "Disconnect"),
    )
    sort = (
        texts[0],
        connection.origin,
        connection.identity,
        connection.target,
        connection.to_client_rate,
        connection.to_target_rate,
        float(total),
        now - connection.since,
        float(connection.id),
    )
    return _Row(connection.id, texts, sort, connection.client, connection.since)


class ConnectionTableModel(QAbstractTableModel):
    """One row a connection, in the order in which they came."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tunnel = ""
        self._rows: list[_Row] = []

    def update(self, tunnel: TunnelSnapshot, now: float) -> None:
        """Show the connections of `tunnel` at `now` (Unix time)."""
        fresh = {c.id: _row(c, now) for c in tunnel.connections}
        if tunnel.name != self._tunnel:
            self._tunnel = tunnel.name
            self._keep(frozenset())
        self._keep(frozenset(fresh))
        for position, old in enumerate(self._rows):
            new = fresh.pop(old.id)
            self._rows[position] = new
            changed = [c for c in Column if old.texts[c] != new.texts[c]]
            if changed:
                self.dataChanged.emit(self.index(position, changed[0]), self.index(position, changed[-1]))
        if fresh:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._rows.extend(fresh.values())
            self.endInsertRows()

    def _keep(self, ids: frozenset[int]) -> None:
        last = len(self._rows) - 1
        while last >= 0:
            if self._rows[last].id in ids:
                last -= 1
                continue
            first = last
            while first > 0 and self._rows[first - 1].id not in ids:
                first -= 1
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._rows[first : last + 1]
            self.endRemoveRows()
            last = first - 1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column_title(Column(section))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if Column(section) in FIGURES else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return row.texts[column]
        if role == SORT_ROLE:
            return row.sort[column]
        if role == ID_ROLE:
            return row.id
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column in FIGURES else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return formatting.plain_tooltip(self._tip(row, column))
        if role == Qt.ItemDataRole.AccessibleTextRole and column == Column.DO:
            return translate("connections", "Disconnect {0}").format(row.texts[Column.CLIENT])
        return None

    def _tip(self, row: _Row, column: Column) -> str:
        if column == Column.CLIENT:
            port = formatting.port_of(row.client)
            return translate("connections", "{0}, port {1}").format(row.texts[column], port) if port else ""
        if column == Column.SINCE:
            return translate("connections", "since {0}").format(formatting.moment(row.since))
        return row.texts[column] if column in (Column.ORIGIN, Column.IDENTITY, Column.TARGET) else ""


class SortedConnections(QSortFilterProxyModel):
    """Sorts when asked and after changes, but holds still while `held`: no row moves under the pointer."""

    def __init__(self, source: ConnectionTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterKeyColumn(-1)
        self.setDynamicSortFilter(False)
        self.setSourceModel(source)
        self._held = False
        source.dataChanged.connect(self._resort)
        source.rowsInserted.connect(self._resort)

    def hold(self, held: bool) -> None:
        """Keep the order (True), or let it follow the figures again."""
        self._held = held
        self._resort()

    def _resort(self) -> None:
        if not self._held and self.sortColumn() >= 0:
            self.sort(self.sortColumn(), self.sortOrder())
