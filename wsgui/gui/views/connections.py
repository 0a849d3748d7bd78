"""The Connections tab: everybody who is connected, to filter, sort, copy and disconnect."""

from __future__ import annotations

import functools

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import ConnectionSnapshot, TunnelSnapshot
from wsgui.gui.actions import Actions
from wsgui.gui.models.connections import ConnectionTableModel
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.menus import Entry, popup
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.connection_table import ConnectionTable
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.search_line import SearchLine

translate = QCoreApplication.translate


class ConnectionsView(QWidget):
    """The whole list. The Overview's short one shows the same model."""

    def __init__(self, actions: Actions, model: ConnectionTableModel) -> None:
        super().__init__()
        self._actions = actions
        self._tunnel: TunnelSnapshot | None = None
        self.filter = SearchLine(self.tr("Find a connection"), self.tr("Find a client, origin, identity or target"))
        self.all = Button(self.tr("Disconnect all"))
        self.all.clicked.connect(self._disconnect_all)
        self.table = ConnectionTable(model)
        self.filter.textChanged.connect(self.table.sorted.setFilterFixedString)
        self.table.disconnect_wanted.connect(self._disconnect)
        self.table.menu_wanted.connect(self.show_menu)
        self._nobody = Text(self.tr("Nobody is connected now."), Type.BODY, "dim")
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.filter, 1)
        top.addWidget(self.all)
        card = Card()
        inside = QVBoxLayout(card)
        inside.setContentsMargins(8, 8, 8, 8)
        inside.addWidget(self._nobody)
        inside.addWidget(self.table, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 12, 28, 20)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(card, 1)

    def show_tunnel(self, tunnel: TunnelSnapshot) -> None:
        """Show whose connections these are; the rows come by the model."""
        self._tunnel = tunnel
        self.table.show_columns_for(tunnel)
        self._nobody.setVisible(not tunnel.connections)
        self.all.setEnabled(bool(tunnel.connections))

    def show_menu(self, connection: int) -> None:
        """The menu of one connection, at the pointer."""
        if self._tunnel is None:
            return
        found = next((c for c in self._tunnel.connections if c.id == connection), None)
        if found is not None:
            popup(self, connection_entries(self._actions, self._tunnel.name, found))

    def _disconnect(self, connection: int) -> None:
        if self._tunnel is not None:
            self._actions.disconnect(self._tunnel.name, connection)

    def _disconnect_all(self) -> None:
        if self._tunnel is not None:
            for connection in self._tunnel.connections:
                self._actions.disconnect(self._tunnel.name, connection.id)


def connection_entries(actions: Actions, name: str, connection: ConnectionSnapshot) -> list[Entry]:
    """What can be done with a connection: copy what it is, or end it. Watch will stand here too."""
    entries: list[Entry] = []
    for text in (connection.client, connection.origin, connection.identity, connection.target):
        if text:
            label = translate("ConnectionsView", "Copy {0}").format(display(text))
            entries.append((label, functools.partial(actions.copy_text, text)))
    entries.append(None)
    entries.append(
        (translate("ConnectionsView", "Disconnect"), functools.partial(actions.disconnect, name, connection.id))
    )
    return entries
