"""The throughput chart: to clients above, to the target below, each on its own scale, over the last 90 seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from wsgui.engine.snapshot import ThroughputSnapshot
from wsgui.gui import formatting
from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.pacing import Pacer

translate = QCoreApplication.translate
SPAN_SECONDS: Final = 90.0
_UPPER_SHARE: Final = 0.70


@dataclass(frozen=True, slots=True)
class Point:
    """The mean over one second (bytes a second) that ended `age` seconds before now."""

    age: float
    to_client: float
    to_target: float


def points(throughput: ThroughputSnapshot) -> tuple[Point, ...]:
    """Second by second, oldest first, ending now.

    The seconds are those of the clock, so that a peak keeps its shape while it moves to the left; only the last
    point, the mean of the second that ends now, is still changing.
    """
    step, samples = throughput.step_seconds, len(throughput.to_client)
    if not samples or step <= 0:
        return ()
    per_second = max(round(1 / step), 1)
    # How many of the newest samples belong to the clock's unfinished second.
    unfinished = round((throughput.time - math.floor(throughput.time)) / step) % per_second

    def mean(values: tuple[float, ...], end: int) -> float:
        window = values[max(end - per_second, 0) : end]
        return sum(window) / len(window)

    ends = [*range(samples - unfinished, 0, -per_second)][::-1]
    if unfinished:
        ends.append(samples)
    return tuple(
        Point((samples - end) * step, mean(throughput.to_client, end), mean(throughput.to_target, end)) for end in ends
    )


class ThroughputChart(QWidget):
    """Draws throughput; the pointer or the arrow keys read it out."""

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[Point, ...] = ()
        self._live = (0.0, 0.0)
        self._hover: float | None = None
        self._pacer = Pacer(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(translate("chart", "Throughput of the last 90 seconds"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def set_throughput(self, throughput: ThroughputSnapshot | None) -> None:
        """Show `throughput`; None empties the chart."""
        self._points = points(throughput) if throughput is not None else ()
        self._pacer.request()

    def set_live(self, to_client_rate: float, to_target_rate: float) -> None:
        """The rates now, in bytes a second, as the labels print them."""
        self._live = (to_client_rate, to_target_rate)
        self._pacer.request()

    def sizeHint(self) -> QSize:
        return QSize(600, theme.px(180))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 120)

    def read_out(self) -> Point | None:
        """The point that the pointer or the keys are at."""
        if self._hover is None or not self._points:
            return None
        return min(self._points, key=lambda p: abs(p.age - (self._hover or 0.0)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        plot = self._plot()
        inside = plot.left() <= event.position().x() <= plot.right()
        share = (plot.right() - event.position().x()) / max(plot.width(), 1.0)
        self._set_hover(share * SPAN_SECONDS if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._set_hover(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._set_hover(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Left: 1.0, Qt.Key.Key_Right: -1.0, Qt.Key.Key_Home: SPAN_SECONDS, Qt.Key.Key_End: -90.0}
        move = moves.get(Qt.Key(event.key()))
        if move is None or event.modifiers():
            super().keyPressEvent(event)
            return
        self._set_hover(min(max((self._hover or 0.0) + move, 0.0), SPAN_SECONDS))

    def _set_hover(self, age: float | None) -> None:
        if age == self._hover:
            return
        self._hover = age
        point = self.read_out()
        self.setAccessibleDescription(" ".join(self._read_out_lines(point)) if point is not None else "")
        self._pacer.request()

    def _plot(self) -> QRectF:
        small = QFontMetricsF(theme.font(Type.SMALL))
        left = small.horizontalAdvance("999 MB/s") + 12
        return QRectF(left, small.height() / 2, self.width() - left - 1, self.height() - small.height() * 1.5 - 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = self._plot()
        gap = QFontMetricsF(theme.font(Type.SMALL)).height() * 1.6
        upper = QRectF(plot.left(), plot.top(), plot.width(), (plot.height() - gap) * _UPPER_SHARE)
        lower = QRectF(plot.left(), upper.bottom() + gap, plot.width(), plot.bottom() - upper.bottom() - gap)
        seen = [p for p in self._points if p.age <= SPAN_SECONDS + 1]
        up, down = [p.to_client for p in seen], [p.to_target for p in seen]
        self._paint_lane(painter, upper, seen, up, theme.colours.accent)
        self._paint_lane(painter, lower, seen, down, theme.colours.up)
        self._paint_label(painter, upper, translate("chart", "To clients"), self._live[0], theme.colours.accent)
        self._paint_label(painter, lower, translate("chart", "To target"), self._live[1], theme.colours.up)
        self._paint_times(painter, plot)
        point = self.read_out()
        if point is not None:
            self._paint_read_out(painter, point, (upper, max(up, default=0)), (lower, max(down, default=0)))
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _x(self, lane: QRectF, age: float) -> float:
        return lane.right() - lane.width() * age / SPAN_SECONDS

    def _paint_lane(self, painter: QPainter, lane: QRectF, seen: list[Point], values: list[float], colour: str) -> None:
        top = formatting.axis_top(max(values, default=0.0))
        painter.setPen(QPen(theme.colour("line"), 1))
        for y in (lane.top(), lane.bottom()):
            painter.drawLine(QPointF(lane.left(), round(y) + 0.5), QPointF(lane.right(), round(y) + 0.5))
        painter.setPen(theme.colour("dim"))
        painter.setFont(theme.font(Type.SMALL))
        height = QFontMetricsF(painter.font()).height()
        for y, text in ((lane.top(), _axis_label(top)), (lane.bottom(), formatting.number(0))):
            box = QRectF(0, y - height / 2, lane.left() - 6, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        if len(seen) < 2:
            return
        line = [
            QPointF(self._x(lane, p.age), lane.bottom() - lane.height() * min(value / top, 1.0))
            for p, value in zip(seen, values, strict=True)
        ]
        painter.save()
        painter.setClipRect(lane.adjusted(0, -2, 0, 2))
        gradient = QLinearGradient(lane.topLeft(), lane.bottomLeft())
        strong, weak = QColor(colour), QColor(colour)
        strong.setAlphaF(0.30 if theme.dark else 0.26)
        weak.setAlphaF(0.03)
        gradient.setColorAt(0, strong)
        gradient.setColorAt(1, weak)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        foot = [QPointF(line[-1].x(), lane.bottom()), QPointF(line[0].x(), lane.bottom())]
        painter.drawPolygon(QPolygonF(line + foot))
        pen = QPen(QColor(colour), 1.6)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        painter.restore()

    def _paint_label(self, painter: QPainter, lane: QRectF, title: str, value: float, colour: str) -> None:
        text = translate("chart", "{0}  {1}").format(title, formatting.rate(value))
        font = theme.font(Type.SMALL_STRONG)
        metrics = QFontMetricsF(font)
        box = QRectF(lane.left() + 6, lane.top() + 3, metrics.horizontalAdvance(text) + 6, metrics.height())
        ground = theme.colour("card")
        ground.setAlphaF(0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 3, 3)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_times(self, painter: QPainter, plot: QRectF) -> None:
        painter.setFont(theme.font(Type.SMALL))
        painter.setPen(theme.colour("dim"))
        metrics = QFontMetricsF(painter.font())
        for age in (90, 60, 30, 0):
            text = translate("chart", "−{0} s").format(age) if age else translate("chart", "now")
            width = metrics.horizontalAdvance(text)
            left = min(max(self._x(plot, age) - width / 2, plot.left() - 8), plot.right() - width)
            painter.drawText(QPointF(left, self.height() - metrics.descent() - 1), text)

    def _read_out_lines(self, point: Point) -> list[str]:
        ago = round(point.age)
        return [
            translate("chart", "{0} ago").format(formatting.duration(ago)) if ago else translate("chart", "now"),
            translate("chart", "To clients {0}").format(formatting.rate(point.to_client)),
            translate("chart", "To target {0}").format(formatting.rate(point.to_target)),
        ]

    def _paint_read_out(
        self, painter: QPainter, point: Point, upper: tuple[QRectF, float], lower: tuple[QRectF, float]
    ) -> None:
        x = self._x(upper[0], point.age)
        painter.setPen(QPen(theme.colour("off"), 1))
        painter.drawLine(QPointF(x, upper[0].top()), QPointF(x, lower[0].bottom()))
        for (lane, largest), value, name in ((upper, point.to_client, "accent"), (lower, point.to_target, "up")):
            y = lane.bottom() - lane.height() * min(value / formatting.axis_top(largest), 1.0)
            painter.setPen(QPen(theme.colour("card"), 2))
            painter.setBrush(theme.colour(name))
            painter.drawEllipse(QPointF(x, y), 4.5, 4.5)
        lines = self._read_out_lines(point)
        font = theme.font(Type.SMALL)
        metrics = QFontMetricsF(font)
        width = max(metrics.horizontalAdvance(line) for line in lines) + 16
        box = QRectF(x + 10, upper[0].top() + 8, width, metrics.height() * len(lines) + 12)
        if box.right() > self.width():
            box.moveRight(x - 10)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("card"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(font)
        for number, line in enumerate(lines):
            painter.setPen(theme.colour(("dim", "accent", "up")[number]))
            painter.drawText(
                QPointF(box.left() + 8, box.top() + 6 + metrics.height() * number + metrics.ascent()), line
            )


def _axis_label(top: float) -> str:
    quantity = formatting.rate(top)
    mark = formatting.number(1.5, 1)[1:2]
    number = quantity.number.rstrip("0").rstrip(mark) if mark in quantity.number else quantity.number
    return str(formatting.Quantity(number, quantity.unit))
