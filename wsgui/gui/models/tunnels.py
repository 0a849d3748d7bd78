"""The tunnel list: groups and tunnels as rows, changed in place so that nothing jumps and only news is painted."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QObject, QPersistentModelIndex, Qt

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, TunnelSnapshot, TunnelState
from wsgui.gui.formatting import plain_tooltip
from wsgui.gui.wording import (
    Notice,
    Remedy,
    needs_attention,
    overlay_words,
    row_line,
    shape_and_tone,
    state_word,
    target_refuses,
)

translate = QCoreApplication.translate
Index = QModelIndex | QPersistentModelIndex
ROW_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
"""The row's `TunnelRow` or `GroupRow`."""
_SPARKLINE_SECONDS: Final = 1.0


class Show(enum.Enum):
    """Which tunnels the list shows: a click in its foot chooses."""

    ALL = "all"
    RUNNING = "running"
    ATTENTION = "attention"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A heading; its tunnels follow when it is not collapsed."""

    title: str
    collapsed: bool
    running: int
    attention: int
    """How many of its tunnels need attention, to be seen also when they are hidden."""


@dataclass(frozen=True, slots=True)
class TunnelRow:
    """All that a tunnel's row shows."""

    name: str
    title: str
    shape: str
    tone: str
    state: str
    wanted: bool
    line: str
    line_tone: str
    remedy: Remedy | None
    connections: int
    sparkline: tuple[float, ...]


Row = GroupRow | TunnelRow
Key = tuple[str, str]


def tunnel_row(tunnel: TunnelSnapshot, refusal: Notice | None, now: float) -> TunnelRow:
    """What the row of `tunnel` shows at `now` (Unix time).

    `refusal` is the notice about a client turned away, unless dismissed.
    """
    shape, tone = shape_and_tone(tunnel, now)
    line, line_tone, remedy = row_line(tunnel, refusal, now)
    state = state_word(tunnel.state, len(tunnel.connections))
    if target_refuses(tunnel):
        state = translate("state", "Target refuses")
    elif overlay := overlay_words(tunnel, now):
        state = translate("state", "{0}, {1}").format(state, overlay)
    return TunnelRow(
        name=tunnel.name,
        title=display(tunnel.name),
        shape=shape,
        tone=tone,
        state=state,
        wanted=tunnel.wanted,
        line=line,
        line_tone=line_tone,
        remedy=remedy,
        connections=len(tunnel.connections),
        sparkline=tunnel.sparkline,
    )


class TunnelListModel(QAbstractListModel):
    """Rows from snapshots, in the engine's order: those without a group, then each group at its first tunnel."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keys: list[Key] = []
        self._rows: dict[Key, Row] = {}
        self._snapshot = EngineSnapshot(0.0, ())
        self._notices: dict[str, Notice] = {}
        self._collapsed: set[str] = set()
        self._needle = ""
        self._show = Show.ALL
        self._sparkline_time = 0.0

    def update(self, snapshot: EngineSnapshot, refusals: dict[str, Notice] | None = None) -> None:
        """Take over `snapshot`; `refusals` are the notices to mention, by tunnel."""
        self._snapshot = snapshot
        self._notices = refusals or {}
        self._refresh()

    def set_needle(self, text: str) -> None:
        """Show only tunnels whose name, address, target or group contains `text`."""
        self._needle = text.strip().casefold()
        self._refresh()

    def set_show(self, show: Show) -> None:
        """Show only some tunnels."""
        self._show = show
        self._refresh()

    @property
    def show(self) -> Show:
        return self._show

    def toggle_group(self, title: str) -> None:
        """Collapse a group, or open it."""
        self._collapsed ^= {title}
        self._refresh()

    def set_group_collapsed(self, title: str, collapsed: bool) -> None:
        if (title in self._collapsed) != collapsed:
            self.toggle_group(title)

    def tunnels_of(self, group: str) -> tuple[TunnelSnapshot, ...]:
        """The tunnels of a group, shown or not."""
        return tuple(t for t in self._snapshot.tunnels if t.group == group)

    def index_of(self, name: str) -> QModelIndex:
        """Where the tunnel `name` is; invalid while it is not shown."""
        key = ("tunnel", name)
        return self.index(self._keys.index(key)) if key in self._rows else QModelIndex()

    def row_at(self, index: Index) -> Row | None:
        return self._rows[self._keys[index.row()]] if index.isValid() and index.row() < len(self._keys) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self._keys)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        row = self.row_at(index)
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if isinstance(row, GroupRow):
            return self._group_data(row, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(row.line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            wanted = translate("row", "switched on") if row.wanted else translate("row", "switched off")
            return translate("row", "{0}, {1}, {2}, {3}").format(row.title, row.state, row.line, wanted)
        return None

    def _group_data(self, row: GroupRow, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return display(row.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            word = translate("row", "collapsed") if row.collapsed else translate("row", "open")
            text = translate("row", "Group {0}, {1}").format(display(row.title), word)
            if row.attention:
                return translate("row", "{0}, {1}").format(
                    text, translate("foot", "%n need(s) attention", None, row.attention)
                )
            return text
        return None

    def _matches(self, tunnel: TunnelSnapshot) -> bool:
        match self._show:
            case Show.RUNNING if tunnel.state is not TunnelState.RUNNING or self._needs_attention(tunnel):
                return False
            case Show.ATTENTION if not self._needs_attention(tunnel):
                return False
            case Show.CONNECTED if not tunnel.connections:
                return False
        if not self._needle:
            return True
        texts = (tunnel.name, tunnel.listen, tunnel.websocket_url, tunnel.target, tunnel.group)
        return any(self._needle in text.casefold() for text in texts)

    def _needs_attention(self, tunnel: TunnelSnapshot) -> bool:
        return needs_attention(tunnel, self._snapshot.time)

    def _refresh(self) -> None:
        wanted = self._wanted_rows()
        self._remove(set(wanted))
        self._place(list(wanted), wanted)
        for position, key in enumerate(self._keys):
            if self._rows[key] != wanted[key]:
                self._rows[key] = wanted[key]
                index = self.index(position)
                self.dataChanged.emit(index, index)

    def _wanted_rows(self) -> dict[Key, Row]:
        fresh_lines = abs(self._snapshot.time - self._sparkline_time) >= _SPARKLINE_SECONDS - 0.05
        if fresh_lines:
            self._sparkline_time = self._snapshot.time
        # Those without a group come first: below a group they would look as if they were in it.
        groups: dict[str, list[TunnelSnapshot]] = {"": []}
        for tunnel in filter(self._matches, self._snapshot.tunnels):
            groups.setdefault(tunnel.group, []).append(tunnel)
        rows: dict[Key, Row] = {}
        for title, tunnels in groups.items():
            if title:
                running = sum(t.state is TunnelState.RUNNING for t in tunnels)
                attention = sum(map(self._needs_attention, tunnels))
                rows["group", title] = GroupRow(title, title in self._collapsed, running, attention)
                if title in self._collapsed and not self._needle:
                    continue
            for tunnel in tunnels:
                key = ("tunnel", tunnel.name)
                row = tunnel_row(tunnel, self._notices.get(tunnel.name), self._snapshot.time)
                old = self._rows.get(key)
                if isinstance(old, TunnelRow) and not fresh_lines:
                    row = replace(row, sparkline=old.sparkline)
                rows[key] = row
        return rows

    def _remove(self, wanted: set[Key]) -> None:
        for position in range(len(self._keys) - 1, -1, -1):
            if self._keys[position] not in wanted:
                self.beginRemoveRows(QModelIndex(), position, position)
                del self._rows[self._keys.pop(position)]
                self.endRemoveRows()

    def _place(self, keys: list[Key], wanted: dict[Key, Row]) -> None:
        for position, key in enumerate(keys):
            if position < len(self._keys) and self._keys[position] == key:
                continue
            if key in self._rows:
                old = self._keys.index(key)
                self.beginMoveRows(QModelIndex(), old, old, QModelIndex(), position)
                self._keys.insert(position, self._keys.pop(old))
                self.endMoveRows()
            else:
                self.beginInsertRows(QModelIndex(), position, position)
                self._keys.insert(position, key)
                self._rows[key] = wanted[key]
                self.endInsertRows()
