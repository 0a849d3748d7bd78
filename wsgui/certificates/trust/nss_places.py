"""Where browsers keep their NSS databases."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

DATABASE: Final = "cert9.db"

CHROMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "brave-browser",
    "microsoft-edge",
    "microsoft-edge-stable",
    "vivaldi",
    "vivaldi-stable",
    "opera",
)
"""Programs that look into the user's NSS database."""

# Snap's HOME is its revision's folder, Flatpak's ~/.pki and data folder lie beneath ~/.var/app.
_SHARED: Final = (
    "snap/*/current/.pki/nssdb",
    "snap/*/current/.local/share/pki/nssdb",
    "snap/*/common/.pki/nssdb",
    ".var/app/*/.pki/nssdb",
    ".var/app/*/data/pki/nssdb",
)
_FIREFOX: Final = (
    ".mozilla/firefox",
    ".librewolf",
    "snap/firefox/common/.mozilla/firefox",
    "snap/firefox/common/.config/mozilla/firefox",
    ".var/app/*/.mozilla/firefox",
    ".var/app/*/config/mozilla/firefox",
    ".var/app/*/.librewolf",
    "Library/Application Support/Firefox",
)


def shared_database(home: Path, data_home: str = "") -> Path:
    """Return the user's database that Chromium uses, which need not exist.

    In the order of NSS (lib/sysinit) and of Chromium since it follows it: ~/.pki/nssdb, then the one in XDG_DATA_HOME.
    With neither it is the first, which older ones know too.
    """
    usual = home / ".pki/nssdb"
    newer = _absolute(data_home, home / ".local/share") / "pki/nssdb"
    return newer if not usual.is_dir() and (newer / DATABASE).is_file() else usual


def shared_databases(home: Path, data_home: str = "") -> tuple[Path, ...]:
    """Return all existing databases of Chromium and its kin: the user's own, and those of Snap and Flatpak."""
    places = [shared_database(home, data_home)]
    places += [folder for pattern in _SHARED for folder in _matching(home, pattern)]
    return _existing(places)


def firefox_databases(home: Path, config_home: str = "") -> tuple[Path, ...]:
    """Return all Firefox profiles that have a database, wherever profiles.ini says they are."""
    newer = _absolute(config_home, home / ".config")
    roots = [folder for pattern in _FIREFOX for folder in _matching(home, pattern)]
    roots += [newer / "mozilla/firefox", newer / "firefox"]
    return _existing(profile for root in roots for profile in _profiles(root))


def in_use(profile: Path) -> bool:
    """Whether a Firefox runs with this profile: its lock is a link to `ADDRESS:+PID` (nsProfileLock)."""
    try:
        pid = int(os.readlink(profile / "lock").rpartition("+")[2])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError, AttributeError):
        return False
    return True


def changed_in_use(profile: Path) -> bool:
    """Whether the database was written to after the Firefox that runs with it was started."""
    try:
        return in_use(profile) and (profile / DATABASE).stat().st_mtime > os.lstat(profile / "lock").st_mtime
    except OSError:
        return False


def _profiles(root: Path) -> Iterator[Path]:
    yield from _matching(root, "*")
    yield from _matching(root, "Profiles/*")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(root / "profiles.ini", encoding="utf-8")
    except (OSError, configparser.Error, UnicodeDecodeError):
        return
    for section in parser.sections():
        path = parser.get(section, "path", fallback="")
        if section.lower().startswith("profile") and path:
            yield root / path  # An absolute one (IsRelative=0) replaces the root.


def _matching(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _existing(folders: Iterable[Path]) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    for folder in folders:
        try:
            if (folder / DATABASE).is_file():
                found[folder.resolve()] = None
        except OSError:
            continue
    return tuple(found)


def _absolute(given: str, usual: Path) -> Path:
    """A folder of the XDG specification: a relative one does not count."""
    return Path(given) if os.path.isabs(given) else usual
