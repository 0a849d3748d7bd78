"""Draws the tunnel list's rows and hears the clicks on their switch and button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QCoreApplication,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from wsgui.display import display
from wsgui.gui import icons
from wsgui.gui.models.tunnels import ROW_ROLE, GroupRow, TunnelRow
from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.shapes import paint_sparkline, paint_switch
from wsgui.gui.wording import Remedy

translate = QCoreApplication.translate
SPARKLINE_WIDTH: Final = 48
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """Where the parts of a tunnel's row are."""

    ground: QRectF
    icon: QRectF
    name: QRectF
    sparkline: QRectF
    switch: QRectF
    line: QRectF
    button: QRectF
    """Empty without a button."""


def places(rectangle: QRectF, row: TunnelRow, *, sparkline: bool) -> RowPlaces:
    """Lay out `row` in `rectangle`; both the painter and the mouse go by this."""
    px = theme.px
    ground = rectangle.adjusted(0, 1, 0, -2)
    left, right = ground.left() + px(34), ground.right() - 12
    first, second = ground.top() + px(18), ground.top() + px(38)
    switch = QRectF(right - px(33), first - px(9), px(33), px(18))
    spark_width = px(SPARKLINE_WIDTH) if sparkline else 0
    spark = QRectF(switch.left() - px(9) - spark_width, first - px(6), spark_width, px(13))
    button = QRectF()
    if row.remedy is not None:
        width = QFontMetricsF(theme.font(Type.SMALL_STRONG)).horizontalAdvance(row.remedy.label) + px(18)
        button = QRectF(right - width, second - px(10), width, px(20))
    line_right = button.left() - px(8) if row.remedy is not None else right
    name_right = (spark.left() if sparkline else switch.left()) - px(8)
    return RowPlaces(
        ground=ground,
        icon=QRectF(ground.left() + px(12), first - px(7), px(14), px(14)),
        name=QRectF(left, first - px(10), max(name_right - left, 0), px(20)),
        sparkline=spark,
        switch=switch,
        line=QRectF(left, second - px(9), max(line_right - left, 0), px(18)),
        button=button,
    )


class RowDelegate(QStyledItemDelegate):
    """Rows of tunnels and of groups."""

    switched = QtSignal(str, bool)
    """A tunnel's name, and what the user wants now."""
    remedy_chosen = QtSignal(str, Remedy)
    group_toggled = QtSignal(str)
    group_switched = QtSignal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self.sparklines = True
        """Below 1,100 px of window the rows have none."""
        self.focus_shown = False
        """A ring marks the focus once the keyboard is used; a click needs none."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = index.data(ROW_ROLE)
        return QSize(theme.px(120), theme.px(30) if isinstance(row, GroupRow) else theme.px(56))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state: QStyle.StateFlag = option.state
        rectangle = QRectF(option.rect)
        focused = self.focus_shown and bool(state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if isinstance(row, GroupRow):
            self._paint_group(painter, rectangle, row, offered=focused or hovered, focused=focused)
        elif isinstance(row, TunnelRow):
            selected = bool(state & QStyle.StateFlag.State_Selected)
            self._paint_ground(painter, rectangle, selected=selected, hovered=hovered, focused=focused)
            self._paint_tunnel(painter, rectangle, row)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, rectangle: QRectF, *, selected: bool, hovered: bool, focused: bool
    ) -> None:
        if not (selected or hovered or focused):
            return
        ground = rectangle.adjusted(0, 1, 0, -2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("selected" if selected else "hover"))
        if not (selected or hovered):
            painter.setBrush(Qt.BrushStyle.NoBrush)
        if selected and theme.dark:
            painter.setPen(QPen(theme.colour("line"), 1))
            ground = ground.adjusted(0.5, 0.5, -0.5, -0.5)
        if focused:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            ground = ground.adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(ground, 8, 8)

    def _paint_tunnel(self, painter: QPainter, rectangle: QRectF, row: TunnelRow) -> None:
        where = places(rectangle, row, sparkline=self.sparklines)
        colours = theme.colours
        icons.paint_icon(painter, row.shape, getattr(colours, row.tone), where.icon)
        _draw(painter, where.name, row.title, Type.ROW_NAME, colours.text)
        _draw(painter, where.line, row.line, Type.SMALL, getattr(colours, row.line_tone))
        if self.sparklines and any(row.sparkline):
            paint_sparkline(painter, where.sparkline, row.sparkline, colours.accent)
        paint_switch(painter, where.switch, colours, on=row.wanted)
        if row.remedy is not None:
            draw_button(painter, where.button, row.remedy.label)

    def _paint_group(
        self, painter: QPainter, rectangle: QRectF, row: GroupRow, *, offered: bool, focused: bool
    ) -> None:
        px, colours = theme.px, theme.colours
        centre = rectangle.center().y() + px(2)
        chevron = "chevron-right" if row.collapsed else "chevron-down"
        size = px(12)
        icons.paint_icon(painter, chevron, colours.dim, QRectF(rectangle.left() + px(7), centre - size / 2, size, size))
        button = group_button(rectangle, row) if offered else QRectF()
        left = rectangle.left() + px(21)
        right = button.left() - px(8) if offered else rectangle.right() - px(8)
        box = QRectF(left, centre - px(9), max(right - left, 0), px(18))
        _draw(painter, box, display(row.title), Type.SMALL_STRONG, colours.dim)
        if row.collapsed and row.attention:
            metrics = QFontMetricsF(theme.font(Type.SMALL_STRONG))
            beside = left + min(metrics.horizontalAdvance(display(row.title)), box.width()) + px(6)
            icons.paint_icon(painter, "warning", colours.warn, QRectF(beside, centre - size / 2, size, size))
        if offered:
            draw_button(painter, button, _group_label(row))
        if focused:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rectangle.adjusted(1, 3, -1, -1), 6, 6)

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        presses = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
        if not isinstance(event, QMouseEvent) or event.button() != Qt.MouseButton.LeftButton:
            return super().editorEvent(event, model, option, index)
        row = index.data(ROW_ROLE)
        rectangle = QRectF(option.rect)
        if not isinstance(row, TunnelRow):
            return False
        where = places(rectangle, row, sparkline=self.sparklines)
        on_switch = where.switch.adjusted(-6, -6, 6, 6).contains(event.position())
        on_button = where.button.contains(event.position())
        if event.type() in presses:
            return on_switch or on_button
        if event.type() == QEvent.Type.MouseButtonRelease and on_switch:
            self.switched.emit(row.name, not row.wanted)
            return True
        if event.type() == QEvent.Type.MouseButtonRelease and on_button and row.remedy is not None:
            self.remedy_chosen.emit(row.name, row.remedy)
            return True
        return False

    def click_group(self, rectangle: QRectF, row: GroupRow, at: QPointF) -> None:
        """A click at `at` on the heading `row` in `rectangle`."""
        if group_button(rectangle, row).contains(at):
            self.group_switched.emit(row.title, row.running == 0)
        else:
            self.group_toggled.emit(row.title)


def group_button(rectangle: QRectF, row: GroupRow) -> QRectF:
    """Where a group's start or stop button is while the pointer or the focus is on its heading."""
    px = theme.px
    width = QFontMetricsF(theme.font(Type.SMALL_STRONG)).horizontalAdvance(_group_label(row)) + px(18)
    centre = rectangle.center().y() + px(2)
    return QRectF(rectangle.right() - 12 - width, centre - px(10), width, px(20))


def _group_label(row: GroupRow) -> str:
    return translate("row", "Stop all") if row.running else translate("row", "Start all")


def _draw(painter: QPainter, box: QRectF, text: str, kind: Type, colour: str) -> None:
    font = theme.font(kind)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    metrics = QFontMetricsF(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    baseline = box.center().y() + (metrics.ascent() - metrics.descent()) / 2
    painter.drawText(QPointF(box.left(), baseline), shown)


def draw_button(painter: QPainter, box: QRectF, label: str) -> None:
    """Draw a small button, as rows of lists have them."""
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.setBrush(theme.colour("card"))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    painter.setFont(theme.font(Type.SMALL_STRONG))
    painter.setPen(theme.colour("text"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, label)
