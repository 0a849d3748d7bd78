"""The line to search by."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from wsgui.gui.theme import theme
from wsgui.gui.widgets.search_line import SearchLine


def test_it_can_be_emptied_while_there_is_something_in_it(qtbot: QtBot) -> None:
    line = SearchLine("Find", "Find something")
    qtbot.addWidget(line)
    assert not line.clearing.isVisible()
    line.setText("office")
    assert line.clearing.isVisible()
    line.clearing.trigger()
    assert line.text() == ""
    assert not line.clearing.isVisible()


def test_its_button_can_be_seen_on_both_grounds(qtbot: QtBot) -> None:
    line = SearchLine("Find", "Find something")
    qtbot.addWidget(line)
    pictures = []
    for dark in (False, True):
        theme.use(dark=dark)
        pictures.append(line.clearing.icon().pixmap(16).toImage())
    theme.use(dark=False)
    assert pictures[0] != pictures[1]
