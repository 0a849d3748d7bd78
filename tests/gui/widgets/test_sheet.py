"""Sheets: what lies beneath cannot be reached, Tab goes round inside, Esc leads back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from wsgui.gui.theme import theme
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.lines import Lines
from wsgui.gui.widgets.sheet import WIDTH, Sheet


@pytest.fixture
def under(qtbot: QtBot) -> Iterator[QWidget]:
    """A window with a button that has the focus."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 600)
    layout = QVBoxLayout(made)
    layout.addWidget(QPushButton("beneath"))
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.findChildren(QPushButton)[0].setFocus()
    yield made
    theme.use(dark=False, text_scale=1.0)


def opened(under: QWidget, *fields: QWidget) -> Sheet:
    sheet = Sheet("Title")
    for field in fields:
        sheet.body.addWidget(field)
    sheet.open(under, fields[0] if fields else None)
    return sheet


def test_tab_goes_round_inside(under: QWidget, qtbot: QtBot) -> None:
    first, second = QLineEdit(), Lines("lines", 3)
    sheet = opened(under, first, second)
    seen = []
    for _ in range(4):
        seen.append(under.window().focusWidget())
        qtbot.keyClick(seen[-1], Qt.Key.Key_Tab)
    assert seen == [first, second, sheet.close_button, first]
    qtbot.keyClick(under.window().focusWidget(), Qt.Key.Key_Backtab)
    assert under.window().focusWidget() is first


@pytest.mark.parametrize("kind", [QLineEdit, lambda: Lines("lines", 3), lambda: Choice("a")])
def test_escape_closes_from_every_field_and_the_focus_goes_back(under: QWidget, qtbot: QtBot, kind: type) -> None:
    before = under.window().focusWidget()
    sheet = opened(under, kind())
    with qtbot.waitSignal(sheet.closed):
        qtbot.keyClick(under.window().focusWidget(), Qt.Key.Key_Escape)
    assert under.window().focusWidget() is before


def test_it_covers_everything_at_every_size(under: QWidget) -> None:
    sheet = opened(under)
    under.resize(1400, 900)
    assert sheet.size() == under.size()
    assert sheet._panel.width() == WIDTH
    theme.use(text_scale=2.0)
    under.resize(800, 600)
    assert sheet._panel.width() == 800


def test_arrows_go_from_choice_to_choice(under: QWidget, qtbot: QtBot) -> None:
    choices = QWidget()
    column = QVBoxLayout(choices)
    first, second = Choice("one", "is this"), Choice("two")
    column.addWidget(first)
    column.addWidget(second)
    first.setChecked(True)
    opened(under, choices)
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert second.isChecked()
    assert not first.isChecked()
    assert (first.accessibleName(), first.accessibleDescription()) == ("one", "is this")
