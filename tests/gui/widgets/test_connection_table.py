"""The table of connections: which columns it has for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from tests.gui import samples
from wsgui.engine.snapshot import TunnelSnapshot
from wsgui.gui.models.connections import Column, ConnectionTableModel
from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.connection_table import ConnectionTable


@pytest.fixture
def table(qtbot: QtBot) -> ConnectionTable:
    made = ConnectionTable(ConnectionTableModel())
    qtbot.addWidget(made)
    made.resize(900, 300)
    return made


def shown(table: ConnectionTable, tunnel: TunnelSnapshot) -> set[Column]:
    model = table.sorted.sourceModel()
    assert isinstance(model, ConnectionTableModel)
    model.update(tunnel, samples.NOW)
    table.show_columns_for(tunnel)
    return {column for column in Column if not table.isColumnHidden(column)}


def test_who_it_is_and_where_to_are_no_columns_while_they_say_nothing(table: ConnectionTable) -> None:
    assert not {Column.IDENTITY, Column.TARGET} & shown(table, samples.busy())


def test_who_it_is_is_a_column_as_soon_as_one_has_a_name(table: ConnectionTable) -> None:
    tunnel = samples.busy()
    named = replace(tunnel.connections[1], identity="anna")
    columns = shown(table, replace(tunnel, connections=(tunnel.connections[0], named)))
    assert Column.IDENTITY in columns
    assert Column.TARGET not in columns


def test_where_to_is_a_column_when_there_are_several(table: ConnectionTable) -> None:
    assert {Column.IDENTITY, Column.TARGET} <= shown(table, samples.by_token())
    assert Column.TARGET not in shown(table, samples.busy())


def test_a_token_s_name_fits_its_column(table: ConnectionTable) -> None:
    shown(table, samples.by_token())
    text = table.sorted.index(2, Column.IDENTITY).data()
    assert text == "token 77b0e2"
    assert QFontMetricsF(theme.font(Type.BODY)).horizontalAdvance(text) <= table.columnWidth(Column.IDENTITY) - 16


def test_where_there_is_room_nobody_s_name_is_cut(table: ConnectionTable) -> None:
    shown(table, samples.by_token())
    table.resize(1400, 300)
    table.show()
    text = table.sorted.index(0, Column.IDENTITY).data()
    assert QFontMetricsF(theme.font(Type.BODY)).horizontalAdvance(text) <= table.columnWidth(Column.IDENTITY) - 16
    assert sum(table.columnWidth(column) for column in Column) <= table.viewport().width()


def test_connections_are_found_by_who_it_is(table: ConnectionTable) -> None:
    shown(table, samples.by_token())
    table.sorted.setFilterFixedString("lee")
    assert table.sorted.rowCount() == 1
    assert table.sorted.index(0, Column.IDENTITY).data(Qt.ItemDataRole.DisplayRole) == "CN lee"
