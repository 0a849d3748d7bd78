"""Looks whether wsgui's folders and files are for this user only."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from wsgui.app.doctor.check import Check, Level
from wsgui.app.paths import Paths
from wsgui.display import display

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH | stat.S_IXGRP | stat.S_IXOTH


def folders(paths: Paths) -> list[Check]:
    """Say which folder or file others could read or change; those that do not exist yet are made when needed."""
    places = {
        "profiles": paths.profiles,
        "settings": paths.config,
        "data": paths.data,
        "certificates": paths.certificates,
        "running processes": paths.runtime,
    }
    checks: list[Check] = []
    for what, folder in places.items():
        checks += _folder(what, folder)
    checks += _keys(paths.certificates)
    if not checks:
        checks.append(Check("Folders", Level.OK, f"Only you can change {display(str(paths.config))} and the others."))
    return checks


def _folder(what: str, folder: Path) -> list[Check]:
    name, shown = f"Folder for {what}", display(str(folder))
    try:
        status = folder.stat()
    except FileNotFoundError:
        return _missing(name, folder)
    except OSError as error:
        why = f"{shown} cannot be looked at: {error.strerror or error}."
        return [Check(name, Level.PROBLEM, why, "Make it, and all above it, readable for you.")]
    if not stat.S_ISDIR(status.st_mode):
        return [Check(name, Level.PROBLEM, f"{shown} is not a folder.", "Move it away.")]
    if os.name == "nt":
        return []  # Its access lists are not in the mode.
    change = f"Run: chmod 700 {shlex.quote(shown)}"
    if status.st_uid != os.getuid() and os.getuid() != 0:
        whose = f"{shown} belongs to another user."
        return [Check(name, Level.PROBLEM, whose, f"Run: sudo chown {os.getuid()} {shlex.quote(shown)}")]
    if status.st_mode & _OTHERS_WRITE:
        return [Check(name, Level.PROBLEM, f"Others can write into {shown}.", change)]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [Check(name, Level.PROBLEM, f"You cannot read and write {shown}.", change)]
    if status.st_mode & _OTHERS_READ:
        return [Check(name, Level.WARNING, f"Others can look into {shown}.", change)]
    return []


def _missing(name: str, folder: Path) -> list[Check]:
    above = next(path for path in folder.parents if path.exists())
    if above.is_dir() and os.access(above, os.W_OK):
        return []
    shown = display(str(folder))
    return [
        Check(name, Level.PROBLEM, f"{shown} cannot be made in {display(str(above))}.", "Make it writable for you.")
    ]


def _keys(certificates: Path) -> list[Check]:
    """Files with keys; those are encrypted, but still nobody else's business."""
    if os.name == "nt":
        return []
    checks = []
    for pattern in ("*.pem", "*.toml", "authorities/*.pem", "authorities/*.toml"):
        for path in sorted(certificates.glob(pattern)):
            try:
                mode = path.stat().st_mode
            except OSError:
                continue
            if mode & (_OTHERS_WRITE | _OTHERS_READ):
                shown = display(str(path))
                level = Level.PROBLEM if mode & _OTHERS_WRITE else Level.WARNING
                verb = "change" if mode & _OTHERS_WRITE else "read"
                hint = f"Run: chmod 600 {shlex.quote(shown)}"
                checks.append(Check("Files of certificates", level, f"Others can {verb} {shown}.", hint))
    return checks
