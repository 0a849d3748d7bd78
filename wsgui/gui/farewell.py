"""What is said when the window closes or the program ends: small windows that ask or tell, and hold nothing up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton

_HORIZONTAL = ("left", "", "right")
_VERTICAL = ("top", "", "bottom")


def place_in_words(icon: QRect, screen: QRect) -> str:
    """Where `icon` is on `screen`: "at the bottom right of the screen"; a guess where the platform does not tell."""
    if icon.isEmpty() or screen.isEmpty():
        return "in the panel, often beside the clock"
    centre = icon.center() - screen.topLeft()
    column = _HORIZONTAL[min(max(3 * centre.x() // screen.width(), 0), 2)]
    row = _VERTICAL[min(max(3 * centre.y() // screen.height(), 0), 2)]
    where = " ".join(part for part in (row, column) if part) or "middle"
    return f"at the {where} of the screen"


def _box(title: str, text: str) -> QMessageBox:
    box = QMessageBox()
    box.setWindowTitle("wsgui")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(title)
    box.setInformativeText(text)
    box.setWindowModality(Qt.WindowModality.NonModal)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    return box


def keeps_running(icon: QRect, on_quit: Callable[[], None]) -> QMessageBox:
    """Say once that the tunnels go on in the tray and where its icon is; the caller shows and keeps it."""
    screen = QGuiApplication.screenAt(icon.center()) if not icon.isEmpty() else None
    area = screen.geometry() if screen else QRect()
    box = _box(
        "wsgui keeps running in the tray.",
        f"The tunnels go on. The wsgui icon is {place_in_words(icon, area)}; a click on it brings the window back.",
    )
    fine = box.addButton("OK", QMessageBox.ButtonRole.AcceptRole)
    leave = box.addButton("Quit instead", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(fine)
    box.setEscapeButton(fine)
    leave.clicked.connect(lambda: on_quit())
    if screen:
        box.adjustSize()
        box.move(beside(icon, box.sizeHint().width(), box.sizeHint().height(), screen.availableGeometry()))
    return box


def no_tray(running: int, on_quit: Callable[[], None], on_minimise: Callable[[], None]) -> QMessageBox:
    """Ask what closing means where there is no tray: quit, or go on as a minimised window (also by Escape)."""
    many = f"{running} tunnels are" if running != 1 else "1 tunnel is"
    box = _box(
        f"{many} running, and this desktop has no tray to keep wsgui in.",
        "Quit and stop them, or keep wsgui as a minimised window.",
    )
    leave = box.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep running", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    leave.clicked.connect(lambda: on_quit())
    keep.clicked.connect(lambda: on_minimise())
    return box


def ending(connections: int, on_hurry: Callable[[], None]) -> QMessageBox:
    """Show that the program is ending its connections, with a button that does not wait for them."""
    many = f"{connections} connections" if connections != 1 else "1 connection"
    box = _box(f"Ending {many} …", "wsgui quits as soon as they are closed.")
    hurry: QPushButton = box.addButton("Quit now", QMessageBox.ButtonRole.DestructiveRole)
    hurry.clicked.connect(lambda: on_hurry())
    return box


def beside(icon: QRect, width: int, height: int, area: QRect) -> QPoint:
    """The top left corner of a window of that size, as near to `icon` as it can be inside `area`."""
    left = min(max(icon.center().x() - width // 2, area.left()), area.right() - width)
    top = icon.bottom() + 8 if icon.center().y() < area.center().y() else icon.top() - height - 40
    return QPoint(max(left, area.left()), min(max(top, area.top()), area.bottom() - height))
