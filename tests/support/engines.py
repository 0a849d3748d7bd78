"""An engine with one tunnel, for tests that talk to it as a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from wsgui.certificates.vault import Vault
from wsgui.engine.engine import Engine
from wsgui.engine.events import Event, LogLine
from wsgui.engine.snapshot import TunnelSnapshot
from wsgui.profiles.model import Profile

NAME = "T"
E = TypeVar("E", bound=Event)


class Running:
    """A tunnel called T that runs, and all that it said."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self._heard = asyncio.Event()
        engine.events.subscribe(self._hear)

    def _hear(self, events: tuple[Event, ...], _left_out: int) -> None:
        self.events += events
        self._heard.set()

    @property
    def now(self) -> TunnelSnapshot:
        snapshot = self.engine.snapshot().tunnel(NAME)
        assert snapshot is not None
        return snapshot

    @property
    def log(self) -> list[LogLine]:
        """What was said that is no other event."""
        return [event for event in self.events if isinstance(event, LogLine)]

    @property
    def url(self) -> str:
        return self.now.websocket_url

    async def event(self, kind: type[E], matches: Callable[[E], bool] = lambda _: True) -> E:
        """Wait for the first event of that kind."""
        async with asyncio.timeout(20):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and matches(event):
                        return event
                self._heard.clear()
                await self._heard.wait()


@asynccontextmanager
async def running(*, vault: Vault | None = None, **fields: Any) -> AsyncIterator[Running]:
    """Run a tunnel on a free loopback port, with the certificates of a vault; `fields` are the profile's."""
    engine = Engine(vault=vault)
    tunnel = Running(engine)
    profile = Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0", "target": "demo:"} | fields)
    await engine.configure(profile)
    try:
        await engine.start(NAME, wait=False)
        yield tunnel
    finally:
        await engine.close()
