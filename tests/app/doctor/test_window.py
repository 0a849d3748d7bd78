"""The doctor on Qt: by a child process, so that a missing display is told in words."""

from __future__ import annotations

import os
import sys

import pytest

from wsgui.app.doctor import window as module
from wsgui.app.doctor.check import Check, Level
from wsgui.app.doctor.window import window

pytest.importorskip("PySide6")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of X and Wayland")


def look(**display: str) -> list[Check]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return window(kept | display)


def test_without_a_display_there_is_no_window_and_that_is_no_problem() -> None:
    checks = look()
    assert checks[0].level is Level.NOTE
    assert checks[0].message.startswith("There is no display, so there is no window.")
    assert all(check.level is not Level.PROBLEM for check in checks)


def test_a_platform_that_works_is_named_and_a_missing_tray_is_a_warning() -> None:
    qt, tray = look(QT_QPA_PLATFORM="offscreen")
    assert qt.level is Level.OK
    assert 'on the platform "offscreen"' in qt.message
    assert (tray.name, tray.level) == ("Tray", Level.WARNING)


def test_a_display_that_does_not_answer_is_said_in_words() -> None:
    [check] = look(DISPLAY=":7777", QT_QPA_PLATFORM="xcb")
    assert check.level is Level.PROBLEM
    assert "the display does not answer (DISPLAY=:7777 and QT_QPA_PLATFORM=xcb)" in check.message


def test_a_platform_that_qt_does_not_have_is_said_with_those_it_has() -> None:
    [check] = look(QT_QPA_PLATFORM="bogus")
    assert check.message == 'Qt has no platform "bogus".'
    assert "offscreen" in check.hint


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform plugin.\n",
            "Qt's xcb platform cannot be loaded, as libxcb-cursor0 is missing.",
        ),
        (
            "ImportError: libEGL.so.1: cannot open shared object file: No such file or directory\n",
            "Qt cannot be loaded, as libEGL.so.1 is missing.",
        ),
        ("something else.\n", "Qt ended the program: something else."),
        ("", "Qt ended the program: it said nothing."),
    ],
)
def test_what_qt_says_before_it_ends_is_put_into_words(said: str, message: str) -> None:
    assert module._explain(said, {}).message == message


def test_a_binding_that_would_abort_is_a_problem() -> None:
    found = {"problem": "PySide6 6.12.0 loses references.", "hint": "Install another."}
    [check] = module._of(found)
    assert (check.level, check.message) == (Level.PROBLEM, "PySide6 6.12.0 loses references.")


def test_without_qt_there_is_no_window_and_that_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.util, "find_spec", lambda _: None)
    [check] = look()
    assert check.level is Level.NOTE
    assert "PySide6 and qasync" in check.message
