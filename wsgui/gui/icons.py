"""Our icons, drawn from resources/icons in any colour and size."""

from __future__ import annotations

from PySide6.QtGui import QIcon


def app_icon() -> QIcon:
    """The program's icon, for windows."""
    return QIcon()


def tray_icon(state: str, *, dark_panel: bool = True) -> QIcon:
    """The tray's icon by shape. `state`: "stopped" outline, "running" filled, "attention" with a "!"."""
    return QIcon()
