"""Starts the tray app, or raises the window of the one that runs already; that needs no Qt, so it comes first."""

from __future__ import annotations

import sys

from wsgui.app.control import show_window
from wsgui.app.logging import LEVELS, EventLog, LogFormat
from wsgui.app.paths import Paths, paths
from wsgui.app.process import private_umask, raise_descriptor_limit
from wsgui.app.single_instance import claim
from wsgui.errors import EXIT_OK


def run(
    *,
    minimized: bool = False,
    log_format: LogFormat = "text",
    log_level: str = "info",
    folders: Paths | None = None,
) -> int:
    """Be the tray app until the person quits it; with one running already, show that one's window and return.

    Args:
        minimized: Start in the tray, without the window (for a start at login).
        log_format: ``text`` or ``json``, on stderr.
        log_level: A key of `LEVELS`.
        folders: Where the files are; the user's own by default.

    Returns:
        The exit code.

    Raises:
        WsguiError: It cannot start: the folders, the Qt binding, or the other one does not answer.
    """
    private_umask()
    places = folders or paths()
    held = claim(places.make_runtime())
    if held is None:
        if not minimized:
            show_window(places.runtime)
        return EXIT_OK
    raise_descriptor_limit()
    with held:
        log = EventLog(log_format, LEVELS[log_level], sys.stderr)
        log.install()
        try:
            from wsgui.gui.application import run_application

            return run_application(places, log, minimized=minimized)
        finally:
            log.close()
