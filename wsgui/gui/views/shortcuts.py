"""The main window's keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from wsgui.engine.snapshot import TunnelState
from wsgui.gui.actions import Actions
from wsgui.gui.views.tunnel_page import TABS

if TYPE_CHECKING:
    from wsgui.gui.views.main_window import MainWindow

_ALWAYS: Final = ("Esc", "Ctrl+W", "Ctrl+Q")
"""The keys that count while a sheet lies over everything, too."""


def install(window: MainWindow, actions: Actions) -> None:
    """Let `window` hear its keys."""
    sidebar, page = window.sidebar, window.page

    def find() -> None:
        sidebar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        sidebar.search.selectAll()

    def open_viewer() -> None:
        tunnel = window.current_tunnel
        if tunnel is not None and tunnel.page_url and tunnel.state is TunnelState.RUNNING:
            actions.open_page(tunnel.name)

    keys: list[tuple[str, Callable[[], object]]] = [
        ("Ctrl+K", find),
        ("Alt+Up", lambda: sidebar.step(-1)),
        ("Alt+Down", lambda: sidebar.step(1)),
        ("Ctrl+Return", open_viewer),
        ("Ctrl+Enter", open_viewer),
        ("Ctrl+Shift+C", page.header.copy_shown_address),
        ("Ctrl+N", window.show_new_tunnel),
        ("Ctrl+S", page.apply_settings),
        ("Ctrl+Z", page.undo),
        ("Ctrl+W", window.close),
        ("Ctrl+Q", actions.quit),
        ("F6", lambda: window.next_pane(1)),
        ("Shift+F6", lambda: window.next_pane(-1)),
        ("Esc", window.escape),
    ]
    keys += [(f"Ctrl+{tab + 1}", functools.partial(page.show_tab, tab)) for tab in range(TABS)]
    for key, do in keys:
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.activated.connect(do if key in _ALWAYS else functools.partial(_unless_covered, window, do))


def _unless_covered(window: MainWindow, do: Callable[[], object]) -> None:
    if not window.covered:
        do()
