"""What has happened on a tunnel since it started: sessions, bytes, refusals, the target's last problem; and says so."""

from __future__ import annotations

import asyncio
import logging
import time

from wsgui.bridge.bridge import Bridge
from wsgui.bridge.relay import Relay
from wsgui.bridge.settings import Rule
from wsgui.bridge.targets import NameNotFoundError
from wsgui.display import display
from wsgui.engine.events import ClientRefused, ConnectionClosed, ConnectionOpened, EventHub, LogLine
from wsgui.engine.snapshot import Reason, ReasonKind, Refusal, ThroughputSnapshot
from wsgui.engine.throughput import STEP_SECONDS, Throughput
from wsgui.errors import TargetError


class Activity:
    """A bridge's observer: counts, remembers the latest of what a person asks for, and publishes events.

    Args:
        name: The tunnel's.
        events: Where it says what happens.
    """

    def __init__(self, name: str, events: EventHub) -> None:
        self.served = 0
        self.refusals = 0
        self.refusal: Refusal | None = None
        self.target_reason: Reason | None = None
        self._name = name
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._bridge: Bridge | None = None
        self._closed_bytes = (0, 0)
        self._protocol = ""
        self._throughput = Throughput(time.monotonic())
        self._sampling: asyncio.TimerHandle | None = None

    def watch(self, bridge: Bridge) -> None:
        """Count what goes through `bridge`."""
        self._bridge = bridge

    def stop(self) -> None:
        """The tunnel has stopped: what was counted stays to be seen, what holds for now is forgotten."""
        self._throughput.sample(time.monotonic(), *self.totals())
        if self._sampling is not None:
            self._sampling.cancel()
            self._sampling = None
        self.target_reason = None

    # bridge.Observer

    def opened(self, relay: Relay) -> None:
        self.served += 1
        self._events.publish(
            ConnectionOpened(
                relay.since,
                self._name,
                relay.number,
                relay.client_name,
                relay.origin,
                relay.target_name,
                relay.secure,
                relay.identity,
            )
        )
        if self._sampling is None:
            # Nothing went through since the last sample, so that what comes now may not be spread over that time.
            self._throughput.sample(time.monotonic(), *self.totals())
            self._sampling = self._loop.call_later(STEP_SECONDS, self._sample)

    def closed(self, relay: Relay) -> None:
        down, up = self._closed_bytes
        self._closed_bytes = (down + relay.to_client_bytes, up + relay.to_target_bytes)
        self._protocol = relay.protocol or self._protocol
        self._events.publish(
            ConnectionClosed(
                time.time(),
                self._name,
                relay.number,
                relay.client_name,
                relay.to_client_bytes,
                relay.to_target_bytes,
                time.monotonic() - relay.started,
                relay.code,
                relay.reason,
            )
        )

    def refused(self, client: str, origin: str, status: int, message: str, hint: str, rule: Rule) -> None:
        self.refusals += 1
        self.refusal = Refusal(time.time(), client, origin, status, message, hint, rule)
        self._events.publish(ClientRefused(self.refusal.time, self._name, self.refusal))

    def answered(self, client: str, method: str, path: str, status: int) -> None:
        """Write it as web servers do, in the Common Log Format."""
        host = client.rpartition(":")[0].strip("[]") or client
        when = time.strftime("%d/%b/%Y %H:%M:%S")
        self.log(logging.DEBUG, f'{host} - - [{when}] "{method} {display(path, limit=1024)} HTTP/1.1" {status} -')

    def target_problem(self, problem: TargetError | None) -> None:
        if problem is None:
            self.target_reason = None
            return
        kind = ReasonKind.NAME_NOT_FOUND if isinstance(problem, NameNotFoundError) else ReasonKind.TARGET
        self.target_reason = Reason(kind, problem.message, problem.hint, "target")
        self.log(logging.WARNING, str(problem))

    def starved(self) -> None:
        self.log(
            logging.ERROR,
            "No more clients can be accepted: the process has run out of file descriptors. "
            "Raise its limit (ulimit -n, LimitNOFILE=), or lower [limits] connections.",
        )

    def log(self, level: int, message: str) -> None:
        """Say something that is no other event; `level` as in the logging module."""
        self._events.publish(LogLine(time.time(), self._name, level, message))

    # What others may know

    def totals(self) -> tuple[int, int]:
        """Return bytes to clients and to the target since the start, living sessions included."""
        down, up = self._closed_bytes
        if self._bridge is not None:
            for relay in self._bridge.relays.values():
                down += relay.to_client_bytes
                up += relay.to_target_bytes
        return down, up

    def protocol(self) -> str:
        """Return what is, or was last, spoken; empty when it was not recognised."""
        if self._bridge is not None:
            living = (relay.protocol for relay in reversed(self._bridge.relays.values()))
            self._protocol = next(filter(None, living), self._protocol)
        return self._protocol

    def rates(self) -> tuple[float, float]:
        """Return bytes a second to clients and to the target, over the last second."""
        self._throughput.sample(time.monotonic(), *self.totals())
        return self._throughput.rates()

    def sparkline(self, seconds: int) -> tuple[float, ...]:
        """Return bytes a second, both ways together, for each of the last `seconds`, oldest first."""
        return self._throughput.seconds(seconds)

    def throughput(self) -> ThroughputSnapshot:
        """Return the last 90 s in steps of 100 ms."""
        self._throughput.sample(time.monotonic(), *self.totals())
        to_client, to_target = self._throughput.series()
        return ThroughputSnapshot(time.time(), STEP_SECONDS, to_client, to_target)

    def _sample(self) -> None:
        self._throughput.sample(time.monotonic(), *self.totals())
        living = self._bridge is not None and self._bridge.relays
        self._sampling = self._loop.call_later(STEP_SECONDS, self._sample) if living else None
