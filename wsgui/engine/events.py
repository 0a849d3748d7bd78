"""Discrete things that happened in an engine, handed to subscribers in bounded batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from wsgui.engine.snapshot import Reason, Refusal, TunnelState


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is Unix time; `tunnel` is the profile's name."""

    time: float
    tunnel: str


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    state: TunnelState
    reason: Reason | None
    addresses: tuple[str, ...] = ()
    """What a client can use, when `state` is RUNNING: page and WebSocket URL, or the socket's path."""


@dataclass(frozen=True, slots=True)
class ConnectionOpened(Event):
    connection: int
    client: str
    origin: str
    target: str
    secure: bool = False
    """Whether the client came over TLS."""
    identity: str = ""
    """Who it is, as in `ConnectionSnapshot`."""


@dataclass(frozen=True, slots=True)
class ConnectionClosed(Event):
    connection: int
    client: str
    to_client_bytes: int
    to_target_bytes: int
    duration_seconds: float
    code: int
    """RFC 6455 close code; 1006 when there was no Close frame."""
    reason: str


@dataclass(frozen=True, slots=True)
class ClientRefused(Event):
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class LogLine(Event):
    level: int
    """As in the logging module."""
    message: str


CertificateHappening = Literal["renewed", "ends", "ended", "not-renewed", "changed", "unusable"]


@dataclass(frozen=True, slots=True)
class CertificateEvent(Event):
    """Something happened to a certificate; `tunnel` is empty for one that is kept, whoever uses it.

    Args:
        certificate: The managed certificate's name, or the file that a profile names; through `display()`.
        happened: "renewed": there is a new one, which running tunnels take up by themselves. "not-renewed": that
            failed, and is tried again. "changed": clients that come from now on get another one than before, without a
            restart. "unusable": it cannot be used as it is now; the one of before stays in use while there is one.
            "ends": it ends soon, and nobody renews it by itself. "ended": its time is over.
        not_after: When it ends, Unix time; None where that is not known.
        message: One sentence.
        hint: What to do; empty when nothing is to be done.
    """

    certificate: str
    happened: CertificateHappening
    not_after: float | None
    message: str
    hint: str = ""


MAX_PENDING: Final = 4096
GATHER_SECONDS: Final = 0.02
"""Events are gathered so long; handing each over by itself was a fifth of a short connection's CPU."""
Subscriber = Callable[[tuple[Event, ...], int], None]


class EventHub:
    """Collects events on the engine's loop and hands each subscriber one batch for all that came within 20 ms.

    At most `MAX_PENDING` events wait; what does not fit is counted, and the count is handed over with the batch,
    so that a flood of refusals can neither fill the memory nor hold up a tunnel.
    """

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._pending: list[Event] = []
        self._left_out = 0
        self._scheduled = False

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber(events, left_out)` on the engine's loop for each batch; returns what ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber) if subscriber in self._subscribers else None

    def publish(self, event: Event) -> None:
        if not self._subscribers:
            return
        if len(self._pending) >= MAX_PENDING:
            self._left_out += 1
            return
        self._pending.append(event)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Hand over what waits, now."""
        self._scheduled = False
        events, left_out = tuple(self._pending), self._left_out
        self._pending.clear()
        self._left_out = 0
        if events:
            for subscriber in tuple(self._subscribers):
                try:
                    subscriber(events, left_out)
                except Exception as error:  # noqa: BLE001 - told to the loop; the others get their events all the same
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "handing over events failed", "exception": error}
                    )
