"""The icon family: every icon drawn, tray states told apart by shape."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtSvg import QSvgRenderer

from wsgui import assets
from wsgui.gui import icons

pytestmark = pytest.mark.usefixtures("qapp")
FILES = sorted(assets.path("icons").glob("*.svg"))


def shape(pixmap: QPixmap) -> bytes:
    """Where something is drawn, whatever its colour."""
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_ARGB32)
    return bytes(image.pixelColor(x, y).alpha() > 127 for y in range(image.height()) for x in range(image.width()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_icon_is_drawn(file: Path) -> None:
    assert QSvgRenderer(str(file)).isValid()
    assert any(shape(icons.pixmap(file.stem, "#000000", 24)))


@pytest.mark.parametrize("file", [f for f in FILES if f.stem != "app"], ids=lambda file: file.stem)
def test_every_line_icon_takes_its_colour_and_brings_nothing_from_outside(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "currentColor" in text
    assert "href" not in text
    assert "<script" not in text


def test_states_are_told_apart_by_shape() -> None:
    names = [file.stem for file in FILES if file.stem.startswith("state-")]
    assert len({shape(icons.pixmap(name, "#000000", 14)) for name in names}) == len(names) >= 6


def test_the_trays_states_are_told_apart_by_shape_at_its_smallest_size() -> None:
    shapes = {shape(icons.tray_icon(state).pixmap(16, 16)) for state in ("stopped", "running", "attention")}
    assert len(shapes) == 3


def test_an_icon_is_as_sharp_as_the_screen() -> None:
    pixmap = icons.pixmap("copy", "#000000", 16, 2.0)
    assert pixmap.width() == 32
    assert pixmap.devicePixelRatio() == 2.0
