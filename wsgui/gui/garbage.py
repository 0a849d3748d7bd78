"""Collects garbage in the window's thread only: a cycle that holds a Qt object must not be taken apart in another.

Python collects in whichever thread happens to allocate; with the engine's thread beside Qt's, that destroyed widgets
under Qt's feet, and the process died of it (a segmentation fault in one of two runs of many windows).
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

COLLECT_SECONDS: Final = 1.0
NEVER: Final = -1


def due(counts: tuple[int, int, int], thresholds: tuple[int, int, int]) -> int:
    """The oldest generation that is due for a collection by the interpreter's own thresholds, or NEVER."""
    return next((g for g in (2, 1, 0) if thresholds[g] and counts[g] > thresholds[g]), NEVER)


class GarbageHere:
    """Between `begin` and `end`, garbage is collected in the thread of the loop that was running at `begin`."""

    def __init__(self) -> None:
        self._was_enabled = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Take over from the interpreter, on the running loop. Call it before there is another thread."""
        self._was_enabled = gc.isenabled()
        gc.disable()
        # What is there now (modules, the window) stays: without it a full collection takes a few ms instead of 50.
        gc.freeze()
        self._task = asyncio.get_running_loop().create_task(self._keep_collecting(), name="collecting garbage")

    def end(self) -> None:
        """Give back to the interpreter; call it when the other thread is gone."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            gc.unfreeze()
            if self._was_enabled:
                gc.enable()

    async def _keep_collecting(self) -> None:
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            generation = due(gc.get_count(), gc.get_threshold())
            if generation != NEVER:
                gc.collect(generation)
