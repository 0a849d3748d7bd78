"""The table model: cells changed in place, rows held while in use."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy

from tests.gui import samples
from wsgui.gui.models.connections import ID_ROLE, Column, ConnectionTableModel, SortedConnections

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def model() -> ConnectionTableModel:
    made = ConnectionTableModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.update(samples.busy(), samples.NOW)
    return made


def column(model: ConnectionTableModel | SortedConnections, which: Column) -> list[str]:
    return [model.index(row, which).data() for row in range(model.rowCount())]


def test_clients_are_named_with_their_port_in_the_tooltip(model: ConnectionTableModel) -> None:
    assert column(model, Column.CLIENT) == ["192.168.1.20", "this computer", "this computer"]
    assert "port 50312" in model.index(0, Column.CLIENT).data(Qt.ItemDataRole.ToolTipRole)


def test_a_native_client_is_said_to_have_no_origin(model: ConnectionTableModel) -> None:
    assert column(model, Column.ORIGIN)[2] == "no origin (native client)"


def test_nothing_new_announces_nothing(model: ConnectionTableModel) -> None:
    changed, reset = QSignalSpy(model.dataChanged), QSignalSpy(model.modelReset)
    model.update(samples.busy(), samples.NOW)
    assert (changed.count(), reset.count()) == (0, 0)


def test_only_the_changed_cells_are_announced(model: ConnectionTableModel) -> None:
    changed = QSignalSpy(model.dataChanged)
    tunnel = samples.busy()
    second = replace(tunnel.connections[1], to_client_rate=9e6)
    model.update(replace(tunnel, connections=(tunnel.connections[0], second, tunnel.connections[2])), samples.NOW)
    assert changed.count() == 1
    first, last = changed.at(0)[0], changed.at(0)[1]
    assert (first.row(), first.column(), last.column()) == (1, Column.TO_CLIENT, Column.TO_CLIENT)


def test_an_ended_connection_takes_only_its_row_away(model: ConnectionTableModel) -> None:
    removed, reset = QSignalSpy(model.rowsRemoved), QSignalSpy(model.modelReset)
    tunnel = samples.busy()
    model.update(replace(tunnel, connections=(tunnel.connections[0], tunnel.connections[2])), samples.NOW)
    assert [model.index(row, 0).data(ID_ROLE) for row in range(2)] == [1, 3]
    assert (removed.count(), reset.count()) == (1, 0)


def test_another_tunnels_connection_with_the_same_number_is_another_row(model: ConnectionTableModel) -> None:
    other = samples.tunnel("Other", connections=(samples.connection(1, client="10.0.0.9:1"),))
    model.update(other, samples.NOW)
    assert column(model, Column.CLIENT) == ["10.0.0.9"]


def test_rows_are_sorted_by_figures_and_not_by_their_text(model: ConnectionTableModel) -> None:
    proxy = SortedConnections(model)
    proxy.sort(Column.TO_CLIENT, Qt.SortOrder.DescendingOrder)
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in column(proxy, Column.TO_CLIENT)] == [
        "9.8 MB/s",
        "2.6 MB/s",
        "0 B/s",
    ]


def test_no_row_moves_while_the_table_is_in_use(model: ConnectionTableModel) -> None:
    proxy = SortedConnections(model)
    proxy.sort(Column.TO_CLIENT, Qt.SortOrder.DescendingOrder)
    proxy.hold(True)
    tunnel = samples.busy()
    fast = replace(tunnel.connections[2], to_client_rate=99e6)
    model.update(replace(tunnel, connections=(*tunnel.connections[:2], fast)), samples.NOW)
    assert [proxy.index(row, 0).data(ID_ROLE) for row in range(3)] == [1, 2, 3]
    proxy.hold(False)
    assert [proxy.index(row, 0).data(ID_ROLE) for row in range(3)] == [3, 1, 2]


def test_outside_text_is_escaped() -> None:
    model = ConnectionTableModel()
    hostile = samples.connection(1, client=f"{samples.HOSTILE}:1", origin=samples.HOSTILE, identity=samples.HOSTILE)
    model.update(samples.tunnel(connections=(hostile,)), samples.NOW)
    for which in Column:
        index = model.index(0, which)
        assert "\u202e" not in index.data()
        assert "<img" not in (index.data(Qt.ItemDataRole.ToolTipRole) or "")
