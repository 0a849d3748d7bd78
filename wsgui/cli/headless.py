"""`wsgui --profile NAME_OR_FILE`: tunnels in the foreground, until a signal ends them."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsgui.app.background_writer import BackgroundWriter
from wsgui.app.feed import Source
from wsgui.app.logging import LEVELS, EventLog, LogFormat
from wsgui.app.notify import Notifier, take_inherited
from wsgui.app.paths import paths
from wsgui.app.process import private_umask, raise_descriptor_limit
from wsgui.app.runtime import Runtime
from wsgui.cli.announce import Announcer
from wsgui.cli.parser import complain
from wsgui.cli.passphrases import open_certificates
from wsgui.cli.signals import Signals
from wsgui.engine.events import LogLine
from wsgui.engine.loops import new_event_loop
from wsgui.errors import EXIT_OK, UsageError, WsguiError
from wsgui.profiles.addresses import InheritedAddress, parse_listen
from wsgui.profiles.builtin import DEMO_NAME, demo_profile
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore

if TYPE_CHECKING:
    from wsgui.certificates.vault import Vault

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of a headless process.

    Args:
        profiles: Names or files; "Demo" is the built-in one unless the store has a profile of that name.
        demo: ``--demo``: the built-in one too, in any case.
        listen: An address instead of the profile's; empty for the profile's own.
        wait: Wait for a port that is taken.
        grace_seconds: How long clients may go on after the first signal to end.
        name: What the process is called; empty for its first profile's name.
    """

    profiles: tuple[str, ...]
    demo: bool
    listen: str
    wait: bool
    grace_seconds: float
    log_format: LogFormat
    log_level: str
    name: str


def run(options: Options) -> int:
    """Run the tunnels until a signal ends them; returns the process's exit code. Call it in the main thread."""
    private_umask()
    raise_descriptor_limit()
    inherited = take_inherited()
    notifier = Notifier()
    log = EventLog(options.log_format, LEVELS[options.log_level])
    log.install()
    output = BackgroundWriter(sys.stdout)
    try:
        chosen = _choose(options, ProfileStore(paths().profiles))
        if chosen is None:
            return UsageError.exit_code
        profiles = [profile for _, profile in chosen]
        _mention_unused(inherited, profiles)
        vault = _vault(profiles)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(_Process(options, chosen, vault, notifier, log, output).serve())
    except WsguiError as error:
        return complain(error)
    finally:
        output.close()
        log.close()


def _vault(profiles: list[Profile]) -> Vault | None:
    """The vault with what somebody has been asked for; None when no profile names a certificate of it."""
    if not any(profile.tls.certificate for profile in profiles):
        return None
    from wsgui.certificates.vault import Vault  # with `cryptography` it is a quarter of a start

    vault = Vault(paths().certificates)
    open_certificates(profiles, vault)
    return vault


class _Process:
    """One run, from the first tunnel's start to the last one's end."""

    def __init__(
        self,
        options: Options,
        chosen: list[tuple[Source, Profile]],
        vault: Vault | None,
        notifier: Notifier,
        log: EventLog,
        output: BackgroundWriter,
    ) -> None:
        self._options = options
        self._chosen = chosen
        self._vault = vault
        self._notifier = notifier
        self._log = log
        self._output = output
        self._grace_seconds = options.grace_seconds
        self._first = asyncio.Event()
        self._second = asyncio.Event()
        self._reloads: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()

    async def serve(self) -> int:
        sources = [source for source, _ in self._chosen]
        profiles = [profile for _, profile in self._chosen]
        self._runtime = runtime = Runtime(
            paths(),
            name=self._options.name or profiles[0].name,
            role="headless",
            profiles=profiles,
            sources=sources,
            watch=False,
            wait=self._options.wait,
            vault=self._vault,
        )
        runtime.on_quit = self._quit
        runtime.engine.events.subscribe(self._log)
        demos = {source.builtin.name for source in sources if source.builtin is not None}
        runtime.engine.events.subscribe(Announcer(runtime.engine, self._output.put, with_way_in=demos))
        with Signals(end=self._end, reload=self._reload_requested):
            async with runtime:
                code = await self._start()
                if code != EXIT_OK:
                    self._grace_seconds = 0.0  # What does not run as a whole does not linger either.
                elif not self._first.is_set():
                    self._notifier.ready(self._status())
                    await self._first.wait()
                await self._drain()
        return code

    async def _start(self) -> int:
        """Start every tunnel, unless a signal comes first; returns the exit code this would be the end with."""
        starting = asyncio.ensure_future(self._start_all())
        ending = asyncio.ensure_future(self._first.wait())
        try:
            await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
            return starting.result() if starting.done() else EXIT_OK
        finally:
            for task in (starting, ending):
                task.cancel()
            await asyncio.gather(starting, ending, return_exceptions=True)

    async def _start_all(self) -> int:
        for name in self._runtime.engine.names:
            try:
                await self._runtime.start(name)
            except WsguiError as error:
                complain(error, about=f'Profile "{name}"')
                return WsguiError.exit_code
        return EXIT_OK

    async def _drain(self) -> None:
        self._notifier.stopping()
        for task in tuple(self._reloads):
            task.cancel()
        clients = sum(len(tunnel.connections) for tunnel in self._runtime.engine.snapshot().tunnels)
        if clients and self._grace_seconds:
            self._say(
                f"Ending: {clients} connections may go on for {self._grace_seconds:g} s; a second signal ends now."
            )
        draining = asyncio.ensure_future(self._runtime.drain(self._grace_seconds))
        hurrying = asyncio.ensure_future(self._second.wait())
        await asyncio.wait((draining, hurrying), return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        if not draining.done():
            await self._runtime.drain(0.0)
        await draining

    def _end(self) -> None:
        (self._second if self._first.is_set() else self._first).set()

    def _quit(self, grace_seconds: float) -> None:
        if not self._first.is_set():
            self._grace_seconds = grace_seconds
        self._end()

    def _reload_requested(self) -> None:
        if not self._first.is_set():
            task = asyncio.ensure_future(self._reload())
            self._reloads.add(task)
            task.add_done_callback(self._reloads.discard)

    async def _reload(self) -> None:
        async with self._reloading:
            self._notifier.reloading()
            done = await self._runtime.reload()
            if done.profiles:
                self._say(f"Reloaded: {', '.join(done.profiles)}.")
            self._notifier.ready(self._status())

    def _status(self) -> str:
        """One line for the service manager."""
        tunnels = self._runtime.engine.snapshot().tunnels
        return ", ".join(f"{tunnel.name}: {tunnel.state.value}" for tunnel in tunnels)

    def _say(self, message: str) -> None:
        self._runtime.engine.events.publish(LogLine(time.time(), "", logging.INFO, message))


def _choose(options: Options, store: ProfileStore) -> list[tuple[Source, Profile]] | None:
    """Read all profiles asked for; None when one cannot be run, after everything that is wrong has been said."""
    listen = parse_listen(options.listen, field="--listen") if options.listen else None
    chosen: list[tuple[Source, Profile]] = []
    failed = False
    for where in [*dict.fromkeys(options.profiles), *([None] if options.demo else [])]:
        try:
            if where is None or _means_builtin(where, store):
                source = Source(DEMO_NAME, builtin=demo_profile(listen), movable=listen is None)
            else:
                source = Source(where, listen)
            profile = source.read(store)
            if profile.name in {other.name for _, other in chosen}:
                raise UsageError(f'Two of these profiles are called "{profile.name}".', "Give each a name of its own.")
        except WsguiError as error:
            complain(error)
            failed = True
        else:
            chosen.append((source, profile))
    return None if failed else chosen


def _means_builtin(where: str, store: ProfileStore) -> bool:
    demo = DEMO_NAME.casefold()
    return where.casefold() == demo and demo not in (name.casefold() for name in store.names())


def _mention_unused(inherited: tuple[int, ...], profiles: list[Profile]) -> None:
    used = {profile.listen.fd for profile in profiles if isinstance(profile.listen, InheritedAddress)}
    for descriptor in inherited:
        if descriptor not in used:
            _log.warning(
                'The service manager handed over fd:%d, but no profile has listen = "fd:%d".', *[descriptor] * 2
            )
