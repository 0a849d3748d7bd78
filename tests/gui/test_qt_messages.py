"""Qt's own words: into the log, or, where it would abort, into one sentence."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType

import wsgui
from wsgui.gui.qt_messages import QtMessages


class LeftError(Exception):
    """Stands for the end of the process."""


def leave(code: int) -> NoReturn:
    raise LeftError(code)


def tell(messages: QtMessages, kind: QtMsgType, text: str) -> None:
    messages.take(kind, QMessageLogContext(), text)


@pytest.mark.parametrize(
    ("kind", "level"), [(QtMsgType.QtWarningMsg, logging.DEBUG), (QtMsgType.QtCriticalMsg, logging.WARNING)]
)
def test_a_message_is_logged(caplog: pytest.LogCaptureFixture, kind: QtMsgType, level: int) -> None:
    with caplog.at_level(logging.DEBUG):
        tell(QtMessages(leave), kind, "This plugin does not support raise()\n")
    assert [(r.levelno, r.message) for r in caplog.records] == [(level, "Qt: This plugin does not support raise()")]


def test_a_missing_library_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    messages = QtMessages(leave)
    tell(messages, QtMsgType.QtWarningMsg, "From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the plugin.")
    with pytest.raises(LeftError):
        tell(messages, QtMsgType.QtFatalMsg, "This application failed to start.")
    assert "Install libxcb-cursor0 (Debian, Ubuntu)" in capsys.readouterr().err


def test_a_display_that_is_not_there_is_one_sentence_and_no_abort(tmp_path: Path) -> None:
    folders = {f"WSGUI_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    done = subprocess.run(
        [sys.executable, "-m", "wsgui"],
        cwd=Path(wsgui.__file__).parents[1],
        env={**os.environ, **folders, "QT_QPA_PLATFORM": "xcb", "DISPLAY": ":65000"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "wsgui: Qt cannot show a window here: could not connect to display :65000. "
        "Check DISPLAY or WAYLAND_DISPLAY, or run without a window: wsgui --demo, or wsgui --profile NAME.\n"
    )
