"""Tasks of the Qt loop: each is referenced until it ends, and an exception in one is logged and shown, never lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from wsgui.errors import WsguiError

log = logging.getLogger(__name__)


class Tasks:
    """Owns what runs on the loop that is running when `start` is called.

    Args:
        on_error: Shows a failure to the person: one sentence what is wrong, one what to do.
    """

    def __init__(self, on_error: Callable[[str, str], None]) -> None:
        self._on_error = on_error
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any], *, what: str) -> asyncio.Task[Any]:
        """Run `coroutine`; `what` names it in the log and in the message when it fails in an unforeseen way."""
        task = asyncio.get_running_loop().create_task(coroutine, name=what)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel what still runs, but for the caller, and wait until it has ended."""
        tasks = self._running - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if isinstance(error, WsguiError):
            log.warning("%s: %s", task.get_name(), error)
            self._on_error(error.message, error.hint)
            return
        log.error("%s failed", task.get_name(), exc_info=error)
        self._on_error(
            f"{task.get_name()} failed: {type(error).__name__}: {error}",
            "This is a fault of wsgui; the log has the details, and the tunnels go on.",
        )
