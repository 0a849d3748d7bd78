"""What is said when the window closes or the program ends: small windows that ask or tell, and hold nothing up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from wsgui.display import display

translate = QCoreApplication.translate


def place_in_words(icon: QRect, screen: QRect) -> str:
    """Where `icon` is on `screen`: "at the bottom right of the screen"; a guess where the platform does not tell."""
    if icon.isEmpty() or screen.isEmpty():
        return translate("farewell", "in the panel, often beside the clock")
    top = icon.center().y() < screen.center().y()
    left = icon.center().x() < screen.center().x()
    if top:
        return (
            translate("farewell", "at the top left of the screen")
            if left
            else translate("farewell", "at the top right of the screen")
        )
    return (
        translate("farewell", "at the bottom left of the screen")
        if left
        else translate("farewell", "at the bottom right of the screen")
    )


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
        translate("farewell", "wsgui keeps running in the tray."),
        translate("farewell", "The tunnels go on. The wsgui icon is {0}; a click on it brings the window back.").format(
            place_in_words(icon, area)
        ),
    )
    fine = box.addButton(translate("farewell", "OK"), QMessageBox.ButtonRole.AcceptRole)
    leave = box.addButton(translate("farewell", "Quit instead"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(fine)
    box.setEscapeButton(fine)
    leave.clicked.connect(lambda: on_quit())
    if screen:
        box.adjustSize()
        box.move(beside(icon, box.sizeHint().width(), box.sizeHint().height(), screen.availableGeometry()))
    return box


def no_tray(running: int, on_quit: Callable[[], None], on_minimise: Callable[[], None]) -> QMessageBox:
    """Ask what closing means where there is no tray: quit, or go on as a minimised window (also by Escape)."""
    box = _box(
        translate("farewell", "%n tunnel(s) on, and this desktop has no tray to keep wsgui in.", None, running),
        translate("farewell", "Quit and stop what runs, or keep wsgui as a minimised window."),
    )
    leave = box.addButton(translate("farewell", "Quit"), QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton(translate("farewell", "Keep running"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    leave.clicked.connect(lambda: on_quit())
    keep.clicked.connect(lambda: on_minimise())
    return box


def unapplied(changes: Mapping[str, int], on_quit: Callable[[], None], on_show: Callable[[], None]) -> QMessageBox:
    """Ask before quitting drops settings that are typed and not applied (how many, by tunnel); Escape shows them."""
    names = ", ".join(f"“{display(name)}”" for name in changes)
    box = _box(
        translate(
            "farewell", "%n change(s) to the settings of {0} are not applied yet.", None, sum(changes.values())
        ).format(names),
        translate("farewell", "Quitting drops them. Apply them first, or quit without them."),
    )
    drop = box.addButton(translate("farewell", "Quit without them"), QMessageBox.ButtonRole.DestructiveRole)
    show = box.addButton(translate("farewell", "Show them"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(show)
    box.setEscapeButton(show)
    drop.clicked.connect(lambda: on_quit())
    show.clicked.connect(lambda: on_show())
    return box


def ending_text(connections: int) -> str:
    """What `ending` says; the caller keeps it true."""
    return translate("farewell", "Ending %n connection(s)", None, connections)


def ending(connections: int, on_hurry: Callable[[], None]) -> QMessageBox:
    """Show that the program is ending its connections, with a button that does not wait for them."""
    box = _box(ending_text(connections), translate("farewell", "wsgui quits as soon as every client has left."))
    hurry = box.addButton(translate("farewell", "Quit now"), QMessageBox.ButtonRole.DestructiveRole)
    hurry.clicked.connect(lambda: on_hurry())
    return box


def beside(icon: QRect, width: int, height: int, area: QRect) -> QPoint:
    """The top left corner of a window of that size, as near to `icon` as it can be inside `area`."""
    left = min(max(icon.center().x() - width // 2, area.left()), area.right() - width)
    top = icon.bottom() + 8 if icon.center().y() < area.center().y() else icon.top() - height - 40
    return QPoint(max(left, area.left()), min(max(top, area.top()), area.bottom() - height))
