"""What a child process of `wsgui doctor` runs: starts Qt, and prints what it finds as one line of JSON.

Without a display that answers Qt ends its process, which only another one can put into words (wsgui.app.doctor.window).
"""

from __future__ import annotations

import json
import sys
from typing import Any

if sys.platform != "win32":
    import resource

import PySide6
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from wsgui.errors import WsguiError
from wsgui.gui import binding


def look() -> dict[str, Any]:
    """Return Qt's and the binding's versions, the platform, whether there is a tray, what is wrong with the binding.

    A QApplication must exist.
    """
    found = {
        "qt": qVersion(),
        "binding": PySide6.__version__,
        "platform": QGuiApplication.platformName(),
        "tray": QSystemTrayIcon.isSystemTrayAvailable(),
        "problem": "",
        "hint": "",
    }
    try:
        binding.check(PySide6.__version__, binding.none_references_lost())
    except WsguiError as error:
        found |= {"problem": error.message, "hint": error.hint}
    return found


def main() -> int:
    """Print what `look` finds."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # Qt's way to give up is no crash worth keeping.
    application = QApplication(["wsgui"])
    print(json.dumps(look()), flush=True)
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
