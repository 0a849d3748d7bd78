"""Cycles with Qt objects in them are taken apart in the window's thread, whoever allocates."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING

import pytest

from wsgui.app.runtime import Runtime
from wsgui.gui import garbage
from wsgui.gui.engine_thread import EngineThread

if TYPE_CHECKING:
    from wsgui.app.paths import Paths

THRESHOLDS = (700, 10, 10)


class Cycle:
    """Notes in which thread it is taken apart."""

    def __init__(self, threads: list[str]) -> None:
        self.threads = threads
        self.itself = self

    def __del__(self) -> None:
        self.threads.append(threading.current_thread().name)


@pytest.mark.parametrize(
    ("counts", "generation"),
    [((0, 0, 0), garbage.NEVER), ((701, 0, 0), 0), ((701, 11, 0), 1), ((0, 11, 11), 2), ((700, 10, 10), garbage.NEVER)],
)
def test_a_generation_is_due_when_the_interpreter_would_collect_it(
    counts: tuple[int, int, int], generation: int
) -> None:
    assert garbage.due(counts, THRESHOLDS) == generation


async def test_what_the_engines_thread_allocates_takes_no_cycle_apart_there(
    folders: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "COLLECT_SECONDS", 0.0)
    threads: list[str] = []
    engine = EngineThread(lambda: Runtime(folders, name="tray", role="window"))
    await engine.start()
    try:
        assert not gc.isenabled()

        async def allocate(_: Runtime) -> list[list[int]]:
            return [[number] for number in range(5000)]

        async with asyncio.timeout(20):
            Cycle(threads)
            while not threads:
                await engine.call(allocate)
    finally:
        await engine.stop()
    assert threads == [threading.current_thread().name]
    assert gc.isenabled()


async def test_at_the_end_the_interpreter_collects_again(folders: Paths) -> None:
    engine = EngineThread(lambda: Runtime(folders, name="tray", role="window"))
    await engine.start()
    await engine.stop()
    await engine.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
