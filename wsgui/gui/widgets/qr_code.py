"""A QR code, painted black on white in both themes, as many readers know no other."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from wsgui.app import qr
from wsgui.gui.theme import theme

_LEAST_PIXELS: Final = 180
_DARK: Final = QColor("#000000")
_LIGHT: Final = QColor("#ffffff")


class QrCode(QWidget):
    """Shows a text that a camera reads. The text itself stands beside it for those without one."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._modules: tuple[tuple[bool, ...], ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._refit)

    def set_text(self, text: str) -> None:
        """Show `text`; the empty one, and one that is too long for a code, show nothing."""
        try:
            self._modules = qr.matrix(text) if text else ()
        except ValueError:
            self._modules = ()
        self.setVisible(bool(self._modules))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        # Whole pixels a module: blurred edges are what cameras stumble over.
        count = max(len(self._modules), 1)
        side = count * -(-theme.px(_LEAST_PIXELS) // count)
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _refit(self) -> None:
        self.updateGeometry()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._modules:
            return
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_LIGHT)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        module = min(self.width(), self.height()) / len(self._modules)
        for y, row in enumerate(self._modules):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(QRectF(x * module, y * module, module, module), _DARK)
