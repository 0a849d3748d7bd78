"""The engine runs in a thread of its own, and everything that it is asked comes back to the loop that asked."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from wsgui.app.control_client import ControlClient
from wsgui.app.runtime import Runtime
from wsgui.engine.snapshot import TunnelState
from wsgui.errors import TunnelError
from wsgui.gui.engine_thread import Asked, EngineEndedError, EngineThread

if TYPE_CHECKING:
    from tests.gui.conftest import WriteProfile
    from wsgui.app.paths import Paths


def new_engine(folders: Paths) -> EngineThread:
    return EngineThread(lambda: Runtime(folders, name="tray", role="window"))


@pytest.fixture
async def engine(folders: Paths, write_profile: WriteProfile) -> AsyncIterator[EngineThread]:
    """A started one, with a profile "Lab" that is off."""
    write_profile("Lab", listen="unix:" + str(folders.runtime / "lab"), target="127.0.0.1:9", autostart=False)
    thread = new_engine(folders)
    await thread.start()
    yield thread
    await thread.stop()


async def ask(folders: Paths, do: str, **values: object) -> object:
    """One request over the control channel, without holding up the loop that it is to reach."""

    def converse() -> object:
        with ControlClient(folders.runtime / "tray.sock") as client:
            return client.request(do, **values)

    return await asyncio.to_thread(converse)


async def test_what_is_asked_runs_in_the_engines_thread(engine: EngineThread) -> None:
    async def who(_: Runtime) -> str:
        return threading.current_thread().name

    assert await engine.call(who) == "engine"


async def test_a_look_brings_the_tunnels_and_the_throughput_of_the_selected_one(engine: EngineThread) -> None:
    look = await engine.look("Lab")
    assert [(t.name, t.state) for t in look.snapshot.tunnels] == [("Lab", TunnelState.STOPPED)]
    assert look.throughput is not None
    assert look.problems == ()


async def test_a_look_at_a_tunnel_that_is_gone_brings_no_throughput(engine: EngineThread) -> None:
    assert (await engine.look("Gone")).throughput is None


async def test_an_error_in_the_engine_is_raised_where_it_was_asked(engine: EngineThread) -> None:
    with pytest.raises(TunnelError):
        await engine.call(lambda runtime: runtime.start("Gone"))


async def test_giving_up_here_ends_the_work_there(engine: EngineThread) -> None:
    begun, given_up = threading.Event(), threading.Event()

    async def for_ever(_: Runtime) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    waiting = asyncio.create_task(engine.call(for_ever))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await asyncio.to_thread(given_up.wait, 10)


async def test_a_request_to_show_or_quit_arrives(engine: EngineThread, folders: Paths) -> None:
    await ask(folders, "show")
    await ask(folders, "quit", grace_seconds=2.5)
    assert await engine.asked() == Asked("show")
    assert await engine.asked() == Asked("quit", 2.5)


async def test_after_the_end_nothing_can_be_asked(engine: EngineThread) -> None:
    await engine.stop()
    with pytest.raises(EngineEndedError):
        await engine.look()
    await engine.ended()


async def test_what_keeps_it_from_starting_is_raised(folders: Paths) -> None:
    def broken() -> Runtime:
        raise ZeroDivisionError

    thread = EngineThread(broken)
    with pytest.raises(ZeroDivisionError):
        await thread.start()
    await thread.stop()


async def test_one_that_never_started_can_be_stopped(folders: Paths) -> None:
    await new_engine(folders).stop()


async def test_many_starts_and_stops_leave_no_thread_and_no_descriptor(folders: Paths) -> None:
    async def once() -> None:
        thread = new_engine(folders)
        await thread.start()
        await thread.call(lambda runtime: runtime.start("Demo"))
        await thread.drain()
        await thread.stop()

    await once()
    await once()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(8):
        await once()
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= descriptors
