"""Layouts that adapt to the room: a row that wraps, and a grid of equal cards."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class _Wrapping(QLayout):
    """What both layouts share: a list of items and a height that depends on the width."""

    def __init__(self, spacing: int, parent: QWidget | None = None) -> None:
        super().__init__(parent) if parent is not None else super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap = spacing
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        margins = self.contentsMargins()
        inner = width - margins.left() - margins.right()
        return self._arrange(QRect(0, 0, inner, 0), move=False) + margins.top() + margins.bottom()

    def setGeometry(self, rectangle: QRect) -> None:
        super().setGeometry(rectangle)
        self._arrange(rectangle.marginsRemoved(self.contentsMargins()), move=True)

    def sizeHint(self) -> QSize:
        """All in one row."""
        shown = self._shown()
        width = sum(item.sizeHint().width() for item in shown) + self._gap * max(len(shown) - 1, 0)
        return QSize(width, max((item.sizeHint().height() for item in shown), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _arrange(self, rectangle: QRect, *, move: bool) -> int:
        raise NotImplementedError


class FlowRow(_Wrapping):
    """Items in a row, on as many lines as the width needs, each line centred on its own height.

    Items from number `push_from` on stand at the right end of their line, if others are to the left of them.
    """

    def __init__(self, spacing: int, parent: QWidget | None = None, *, push_from: int | None = None) -> None:
        super().__init__(spacing, parent)
        self._push_from = push_from

    def _arrange(self, rectangle: QRect, *, move: bool) -> int:
        lines: list[list[tuple[QLayoutItem, QSize]]] = [[]]
        used = 0
        for item in self._shown():
            size = item.sizeHint()
            size.setWidth(min(size.width(), max(rectangle.width(), item.minimumSize().width())))
            if lines[-1] and used + size.width() > rectangle.width():
                lines.append([])
                used = 0
            lines[-1].append((item, size))
            used += size.width() + self._gap
        y = rectangle.y()
        for line in lines:
            height = max((size.height() for _, size in line), default=0)
            if move:
                self._place(line, rectangle, y, height)
            y += height + self._gap
        return y - self._gap - rectangle.y()

    def _place(self, line: list[tuple[QLayoutItem, QSize]], rectangle: QRect, y: int, height: int) -> None:
        pushed = self._items[self._push_from :] if self._push_from is not None else []
        free = rectangle.width() - sum(size.width() for _, size in line) - self._gap * (len(line) - 1)
        x = rectangle.x()
        for place, (item, size) in enumerate(line):
            if place and item in pushed and line[place - 1][0] not in pushed:
                x += max(free, 0)
            item.setGeometry(QRect(QPoint(x, y + (height - size.height()) // 2), size))
            x += size.width() + self._gap


class CardGrid(_Wrapping):
    """Items in as many columns as fit, all of a row of one width."""

    def __init__(self, spacing: int = 12) -> None:
        super().__init__(spacing)

    def _arrange(self, rectangle: QRect, *, move: bool) -> int:
        shown = self._shown()
        if not shown:
            return 0
        least = max(item.sizeHint().width() for item in shown)
        height = max(item.sizeHint().height() for item in shown)
        columns = min(len(shown), max(1, (rectangle.width() + self._gap) // (least + self._gap)))
        rows = -(-len(shown) // columns)
        columns = -(-len(shown) // rows)  # even rows: 3 + 2 rather than 4 + 1
        if move:
            for index, item in enumerate(shown):
                row, column = divmod(index, columns)
                in_row = min(columns, len(shown) - row * columns)
                each = (rectangle.width() - self._gap * (in_row - 1)) / in_row
                left = round(rectangle.x() + column * (each + self._gap))
                right = round(rectangle.x() + column * (each + self._gap) + each)
                item.setGeometry(QRect(left, rectangle.y() + row * (height + self._gap), right - left, height))
        return rows * (height + self._gap) - self._gap
