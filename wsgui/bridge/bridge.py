"""One tunnel's data path put together: listener, handshakes, limits, relays, and the clock that watches over them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Final, cast

from wsgui.access.visitor import Denied, Permit
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.ends import LINGER_SECONDS, STALL_SECONDS, End
from wsgui.bridge.frames import GOING_AWAY, INTERNAL_ERROR
from wsgui.bridge.handshake import Handshake
from wsgui.bridge.limits import Counts, address_key
from wsgui.bridge.listener import Listener
from wsgui.bridge.permissions import Permissions
from wsgui.bridge.readiness import readiness_of
from wsgui.bridge.relay import Relay
from wsgui.bridge.request import Request
from wsgui.bridge.settings import Observer, Rule, Settings
from wsgui.errors import TargetError

if TYPE_CHECKING:
    from wsgui.bridge.offer import Offer

TARGET_FAILED: Final = "Failed to connect to downstream server"
"""The reason of a Close, as websockify gives it."""
TICK_SECONDS: Final = 1.0
FLUSH_SECONDS: Final = 2.5
"""How long a bridge that closes waits for what is on its way; longer than an end lingers."""


EVERYBODY: Final = Permit()


class Bridge:
    """Serves one tunnel's clients on one event loop.

    `settings` may be replaced at any time and holds for the clients that come after.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, buffer: ReadBuffer, settings: Settings, observer: Observer
    ) -> None:
        self.loop = loop
        self.buffer = buffer
        self._settings = settings
        readiness_of(loop)  # made now: no client pays for it, and descriptors are counted from here
        self.relays: dict[int, Relay] = {}
        """Sessions by number, in the order in which they began."""
        self.permissions = Permissions(loop, self.relays)
        self.offer: Offer | None = None
        """What another device may download, until the listener goes."""
        self._observer = observer
        self._listener: Listener | None = None
        self._handshakes: dict[Handshake, None] = {}
        self._handshake_counts = Counts()
        self._counts = Counts()
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._answer_counts = Counts()
        self._undecided: dict[asyncio.Task[None], str] = {}
        self._lingering: dict[End, tuple[int, float]] = {}
        self._sent_away: dict[End, None] = {}
        self._number = 0
        self._accepted = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._quiet: asyncio.Future[None] | None = None

    # Settings

    @property
    def settings(self) -> Settings:
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        old, self._settings = self._settings, settings
        if old.admission is not None and old.admission is not settings.admission:
            self.permissions.retire(old.admission)
        self.permissions.review(settings)

    # Listening

    def listen(self, listener: Listener | None) -> None:
        """Accept from `listener` and no longer from the one before; sessions are not touched."""
        if self._listener is not None and self._listener is not listener:
            self._listener.close()
        self._listener = listener
        self.offer = None  # its addresses were the old one's
        if listener is None:
            for handshake in tuple(self._handshakes):
                if handshake.is_idle:
                    handshake.close()

    @property
    def listener(self) -> Listener | None:
        return self._listener

    def accepted(self, sock: socket.socket, host: str, client_name: str) -> None:
        """Take a client that was just accepted."""
        limits = self.settings.limits
        key = address_key(host)
        if key and 0 < limits.handshakes_per_address <= self._handshake_counts[key]:
            sock.close()
            self._observer.refused(
                client_name,
                "",
                0,
                f"More than {limits.handshakes_per_address} clients of one address were connecting at once.",
                "Raise [limits] handshakes_per_address if they are yours.",
                "limit",
            )
            return
        most = max(limits.connections, limits.handshakes_per_address)
        if limits.connections > 0 and self._handshake_counts.total >= most:
            # A flood of clients that say nothing, or do not go when they are answered, may not keep out those that
            # do: the one that waited longest goes.
            if self._sent_away:
                next(iter(self._sent_away)).close()
            else:
                next(iter(self._handshakes)).close()
        self._accepted += 1
        handshake = Handshake(self, host, key, client_name, self._accepted)
        self._handshakes[handshake] = None
        self._handshake_counts.add(key)
        handshake.begin(sock)
        self._watch()

    def _watch(self) -> None:
        if self._ticking is None:
            self._ticking = self.loop.call_later(TICK_SECONDS, self._tick)

    # What handshakes report

    def full(self, key: str, *, upgrade: bool = True) -> tuple[int, str, str] | None:
        """Return status, message and hint when one more client of this address is too many.

        Plain requests are counted by themselves, or whoever only asks for files could keep everybody from connecting.
        Where one is too many, the oldest goes of which it is not decided yet whether it gets what it asks for.
        """
        limits, counts = self.settings.limits, self._counts if upgrade else self._answer_counts
        if self.settings.once and self._number:
            return 503, "This serves one connection, and has had it.", "Start it again, or without --run-once."
        if 0 < limits.connections <= counts.total and (upgrade or not self._give_up_oldest()):
            return (
                503,
                f"This tunnel has its {limits.connections} connections.",
                "Try again later, or raise [limits] connections.",
            )
        if key and 0 < limits.per_address <= counts[key] and (upgrade or not self._give_up_oldest(key)):
            return (
                429,
                f"Your address has its {limits.per_address} connections to this tunnel.",
                "Close some, or raise [limits] per_address.",
            )
        return None

    def _give_up_oldest(self, key: str | None = None) -> bool:
        """Give up a plain request that is not decided on, of this address or any; return whether there was one."""
        oldest = next((task for task, of in self._undecided.items() if key in (None, of)), None)
        if oldest is not None:
            del self._undecided[oldest]
            oldest.cancel()
        return oldest is not None

    def decided(self) -> None:
        """The plain request that this task is about gets an answer now."""
        self._undecided.pop(cast("asyncio.Task[None]", asyncio.current_task()), None)

    def handshake_over(self, handshake: Handshake) -> None:
        """The handshake has led to something; safe to say twice."""
        if handshake in self._handshakes:
            del self._handshakes[handshake]
            self._handshake_counts.remove(handshake.limit_key)
            self._check_quiet()

    def refused(self, handshake: Handshake, origin: str, status: int, message: str, hint: str, rule: Rule) -> None:
        """A client was turned away; its answer is on its way."""
        self.handshake_over(handshake)
        self._observer.refused(handshake.client_name, origin, status, message, hint, rule)

    def waits_again(self, handshake: Handshake) -> None:
        """A client that was answered keeps its connection for another request."""
        self._handshakes[handshake] = None
        self._handshake_counts.add(handshake.limit_key)
        self._watch()

    def denied(self, handshake: Handshake, denied: Denied, origin: str = "") -> None:
        """A client was denied, or asked for its password; the answer is on its way."""
        if not denied.is_question:
            self._observer.refused(
                handshake.client_name, origin, denied.status, denied.message, denied.hint, denied.rule
            )

    def answered(self, handshake: Handshake, request: Request, status: int) -> None:
        """A plain request has got its answer."""
        if self.settings.log_requests:
            path = request.target.partition(b"?")[0].decode("latin-1")
            if "://" in path:  # who asks as of a proxy may have written a password there
                path = "/" + path.partition("://")[2].partition("/")[2]
            self._observer.answered(handshake.client_name, request.method, path, status)

    def answering(self, handshake: Handshake, answer: Coroutine[None, None, None]) -> None:
        """Let a plain request be answered; it counts among those meanwhile."""
        self.handshake_over(handshake)
        key = handshake.limit_key
        self._answer_counts.add(key)
        task = self.loop.create_task(answer)
        self._answers.add(task)
        self._undecided[task] = key

        def done(task: asyncio.Task[None]) -> None:
            self._answers.discard(task)
            self._undecided.pop(task, None)
            self._answer_counts.remove(key)
            if task.cancelled():
                handshake.close()  # it may not even have begun
            elif (error := task.exception()) is not None:
                self.loop.call_exception_handler({"message": "answering a request failed", "exception": error})
            self._check_quiet()

        task.add_done_callback(done)

    def upgraded(
        self,
        handshake: Handshake,
        client: End,
        response: bytes,
        origin: str,
        early: bytes,
        permit: Permit = EVERYBODY,
    ) -> None:
        """Let a client in: answer at once, then connect to the target (as websockify does)."""
        self.handshake_over(handshake)
        self._number += 1
        settings = self._settings
        connector = settings.connector
        if permit.target is not None and settings.connector_to is not None:
            connector = settings.connector_to(permit.target, permit.from_outside)
        assert connector is not None
        relay = Relay(
            number=self._number,
            client=client,
            buffer=self.buffer,
            client_name=handshake.client_name,
            origin=origin,
            target_name=str(connector.address),
            secure=handshake.secure,
            limit_key=handshake.limit_key,
            on_ended=self._ended,
            identity=permit.identity,
            grants=permit.grants,
            tap=settings.taps(handshake.number) if settings.taps is not None else None,
        )
        self.relays[relay.number] = relay
        self._counts.add(relay.limit_key)
        client.send(response)
        self._observer.opened(relay)

        def connected(target: End) -> None:
            self._connecting.pop(relay.number, None)
            self._observer.target_problem(None)
            relay.begin(target, early)

        def failed(error: TargetError) -> None:
            self._connecting.pop(relay.number, None)
            self._observer.target_problem(error)
            relay.end(INTERNAL_ERROR, TARGET_FAILED)

        def done(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.loop.call_exception_handler({"message": "connecting to the target failed", "exception": error})
                relay.end(INTERNAL_ERROR, TARGET_FAILED)

        task = connector.connect(connected, failed)
        if task is not None:
            client.pause()
            self._connecting[relay.number] = task
            task.add_done_callback(done)

    def _ended(self, relay: Relay) -> None:
        task = self._connecting.pop(relay.number, None)
        if task is not None:
            task.cancel()
        del self.relays[relay.number]
        self._observer.closed(relay)
        self._linger(relay.client, self._counts, relay.limit_key, peer_is_done=relay.client_is_done)
        if relay.target is not None:
            self._linger(relay.target)
        self._check_quiet()

    def sent_away(self, handshake: Handshake, end: End) -> None:
        """A client has its answer and no session; until it is gone it counts among the handshakes."""
        self._handshake_counts.add(handshake.limit_key)
        self._sent_away[end] = None
        self._linger(end, self._handshake_counts, handshake.limit_key)

    def _linger(self, end: End, counts: Counts | None = None, counted: str = "", *, peer_is_done: bool = False) -> None:
        """Let an end flush and close; `counted` is the key that is given back to `counts` once it has."""

        def closed() -> None:
            self._lingering.pop(end, None)
            self._sent_away.pop(end, None)
            if counts is not None:
                counts.remove(counted)
            self._check_quiet()

        self._lingering[end] = (end.pending, time.monotonic())
        end.linger(closed, peer_is_done=peer_is_done)

    # The clock

    def _tick(self) -> None:
        now = time.monotonic()
        limits = self.settings.limits
        for handshake in tuple(self._handshakes):
            if handshake.deadline <= now:
                handshake.expire()
        for relay in tuple(self.relays.values()):
            relay.tick(now, heartbeat_seconds=limits.heartbeat_seconds, idle_seconds=limits.idle_seconds)
        for end, (pending, since) in tuple(self._lingering.items()):
            if end.pending != pending:
                self._lingering[end] = (end.pending, now)
            elif now - since > (STALL_SECONDS if pending else LINGER_SECONDS):
                end.close()
        if self.relays:
            self.permissions.review_if_due(now, self.settings)
        busy = self.relays or self._handshakes or self._lingering
        self._ticking = self.loop.call_later(TICK_SECONDS, self._tick) if busy else None

    # Ending

    async def drain(self, grace_seconds: float) -> None:
        """Wait until the last session has ended by itself, or for `grace_seconds`; accept nobody meanwhile."""
        self.listen(None)
        deadline = self.loop.time() + grace_seconds
        while (self.relays or self._answers) and (left := deadline - self.loop.time()) > 0:
            await self._wait_quiet(left)

    async def close(self, reason: str) -> None:
        """Stop: handshakes are dropped, sessions closed with 1001, and what is on its way is flushed if it can be."""
        self.listen(None)
        for handshake in tuple(self._handshakes):
            handshake.close()
        for task in tuple(self._answers):
            task.cancel()
        for relay in tuple(self.relays.values()):
            relay.end(GOING_AWAY, reason)
        deadline = self.loop.time() + FLUSH_SECONDS
        while (self._lingering or self._answers) and (left := deadline - self.loop.time()) > 0:
            await self._wait_quiet(left)
        for end in tuple(self._lingering):
            end.close()
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        await self.permissions.close(self._settings.admission)

    async def _wait_quiet(self, seconds: float) -> None:
        quiet = self._quiet = self.loop.create_future()
        try:
            await asyncio.wait((quiet,), timeout=seconds)
        finally:
            if self._quiet is quiet:  # A cancelled drain leaves only now, when close() may wait already.
                self._quiet = None

    def _check_quiet(self) -> None:
        if self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)
