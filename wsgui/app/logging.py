"""The log: one line for each thing that happened, as text for people or JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

from wsgui.app.background_writer import BackgroundWriter, TextStream
from wsgui.display import display
from wsgui.engine.events import (
    CertificateEvent,
    CertificateHappening,
    ClientRefused,
    ConnectionClosed,
    ConnectionOpened,
    Event,
    LogLine,
    StateChanged,
)
from wsgui.engine.snapshot import Reason, TunnelState
from wsgui.units import duration, size

LogFormat = Literal["text", "json"]
LOG_FORMATS: Final[tuple[LogFormat, ...]] = ("text", "json")
LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_LONGEST_MESSAGE: Final = 2048
_CERTIFICATE_LEVELS: Final[Mapping[CertificateHappening, int]] = {
    "renewed": logging.INFO,
    "changed": logging.INFO,
    "ends": logging.WARNING,
    "ended": logging.ERROR,
    "not-renewed": logging.ERROR,
    "unusable": logging.ERROR,
}
_STATE_LEVELS: Final = {TunnelState.WAITING: logging.WARNING, TunnelState.FAILED: logging.ERROR}


class LogSink(Protocol):
    """A further place that gets every line, such as syslog."""

    def put(self, moment: float, level: int, message: str) -> None:
        """Take one line; from any thread, and without waiting for anything.

        Args:
            moment: Unix time in seconds.
            level: As in the logging module.
            message: The line without its time and level; nothing in it can steer a terminal or break the line.
        """

    def close(self) -> None:
        """Write what waits, but not for long."""


class EventLog:
    """Turns an engine's events, and the log records of the program, into lines.

    Subscribe it to an EventHub (``hub.subscribe(log)``); `close` it at the end, so that the last lines get out.

    Args:
        log_format: ``text`` or ``json``; the JSON names of events and fields are stable.
        level: The least level that is written, as in the logging module.
        stream: Where to; stderr unless given.
        sinks: Where to beside that; they are closed with the log.
    """

    def __init__(
        self,
        log_format: LogFormat = "text",
        level: int = logging.INFO,
        stream: TextStream | None = None,
        sinks: Sequence[LogSink] = (),
    ) -> None:
        self._json = log_format == "json"
        self._level = level
        self._writer = BackgroundWriter(sys.stderr if stream is None else stream, self._left_out_line)
        self._sinks = tuple(sinks)
        self._handler = _RecordHandler(self)
        self._handler.setLevel(level)
        self._levels_before: tuple[int, int] | None = None

    def install(self) -> None:
        """Take over what the program and its libraries log."""
        root, own = logging.getLogger(), logging.getLogger("wsgui")
        self._levels_before = (root.level, own.level)
        root.addHandler(self._handler)
        root.setLevel(max(self._level, logging.WARNING))
        own.setLevel(self._level)

    def close(self) -> None:
        """Write what waits (for two seconds at most) and give the program's logging back."""
        root, own = logging.getLogger(), logging.getLogger("wsgui")
        root.removeHandler(self._handler)
        if self._levels_before is not None:
            root.setLevel(self._levels_before[0])
            own.setLevel(self._levels_before[1])
        self._writer.close()
        for sink in self._sinks:
            sink.close()

    def __call__(self, events: tuple[Event, ...], left_out: int) -> None:
        """Write a batch from an EventHub."""
        lines = []
        for event in events:
            level = level_of(event)
            if level >= self._level:
                name, message, fields = describe(event)
                lines.append(self._line(event.time, level, name, event.tunnel, message, fields))
                if self._sinks:
                    self._to_sinks(event.time, level, event.tunnel, message)
        if left_out:
            lines.append(self._left_out_line(left_out))
            self._to_sinks(time.time(), logging.WARNING, "", _left_out(left_out))
        if lines:
            self._writer.put("\n".join(lines), len(lines))

    def write(self, moment: float, level: int, name: str, tunnel: str, message: str, fields: Mapping[str, Any]) -> None:
        """Write one line; `moment` is Unix time, `name` the stable event name."""
        self._writer.put(self._line(moment, level, name, tunnel, message, fields))
        self._to_sinks(moment, level, tunnel, message)

    def _to_sinks(self, moment: float, level: int, tunnel: str, message: str) -> None:
        for sink in self._sinks:
            sink.put(moment, level, _plain(tunnel, message))

    def _left_out_line(self, count: int) -> str:
        return self._line(time.time(), logging.WARNING, "log.left-out", "", _left_out(count), {"lines": count})

    def _line(self, moment: float, level: int, name: str, tunnel: str, message: str, fields: Mapping[str, Any]) -> str:
        word = _word(level)
        if not self._json:
            before, after = _second(int(moment))
            when = f"{before}.{int(moment * 1000) % 1000:03d}{after}"
            return f"{when} {word:<7} {_plain(tunnel, message)}"
        when = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: dict[str, Any] = {"time": when, "level": word, "event": name}
        if tunnel:
            entry["tunnel"] = display(tunnel)
        for key, value in fields.items():
            entry[key] = display(value, limit=_LONGEST_MESSAGE) if isinstance(value, str) else value
        entry["message"] = display(message, limit=_LONGEST_MESSAGE)
        return json.dumps(entry)


class _RecordHandler(logging.Handler):
    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if _is_told_elsewhere(record):
                return
            message = record.getMessage()
            fields: dict[str, Any] = {"logger": record.name}
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, BaseException):
                # The program's own fault: the trace is what a report needs, but on one line.
                fields["trace"] = logging.Formatter().formatException((type(error), error, error.__traceback__))
                message = f"{message} ({fields['trace'] if record.levelno >= logging.ERROR else error})"
            elif error is not None:  # some raise a class where an exception is due, which has no trace
                message = f"{message} ({error!r})"
        except Exception:  # noqa: BLE001 - what a record's own text raises goes where logging sends it
            self.handleError(record)
        else:
            self._log.write(record.created, record.levelno, "log", "", message, fields)


def _plain(tunnel: str, message: str) -> str:
    whose = f"{display(tunnel)}: " if tunnel else ""
    return f"{whose}{display(message, limit=_LONGEST_MESSAGE)}"


def _left_out(count: int) -> str:
    return f"{count} lines were left out here, as too much happened at once."


@lru_cache(maxsize=4)
def _second(moment: int) -> tuple[str, str]:
    """The local ISO time up to its second, and its offset: most lines of a busy second share them."""
    when = datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
    return when[:19], when[19:]


def _is_told_elsewhere(record: logging.LogRecord) -> bool:
    """Whether it is aiofastnet's word, through the event loop, on a TLS connection that failed or went away.

    The tunnel's own events tell that, with who it was: a refused client, a session's end, a target's problem.
    """
    if record.name != "asyncio" or not record.exc_info or "SSLTransport" not in str(record.msg):
        return False
    error: object = record.exc_info[1]
    kind = error if isinstance(error, type) else type(error)
    return issubclass(kind, OSError)


def level_of(event: Event) -> int:
    """How important an event is, as in the logging module."""
    if isinstance(event, LogLine):
        return event.level
    if isinstance(event, CertificateEvent):
        return _CERTIFICATE_LEVELS[event.happened]
    if isinstance(event, StateChanged):
        return _STATE_LEVELS.get(event.state, logging.INFO)
    return logging.WARNING if isinstance(event, ClientRefused) else logging.INFO


def describe(event: Event) -> tuple[str, str, dict[str, Any]]:
    """An event's stable name, its sentence for people, and its fields for programs."""
    match event:
        case StateChanged(state=state, reason=reason, addresses=addresses):
            where = f" at {', '.join(addresses)}" if addresses else ""
            why = f": {_sentences(reason)}" if reason else ""
            fields: dict[str, Any] = {"state": state.value, "addresses": list(addresses)}
            if reason:
                fields |= {"reason": reason.kind.value, "hint": reason.hint, "field": reason.field}
            return "tunnel.state", f"{state.value}{where}{why}", fields
        case ConnectionOpened(connection=connection, client=client, origin=origin, target=target, identity=identity):
            origin, target = without_secrets(origin), without_secrets(target)
            page = f" from a page of {origin}" if origin else ""
            who = f" ({identity})" if identity else ""
            fields = {
                "connection": connection,
                "client": client,
                "identity": identity,
                "origin": origin,
                "target": target,
            }
            return "connection.opened", f"connection {connection} of {client}{who}{page} → {target}", fields
        case ConnectionClosed(connection=connection, client=client, code=code, reason=reason_text):
            fields = {
                "connection": connection,
                "client": client,
                "to_client_bytes": event.to_client_bytes,
                "to_target_bytes": event.to_target_bytes,
                "duration_seconds": round(event.duration_seconds, 3),
                "code": code,
                "reason": reason_text,
            }
            message = (
                f"connection {connection} of {client} ended after {duration(event.duration_seconds)}: "
                f"{size(event.to_client_bytes)} to the client, {size(event.to_target_bytes)} to the target, "
                f"code {code}{f' ({reason_text})' if reason_text else ''}"
            )
            return "connection.closed", message, fields
        case ClientRefused(refusal=refusal):
            origin = without_secrets(refusal.origin)
            fields = {
                "client": refusal.client,
                "origin": origin,
                "status": refusal.status,
                "rule": refusal.rule,
                "hint": refusal.hint,
            }
            # What speaks no HTTP is answered with no status.
            status = f" ({refusal.status})" if refusal.status else ""
            message = f"{refusal.client} was refused{status}: {refusal.message} {refusal.hint}".rstrip()
            return "client.refused", message, fields
        case CertificateEvent(certificate=certificate, happened=happened, not_after=not_after):
            fields = {
                "certificate": certificate,
                "not_after": not_after,
                "hint": event.hint,
            }
            return f"certificate.{happened}", f"{event.message} {event.hint}".rstrip(), fields
        case LogLine(message=message):
            return "log", message, {}
        case _:
            return "log", type(event).__name__, {}


def without_secrets(address: str) -> str:
    """`address` without its query, fragment and user part, any of which may hold a secret."""
    address = address.partition("?")[0].partition("#")[0]
    scheme, separator, rest = address.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def _sentences(reason: Reason) -> str:
    return f"{reason.message} {reason.hint}".rstrip()


def _word(level: int) -> str:
    return next((word for word, least in reversed(tuple(LEVELS.items())) if level >= least), "debug")
