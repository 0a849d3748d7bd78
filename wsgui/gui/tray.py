"""The icon in the desktop's tray: what state the tunnels are in by its shape, and whether there is a tray at all."""

from __future__ import annotations

import sys
import time
from typing import Final

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from wsgui.engine.snapshot import EngineSnapshot, TunnelState
from wsgui.gui.icons import tray_icon
from wsgui.gui.tray_menu import TrayMenu
from wsgui.gui.wording import foot_counts, needs_attention

STEADY_SECONDS: Final = 2.0
"""The icon changes at most once in this time: a flickering tray is worse than one that is a moment late."""
LOOK_FOR_SECONDS: Final = 10.0
"""At login the tray may come later than the programs that want to be in it."""
LOOK_AGAIN_MS: Final = 1000
LOOK_SELDOM_MS: Final = 5000


def icon_state(snapshot: EngineSnapshot) -> str:
    """Which of `tray_icon`'s shapes says most: "attention", "running" or "stopped"."""
    if any(needs_attention(tunnel, snapshot.time) for tunnel in snapshot.tunnels):
        return "attention"
    on = {TunnelState.RUNNING, TunnelState.STARTING, TunnelState.FINISHING}
    return "running" if any(tunnel.state in on for tunnel in snapshot.tunnels) else "stopped"


def summary(snapshot: EngineSnapshot) -> str:
    """`4 running · 1 needs attention · 17 connections`; it holds no text from outside."""
    return " · ".join(part for part in foot_counts(snapshot) if part)


class Tray(QObject):
    """Keeps the icon in the tray, and looks for a tray as long as there is none.

    Args:
        menu: What the icon opens.
    """

    clicked = Signal()
    """A left click (where a click is not the menu anyway)."""
    message_clicked = Signal()
    """What `show_message` showed was clicked."""
    lost = Signal()
    """There is no tray (any more, or after the first 10 s): what is hidden cannot be reached by it."""

    def __init__(self, menu: TrayMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._menu = menu
        self._shape = ("stopped", _dark_panel())
        self._tooltip = "wsgui"
        self._changed_at = -STEADY_SECONDS
        self._started_at = time.monotonic()
        self._available = QSystemTrayIcon.isSystemTrayAvailable()
        self._seen = self._available
        self._told_lost = False
        self._icon = self._new_icon()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_SELDOM_MS if self._available else LOOK_AGAIN_MS)

    @property
    def available(self) -> bool:
        return self._available

    @property
    def looking(self) -> bool:
        """No tray was there yet, and it is within the first 10 seconds, in which one may come."""
        return not self._seen and time.monotonic() - self._started_at < LOOK_FOR_SECONDS

    @property
    def geometry(self) -> QRect:
        """Where the icon is, when the platform tells; else an empty rectangle."""
        return self._icon.geometry()

    def update(self, snapshot: EngineSnapshot) -> None:
        self._menu.update(snapshot)
        tooltip = f"wsgui: {summary(snapshot)}"
        if tooltip != self._tooltip:
            self._tooltip = tooltip
            self._icon.setToolTip(tooltip)
        shape, now = (icon_state(snapshot), _dark_panel()), time.monotonic()
        if shape != self._shape and now - self._changed_at >= STEADY_SECONDS:
            self._shape, self._changed_at = shape, now
            self._icon.setIcon(self._picture())

    def show_message(self, title: str, body: str) -> bool:
        """Show a plain message beside the icon; false where there is no tray."""
        if not self._available or not QSystemTrayIcon.supportsMessages():
            return False
        self._icon.showMessage(title, body, QSystemTrayIcon.MessageIcon.Warning)
        return True

    def close(self) -> None:
        """Take the icon and its menu down for good."""
        self._timer.stop()
        self._icon.hide()
        self._menu.close()
        self.deleteLater()

    def _new_icon(self) -> QSystemTrayIcon:
        icon = QSystemTrayIcon(self._picture(), self)
        icon.setContextMenu(self._menu.menu)
        icon.setToolTip(self._tooltip)
        icon.activated.connect(self._activated)
        icon.messageClicked.connect(self.message_clicked)
        icon.show()
        return icon

    def _picture(self) -> QIcon:
        state, dark_panel = self._shape
        return tray_icon(state, dark_panel=dark_panel)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger and sys.platform != "darwin":
            self.clicked.emit()

    def _look(self) -> None:
        available = QSystemTrayIcon.isSystemTrayAvailable()
        if available and not self._available:
            # Which protocol a tray speaks is settled when the icon is made, so a new tray gets a new icon.
            old, self._icon = self._icon, self._new_icon()
            old.hide()
            old.deleteLater()
        if available != self._available:
            # Asking is a round trip to the X server: seldom while there is a tray.
            self._timer.setInterval(LOOK_SELDOM_MS if available else LOOK_AGAIN_MS)
        self._available = available
        if available:
            self._seen, self._told_lost = True, False
        elif not self._told_lost and not self.looking:
            self._told_lost = True
            self.lost.emit()


def _dark_panel() -> bool:
    return QGuiApplication.styleHints().colorScheme() != Qt.ColorScheme.Light
