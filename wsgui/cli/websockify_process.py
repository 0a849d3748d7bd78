"""The running process behind websockify's command line: log, daemon, the tunnel, and everything that may end it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from dataclasses import replace
from typing import Final

from wsgui.app.background_writer import BackgroundWriter
from wsgui.app.log_file import LogFile
from wsgui.app.logging import LogSink
from wsgui.app.syslog import Syslog, SyslogAddress
from wsgui.cli.daemon import Detached, detach
from wsgui.cli.inetd import take_listener
from wsgui.cli.signals import Signals
from wsgui.cli.websockify import NAME, profile_of, proxying_line, settings_lines, terms_of, warnings, wrapped_program
from wsgui.cli.websockify_log import WebsockifyLog, host_of
from wsgui.engine.engine import Engine
from wsgui.engine.events import ConnectionClosed, ConnectionOpened, Event, StateChanged
from wsgui.engine.loops import new_event_loop
from wsgui.engine.snapshot import Reason, TunnelState
from wsgui.errors import EXIT_OK, WsguiError
from wsgui.profiles.model import Profile
from wsgui.profiles.websockify.options import Options
from wsgui.recording.novnc_recorder import NoVncRecorder
from wsgui.recording.tap import Tap
from wsgui.recording.traffic import TrafficSymbols

CERTIFICATE_SECONDS: Final = 5.0
"""How often it is looked whether there is a certificate, as websockify looks for each client."""
POLL_SECONDS: Final = 1.0
FOREVER_SECONDS: Final = 365 * 86400.0


def serve(options: Options) -> int:
    """Serve until something ends it; returns the exit code."""
    # Before any thread is begun, and any file opened: only the thread that forks goes on in the child.
    listener = take_listener() if options.inetd else None
    detached = detach(keep=() if listener is None else (listener,)) if options.daemon else None
    try:
        return _serve(options, listener, detached)
    except WsguiError as error:
        if detached is not None:
            detached.failed(f"{NAME}: {error}", error.exit_code)
            return error.exit_code
        raise


def _serve(options: Options, listener: int | None, detached: Detached | None) -> int:
    for line in warnings(options):  # for whoever starts it, not for the log
        print(line, file=sys.stderr, flush=True)
    file = LogFile(options.log_file) if options.log_file else None
    sinks: list[LogSink] = []
    if options.syslog:
        address = SyslogAddress.parse(options.syslog)
        sinks.append(
            Syslog(address, facility="daemon" if options.daemon else "user", name=NAME, legacy=options.legacy_syslog)
        )
    log = WebsockifyLog(verbose=options.verbose, command=wrapped_program(options), file=file, sinks=sinks)
    log.install()
    try:
        for line in settings_lines(options):
            log.say(line)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(_Process(options, listener, log, detached).run())
    finally:
        log.close()


class _Process:
    def __init__(self, options: Options, listener: int | None, log: WebsockifyLog, detached: Detached | None) -> None:
        self._options = options
        self._listener = listener
        self._log = log
        self._detached = detached
        self._engine = Engine()
        self._end = asyncio.Event()
        self._code = EXIT_OK
        self._drain = False
        self._asked_to_reload = False
        hangup = getattr(signal, "SIGHUP", None)
        self._outlives_terminal = detached is not None or (hangup and signal.getsignal(hangup) == signal.SIG_IGN)
        self._stopping: asyncio.Task[None] | None = None
        self._once: int | None = None
        self._began = self._active = time.monotonic()
        self._recorders: list[NoVncRecorder] = []
        self._symbols = BackgroundWriter(sys.stdout, ending="") if options.traffic and detached is None else None

    async def run(self) -> int:
        options, engine = self._options, self._engine
        if options.record:
            self._recorders.append(NoVncRecorder(options.record, self._say))
        profile = profile_of(options, self._listener)
        tapped = bool(options.record) or self._symbols is not None
        terms = replace(terms_of(options), taps=self._tap if tapped else None)
        engine.events.subscribe(self._log)
        engine.events.subscribe(self._watch)
        await engine.configure(profile, terms)
        with Signals(end=self._end.set, reload=self._hung_up, reopen=self._log.reopen):
            try:
                await engine.start(NAME, wait=False)
            except BaseException:
                await self._close()
                raise
            self._log.say(proxying_line(options))
            if self._detached is not None:
                self._log.leave_stderr()
                self._detached.ready()
            try:
                await self._until_end(profile)
                if self._drain:
                    await engine.stop(NAME, grace_seconds=FOREVER_SECONDS)
            finally:
                await self._close()
        return self._code

    async def _until_end(self, profile: Profile) -> None:
        checked = time.monotonic()
        while not self._end.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._end.wait()
            now = time.monotonic()
            self._watch_clock(now)
            if now - checked >= CERTIFICATE_SECONDS or self._asked_to_reload:
                fresh = profile_of(self._options, self._listener)
                if fresh != profile or self._asked_to_reload:
                    profile = fresh
                    await self._take_over(fresh)
                checked, self._asked_to_reload = now, False

    async def _take_over(self, profile: Profile) -> None:
        try:
            await self._engine.configure(profile)
        except WsguiError as error:
            self._log.say(f"{error} The certificate of before stays in use.", logging.WARNING)
        else:
            self._log.say("The certificate was read anew." if profile.tls.enabled else "There is no certificate now.")

    def _hung_up(self) -> None:
        """Its terminal has gone, which ends it as it ends websockify; with -D or nohup it is asked to look again."""
        if self._outlives_terminal:
            self._asked_to_reload = True
        else:
            self._end.set()

    def _watch_clock(self, now: float) -> None:
        """Look at --timeout and --idle-timeout."""
        options = self._options
        tunnel = self._engine.snapshot().tunnel(NAME)
        if tunnel is not None and tunnel.connections:
            self._active = now
        if options.timeout_seconds and now - self._began > options.timeout_seconds:
            self._log.say(f"listener exit due to --timeout {options.timeout_seconds}")
            self._drain = True
            self._end.set()
        elif options.idle_timeout_seconds and now - self._active > options.idle_timeout_seconds:
            self._log.say(f"listener exit due to --idle-timeout {options.idle_timeout_seconds}")
            self._end.set()

    def _watch(self, events: tuple[Event, ...], _left_out: int) -> None:
        for event in events:
            match event:
                case ConnectionOpened(connection=connection) if self._options.run_once and self._once is None:
                    # Nobody else comes in; it ends with this session.
                    self._once = connection
                    self._stopping = asyncio.ensure_future(self._engine.stop(NAME, grace_seconds=FOREVER_SECONDS))
                case ConnectionClosed(connection=connection, client=client) if connection == self._once:
                    self._log.say(f"{host_of(client)}: exiting due to --run-once")
                case StateChanged(state=TunnelState.STOPPED):
                    self._end.set()
                case StateChanged(state=TunnelState.FAILED, reason=reason):
                    self._code = _exit_code(reason)
                    self._end.set()

    def _tap(self, number: int) -> Tap | None:
        taps = [tap for recorder in self._recorders if (tap := recorder.tap(number)) is not None]
        if self._symbols is not None:
            taps.append(TrafficSymbols(self._symbols.put))
        if len(taps) > 1:
            return _Both(taps[0], taps[1])
        return taps[0] if taps else None

    def _say(self, level: int, message: str) -> None:
        self._log.say(message, level)

    async def _close(self) -> None:
        await self._engine.close()
        for recorder in self._recorders:
            await asyncio.get_running_loop().run_in_executor(None, recorder.close)
        if self._symbols is not None:
            self._symbols.close()


def _exit_code(reason: Reason | None) -> int:
    """Return the code to end with when the tunnel has failed: the wrapped program's, as shells give it."""
    if reason is None or reason.exit_status is None:
        return WsguiError.exit_code
    return reason.exit_status if reason.exit_status >= 0 else 128 - reason.exit_status


class _Both:
    """Two taps as one."""

    def __init__(self, first: Tap, second: Tap) -> None:
        self._taps = (first, second)

    def from_client(self, data: memoryview, *, whole: bool) -> None:
        for tap in self._taps:
            tap.from_client(data, whole=whole)

    def from_target(self, data: memoryview, *, whole: bool) -> None:
        for tap in self._taps:
            tap.from_target(data, whole=whole)

    def drained(self, *, to_client: bool) -> None:
        for tap in self._taps:
            tap.drained(to_client=to_client)

    def close(self) -> None:
        for tap in self._taps:
            tap.close()
