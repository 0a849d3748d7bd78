"""The list model: rows in place, only news announced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy

from tests.gui import samples
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.gui.models.tunnels import GroupRow, Show, TunnelListModel, TunnelRow
from wsgui.gui.wording import refusal_notice

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def model() -> TunnelListModel:
    made = TunnelListModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.update(samples.office())
    return made


def titles(model: TunnelListModel) -> list[str]:
    rows = [model.row_at(model.index(i)) for i in range(model.rowCount())]
    return [f"[{row.title}]" if isinstance(row, GroupRow) else row.title for row in rows if row is not None]


def later(snapshot: EngineSnapshot, name: str, change: Callable[..., object], seconds: float = 0.1) -> EngineSnapshot:
    tunnels = tuple(change(t) if t.name == name else t for t in snapshot.tunnels)
    return EngineSnapshot(snapshot.time + seconds, tunnels)  # type: ignore[arg-type]


def test_groups_stand_where_their_first_tunnel_stands(model: TunnelListModel) -> None:
    assert titles(model) == [
        "[Office]",
        "Office desktop",
        "Accounting",
        "[Lab]",
        "Lab console",
        "Build farm",
        "Router serial",
        "Remote gateway",
        "Staging SPICE",
    ]


def test_tunnels_without_a_group_have_no_heading() -> None:
    model = TunnelListModel()
    model.update(samples.engine(samples.tunnel("a"), samples.tunnel("b")))
    assert titles(model) == ["a", "b"]


def test_a_tunnel_without_a_group_never_looks_as_if_it_were_in_one() -> None:
    model = TunnelListModel()
    model.update(samples.engine(samples.tunnel("a", group="A"), samples.tunnel("b")))
    assert titles(model) == ["b", "[A]", "a"]


def test_the_same_snapshot_again_announces_nothing(model: TunnelListModel) -> None:
    changed, reset = QSignalSpy(model.dataChanged), QSignalSpy(model.modelReset)
    model.update(samples.office())
    assert (changed.count(), reset.count()) == (0, 0)


def test_only_the_changed_row_is_announced(model: TunnelListModel) -> None:
    changed, reset = QSignalSpy(model.dataChanged), QSignalSpy(model.modelReset)
    model.update(later(samples.office(), "Staging SPICE", lambda t: samples.tunnel(t.name, group=t.group)))
    rows = {changed.at(i)[0].row() for i in range(changed.count())}
    # The group's heading knows how many run.
    assert rows == {model.index_of("Staging SPICE").row(), 3}
    assert reset.count() == 0


def test_figures_that_a_row_does_not_show_announce_nothing(model: TunnelListModel) -> None:
    changed = QSignalSpy(model.dataChanged)
    model.update(later(samples.office(), "Office desktop", lambda t: replace(t, to_client_rate=1.0, served=99)))
    assert changed.count() == 0


def test_sparklines_move_once_a_second_only(model: TunnelListModel) -> None:
    changed = QSignalSpy(model.dataChanged)
    for tenth in range(1, 10):
        model.update(
            later(
                samples.office(),
                "Office desktop",
                lambda t, tenth=tenth: replace(t, sparkline=samples.sparkline(tenth)),
                tenth / 10,
            )
        )
    assert changed.count() == 0
    model.update(later(samples.office(), "Office desktop", lambda t: replace(t, sparkline=samples.sparkline(99)), 1.0))
    assert changed.count() == 1


def test_a_tunnel_that_is_gone_leaves_the_others_alone(model: TunnelListModel) -> None:
    reset, removed = QSignalSpy(model.modelReset), QSignalSpy(model.rowsRemoved)
    tunnels = tuple(t for t in samples.office().tunnels if t.name != "Build farm")
    model.update(samples.engine(*tunnels))
    assert "Build farm" not in titles(model)
    assert (reset.count(), removed.count()) == (0, 1)


def test_a_new_order_of_the_engine_is_taken_over_by_moves(model: TunnelListModel) -> None:
    inserted = QSignalSpy(model.rowsInserted)
    model.update(samples.engine(*reversed(samples.office().tunnels)))
    assert titles(model)[:3] == ["[Lab]", "Staging SPICE", "Remote gateway"]
    assert inserted.count() == 0


def test_a_collapsed_group_keeps_its_heading_and_says_that_something_needs_attention(model: TunnelListModel) -> None:
    model.toggle_group("Office")
    assert titles(model)[:2] == ["[Office]", "[Lab]"]
    row = model.row_at(model.index(0))
    assert isinstance(row, GroupRow)
    assert (row.collapsed, row.attention) == (True, 1)


@pytest.mark.parametrize("needle", ["7001", "router", "ROUTER SER", " router:23 "])
def test_a_search_finds_by_name_address_and_target(model: TunnelListModel, needle: str) -> None:
    model.set_needle(needle)
    assert titles(model) == ["[Lab]", "Router serial"]


def test_a_search_opens_collapsed_groups(model: TunnelListModel) -> None:
    model.toggle_group("Lab")
    model.set_needle("router")
    assert titles(model) == ["[Lab]", "Router serial"]


@pytest.mark.parametrize(
    ("show", "names"),
    [
        (Show.RUNNING, {"Office desktop", "Lab console", "Build farm", "Remote gateway"}),
        (Show.ATTENTION, {"Accounting", "Router serial"}),
        (Show.CONNECTED, {"Office desktop", "Lab console", "Build farm", "Remote gateway"}),
    ],
)
def test_the_foot_filters(model: TunnelListModel, show: Show, names: set[str]) -> None:
    model.set_show(show)
    assert {title for title in titles(model) if not title.startswith("[")} == names


def test_a_row_reads_as_a_sentence_for_a_screen_reader(model: TunnelListModel) -> None:
    text = model.index_of("Router serial").data(Qt.ItemDataRole.AccessibleTextRole)
    assert text == "Router serial, Waiting, Waiting for port 7001, switched on"


def test_outside_text_is_escaped_in_every_role() -> None:
    model = TunnelListModel()
    hostile = samples.tunnel(samples.HOSTILE, target=samples.HOSTILE, group=samples.HOSTILE)
    model.update(samples.engine(hostile))
    for place in range(model.rowCount()):
        index = model.index(place)
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            assert "\u202e" not in index.data(role)
    assert "<img" not in model.index_of(samples.HOSTILE).data(Qt.ItemDataRole.ToolTipRole)


def test_a_refusal_is_mentioned_in_the_row() -> None:
    model = TunnelListModel()
    tunnel = samples.tunnel(refusal=samples.refusal())
    notice = refusal_notice(tunnel)
    assert notice is not None
    model.update(samples.engine(tunnel), {tunnel.name: notice})
    row = model.row_at(model.index_of(tunnel.name))
    assert isinstance(row, TunnelRow)
    assert "https://vnc.lab" in row.line
    assert row.remedy is not None
    assert row.remedy.label == "Review"
