"""The tray app with a stopwatch: runs `wsgui`'s own window and says how late a 16 ms Qt timer of its thread is.

Run by `gui.py`: `python -m tests.bench.window`, with WSGUI_*_DIR set and an X server. A line on standard input asks
for the latenesses since the last one; the end of standard input, or a signal, ends it.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from PySide6.QtCore import Qt, QTimer

from wsgui.gui import application, start

INTERVAL_SECONDS = 0.016


class Stopwatch(application.Program):
    """wsgui's QApplication with one timer more."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self._late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(round(INTERVAL_SECONDS * 1000))
        threading.Thread(target=self._answer, daemon=True).start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, now - self._last - INTERVAL_SECONDS))
        self._last = now

    def _answer(self) -> None:
        for _ in sys.stdin:
            late, self._late = self._late, []
            print(json.dumps({"late": late}), flush=True)
        self.quit_requested.emit()


if __name__ == "__main__":
    application.Program = Stopwatch  # type: ignore[assignment,misc]
    sys.exit(start.run(log_level="error"))
