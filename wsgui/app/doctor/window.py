"""Looks whether the window and the tray icon could be there, by a child process: Qt ends one that it cannot serve."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata, util
from typing import Any, Final

from wsgui.app.doctor.check import Check, Level
from wsgui.display import display

PROBE: Final = "wsgui.gui.doctor"
"""The module that the child runs; it prints one line of JSON."""
PROBE_SECONDS: Final = 60.0
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_HEADLESS: Final = "Tunnels run without a window all the same: wsgui --profile NAME."
# What Qt says before it gives up.
_NO_DISPLAY: Final = re.compile(r"could not connect to display|Failed to create wl_display")
_NO_PLATFORM: Final = re.compile(r'Could not find the Qt platform plugin "([^"\n]*)"')
_AVAILABLE: Final = re.compile(r"Available platform plugins are: (.*)\.$", re.MULTILINE)
_CURSOR: Final = re.compile(r"xcb-cursor0 or libxcb-cursor0 is needed")  # also said where only the display is missing
_LIBRARY: Final = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")
_TRAY_HINT: Final = (
    "The window is shown minimised instead. On GNOME install the AppIndicator extension "
    "(Debian: apt install gnome-shell-extension-appindicator)."
)


def window(environment: Mapping[str, str], *, platform: str = sys.platform) -> list[Check]:
    """Say whether Qt works here, on which platform plugin, and whether there is a tray. Blocking: a process is run.

    Args:
        environment: That of the window; its DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM count.
    """
    missing = [name for name in ("PySide6", "qasync") if util.find_spec(name) is None]
    if missing:
        message = f"There is no window, as {' and '.join(missing)} is not installed. {_HEADLESS}"
        return [
            Check("Window", Level.NOTE, message, 'For the window run: pip install "PySide6-Essentials!=6.12.0" qasync')
        ]
    if platform not in ("win32", "darwin") and not any(environment.get(name) for name in _DISPLAYS):
        return [Check("Window", Level.NOTE, f"There is no display, so there is no window. {_HEADLESS}"), *_binding()]
    try:
        ran = subprocess.run(
            [sys.executable, "-m", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environment),
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"Qt did not answer within {PROBE_SECONDS:g} seconds."
        return [Check("Window", Level.PROBLEM, message, "See whether the display answers: xset q, or log in again.")]
    except OSError as error:
        return [Check("Window", Level.WARNING, f"It could not be tried: {error.strerror or error}.")]
    try:
        found = json.loads(ran.stdout.decode().splitlines()[-1])
    except (ValueError, IndexError):
        return [_explain(ran.stderr.decode("utf-8", "replace"), environment)]
    return _of(found)


def _of(found: Mapping[str, Any]) -> list[Check]:
    """The checks for what the child has seen."""
    if found["problem"]:
        return [Check("Window", Level.PROBLEM, display(found["problem"], limit=500), display(found["hint"], limit=500))]
    qt = f"Qt {display(found['qt'])} (PySide6 {display(found['binding'])})"
    checks = [Check("Window", Level.OK, f'{qt} works, on the platform "{display(found["platform"])}".')]
    if found["tray"]:
        checks.append(Check("Tray", Level.OK, "There is a tray for the icon."))
    else:
        checks.append(Check("Tray", Level.WARNING, "There is no tray, so wsgui has no icon there.", _TRAY_HINT))
    return checks


def _explain(said: str, environment: Mapping[str, str]) -> Check:
    """Why Qt ended the child, from what it said."""
    if library := _LIBRARY.search(said):
        message = f"Qt cannot be loaded, as {display(library[1])} is missing."
        return Check("Window", Level.PROBLEM, message, "Install the package that has this library.")
    if _NO_DISPLAY.search(said):
        named = " and ".join(f"{name}={environment[name]}" for name in _DISPLAYS if environment.get(name))
        message = f"There is no window, as the display does not answer ({display(named)})."
        hint = f"Correct the variable, or start wsgui from within the desktop. {_HEADLESS}"
        return Check("Window", Level.PROBLEM, message, hint)
    if wanted := _NO_PLATFORM.search(said):
        available = _AVAILABLE.search(said)
        known = f" to one of {display(available[1])}" if available else ""
        message = f'Qt has no platform "{display(wanted[1])}".'
        return Check("Window", Level.PROBLEM, message, f"Set QT_QPA_PLATFORM{known}, or do not set it.")
    if _CURSOR.search(said):
        message = "Qt's xcb platform cannot be loaded, as libxcb-cursor0 is missing."
        return Check("Window", Level.PROBLEM, message, "Install it (Debian: apt install libxcb-cursor0).")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    why = display(lines[-1], limit=300).rstrip(".") if lines else "it said nothing"
    return Check("Window", Level.PROBLEM, f"Qt ended the program: {why}.", _HEADLESS)


def _binding() -> list[Check]:
    """What can be said of the binding without a display: that it is not the one that aborts."""
    for distribution in ("PySide6-Essentials", "PySide6"):
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if version == "6.12.0" and sys.version_info < (3, 12):
            message = f"PySide6 {version} on Python 3.11 aborts the window after a few thousand timers."
            hint = 'Run: pip install "PySide6-Essentials!=6.12.0"'
            return [Check("Qt", Level.WARNING, message, hint)]
        return [Check("Qt", Level.OK, f"PySide6 {version} is installed.")]
    return []
