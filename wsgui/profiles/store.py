"""Profiles on disk: one TOML file each in one folder, edited without harm and watched."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wsgui.display import display
from wsgui.errors import ProfileError, UsageError, WsguiError
from wsgui.profiles.catalog import Catalog, Entry, catalog_of, read_entry, shown_path
from wsgui.profiles.disk import create_file, make_private_folder, remove_file, replace_file
from wsgui.profiles.editing import edited_text, new_text
from wsgui.profiles.model import Profile
from wsgui.profiles.naming import SUFFIX, file_stem, free_file_name
from wsgui.profiles.reading import build_profile, parse
from wsgui.profiles.watching import Change, list_folder, watch_folder

__all__ = ["Change", "Loaded", "ProfileStore"]

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds: the valid profiles, by file name, and a problem for each file that is none."""

    profiles: tuple[Profile, ...]
    problems: tuple[ProfileError, ...]


class ProfileStore:
    """The profiles in `folder`, which need not exist yet. All methods but `watch` block on the disk.

    A file that is broken hides no other and is never written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Entry, ...] | None = None

    def load(self) -> Loaded:
        """Read all files; `watch` tells what changes from here on.

        Raises:
            WsguiError: the folder is there but cannot be listed.
        """
        entries = self._entries()
        self._loaded = entries
        catalog = catalog_of(entries)
        profiles = tuple(entry.profile for entry in catalog.profiles.values() if entry.profile is not None)
        problems = [entry.problem for _, entry in sorted(catalog.broken.items()) if entry.problem is not None]
        return Loaded(profiles, tuple(problems))

    def names(self) -> tuple[str, ...]:
        """The names of the valid profiles, by file name."""
        return tuple(self._catalog().profiles)

    def path_of(self, name: str) -> Path:
        """The file of the profile `name`: the one it has, else the one it would get."""
        catalog = self._catalog()
        entry = _find(catalog, name)
        return entry.path if entry is not None else self._new_path(name)

    def read(self, name_or_file: str | os.PathLike[str]) -> Profile:
        """One profile, by its name or from any file. What has a separator in it or ends in .toml is a file.

        Raises:
            ProfileError: the file is broken.
            UsageError: there is no such profile or file.
        """
        text = os.fspath(name_or_file)
        if not isinstance(name_or_file, str) or _is_path(text):
            entry = read_entry(Path(text).expanduser().absolute())
            if entry is None:
                raise UsageError(f"There is no file {display(text)}.", "Check the path.")
        else:
            entry = self._existing(text, self._catalog())
        return _profile_of(entry)

    def save(self, profile: Profile) -> Path:
        """Write `profile` to the file that has its name, keeping the file's comments and order, or to a new one.

        Raises:
            ProfileError: the file that has the name is broken; it is not overwritten.
            WsguiError: the file cannot be written, or not edited without harm.
        """
        with self._lock:
            catalog = self._catalog()
            entry = _find(catalog, profile.name)
            if entry is not None:
                self._replace(entry, profile)
                return entry.path
            return self._create(profile)

    def set(self, name: str, values: Mapping[str, Any]) -> Profile:
        """Change fields of a profile by their dotted names (``limits.idle_seconds``); None means back to the default.

        Setting ``name`` renames the profile and leaves it in its file.

        Raises:
            ProfileError: the file is broken, or a value is not valid.
            UsageError: there is no such profile, or the new name is taken.
            WsguiError: the file cannot be written, or not edited without harm.
        """
        with self._lock:
            catalog = self._catalog()
            entry = self._existing(name, catalog)
            before = _profile_of(entry)
            source = shown_path(entry.path)
            settings, text = parse(entry.data, source)
            settings.setdefault("name", before.name)
            for field, value in values.items():
                _set_field(settings, field, value)
            profile = build_profile(settings, source, text=text, folder=entry.path.parent)
            taken = _find(catalog, profile.name)
            if taken is not None and taken.path != entry.path:
                message = f'There is a profile named "{profile.name}" already, in {display(taken.path.name)}.'
                raise UsageError(message, "Choose another name.", field="name")
            self._replace(entry, profile)
            return profile

    def remove(self, name: str) -> Path:
        """Remove the file of the profile `name`, valid or not; returns where it was.

        Raises:
            UsageError: there is none.
            WsguiError: it cannot be removed.
        """
        with self._lock:
            entry = self._existing(name, self._catalog())
            remove_file(entry.path)
            return entry.path

    async def watch(self) -> AsyncIterator[Change]:
        """Yield what changes from the last `load` on (without one, from now on), this program's own writes included.

        Each rename-over, write in place, removal and invalid edit is one change.
        """
        entries = self._loaded if self._loaded is not None else self._entries()
        async for change in watch_folder(self.folder, entries):
            yield change

    def _entries(self) -> tuple[Entry, ...]:
        listing = list_folder(self.folder)
        if listing is None:
            raise WsguiError(
                f"The folder {shown_path(self.folder)} cannot be read.",
                "Make it readable for the user wsgui runs as.",
            )
        return tuple(entry for entry in map(read_entry, sorted(listing)) if entry is not None)

    def _catalog(self) -> Catalog:
        return catalog_of(self._entries())

    def _existing(self, name: str, catalog: Catalog) -> Entry:
        entry = _find(catalog, name)
        if entry is not None:
            return entry
        near = difflib.get_close_matches(name, catalog.profiles, n=1)
        known = ", ".join(display(each) for each in catalog.profiles)
        if near:
            hint = f'Did you mean "{display(near[0])}"?'
        else:
            hint = f"There are: {known}." if known else "There is none yet; make one with: wsgui profile new."
        raise UsageError(f'There is no profile named "{display(name)}".', hint)

    def _create(self, profile: Profile) -> Path:
        own = self.folder / f"{file_stem(profile.name)}{SUFFIX}"
        entry = read_entry(own) if os.path.lexists(own) else None
        if entry is not None and entry.problem is not None:
            raise _not_overwritten(entry)  # It may well be this very profile, with a slip of the pen in it.
        make_private_folder(self.folder)
        data = new_text(profile).encode()
        for _ in range(_ATTEMPTS):
            path = self._new_path(profile.name)
            try:
                create_file(path, data)
            except FileExistsError:
                continue  # Somebody else was quicker.
            return path
        raise WsguiError(f'No file could be made for "{profile.name}".', "Try again.")

    def _new_path(self, name: str) -> Path:
        try:
            present = {item.lower() for item in os.listdir(self.folder)}
        except FileNotFoundError:
            present = set()
        return self.folder / free_file_name(name, present)

    def _replace(self, entry: Entry, profile: Profile) -> None:
        before = entry.profile
        if before is None:
            raise _not_overwritten(entry)
        if before == profile:
            return
        text = edited_text(
            entry.data.decode("utf-8-sig"), before, profile, folder=entry.path.parent, source=shown_path(entry.path)
        )
        replace_file(entry.path, text.encode(), expected=entry.data)


def _find(catalog: Catalog, name: str) -> Entry | None:
    """The entry with that name, a valid one first; a broken file is also found by its own name."""
    if name in catalog.profiles:
        return catalog.profiles[name]
    for entry in catalog.broken.values():
        if name in (entry.name, entry.path.stem):
            return entry
    return None


def _profile_of(entry: Entry) -> Profile:
    if entry.profile is None:
        raise entry.problem or ProfileError(shown_path(entry.path), ())
    return entry.profile


def _not_overwritten(entry: Entry) -> ProfileError:
    problems = entry.problem.problems if entry.problem is not None else ()
    message = "The file is not valid, and is not overwritten."
    first = WsguiError(message, "Correct it, or remove it from the folder.")
    return ProfileError(shown_path(entry.path), [first, *problems])


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.lower().endswith(SUFFIX)


def _set_field(settings: dict[str, Any], field: str, value: object) -> None:
    *above, last = field.split(".")
    section = settings
    for step in above:
        inner = section.setdefault(step, {})
        if not isinstance(inner, dict):
            raise UsageError(f'There is no field "{display(field)}".', "See: wsgui profile schema.", field=field)
        section = inner
    if value is None:
        section.pop(last, None)
    else:
        section[last] = list(value) if isinstance(value, tuple) else value
