"""What Qt says goes into the program's log; where it would abort without a display, a sentence and a clean exit."""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Final, NoReturn

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from wsgui.display import display
from wsgui.errors import EXIT_FAILED

log = logging.getLogger(__name__)
# Qt warns about what neither a user nor we can change (a platform without raise(), its own signals): for debugging.
_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.DEBUG,
    QtMsgType.QtWarningMsg: logging.DEBUG,
    QtMsgType.QtCriticalMsg: logging.WARNING,
}
_KEPT: Final = 2
"""Of the last warnings: what Qt says before it gives up names the reason."""


class QtMessages:
    """Takes over Qt's messages while it is entered; do that before the application object is made.

    Args:
        leave: Ends the process; Qt would abort it, with a core dump, as soon as this returned.
    """

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave
        self._last: deque[str] = deque(maxlen=_KEPT)

    def __enter__(self) -> QtMessages:
        qInstallMessageHandler(self.take)
        return self

    def __exit__(self, *_: object) -> None:
        qInstallMessageHandler(None)

    def take(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        """One message of Qt's, from any of its threads."""
        if kind is QtMsgType.QtFatalMsg:
            print(self.why_no_window(message), file=sys.stderr, flush=True)
            self._leave(EXIT_FAILED)
        if kind is QtMsgType.QtWarningMsg:
            self._last.append(message)
        log.log(_LEVELS.get(kind, logging.DEBUG), "Qt: %s", message.strip())

    def why_no_window(self, message: str) -> str:
        """The line that takes the place of Qt's abort."""
        # Qt names xcb-cursor whenever xcb fails, also when it is there and the display is not.
        reasons = [reason for reason in self._last if "could not connect" in reason] or [*self._last] or [message]
        why = "; ".join(display(" ".join(reason.split())).rstrip(".") for reason in reasons)
        if any("xcb-cursor" in reason for reason in reasons):
            remedy = "Install libxcb-cursor0 (Debian, Ubuntu) or xcb-util-cursor (others)."
        else:
            remedy = "Check DISPLAY or WAYLAND_DISPLAY, or run without a window: wsgui --demo, or wsgui --profile NAME."
        return f"wsgui: Qt cannot show a window here: {why}. {remedy}"
