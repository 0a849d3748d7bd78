"""Brings profiles from their files into the engine: at the start, when a file changes, when somebody asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wsgui.engine.engine import Engine
from wsgui.engine.events import LogLine
from wsgui.errors import ProfileError, WsguiError
from wsgui.profiles.addresses import ListenAddress
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile
from wsgui.profiles.store import Change, ProfileStore


@dataclass(slots=True, eq=False)
class Source:
    """Where a headless process has a profile from.

    Args:
        where: A profile's name or a file, as the command line has it.
        listen: Listen here instead (``--listen``).
        builtin: The profile itself, when it is in no file.
        movable: Whether `builtin` may be made anew on the next free port, as nobody asked for this one.
    """

    where: str
    listen: ListenAddress | None = None
    builtin: Profile | None = None
    movable: bool = False

    def read(self, store: ProfileStore) -> Profile:
        """The profile as it is now (blocking).

        Raises:
            WsguiError: It is missing or broken.
        """
        if self.builtin is not None:
            return self.builtin
        profile: Profile = store.read(self.where)
        if self.listen is None:
            return profile
        # Whether all of it still fits together is asked again: it may not, with another listener.
        return build_profile(profile.settings() | {"listen": str(self.listen)}, self.where)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload came to, for the one who asked for it."""

    profiles: tuple[str, ...]
    problems: tuple[str, ...]


class ProfileFeed:
    """Keeps an engine's tunnels as their files say; a broken file changes nothing but `problems`.

    Args:
        sources: What a headless process was given. None: every profile of the store, as a window shows them.
    """

    def __init__(self, store: ProfileStore, engine: Engine, sources: Sequence[Source] | None) -> None:
        self._store = store
        self._engine = engine
        self._sources = sources
        self._problems: tuple[ProfileError, ...] = ()
        self._named: dict[Source, str] = {}
        self._from_files: set[str] = set()
        self._autostart: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()

    @property
    def problems(self) -> tuple[ProfileError, ...]:
        """The store's broken files; any thread may read this."""
        return self._problems

    @property
    def autostart(self) -> frozenset[str]:
        """Tunnels of the store that start by themselves, as the last reload found them."""
        return self._autostart

    async def adopt(self, source: Source, profile: Profile) -> None:
        """Take over what was read from `source` already (before the engine was there)."""
        self._named[source] = profile.name
        await self._engine.configure(profile)

    async def reload(self) -> Reloaded:
        """Read all files again and bring the engine into line; what cannot be taken over is said and left as it is."""
        async with self._turn:
            if self._sources is None:
                return await self._reload_store()
            return await self._reload_sources(self._sources)

    async def watch(self) -> None:
        """Follow the store's changes until cancelled."""
        async for change in self._store.watch():
            async with self._turn:
                await self._apply(change)

    async def _reload_store(self) -> Reloaded:
        loaded = await asyncio.to_thread(self._store.load)
        self._problems = loaded.problems
        texts: list[str] = []
        for problem in loaded.problems:
            self._say_kept("", problem)
            texts.append(str(problem))
        for profile in loaded.profiles:
            texts += await self._configure(profile)
        present = {profile.name for profile in loaded.profiles}
        self._autostart = frozenset(profile.name for profile in loaded.profiles if profile.autostart)
        if not loaded.problems:
            # A broken file may be what became of a tunnel's: only when there is none is a missing one surely gone.
            for name in self._from_files - present:
                await self._remove(name)
        self._from_files |= present
        return Reloaded(tuple(sorted(present)), tuple(texts))

    async def _reload_sources(self, sources: Sequence[Source]) -> Reloaded:
        done: list[str] = []
        texts: list[str] = []
        for source in sources:
            before = self._named.get(source, "")
            try:
                profile = await asyncio.to_thread(source.read, self._store)
                if profile.name in {name for other, name in self._named.items() if other != source}:
                    raise WsguiError(
                        f'{source.where} is now called "{profile.name}", as another tunnel of this process is.',
                        "Give it a name of its own.",
                        field="name",
                    )
            except WsguiError as error:
                self._say_kept(before, error)
                texts.append(str(error))
                continue
            failed = await self._configure(profile)
            texts += failed
            if before and profile.name != before and not failed:
                snapshot = self._engine.snapshot().tunnel(before)
                await self._engine.remove(before)
                if snapshot is not None and snapshot.wanted:
                    texts += await self._start(profile.name)
            self._named[source] = profile.name
            done.append(profile.name)
        return Reloaded(tuple(done), tuple(texts))

    async def _apply(self, change: Change) -> None:
        # Which files are broken now is asked of the folder: one of them may have gone by getting another name.
        self._problems = (await asyncio.to_thread(self._store.load)).problems
        if change.kind == "invalid" and change.problem is not None:
            self._say_kept(change.name, change.problem)
        elif change.kind == "removed":
            await self._remove(change.name)
        elif change.profile is not None:
            await self._configure(change.profile)
            self._from_files.add(change.profile.name)

    async def _configure(self, profile: Profile) -> list[str]:
        try:
            await self._engine.configure(profile)
        except WsguiError as error:
            self._say(logging.ERROR, profile.name, str(error))
            return [str(error)]
        return []

    async def _start(self, name: str) -> list[str]:
        try:
            await self._engine.start(name)
        except WsguiError as error:
            return [str(error)]
        return []

    async def _remove(self, name: str) -> None:
        self._from_files.discard(name)
        if self._engine.snapshot().tunnel(name) is not None:
            await self._engine.remove(name)

    def _say_kept(self, tunnel: str, error: WsguiError) -> None:
        self._say(logging.ERROR, tunnel, f"{' '.join(str(error).splitlines())} The last valid settings are kept.")

    def _say(self, level: int, tunnel: str, message: str) -> None:
        self._engine.events.publish(LogLine(time.time(), tunnel, level, message))
