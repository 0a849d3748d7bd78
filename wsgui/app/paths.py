"""Where wsgui keeps its files: one owner of the config, data and runtime folders."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from wsgui.display import display
from wsgui.errors import WsguiError

CONFIG_VARIABLE: Final = "WSGUI_CONFIG_DIR"
DATA_VARIABLE: Final = "WSGUI_DATA_DIR"
RUNTIME_VARIABLE: Final = "WSGUI_RUNTIME_DIR"
_APPLICATION: Final = "wsgui"
_PRIVATE_MODE: Final = 0o700


class FolderError(WsguiError):
    """A folder cannot be made, or is not private enough for what belongs into it."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user's wsgui; none of them needs to exist yet."""

    config: Path
    data: Path
    runtime: Path
    profiles: Path

    @classmethod
    def beneath(cls, folder: Path) -> Paths:
        """All folders inside one, for tests and for a portable installation."""
        return cls(folder / "config", folder / "data", folder / "runtime", folder / "config" / "profiles")

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def certificates(self) -> Path:
        return self.data / "certificates"

    def make_config(self) -> Path:
        """Make the config and profile folders, 0700; raises FolderError."""
        make_folder(self.config, CONFIG_VARIABLE)
        make_folder(self.profiles, CONFIG_VARIABLE)
        return self.config

    def make_data(self) -> Path:
        """Make the data folder, 0700; raises FolderError."""
        return make_folder(self.data, DATA_VARIABLE)

    def make_runtime(self) -> Path:
        """Make the runtime folder, 0700, and check that nobody else can have a hand in it; raises FolderError."""
        make_folder(self.runtime, RUNTIME_VARIABLE)
        check_private(self.runtime)
        return self.runtime


def paths(environment: Mapping[str, str] | None = None) -> Paths:
    """The folders of this user on this platform; ``WSGUI_*_DIR`` in `environment` (default: the process's) override."""
    given = os.environ if environment is None else environment

    def folder(variable: str, usual: str) -> Path:
        value = given.get(variable, "")
        # Absolute, as a service may change its working directory.
        return Path(os.path.abspath(os.path.expanduser(value))) if value else Path(usual)

    directories = platformdirs.PlatformDirs(_APPLICATION, appauthor=False)
    config = folder(CONFIG_VARIABLE, directories.user_config_dir)
    data = folder(DATA_VARIABLE, directories.user_data_dir)
    with warnings.catch_warnings():
        # Where there is no XDG_RUNTIME_DIR it warns about the folder in /tmp, which is looked at before it is used.
        warnings.simplefilter("ignore")
        runtime = folder(RUNTIME_VARIABLE, directories.user_runtime_dir)
    return Paths(config, data, runtime, config / "profiles")


def make_folder(folder: Path, variable: str) -> Path:
    """Make `folder` and its parents, the folder itself 0700 whatever the umask; an existing one stays as it is.

    Raises:
        FolderError: It cannot be made; the hint names `variable`, which moves it.
    """
    try:
        folder.parent.mkdir(mode=_PRIVATE_MODE, parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=_PRIVATE_MODE)
        except FileExistsError:
            if not folder.is_dir():
                raise
    except OSError as error:
        raise FolderError(
            f"The folder {display(str(folder))} cannot be made: {error.strerror or error}.",
            f"Make it writable, or set {variable} to another folder.",
        ) from error
    return folder


def check_private(folder: Path, *, any_owner: bool = False) -> None:
    """See to it that only this user (and root) can put things into `folder` or put another one in its place.

    Args:
        any_owner: Accept another user's folder: for root, who looks after a service that runs as its own user.

    Raises:
        FolderError: It is a link, no folder, another user's, or open to others; or a folder above it is.
    """
    if not hasattr(os, "getuid"):
        return  # Windows: the folder is beneath the user's profile, whose access list says the same.
    hint = f"Remove it or set {RUNTIME_VARIABLE} to a folder of your own."
    shown = display(str(folder))
    try:
        status = os.lstat(folder)
        above = [folder.parent.resolve(strict=True)]
        above += above[0].parents
        above_status = [(path, os.stat(path)) for path in above]
    except OSError as error:
        raise FolderError(f"The folder {shown} cannot be looked at: {error.strerror or error}.", hint) from error
    if stat.S_ISLNK(status.st_mode):
        raise FolderError(f"{shown} is a link, which somebody else may have put there.", hint)
    if not stat.S_ISDIR(status.st_mode):
        raise FolderError(f"{shown} is not a folder.", hint)
    owners = {os.getuid(), 0} if not any_owner else None
    if status.st_uid != os.getuid() and owners is not None:
        raise FolderError(f"The folder {shown} belongs to another user.", hint)
    if status.st_mode & 0o022:
        raise FolderError(f"Other users can write into the folder {shown}.", f"Run: chmod 700 {shown}")
    for path, its in above_status:
        # Who can rename what is above can put a folder of their own here; a sticky one (/tmp) keeps them from it.
        open_to_all = bool(its.st_mode & stat.S_IWOTH) and not its.st_mode & stat.S_ISVTX
        if open_to_all or (owners is not None and its.st_uid not in owners):
            raise FolderError(f"Other users can replace {shown}, as {display(str(path))} is theirs to change.", hint)
