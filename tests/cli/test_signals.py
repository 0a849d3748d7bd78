"""Signals arrive on the loop, and what was there before comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from wsgui.cli.signals import Signals
from wsgui.engine.loops import new_event_loop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_each_signal_calls_what_it_is_for(name: str) -> None:
    async def run() -> tuple[bool, bool]:
        end, reload = asyncio.Event(), asyncio.Event()
        with Signals(end=end.set, reload=reload.set):
            os.kill(os.getpid(), getattr(signal, name))
            await asyncio.wait_for((reload if name == "SIGHUP" else end).wait(), 5)
        return end.is_set(), reload.is_set()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(run()) == (name != "SIGHUP", name == "SIGHUP")


def test_a_loop_without_signal_handlers_gets_them_too() -> None:
    class Loop(asyncio.SelectorEventLoop):
        """As on Windows."""

        def add_signal_handler(self, *_: object) -> None:
            raise NotImplementedError

    before = signal.getsignal(signal.SIGTERM)

    async def run() -> None:
        end = asyncio.Event()
        with Signals(end=end.set, reload=lambda: None):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(end.wait(), 5)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(run())
    assert signal.getsignal(signal.SIGTERM) is before
