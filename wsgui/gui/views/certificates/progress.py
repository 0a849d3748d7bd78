"""What is being done now, for how long already, and the way out of waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout

from wsgui.gui import formatting
from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.shapes import Icon

PATIENT_SECONDS = 3
"""From then on it says how long it has been going on."""


class Progress(QFrame):
    """Hidden until `begin`; Cancel makes the window stop waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("box")
        self._words = ""
        self._since = 0.0
        self._cancel: Callable[[], None] | None = None
        self._icon = Icon("state-starting", "accent", 16)
        self._text = Text("", Type.BODY, wrap=True)
        self.cancel = Button(self.tr("Cancel"), "small")
        self.cancel.clicked.connect(self._cancelled)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._show)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.cancel)
        self.hide()

    def begin(self, words: str, cancel: Callable[[], None] | None = None) -> None:
        """Say what is being done; `cancel` stops waiting for it, where that is possible."""
        if not self.isVisible():
            self._since = time.monotonic()
        self._words, self._cancel = words, cancel
        self.cancel.setVisible(cancel is not None)
        self.setAccessibleName(words)
        self._show()
        self._timer.start()
        self.show()

    def end(self) -> None:
        self._timer.stop()
        self._cancel = None
        self.hide()

    def _cancelled(self) -> None:
        cancel = self._cancel
        self.end()
        if cancel is not None:
            cancel()

    def _show(self) -> None:
        waited = time.monotonic() - self._since
        if waited < PATIENT_SECONDS:
            self._text.setText(self._words)
        else:
            self._text.setText(self.tr("{0} {1}").format(self._words, formatting.duration(waited)))
