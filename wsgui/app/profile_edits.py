"""Changes that a person makes to a profile: taken over by the running tunnel first, then written, and undone again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsgui.app.runtime import Runtime
from wsgui.display import display
from wsgui.engine.snapshot import TunnelState
from wsgui.errors import ProfileError, UsageError, WsguiError
from wsgui.profiles.catalog import Entry, read_entry, shown_path
from wsgui.profiles.disk import replace_file
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile, parse, read_profile
from wsgui.profiles.store import ProfileStore


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile's file as it was at one moment.

    Args:
        path: The file.
        data: Its bytes.
        settings: What it says, as plain values; empty when it is broken.
        profile: What that makes; None when it is broken.
        problem: All that is wrong with it; None when it is valid.
    """

    path: Path
    data: bytes = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    profile: Profile | None
    problem: ProfileError | None

    @property
    def source(self) -> str:
        """The file, as errors name it."""
        return shown_path(self.path)


def read(store: ProfileStore, name: str) -> StoredProfile | None:
    """The file of the profile `name`, valid or not; None when it has none. Blocks.

    Raises:
        WsguiError: The folder cannot be read.
    """
    entry = read_entry(store.path_of(name))
    return _stored(entry) if entry is not None else None


def candidate(stored: StoredProfile, changes: Mapping[str, Any]) -> Profile:
    """The profile that `stored` would be with `changes`: dotted fields and their values, None for no line.

    Raises:
        ProfileError: With every problem.
    """
    settings: dict[str, Any] = {"name": stored.profile.name if stored.profile else stored.path.stem} | {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in stored.settings.items()
    }
    for dotted, value in changes.items():
        *above, last = dotted.split(".")
        section = settings
        for step in above:
            section = section.setdefault(step, {})
        if value is None:
            section.pop(last, None)
        else:
            section[last] = list(value) if isinstance(value, tuple) else value
    return build_profile(settings, stored.source, folder=stored.path.parent)


async def apply(runtime: Runtime, stored: StoredProfile, changes: Mapping[str, Any]) -> StoredProfile:
    """Let the tunnel take `changes` over, and write them into its file; returns the file as it is then.

    A running tunnel that cannot do as they say goes on as before, and its file stays as it was. One that does not run
    takes them all the same: what stands in its way is in its row.

    Raises:
        ProfileError: They make no valid profile.
        WsguiError: The tunnel cannot take them over, the file was changed by somebody else, or cannot be written.
    """
    name = _name(stored)
    profile = candidate(stored, changes)

    def write() -> StoredProfile:
        _demand_unchanged(stored)
        runtime.store.set(name, changes)
        return _again(stored)

    return await _exchange(runtime, profile, write)


async def restore(runtime: Runtime, stored: StoredProfile, data: bytes) -> StoredProfile:
    """Undo: give the file the text `data` that it had before, and the tunnel the settings of then.

    Raises:
        WsguiError: As `apply`.
    """
    profile = read_profile(data, stored.source, folder=stored.path.parent, default_name=_name(stored))

    def write() -> StoredProfile:
        replace_file(stored.path, data, expected=stored.data)
        return _again(stored)

    return await _exchange(runtime, profile, write)


async def _exchange(runtime: Runtime, profile: Profile, write: Callable[[], StoredProfile]) -> StoredProfile:
    engine = runtime.engine
    before = next((each for each in engine.profiles if each.name == profile.name), None)
    tunnel = engine.snapshot().tunnel(profile.name)
    if before is None or tunnel is None or tunnel.state is not TunnelState.RUNNING:
        written = await asyncio.to_thread(write)
        with contextlib.suppress(WsguiError):  # its row says why
            await engine.configure(profile)
        return written
    try:
        await engine.configure(profile)
        return await asyncio.to_thread(write)
    except WsguiError:
        with contextlib.suppress(WsguiError):
            await engine.configure(before)
        raise


def _name(stored: StoredProfile) -> str:
    if stored.profile is None:
        raise stored.problem or ProfileError(stored.source, ())
    return stored.profile.name


def _demand_unchanged(stored: StoredProfile) -> None:
    entry = read_entry(stored.path)
    if entry is None:
        raise UsageError(f"{stored.source} is gone.", "Make the tunnel again with New.")
    if entry.data != stored.data:
        raise UsageError(f"{display(stored.path.name)} was changed by somebody else meanwhile.", "Try again.")


def _again(stored: StoredProfile) -> StoredProfile:
    entry = read_entry(stored.path)
    if entry is None:
        raise UsageError(f"{stored.source} is gone.", "Make the tunnel again with New.")
    return _stored(entry)


def _stored(entry: Entry) -> StoredProfile:
    settings: Mapping[str, Any] = {}
    if entry.profile is not None:
        settings, _ = parse(entry.data, shown_path(entry.path))
    return StoredProfile(entry.path, entry.data, settings, entry.profile, entry.problem)
