"""What lets clients in, kept open while it is asked; and sessions that end when it has been taken back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from wsgui.access.admission import Admission
from wsgui.bridge.frames import POLICY_VIOLATION
from wsgui.bridge.relay import Relay
from wsgui.bridge.settings import Settings

REVIEW_SECONDS: Final = 5.0
"""How often it is asked whether what sessions rest on still holds."""
NOTHING_ASKED: Final = Admission((), None, deadline_seconds=1.0)
"""What says which sessions were let in by something that no longer counts."""


class Permissions:
    """Keeps the admissions of one bridge, the retired ones included, and the tasks that ask them.

    Args:
        loop: The engine's loop.
        relays: The bridge's sessions, by number.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, relays: Mapping[int, Relay]) -> None:
        self._loop = loop
        self._relays = relays
        self._users: dict[Admission, int] = {}
        self._retired: set[Admission] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reviewing: asyncio.Task[None] | None = None
        self._next_review = 0.0

    @contextmanager
    def in_use(self, admission: Admission) -> Iterator[None]:
        """Keep an admission open while it is asked, also when other settings have come meanwhile."""
        self._users[admission] = self._users.get(admission, 0) + 1
        try:
            yield
        finally:
            self._users[admission] -= 1
            if not self._users[admission]:
                del self._users[admission]
                if admission in self._retired:
                    self._retired.discard(admission)
                    self.spawn(admission.close())

    def retire(self, admission: Admission) -> None:
        """Close an admission that counts no more, once nobody uses it."""
        if admission in self._users:
            self._retired.add(admission)
        else:
            self.spawn(admission.close())

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do in a task what `close` is to wait for; a fault in it is told to the loop."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "deciding who may come in failed", "exception": error})

    def review(self, settings: Settings) -> None:
        """See to it that sessions end whose user, token or certificate has been taken back."""
        self._next_review = time.monotonic() + REVIEW_SECONDS
        if self._reviewing is not None:
            self._reviewing.cancel()  # what it would find out is no longer asked
            self._reviewing = None
        if settings.withdraws and any(relay.grants for relay in self._relays.values()):
            self._reviewing = self.spawn(self._end_withdrawn(settings.admission or NOTHING_ASKED))

    def review_if_due(self, now: float, settings: Settings) -> None:
        """The same, unless it was done a moment ago or goes on; `now` as `time.monotonic` has it."""
        if now >= self._next_review and (self._reviewing is None or self._reviewing.done()):
            self.review(settings)

    async def _end_withdrawn(self, admission: Admission) -> None:
        grants = {grant for relay in self._relays.values() for grant in relay.grants}
        with self.in_use(admission):
            withdrawn = await admission.withdrawn(grants)
        for relay in tuple(self._relays.values()):
            if not withdrawn.isdisjoint(relay.grants) or admission.asks_for_others(relay.grants):
                relay.end(POLICY_VIOLATION, "What let you in has been taken back")

    async def close(self, admission: Admission | None) -> None:
        """Retire the last admission, and wait until every one is closed; whoever asks one was cancelled before."""
        if self._reviewing is not None:
            self._reviewing.cancel()
        if admission is not None:
            self.retire(admission)
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
