"""Colours as the design has them, legible in both themes, and following the system."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication

from tests.support.contrast import contrast
from wsgui.gui.theme import DARK, LIGHT, Colours, Type, theme

DESIGN = {
    "light": (
        "bg #ffffff, side #f5f6f8, line #e3e6eb, text #1b1f27, dim #5f6777, accent #2563eb, selected #e8eefb, "
        "up #7c3aed, ok #0b7a3b, warn #8f5e10, err #c2303b, off #7a828f"
    ),
    "dark": (
        "bg #16181d, side #1b1e24, card #20242b, line #2c313a, text #e8eaed, dim #969ca8, accent #5b9dff, "
        "on_accent #16181d, up #b48cff, ok #3ecf8e, warn #f0b429, err #ff6b6b, off #6b7280"
    ),
}
THEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
GROUNDS = ("bg", "side", "card", "selected", "hover")


@pytest.mark.parametrize(("colours", "which"), [(LIGHT, "light"), (DARK, "dark")])
def test_the_colours_are_those_of_the_design(colours: Colours, which: str) -> None:
    for pair in DESIGN[which].split(", "):
        name, value = pair.split(" ")
        assert getattr(colours, name) == value, name


@THEMES
@pytest.mark.parametrize("tone", ["text", "dim", "warn", "err"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_legible_on_every_ground(colours: Colours, tone: str, ground: str) -> None:
    assert contrast(getattr(colours, tone), getattr(colours, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize("tone", ["accent", "up", "ok"])
@pytest.mark.parametrize("ground", ["bg", "card"])
def test_coloured_text_is_legible_on_page_and_cards(colours: Colours, tone: str, ground: str) -> None:
    assert contrast(getattr(colours, tone), getattr(colours, ground)) >= 4.5


@THEMES
def test_text_on_the_accent_is_legible(colours: Colours) -> None:
    assert contrast(colours.on_accent, colours.accent) >= 4.5


@THEMES
@pytest.mark.parametrize("mark", ["accent", "up", "ok", "warn", "err", "off"])
@pytest.mark.parametrize("ground", ["bg", "side", "card"])
def test_marks_stand_out_from_every_ground(colours: Colours, mark: str, ground: str) -> None:
    assert contrast(getattr(colours, mark), getattr(colours, ground)) >= 3.0


@THEMES
@pytest.mark.parametrize("mark", ["ok", "warn", "err", "off"])
@pytest.mark.parametrize("ground", ["selected", "hover"])
def test_switch_and_state_stand_out_on_selected_rows_too(colours: Colours, mark: str, ground: str) -> None:
    assert contrast(getattr(colours, mark), getattr(colours, ground)) >= 3.0


@pytest.mark.usefixtures("qapp")
def test_a_change_of_theme_reaches_style_sheet_and_palette() -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme.install(application)
    heard = []
    theme.changed.connect(lambda: heard.append(theme.dark))
    theme.use(dark=True)
    assert application.palette().window().color().name() == DARK.bg
    assert DARK.side in application.styleSheet()
    theme.use(dark=False)
    assert application.palette().window().color().name() == LIGHT.bg
    assert heard == [True, False]


@pytest.mark.usefixtures("qapp")
def test_figures_have_one_width() -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme.install(application)
    metrics = QFontMetricsF(theme.font(Type.FIGURE))
    widths = [metrics.horizontalAdvance(figure * 10) for figure in "0123456789"]
    assert max(widths) - min(widths) < 1.0


def test_every_colour_is_a_colour() -> None:
    for colours in (LIGHT, DARK):
        for value in dataclasses.astuple(colours):
            assert len(value) == 7
            int(value[1:], 16)
