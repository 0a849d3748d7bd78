"""Signals of a headless process, delivered on its loop: to end, to end at once, to reload, to open the log anew."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

_END: Final = ("SIGTERM", "SIGINT", "SIGBREAK")
_RELOAD: Final = ("SIGHUP",)
_REOPEN: Final = ("SIGUSR1",)


class Signals:
    """Calls `end` and the others on the running loop while the block lasts; what this system does not have is left out.

    Source: signal(7); SIGBREAK is what Windows sends for Ctrl+Break and to a process group.
    """

    def __init__(
        self, *, end: Callable[[], None], reload: Callable[[], None], reopen: Callable[[], None] | None = None
    ) -> None:
        self._wanted = {**dict.fromkeys(_END, end), **dict.fromkeys(_RELOAD, reload)}
        if reopen is not None:
            self._wanted |= dict.fromkeys(_REOPEN, reopen)
        self._before: dict[signal.Signals, Any] = {}
        self._on_loop: list[signal.Signals] = []

    def __enter__(self) -> Signals:
        loop = asyncio.get_running_loop()
        for name, call in self._wanted.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, call)
                self._on_loop.append(number)
            except NotImplementedError:

                def handler(_number: int, _frame: FrameType | None, call: Callable[[], None] = call) -> None:
                    loop.call_soon_threadsafe(call)

                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._on_loop:
            loop.remove_signal_handler(number)
        for number, before in self._before.items():
            signal.signal(number, before)
