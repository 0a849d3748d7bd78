"""The only place where the two loops meet: the engine's, in a thread of its own, and Qt's.

The Qt loop awaits coroutines that run on the engine's loop, and gets frozen values back; nothing else crosses.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from wsgui.app.runtime import Runtime
from wsgui.engine.events import CertificateEvent, Event, StateChanged
from wsgui.engine.loops import new_event_loop
from wsgui.engine.snapshot import EngineSnapshot, ThroughputSnapshot, TunnelState
from wsgui.errors import ProfileError, WsguiError
from wsgui.gui.asking import Asking
from wsgui.gui.garbage import GarbageHere

log = logging.getLogger(__name__)
T = TypeVar("T")
MOST_EVENTS: Final = 256
"""Of those that a person may have to be told about, this many wait; the rows show the rest."""


class EngineEndedError(WsguiError):
    """The engine's thread has ended, so nothing can be asked of it any more."""

    def __init__(self) -> None:
        super().__init__("The engine has ended.", "Quit wsgui and start it again; the log says what happened.")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the engine brings: `throughput` belongs to the tunnel that was asked for, if there is one."""

    snapshot: EngineSnapshot
    throughput: ThroughputSnapshot | None
    problems: tuple[ProfileError, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked the program for over the control channel: "show" the window, or "quit"."""

    do: Literal["show", "quit"]
    grace_seconds: float = 0.0


class EngineThread:
    """Runs a Runtime on its own loop in its own thread. All methods are for the Qt loop.

    Args:
        open_runtime: Makes the Runtime; called in the engine's thread.
        asking: What the Runtime asks for passphrases by.
    """

    def __init__(self, open_runtime: Callable[[], Runtime], asking: Asking | None = None) -> None:
        self._open_runtime = open_runtime
        self.asking = asking or Asking()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._garbage = GarbageHere()
        self._ready: Future[None] = Future()
        self._ended: Future[None] = Future()
        for future in (self._ready, self._ended):
            future.set_running_or_notify_cancel()  # a cancelled waiter must not cancel what others wait for
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runtime: Runtime | None = None
        self._stopping: asyncio.Event | None = None
        self._asked: asyncio.Queue[Asked] | None = None
        self._happened: asyncio.Queue[Event] | None = None

    async def start(self) -> None:
        """Return when the profiles are loaded and the control channel is open; raises what stood in the way."""
        self._garbage.begin()
        self._thread.start()
        await asyncio.wrap_future(self._ready)

    async def call(self, ask: Callable[[Runtime], Coroutine[Any, Any, T]]) -> T:
        """Run `ask(runtime)` on the engine's loop, and return what it returns or raise what it raises.

        Cancelling this cancels that.

        Raises:
            EngineEndedError: The thread has ended.
        """
        if self._loop is None or self._runtime is None or self._ended.done():
            raise EngineEndedError
        coroutine = ask(self._runtime)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # closed between the test above and now
            coroutine.close()
            raise EngineEndedError from None
        return await asyncio.wrap_future(future)

    async def look(self, selected: str = "") -> Look:
        """One moment of the engine, with the throughput of the tunnel `selected` when there is such a one."""

        async def ask(runtime: Runtime) -> Look:
            snapshot = runtime.engine.snapshot()
            known = bool(selected) and snapshot.tunnel(selected) is not None
            throughput = runtime.engine.throughput(selected) if known else None
            return Look(snapshot, throughput, tuple(runtime.problems))

        return await self.call(ask)

    async def asked(self) -> Asked:
        """Return the next thing that is asked of the program over the control channel, when it comes."""

        async def ask(_: Runtime) -> Asked:
            assert self._asked is not None
            return await self._asked.get()

        return await self.call(ask)

    async def noteworthy(self) -> tuple[Event, ...]:
        """Return what has happened that a person may have to be told about, when something has."""

        async def ask(_: Runtime) -> tuple[Event, ...]:
            assert self._happened is not None
            events = [await self._happened.get()]
            while not self._happened.empty():
                events.append(self._happened.get_nowait())
            return tuple(events)

        return await self.call(ask)

    async def drain(self, grace_seconds: float = 0.0) -> None:
        """Stop all tunnels; clients that are left after `grace_seconds` get Close 1001. A second call hurries."""
        await self.call(lambda runtime: runtime.drain(grace_seconds))

    async def ended(self) -> None:
        """Return when the thread has ended as asked; raises what ended it otherwise."""
        await asyncio.wrap_future(self._ended)

    async def stop(self) -> None:
        """End the runtime and its thread; returns when both are gone. Safe to call more than once."""
        if not self._thread.is_alive() and not self._ended.done():
            return  # never started
        if self._loop is not None and not self._ended.done():
            try:
                self._loop.call_soon_threadsafe(self._ask_to_end)
            except RuntimeError:
                log.debug("The engine's loop was closed already")
        await asyncio.gather(asyncio.wrap_future(self._ended), return_exceptions=True)  # `ended` tells
        self._thread.join()
        self._garbage.end()

    # In the engine's thread

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # handed over to those who wait, on the other loop
            if not self._ready.done():
                self._ready.set_exception(error)
                self._ended.set_result(None)
            else:
                log.critical("The engine ended by an error", exc_info=error)
                self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _serve(self) -> None:
        self._stopping, asked = asyncio.Event(), asyncio.Queue[Asked]()
        self._asked = asked
        self._happened = happened = asyncio.Queue[Event](MOST_EVENTS)
        runtime = self._open_runtime()
        runtime.engine.events.subscribe(lambda events, _: _keep_noteworthy(happened, events))
        runtime.on_show = lambda: asked.put_nowait(Asked("show"))
        runtime.on_quit = lambda grace_seconds: asked.put_nowait(Asked("quit", grace_seconds))
        async with runtime:
            self._runtime, self._loop = runtime, asyncio.get_running_loop()
            self._ready.set_result(None)
            await self._stopping.wait()

    def _ask_to_end(self) -> None:
        assert self._stopping is not None
        self._stopping.set()


def _keep_noteworthy(happened: asyncio.Queue[Event], events: tuple[Event, ...]) -> None:
    for event in events:
        failed = isinstance(event, StateChanged) and event.state is TunnelState.FAILED
        if (failed or isinstance(event, CertificateEvent)) and not happened.full():
            happened.put_nowait(event)
