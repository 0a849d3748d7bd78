"""A folder of profiles for each test, and a watch whose events can be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from wsgui.profiles.model import Profile
from wsgui.profiles.store import Change, ProfileStore
from wsgui.profiles.watching import watch_folder

PERIOD_SECONDS = 0.02
SETTLE_SECONDS = 0.1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "profiles"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def store(folder: Path) -> ProfileStore:
    return ProfileStore(folder)


@pytest.fixture
def make() -> Callable[..., Profile]:
    def build(name: str = "Office", **fields: Any) -> Profile:
        return Profile.model_validate({"name": name, "target": "office:5901"} | fields)

    return build


class Watcher:
    """Collects what a watch tells."""

    def __init__(self, settle_seconds: float) -> None:
        self.changes: asyncio.Queue[Change] = asyncio.Queue()
        self._quiet_seconds = 2.5 * settle_seconds
        """After so long a change that was made would have been told."""

    async def only(self) -> Change:
        """The one change that comes, and no second one."""
        change = await asyncio.wait_for(self.changes.get(), 10)
        await self.nothing()
        return change

    async def several(self, count: int) -> list[Change]:
        changes = [await asyncio.wait_for(self.changes.get(), 10) for _ in range(count)]
        await self.nothing()
        return changes

    async def nothing(self) -> None:
        with pytest.raises(TimeoutError):
            raise AssertionError(f"unexpected: {await asyncio.wait_for(self.changes.get(), self._quiet_seconds)}")


Watching = Callable[..., Any]


@pytest.fixture
def watching() -> Watching:
    @asynccontextmanager
    async def watch(store: ProfileStore, settle_seconds: float = SETTLE_SECONDS) -> AsyncIterator[Watcher]:
        watcher = Watcher(settle_seconds)
        store.load()

        async def collect() -> None:
            changes = watch_folder(
                store.folder, store._loaded or (), period_seconds=PERIOD_SECONDS, settle_seconds=settle_seconds
            )
            async for change in changes:
                watcher.changes.put_nowait(change)

        task = asyncio.create_task(collect())
        try:
            yield watcher
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    return watch
