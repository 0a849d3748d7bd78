"""One session: a client's WebSocket and the target's bytes, relayed both ways with back-pressure and counted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from wsgui.access.visitor import Grant
from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.ends import End
from wsgui.bridge.frames import (
    ABNORMAL_CLOSURE,
    CLOSE,
    INTERNAL_ERROR,
    NO_STATUS_RECEIVED,
    NORMAL_CLOSURE,
    PING,
    PONG,
    FrameDecoder,
    close_frame,
    control_frame,
    write_header,
)
from wsgui.recording.protocols import guess
from wsgui.recording.tap import Tap

HEAD_BYTES: Final = 64
"""As many first bytes each way are kept to recognise the protocol."""

FIRST_PING_SECONDS: Final = 0.5
"""The first round trip is measured soon, so that a person who looks sees a figure."""

PONGS_AT_ONCE: Final = 32

PROBE_SECONDS: Final = 5.0
"""A silent session's ends are looked at so often, see `End.probe`."""

# The sessions of one tunnel begin alike, and every snapshot asks.
_guess = lru_cache(maxsize=256)(guess)


class Relay:
    """The life of one WebSocket after its upgrade was answered.

    No task, future or copy a frame: the ends call `_from_client` and `_from_target` for each read, and what cannot
    be sent at once stops the reading of the other side.

    Args:
        number: The connection's number within its tunnel, from 1.
        client: The end towards the client, not reading yet.
        buffer: The loop's read buffer.
        client_name: For people, `192.0.2.1:50312`.
        origin: The Origin header, made safe to show; empty if there was none.
        target_name: For people, `office:5901`.
        secure: Whether the client came over TLS.
        on_ended: Called once with this relay when the session is over; the ends may still be flushing.
        identity: Who the client is, for people; empty when that was not asked.
        grants: What the session rests on.
        tap: What sees the session's bytes; None without one, and then it costs nothing.
    """

    __slots__ = (
        "_awaiting_pong",
        "_buffer",
        "_client",
        "_client_head",
        "_data",
        "_decoder",
        "_delivered",
        "_heard",
        "_idle_since",
        "_moved",
        "_next_ping",
        "_next_probe",
        "_on_ended",
        "_ping_payload",
        "_ping_time",
        "_pong_due",
        "_rated_at",
        "_rated_to_client",
        "_rated_to_target",
        "_tap",
        "_target",
        "_target_head",
        "_view",
        "client_is_done",
        "client_name",
        "code",
        "ended",
        "grants",
        "identity",
        "limit_key",
        "number",
        "origin",
        "reason",
        "round_trip_seconds",
        "secure",
        "since",
        "started",
        "target_name",
        "to_client_bytes",
        "to_client_rate",
        "to_target_bytes",
        "to_target_rate",
    )

    def __init__(
        self,
        *,
        number: int,
        client: End,
        buffer: ReadBuffer,
        client_name: str,
        origin: str,
        target_name: str,
        secure: bool,
        limit_key: str,
        on_ended: Callable[[Relay], None],
        identity: str = "",
        grants: tuple[Grant, ...] = (),
        tap: Tap | None = None,
    ) -> None:
        now = time.monotonic()
        self.number = number
        self.client_name = client_name
        self.origin = origin
        self.target_name = target_name
        self.secure = secure
        self.limit_key = limit_key
        self.identity = identity
        self.grants = grants
        self._tap = tap
        self.since = time.time()
        self.started = now
        self.to_client_bytes = 0
        self.to_target_bytes = 0
        self.to_client_rate = 0.0
        self.to_target_rate = 0.0
        self.round_trip_seconds: float | None = None
        self.client_is_done = False
        self.ended = False
        self.code = 0
        self.reason = ""
        self._client = client
        self._target: End | None = None
        self._buffer = buffer
        self._data = buffer.data
        self._view = buffer.view
        self._decoder = FrameDecoder()
        self._on_ended = on_ended
        self._client_head = b""
        self._target_head = b""
        self._pong_due: bytes | None = None
        self._heard = False
        self._awaiting_pong = False
        self._ping_payload = b""
        self._ping_time = 0.0
        self._next_ping = now + FIRST_PING_SECONDS
        self._next_probe = now + PROBE_SECONDS
        self._delivered = 0
        self._moved = 0
        self._idle_since = now
        self._rated_at = now
        self._rated_to_client = 0
        self._rated_to_target = 0
        client.on_end = self._client_ended
        client.on_drained = self._client_drained

    @property
    def client(self) -> End:
        return self._client

    @property
    def target(self) -> End | None:
        return self._target

    @property
    def protocol(self) -> str:
        """What is spoken, as recognised from the first bytes each way; empty when it is not."""
        return _guess(self._target_head, self._client_head)

    def begin(self, target: End, early: bytes = b"") -> None:
        """Relay, now that the target is connected.

        Args:
            target: Its end, not reading yet.
            early: What the client sent behind its request's head.
        """
        if self.ended:
            target.close()
            return
        self._target = target
        target.on_data = self._first_from_target
        target.on_end = self._target_ended
        target.on_drained = self._target_drained
        self._client.on_data = self._first_from_client
        if not self._client.pending:
            target.resume()
        self._client.resume()
        for start in range(0, len(early), self._buffer.size):
            piece = early[start : start + self._buffer.size]
            self._data[START : START + len(piece)] = piece
            self._client.on_data(START + len(piece))

    # The data path: one call a read.

    def _from_target(self, end: int) -> None:
        length = end - START
        self.to_client_bytes += length
        if not self._client.send(self._view[write_header(self._data, length) : end]) and self._target is not None:
            self._target.pause()

    def _from_client(self, end: int) -> None:
        decoder = self._decoder
        behind = decoder.decode(self._data, self._view, end)
        self._heard = True
        if behind > START:
            self.to_target_bytes += behind - START
            if not self._target.send(self._view[START:behind]):  # type: ignore[union-attr]  # set before reading begins
                self._client.pause()
        if decoder.eventful:
            self._control_frames()

    # The same with somebody who sees it.

    def _tapped_from_target(self, end: int) -> None:
        length = end - START
        self.to_client_bytes += length
        whole = self._client.send(self._view[write_header(self._data, length) : end])
        if self._tap is not None:
            self._tap.from_target(self._view[START:end], whole=whole)
        if not whole and self._target is not None:
            self._target.pause()

    def _tapped_from_client(self, end: int) -> None:
        decoder = self._decoder
        behind = decoder.decode(self._data, self._view, end)
        self._heard = True
        if behind > START:
            self.to_target_bytes += behind - START
            whole = self._target.send(self._view[START:behind])  # type: ignore[union-attr]  # as above
            if self._tap is not None:
                self._tap.from_client(self._view[START:behind], whole=whole)
            if not whole:
                self._client.pause()
        if decoder.eventful:
            self._control_frames()

    def _client_drained(self) -> None:
        if self._tap is not None:
            self._tap.drained(to_client=True)
        if self._pong_due is not None:
            payload, self._pong_due = self._pong_due, None
            if not self._client.send(control_frame(PONG, payload)):
                return
        if self._target is not None:
            self._target.resume()

    def _target_drained(self) -> None:
        if self._tap is not None:
            self._tap.drained(to_client=False)
        self._client.resume()

    # The first read each way, looked at to recognise the protocol.

    def _first_from_target(self, end: int) -> None:
        self._target_head += bytes(self._view[START : min(end, START + HEAD_BYTES - len(self._target_head))])
        if self._target is not None and len(self._target_head) >= HEAD_BYTES:
            self._target.on_data = self._from_target if self._tap is None else self._tapped_from_target
        (self._from_target if self._tap is None else self._tapped_from_target)(end)

    def _first_from_client(self, end: int) -> None:
        before = self.to_target_bytes
        (self._from_client if self._tap is None else self._tapped_from_client)(end)
        count = min(self.to_target_bytes - before, HEAD_BYTES - len(self._client_head))
        # The payload was only read by the send, so it still lies where it was decoded to.
        self._client_head += bytes(self._view[START : START + count])
        if not self.ended and len(self._client_head) >= HEAD_BYTES:
            self._client.on_data = self._from_client if self._tap is None else self._tapped_from_client

    # Control frames and endings.

    def _control_frames(self) -> None:
        decoder = self._decoder
        decoder.eventful = False
        pings: list[bytes] = []
        for opcode, payload in decoder.controls:
            if opcode == PING:
                pings.append(payload)
            elif self._awaiting_pong and payload == self._ping_payload:
                self._awaiting_pong = False
                self.round_trip_seconds = time.monotonic() - self._ping_time
        decoder.controls.clear()
        if pings:
            # A read may hold 170,000 pings: the latest of them are answered, in one send, and while the client does
            # not read only the very last (RFC 6455, section 5.5.3, allows that).
            if self._client.pending:
                self._pong_due = pings[-1]
            else:
                self._client.send(b"".join(control_frame(PONG, ping) for ping in pings[-PONGS_AT_ONCE:]))
        if decoder.failure is not None:
            self.end(decoder.failure.code, decoder.failure.reason)
        elif decoder.closed is not None:
            code, reason = decoder.closed.code, decoder.closed.reason
            # The reason goes back too: a page's own is what its CloseEvent then has, as with websockify.
            self._client.send(control_frame(CLOSE) if code == NO_STATUS_RECEIVED else close_frame(code, reason))
            self.client_is_done = True
            self._over(code, reason or "Client closed")

    def _target_ended(self, error: OSError | None) -> None:
        if self._target is not None and (error is not None or not self._target.pending):
            self._target.close()  # else it only says no more, and may well read what is on its way to it
        if error is None:
            farewell = self._target.farewell if self._target is not None else ""
            self.end(NORMAL_CLOSURE, farewell or "Target closed")
        else:
            self.end(INTERNAL_ERROR, "The target broke the connection off")

    def _client_ended(self, error: OSError | None) -> None:
        self._client.close()
        self._over(ABNORMAL_CLOSURE, "Client went away" if error is None else "Client broke the connection off")

    def end(self, code: int, reason: str) -> None:
        """End the session: what is on its way is delivered both ways, then a Close frame goes to the client.

        Args:
            code: RFC 6455, section 7.4.
            reason: For the client and the log; cut to what a Close frame takes.
        """
        if not self.ended:
            self._client.send(close_frame(code, reason))
            self._over(code, reason)

    def _over(self, code: int, reason: str) -> None:
        if not self.ended:
            self.ended = True
            self.code = code
            self.reason = reason
            self._pong_due = None
            if self._tap is not None:
                self._tap.close()
                self._tap = None
            self._on_ended(self)

    # Once a second, from the tunnel's clock.

    def tick(self, now: float, *, heartbeat_seconds: float, idle_seconds: float) -> None:
        """Measure rates, ping, and end a session whose client is gone or that is idle.

        Args:
            now: `time.monotonic()`.
            heartbeat_seconds: A ping is sent so often; a client that neither answers the one before nor takes any
                bytes meanwhile is gone. 0 = no pings.
            idle_seconds: A session without a byte for so long is ended. 0 = never.
        """
        elapsed = now - self._rated_at
        if elapsed > 0:
            self.to_client_rate = (self.to_client_bytes - self._rated_to_client) / elapsed
            self.to_target_rate = (self.to_target_bytes - self._rated_to_target) / elapsed
            self._rated_at = now
            self._rated_to_client = self.to_client_bytes
            self._rated_to_target = self.to_target_bytes
        moved = self.to_client_bytes + self.to_target_bytes
        if moved != self._moved:
            self._moved = moved
            self._idle_since = now
        elif idle_seconds and now - self._idle_since >= idle_seconds:
            self.end(NORMAL_CLOSURE, f"No traffic for {idle_seconds:g} s")
            return
        elif now >= self._next_probe:
            self._next_probe = now + PROBE_SECONDS
            self._client.probe(even_paused=True)  # the target may be what stands still
            if self._target is not None and not self.ended:
                self._target.probe()
            if self.ended:
                return
        if heartbeat_seconds and now >= self._next_ping:
            self._heartbeat(now, heartbeat_seconds)

    def _heartbeat(self, now: float, heartbeat_seconds: float) -> None:
        pending = self._client.pending
        delivered = self.to_client_bytes - pending
        if (self._awaiting_pong or pending) and not self._heard and delivered == self._delivered and self._ping_time:
            self._client.close()
            self._over(ABNORMAL_CLOSURE, f"Client did not answer for {heartbeat_seconds:g} s")
            return
        self._heard = False
        self._delivered = delivered
        self._next_ping = now + heartbeat_seconds
        self._ping_time = now
        self._awaiting_pong = not pending  # behind pending bytes a ping would measure the client's slowness
        if not pending:
            self._ping_payload = secrets.token_bytes(4)
            self._client.send(control_frame(PING, self._ping_payload))
