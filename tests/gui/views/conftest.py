"""A main window with actions that note what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.recorder import RecordedActions
from wsgui.gui.plurals import EnglishPlurals
from wsgui.gui.theme import theme
from wsgui.gui.views.main_window import MainWindow


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> Iterator[QApplication]:
    """The application in its theme, with English plurals."""
    translator = EnglishPlurals(qapp)
    qapp.installTranslator(translator)
    theme.install(qapp)
    yield qapp
    qapp.removeTranslator(translator)


@pytest.fixture
def actions() -> RecordedActions:
    return RecordedActions()


@pytest.fixture
def window(dressed: QApplication, qtbot: QtBot, actions: RecordedActions) -> Iterator[MainWindow]:
    """On the (offscreen) screen, in front, still without tunnels."""
    theme.use(dark=False, text_scale=1.0)
    made = MainWindow(actions)
    qtbot.addWidget(made)
    made.resize(1236, 760)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    theme.use(dark=False, text_scale=1.0)
