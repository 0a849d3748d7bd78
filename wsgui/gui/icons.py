"""Our icons, drawn from resources/icons in any colour and size."""

from __future__ import annotations

import functools
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from wsgui import assets

_TRAY_SIZES: Final = (16, 20, 22, 24, 32, 44, 48, 64)
_APP_SIZES: Final = (16, 24, 32, 48, 64, 128, 256)
_ON_DARK_PANEL: Final = "#5b9dff"
_ON_LIGHT_PANEL: Final = "#2563eb"


@functools.lru_cache(maxsize=256)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    source = assets.path(f"icons/{name}.svg").read_bytes().replace(b"currentColor", colour.encode("ascii"))
    return QSvgRenderer(QByteArray(source))


def paint_icon(painter: QPainter, name: str, colour: str, rectangle: QRectF) -> None:
    """Draw the icon `name` in `colour` (#rrggbb) into `rectangle` of whatever `painter` paints on."""
    _renderer(name, colour).render(painter, rectangle)


@functools.lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon `name` as a square of `size` device-independent pixels for a screen of `ratio` pixels each."""
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_icon(painter, name, colour, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(name: str, colour: str, size: int = 16) -> QIcon:
    """The icon `name` for a button, sharp on screens of 1 to 3 pixels a point."""
    made = QIcon()
    for ratio in (1.0, 1.5, 2.0, 3.0):
        made.addPixmap(pixmap(name, colour, size, ratio))
    return made


def app_icon() -> QIcon:
    """The program's icon, for windows."""
    made = QIcon()
    for size in _APP_SIZES:
        made.addPixmap(pixmap("app", "#ffffff", size))
    return made


def tray_icon(state: str, *, dark_panel: bool = True) -> QIcon:
    """The tray's icon, told apart by shape: an outline (stopped), filled (running), or with a "!" (attention).

    `state` is "stopped", "running" or "attention".
    """
    colour = _ON_DARK_PANEL if dark_panel else _ON_LIGHT_PANEL
    made = QIcon()
    for size in _TRAY_SIZES:
        made.addPixmap(pixmap(f"tray-{state}", colour, size))
    made.setIsMask(True)
    return made
