"""The chart's figures, read-out and pace."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from pytestqt.qtbot import QtBot

from tests.gui import samples
from wsgui.engine.snapshot import ThroughputSnapshot
from wsgui.gui.widgets.throughput_chart import ThroughputChart, points


def steady(time: float, values: tuple[float, ...]) -> ThroughputSnapshot:
    return ThroughputSnapshot(time, 0.1, values, tuple(value / 10 for value in values))


def test_points_are_means_over_the_clocks_seconds() -> None:
    made = points(steady(100.0, (1.0,) * 10 + (3.0,) * 10))
    assert [(p.age, p.to_client) for p in made] == [(1.0, 1.0), (0.0, 3.0)]


def test_a_peak_keeps_its_height_while_it_moves() -> None:
    samples_at = [0.0] * 30
    samples_at[12] = 10.0
    heights = set()
    for shift in range(10):
        moved = tuple((samples_at + [0.0] * shift)[shift:])
        finished = points(steady(100.0 + shift / 10, moved))[:-1]
        heights.add(round(max(p.to_client for p in finished), 6))
    assert heights == {1.0}


def test_no_samples_make_no_points() -> None:
    assert points(steady(100.0, ())) == ()


@pytest.fixture
def chart(qtbot: QtBot) -> ThroughputChart:
    made = ThroughputChart()
    qtbot.addWidget(made)
    made.resize(700, 300)
    with qtbot.waitExposed(made):
        made.show()
    made.set_throughput(samples.throughput())
    return made


def test_the_pointer_reads_out_the_point_below_it(chart: ThroughputChart, qtbot: QtBot) -> None:
    qtbot.mouseMove(chart, QPoint(chart.width() - 2, 50))
    right = chart.read_out()
    qtbot.mouseMove(chart, QPoint(400, 50))
    middle = chart.read_out()
    assert right is not None
    assert middle is not None
    assert right.age < 1
    assert 30 < middle.age < 60


def test_the_arrow_keys_read_out_too_and_tell_a_screen_reader(chart: ThroughputChart, qtbot: QtBot) -> None:
    for _ in range(5):
        qtbot.keyClick(chart, Qt.Key.Key_Left)
    point = chart.read_out()
    assert point is not None
    assert point.age == pytest.approx(5)
    assert chart.accessibleDescription().startswith("5")
    assert "To clients" in chart.accessibleDescription()


class Paints(QObject):
    """Counts a widget's paint events."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_flood_of_figures_repaints_ten_times_a_second_at_most(chart: ThroughputChart, qtbot: QtBot) -> None:
    counter = Paints()
    chart.installEventFilter(counter)
    for number in range(300):
        chart.set_live(float(number), 0.0)
        qtbot.wait(1)
    # 300 ms and a bit: no more than one paint per 95 ms, and one for the start.
    qtbot.waitUntil(lambda: counter.count > 0)
    assert counter.count <= 300 * 3 / 95 + 2


def test_nothing_is_painted_while_hidden(chart: ThroughputChart, qtbot: QtBot) -> None:
    chart.hide()
    counter = Paints()
    chart.installEventFilter(counter)
    chart.set_throughput(samples.throughput(2))
    chart.set_live(1.0, 1.0)
    qtbot.wait(1)
    assert counter.count == 0
