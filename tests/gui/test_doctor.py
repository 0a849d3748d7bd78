"""The doctor's child on a real X display: Qt's platform, and whether there is a tray."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from wsgui.app.doctor.check import Level
from wsgui.app.doctor.window import window
from wsgui.gui.doctor import look

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import Desktop

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X displays")


def test_with_a_tray_all_is_well(desktop: Desktop) -> None:
    qt, tray = window(desktop.environment)
    assert (qt.level, tray.level) == (Level.OK, Level.OK)
    assert 'on the platform "xcb"' in qt.message


def test_without_one_the_window_has_to_do(display: Desktop) -> None:
    qt, tray = window(display.environment)
    assert (qt.level, tray.level) == (Level.OK, Level.WARNING)
    assert tray.hint.startswith("The window is shown minimised instead.")


def test_the_binding_in_use_works(qtbot: QtBot) -> None:
    found = look()
    assert (found["problem"], found["hint"]) == ("", "")
    assert found["qt"].startswith("6.")
