"""What is said at the end names the place and offers the way out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from wsgui.gui import farewell

SCREEN = QRect(0, 0, 1280, 900)


@pytest.mark.parametrize(
    ("icon", "words"),
    [
        (QRect(1257, 877, 22, 22), "at the bottom right of the screen"),
        (QRect(1200, 2, 22, 22), "at the top right of the screen"),
        (QRect(4, 877, 22, 22), "at the bottom left of the screen"),
        (QRect(), "in the panel, often beside the clock"),
    ],
)
def test_where_the_icon_is_is_said_in_words(qtbot: QtBot, icon: QRect, words: str) -> None:
    assert farewell.place_in_words(icon, SCREEN) == words


def test_what_stands_beside_the_icon_stays_on_the_screen() -> None:
    place = QRect(farewell.beside(QRect(1257, 877, 22, 22), 400, 150, SCREEN), QSize(400, 150))
    assert SCREEN.contains(place)
    assert not place.intersects(QRect(1257, 877, 22, 22))


def button(box: QMessageBox, text: str) -> QPushButton:
    return next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == text)


def test_quit_instead_is_one_click_away(qtbot: QtBot) -> None:
    asked: list[str] = []
    box = farewell.keeps_running(QRect(), lambda: asked.append("quit"))
    qtbot.addWidget(box)
    box.show()
    assert not box.isModal()
    button(box, "Quit instead").click()
    assert asked == ["quit"]


def test_escape_keeps_the_tunnels_where_there_is_no_tray(qtbot: QtBot) -> None:
    asked: list[str] = []
    box = farewell.no_tray(2, lambda: asked.append("quit"), lambda: asked.append("minimise"))
    qtbot.addWidget(box)
    box.show()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert asked == ["minimise"]
