"""One profile's file while somebody edits it: what it said, what changes make of it, and the way back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wsgui.display import display
from wsgui.errors import FieldError, ProfileError, WsguiError
from wsgui.profiles.catalog import Entry, read_entry, shown_path
from wsgui.profiles.disk import DiskError, replace_file
from wsgui.profiles.editing import edited_text
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile, parse
from wsgui.profiles.store import ProfileStore

Changes = Mapping[str, Any]
"""Dotted field → value as TOML would hold it; None is no line, so the default."""


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile's file as it was at one moment; one of `profile` and `problem` is there.

    Attributes:
        name: The profile's; of a broken file what can be made out.
        settings: The plain values that stand in it, empty when it is no TOML.
        data: Its bytes, by which somebody else's write is noticed.
    """

    path: Path
    name: str
    profile: Profile | None
    problem: ProfileError | None
    settings: Mapping[str, Any] = field(repr=False)
    data: bytes = field(repr=False)

    def value(self, dotted: str) -> Any:
        """What the file says of a field; None when it has no line for it."""
        here: Any = self.settings
        for step in dotted.split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        return here


@dataclass(frozen=True, slots=True)
class Trial:
    """What changed settings would be: a profile, or what is wrong with each field."""

    profile: Profile | None
    problems: tuple[WsguiError, ...] = ()


def find(store: ProfileStore, name: str) -> ProfileFile | None:
    """The file of the profile `name`; None when it has none. Blocking.

    Raises:
        WsguiError: The folder cannot be read.
    """
    return read_again(store.path_of(name))


def read_again(path: Path) -> ProfileFile | None:
    """The profile's file at `path` as it is now; None when it is gone. Blocking."""
    entry = read_entry(path)
    return _as_file(entry) if entry is not None else None


def attempt(file: ProfileFile, changes: Changes) -> Trial:
    """What the profile in `file` would be with `changes`; nothing is read or written."""
    settings = _changed(file, changes)
    try:
        return Trial(build_profile(settings, shown_path(file.path), folder=file.path.parent))
    except ProfileError as error:
        return Trial(None, error.problems)


def revise(file: ProfileFile, changes: Changes) -> ProfileFile:
    """Write `changes` into the file, leaving comments and order as they are, and return it as it is then. Blocking.

    Raises:
        ProfileError: They make no valid profile, or the file is none.
        DiskError: Somebody else has written to the file since it was read, or it cannot be written.
        WsguiError: The file cannot be edited without harm.
    """
    if file.profile is None:
        raise file.problem or ProfileError(shown_path(file.path), ())
    trial = attempt(file, changes)
    if trial.profile is None:
        raise ProfileError(shown_path(file.path), trial.problems)
    text = file.data.decode("utf-8-sig")
    edited = edited_text(
        text, file.profile, trial.profile, folder=file.path.parent, source=display(file.path.name, limit=120)
    )
    return put_back(file, edited.encode())


def put_back(file: ProfileFile, data: bytes) -> ProfileFile:
    """Replace all that `file` says by `data`, an earlier text of it, and return it as it is then. Blocking.

    Raises:
        DiskError: Somebody else has written to it since it was read, or it cannot be written.
    """
    if data != file.data:
        replace_file(file.path, data, expected=file.data)
    written = read_again(file.path)
    if written is None:
        raise DiskError(f"{shown_path(file.path)} has been removed meanwhile.", "Save the profile under a new name.")
    return written


def _as_file(entry: Entry) -> ProfileFile:
    settings: Mapping[str, Any] = {}
    if entry.data:
        try:
            settings, _ = parse(entry.data, shown_path(entry.path))
        except ProfileError:
            settings = {}
    problem = entry.problem
    if entry.profile is None and problem is None:
        problem = ProfileError(shown_path(entry.path), [FieldError("The file is no profile.", "Correct it.")])
    return ProfileFile(entry.path, entry.name, entry.profile, problem, MappingProxyType(dict(settings)), entry.data)


def _changed(file: ProfileFile, changes: Changes) -> dict[str, Any]:
    settings: dict[str, Any] = copy.deepcopy(dict(file.settings))
    settings.setdefault("name", file.name)
    for dotted, value in changes.items():
        *above, last = dotted.split(".")
        section = settings
        for step in above:
            inner = section.setdefault(step, {})
            if not isinstance(inner, dict):
                section[step] = inner = {}
            section = inner
        if value is None:
            section.pop(last, None)
        else:
            section[last] = copy.deepcopy(value)
    return settings
