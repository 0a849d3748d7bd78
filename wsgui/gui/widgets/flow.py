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
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rectangle: QRect) -> None:
        super().setGeometry(rectangle)
        self._arrange(rectangle, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

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

    With `push_last` the last item stands at the right end while everything is on one line.
    """

    def __init__(self, spacing: int, parent: QWidget | None = None, *, push_last: bool = False) -> None:
        super().__init__(spacing, parent)
        self._push_last = push_last

    def sizeHint(self) -> QSize:
        shown = self._shown()
        width = sum(item.sizeHint().width() for item in shown) + self._gap * max(len(shown) - 1, 0)
        return QSize(width, max((item.sizeHint().height() for item in shown), default=0))

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
            x = rectangle.x()
            for item, size in line:
                if move:
                    if self._push_last and len(lines) == 1 and item is line[-1][0] and len(line) > 1:
                        x = rectangle.right() + 1 - size.width()
                    top = y + (height - size.height()) // 2
                    item.setGeometry(QRect(QPoint(x, top), size))
                x += size.width() + self._gap
            y += height + self._gap
        return y - self._gap - rectangle.y()


class CardGrid(_Wrapping):
    """Items of one width in as many columns as fit; 12 px gaps."""

    def __init__(self, spacing: int = 12) -> None:
        super().__init__(spacing)

    def sizeHint(self) -> QSize:
        shown = self._shown()
        width = sum(item.sizeHint().width() for item in shown) + self._gap * max(len(shown) - 1, 0)
        return QSize(width, max((item.sizeHint().height() for item in shown), default=0))

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
            each = (rectangle.width() - self._gap * (columns - 1)) / columns
            for index, item in enumerate(shown):
                row, column = divmod(index, columns)
                left = round(rectangle.x() + column * (each + self._gap))
                right = round(rectangle.x() + column * (each + self._gap) + each)
                item.setGeometry(QRect(left, rectangle.y() + row * (height + self._gap), right - left, height))
        return rows * (height + self._gap) - self._gap
