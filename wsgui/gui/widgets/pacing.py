"""Keeps a widget from repainting more often than is useful."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, QTimer
from PySide6.QtWidgets import QWidget


class Pacer(QObject):
    """Asks `widget` to repaint at most every `interval_ms`, and never while it cannot be seen."""

    def __init__(self, widget: QWidget, interval_ms: int = 100) -> None:
        super().__init__(widget)
        self._widget = widget
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._repaint)
        self._interval_ms = interval_ms

    def request(self) -> None:
        """Repaint soon. A hidden widget is not repainted: Qt paints it whole when it is shown."""
        if not self._widget.isVisible() or self._timer.isActive():
            return
        # 5 ms of grace: a caller that ticks ten times a second must not fall to five because of jitter.
        wait = self._interval_ms - 5 - self._since.elapsed() if self._since.isValid() else 0
        if wait <= 0:
            self._repaint()
        else:
            self._timer.start(wait)

    def _repaint(self) -> None:
        self._since.start()
        self._widget.update()
