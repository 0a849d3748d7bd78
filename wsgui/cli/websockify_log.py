"""What websockify's command line writes while it runs: its plain lines, on stderr, to a file and to syslog."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from typing import Final

from wsgui.app.background_writer import BackgroundWriter
from wsgui.app.log_file import LogFile
from wsgui.app.logging import LogSink, level_of, without_secrets
from wsgui.bridge.bridge import TARGET_FAILED
from wsgui.display import display
from wsgui.engine.events import (
    CertificateEvent,
    ClientRefused,
    ConnectionClosed,
    ConnectionOpened,
    Event,
    LogLine,
    StateChanged,
)
from wsgui.engine.snapshot import Reason, ReasonKind, TunnelState

_LONGEST: Final = 2048


class WebsockifyLog:
    """Turns an engine's events, and the log records of the program, into the lines that websockify's users know.

    What stands in an address's query is never written: tokens do.

    Args:
        verbose: Debug messages too.
        command: What a wrapped program is called at each connection; empty without one.
        file: A further place, which `reopen` opens anew.
        sinks: Further places, such as syslog; closed with the log.
    """

    def __init__(
        self, *, verbose: bool, command: str = "", file: LogFile | None = None, sinks: Sequence[LogSink] = ()
    ) -> None:
        self._command = command
        self._targets: dict[int, str] = {}
        self._level = logging.DEBUG if verbose else logging.INFO
        self._file = file
        self._writers = [BackgroundWriter(sys.stderr)]
        if file is not None:
            self._writers.append(BackgroundWriter(file))
        self._sinks = tuple(sinks)
        self._handler = _Records(self)

    def install(self) -> None:
        """Take over what the program and its libraries log."""
        root, own = logging.getLogger(), logging.getLogger("wsgui")
        root.addHandler(self._handler)
        root.setLevel(logging.WARNING)
        own.setLevel(self._level)

    def close(self) -> None:
        """Write what waits (for two seconds at most)."""
        logging.getLogger().removeHandler(self._handler)
        for writer in self._writers:
            writer.close()
        for sink in self._sinks:
            sink.close()
        if self._file is not None:
            self._file.close()

    def leave_stderr(self) -> None:
        """Write to stderr no longer: the process goes into the background."""
        self._writers.pop(0).close()

    def reopen(self) -> None:
        """Go on in a new file, after the old one was renamed."""
        if self._file is not None:
            self._file.reopen()

    def say(self, message: str, level: int = logging.INFO) -> None:
        """Write one line."""
        if level >= self._level:
            line = display(message, limit=_LONGEST)
            for writer in self._writers:
                writer.put(line)
            for sink in self._sinks:
                sink.put(time.time(), level, line)

    def __call__(self, events: tuple[Event, ...], left_out: int) -> None:
        """Write a batch from an EventHub."""
        for event in events:
            self._event(event)
        if left_out:
            self._targets.clear()  # who of them has gone may be among what was left out
            self.say(f"{left_out} events were left out here, as too much happened at once.", logging.WARNING)

    def _event(self, event: Event) -> None:
        match event:
            case ConnectionOpened():
                scheme = "SSL/TLS (wss://)" if event.secure else "Plain non-SSL (ws://)"
                self._of_client(event, event.client, f"{host_of(event.client)}: {scheme} WebSocket connection")
                target = f" command: {self._command}" if self._command else _target(without_secrets(event.target))
                self._targets[event.connection] = target.removeprefix(": ").strip()
                self._of_client(event, event.client, f"connecting to{target}")
            case ConnectionClosed(client=client, code=code, reason=reason):
                target = self._targets.pop(event.connection, "")
                if reason == TARGET_FAILED:
                    self._of_client(event, client, f"Failed to connect to {target}")
                why = f" ({reason})" if reason else ""
                self._of_client(event, client, f"connection ended with code {code}{why}", logging.DEBUG)
            case ClientRefused(refusal=refusal):
                self.say(f"{host_of(refusal.client)}: {refusal.message}")
            case StateChanged(reason=Reason(kind=ReasonKind.PROGRAM)):
                pass  # said already, when it happened
            case StateChanged(state=TunnelState.RUNNING | TunnelState.FAILED, reason=reason) if reason is not None:
                self.say(f"{reason.message} {reason.hint}".rstrip(), logging.WARNING)
            case CertificateEvent(message=message, hint=hint):
                self.say(f"{message} {hint}".rstrip(), level_of(event))
            case LogLine(level=level, message=message):
                self.say(message, level)

    def _of_client(self, event: Event, client: str, message: str, level: int = logging.INFO) -> None:
        when = time.strftime("%d/%b/%Y %H:%M:%S", time.localtime(event.time))
        self.say(f"{host_of(client)} - - [{when}] {message}", level)


class _Records(logging.Handler):
    def __init__(self, log: WebsockifyLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            error = record.exc_info[1] if record.exc_info else None
            if error is not None:
                message = f"{message} ({type(error).__name__}: {error})"
        except Exception:  # noqa: BLE001 - what a record's own text raises goes where logging sends it
            self.handleError(record)
        else:
            self._log.say(message, record.levelno)


def _target(target: str) -> str:
    """Return a target as websockify names it behind "connecting to"."""
    if target.startswith("unix:"):
        return f" unix socket: {target.removeprefix('unix:')}"
    address = target.removeprefix("tls://")
    return f": {address.replace('[', '').replace(']', '')}{' (using SSL)' if address != target else ''}"


def host_of(client: str) -> str:
    """Return a client's address without its port, as websockify begins its lines."""
    if client.startswith("["):
        return client[1:].partition("]")[0]
    host, colon, _ = client.rpartition(":")
    return host if colon else client
