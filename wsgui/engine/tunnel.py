"""One profile's life as a tunnel: stopped → starting → running or waiting → finishing, or failed; with reasons."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from wsgui.bridge.bridge import Bridge
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.listener import Listener, ListenError, open_listeners
from wsgui.bridge.settings import Settings
from wsgui.certificates.port import PortContexts
from wsgui.command.pacing import AsWebsockify
from wsgui.engine.activity import Activity
from wsgui.engine.certificates import CertificateCare, EndNotices
from wsgui.engine.description import own_fault, reason_of, tunnel_snapshot
from wsgui.engine.endpoint import Endpoint
from wsgui.engine.events import EventHub, StateChanged
from wsgui.engine.moving import give_back, move
from wsgui.engine.preparation import Listening, contexts_of, prepare
from wsgui.engine.program import Program, ProgramSlot
from wsgui.engine.snapshot import Reason, ReasonKind, ThroughputSnapshot, TunnelSnapshot, TunnelState
from wsgui.engine.terms import OF_A_PROFILE, Terms
from wsgui.errors import TunnelError, WsguiError
from wsgui.profiles.model import Profile

if TYPE_CHECKING:
    from wsgui.certificates.chains import Keeper

RETRY_SECONDS: Final = 2.0
"""How often a tunnel that waits for its port tries again."""


class Tunnel:
    """Owns one tunnel's state; every method on the engine's loop.

    Args:
        profile: What it is to be.
        buffer: The loop's read buffer.
        events: Where it says what happens.
        listening: Host and port of every listener of this process.
        terms: What its profile does not say.
        vault: Has the certificates that a profile names.
        notices: Which ends of certificates have been told, by all tunnels.
    """

    def __init__(
        self,
        profile: Profile,
        buffer: ReadBuffer,
        events: EventHub,
        listening: Listening = tuple,
        terms: Terms = OF_A_PROFILE,
        vault: Keeper | None = None,
        notices: EndNotices | None = None,
    ) -> None:
        self.profile = profile
        self.terms = terms
        self.state = TunnelState.STOPPED
        self.wanted = False
        self.retired = False
        """It is being removed, and is not started again."""
        self._loop = asyncio.get_running_loop()
        self._buffer = buffer
        self._events = events
        self._listening = listening
        self._vault = vault
        self._care = CertificateCare(self, events, notices or EndNotices())
        self._programs = ProgramSlot(
            self._loop, buffer, self._say, self._program_changed, AsWebsockify if terms.websockify else None
        )
        self._ending: asyncio.Task[None] | None = None
        self._bridge: Bridge | None = None
        self._endpoint: Endpoint | None = None
        self._lock = asyncio.Lock()
        self._interrupt = asyncio.Event()
        self._asked = 0
        self._retrying: asyncio.Task[None] | None = None
        self._activity = Activity(profile.name, events)
        self._reason: Reason | None = None
        self._running_since: float | None = None

    # What is asked of it

    async def start(self, *, wait: bool) -> None:
        """Run; returns when it does, or, with `wait`, when it waits for a port that is taken.

        A stop that is asked for meanwhile has the last word.

        Raises:
            TunnelError: It cannot start; it has failed with the same reason.
        """
        self.wanted = True
        self._asked += 1
        self._interrupt.set()  # one that is finishing takes clients again
        async with self._lock:
            if not self.wanted or self.state in (TunnelState.RUNNING, TunnelState.WAITING):
                return
            self._set_state(TunnelState.STARTING)
            try:
                await self._open()
            except WsguiError as error:
                if wait and isinstance(error, ListenError) and error.kind == ReasonKind.PORT_IN_USE:
                    self._set_state(TunnelState.WAITING, reason_of(error))
                    self._retrying = self._loop.create_task(self._retry())
                    return
                self._set_state(TunnelState.FAILED, reason_of(error))
                raise TunnelError(error.message, error.hint, field=error.field) from error
            except asyncio.CancelledError:
                self._set_state(TunnelState.STOPPED)
                raise
            except Exception as error:
                self._set_state(TunnelState.FAILED, own_fault(error))
                raise

    async def stop(self, *, grace_seconds: float) -> None:
        """Stop: nobody new, those connected go on for up to `grace_seconds`, the rest gets Close 1001.

        A second call while the first one waits ends the waiting; a start meanwhile takes clients again.
        """
        self.wanted = False
        self._asked += 1
        asked = self._asked
        self._interrupt.set()
        if self._retrying is not None:
            self._retrying.cancel()
            self._retrying = None
        async with self._lock:
            self._care.leave()
            bridge = self._bridge
            if bridge is None:
                await self._programs.end()
                self._set_state(TunnelState.STOPPED)
                return
            self._set_state(TunnelState.FINISHING)
            self._interrupt.clear()
            bridge.listen(None)
            if grace_seconds > 0 and self._asked == asked:
                await self._drain(bridge, grace_seconds)
            if self.wanted:
                # start() came while it was finishing and waits for the lock: the sessions stay, it listens anew.
                self._set_state(TunnelState.STOPPED)
                return
            await bridge.close("The tunnel is stopping")
            self._bridge = None
            await self._programs.end()
            self._stopped()

    async def configure(self, profile: Profile | None = None) -> None:
        """Take over a changed profile, or its own once more; sessions go on, what is new holds for who comes after.

        Raises:
            TunnelError: It is running and cannot do as the new profile says; it goes on as before.
        """
        async with self._lock:
            old = self.profile
            self.profile = profile = profile or old
            if self._bridge is None or self.state is not TunnelState.RUNNING:
                again = self.wanted and self.state in (TunnelState.WAITING, TunnelState.FAILED)
            else:
                again = False
                try:
                    await self._reconfigure(self._bridge, old, profile)
                except WsguiError as error:
                    self._go_on(self._bridge, old, reason_of(error))
                    raise TunnelError(error.message, error.hint, field=error.field) from error
                except BaseException as error:
                    self._go_on(self._bridge, old, own_fault(error) if isinstance(error, Exception) else None)
                    raise
                self._runs()
        if again:
            if self._retrying is not None:
                self._retrying.cancel()
                self._retrying = None
            self.state = TunnelState.STOPPED
            await self.start(wait=True)

    async def read_certificates(self) -> None:
        """Show what the certificates' files hold now to those who connect from now on; all else stays.

        Raises:
            CertificateError: They cannot be used; those of before stay in use, and the tunnel's reason says so.
            SecretError: A passphrase cannot be had; the same.
        """
        async with self._lock:
            if (contexts := self.contexts) is None:
                return
            try:
                fresh = await self._loop.run_in_executor(None, contexts_of, self.profile, self.terms, self._vault)
            except WsguiError as error:
                self._reason = reason_of(error)
                raise
            if fresh is not None:
                contexts.exchange(fresh)
            if self._reason is not None and self._reason.kind.is_about_keys:
                self._reason = None

    @property
    def contexts(self) -> PortContexts | None:
        """What its port speaks TLS with, while it runs; None without a certificate."""
        running = self._bridge is not None and self.state is TunnelState.RUNNING
        return self._bridge.settings.tls if self._bridge is not None and running else None

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each of its listeners, while it has any; of a unix socket its path and 0."""
        listener = self._bridge.listener if self._bridge is not None else None
        return (*listener.endpoints, *((path, 0) for path in listener.paths)) if listener is not None else ()

    @property
    def bridge(self) -> Bridge | None:
        """What serves its clients; None while it has none."""
        return self._bridge

    def disconnect(self, connection: int) -> bool:
        """End one session; false when there is none of that number."""
        relay = self._bridge.relays.get(connection) if self._bridge is not None else None
        if relay is None:
            return False
        relay.end(1001, "Disconnected by the owner of the tunnel")
        return True

    # How it does that

    async def _open(self) -> None:
        profile = self.profile
        async with AsyncExitStack() as undo:
            program = self._programs.of(profile)
            settings = await self._settings(profile, program)
            if settings.admission is not None:
                undo.push_async_callback(settings.admission.close)
            sockets = await open_listeners(self._loop, profile.listen, unix_mode=self.terms.unix_mode)
            undo.callback(give_back, profile.listen, sockets)
            await self._programs.exchange(program)
            undo.pop_all()
        bridge = self._bridge
        if bridge is None:
            activity = Activity(profile.name, self._events)
            bridge = Bridge(self._loop, self._buffer, settings, activity)
            activity.watch(bridge)
            self._activity, self._bridge = activity, bridge
        bridge.settings = settings
        self._programs.take_over(profile)
        listener = Listener(self._loop, profile.listen, sockets, bridge.accepted, self._activity.starved)
        bridge.listen(listener)
        self._endpoint = Endpoint.of(listener, secure=settings.tls is not None)
        self._running_since = time.time()
        self._runs()
        self._care.attend(settings.tls)

    def _runs(self, reason: Reason | None = None) -> None:
        """Say so, with that reason or what is to be known of its program; the profile may want it to end with that."""
        program = self._programs.current
        self._set_state(TunnelState.RUNNING, reason or (program.reason if program is not None else None))
        if program is not None and program.is_over and (self._ending is None or self._ending.done()):
            self._ending = self._loop.create_task(self._end_with(program))

    # Its program

    def _program_changed(self) -> None:
        """The program has begun, ended, or waits to be started again."""
        program = self._programs.current
        if self.state is not TunnelState.RUNNING or program is None:
            return
        if program.is_over or program.reason != self._reason:
            self._runs()

    async def _end_with(self, program: Program) -> None:
        async with self._lock:
            exchanged = program is not self._programs.current  # by a change that was under way
        if exchanged:
            return
        await self.stop(grace_seconds=0.0)
        if program.reason is not None and self.state is TunnelState.STOPPED:
            self._set_state(TunnelState.FAILED if program.has_failed else TunnelState.STOPPED, program.reason)

    async def _return_to(self, bridge: Bridge, old: Profile) -> None:
        """Run the program of the profile before again, after a change that could not be made."""
        connector = await self._programs.return_to(old)
        if connector is not None:
            bridge.settings = replace(bridge.settings, connector=connector)

    # A changed profile

    def _go_on(self, bridge: Bridge, profile: Profile, reason: Reason | None) -> None:
        """Stay as it was after a change that could not be made; without its port, wait for that."""
        self.profile = profile
        if bridge.listener is not None:
            self._runs(reason)
            return
        # It was given back for the change, and somebody else was quicker.
        self._endpoint = None
        self._set_state(TunnelState.WAITING, reason)
        self._retrying = self._loop.create_task(self._retry())

    async def _reconfigure(self, bridge: Bridge, old: Profile, new: Profile) -> None:
        async with AsyncExitStack() as undo:
            program = self._programs.of(new)
            settings = await self._settings(new, program)
            if settings.admission is not None:
                undo.push_async_callback(settings.admission.close)
            if program is not self._programs.current:
                undo.push_async_callback(self._return_to, bridge, old)
            await self._programs.exchange(program)
            if new.listen != old.listen:
                await move(bridge, new.listen, self._activity.starved, unix_mode=self.terms.unix_mode)
            undo.pop_all()
        # With its rules, not before: nobody whom the old ones let in may start what the new ones guard.
        bridge.settings = settings
        self._programs.take_over(new)
        if bridge.listener is not None:
            self._endpoint = Endpoint.of(bridge.listener, secure=settings.tls is not None)
        self._care.attend(settings.tls)

    def _say(self, level: int, message: str) -> None:
        self._activity.log(level, message)

    async def _settings(self, profile: Profile, program: Program | None) -> Settings:
        return await prepare(
            profile,
            self.terms,
            loop=self._loop,
            buffer=self._buffer,
            listening=self._listening,
            connector=program.connector if program is not None else None,
            vault=self._vault,
            say=self._say,
        )

    async def _retry(self) -> None:
        """Wait for the port, trying again now and then."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            async with self._lock:
                if self.state is not TunnelState.WAITING:
                    return
                try:
                    await self._open()
                except ListenError as error:
                    if self._reason != (reason := reason_of(error)):
                        self._set_state(TunnelState.WAITING, reason)
                except WsguiError as error:
                    self._set_state(TunnelState.FAILED, reason_of(error))
                    return
                except Exception as error:  # noqa: BLE001 - told to the loop; nobody waits for this task
                    self._set_state(TunnelState.FAILED, own_fault(error))
                    self._loop.call_exception_handler({"message": "starting a tunnel failed", "exception": error})
                    return
                else:
                    return

    async def _drain(self, bridge: Bridge, grace_seconds: float) -> None:
        draining = self._loop.create_task(bridge.drain(grace_seconds))
        interrupted = self._loop.create_task(self._interrupt.wait())
        try:
            await asyncio.wait((draining, interrupted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            draining.cancel()
            interrupted.cancel()

    def _stopped(self) -> None:
        self._activity.stop()
        self._endpoint = None
        self._running_since = None
        self._set_state(TunnelState.STOPPED)

    def _set_state(self, state: TunnelState, reason: Reason | None = None) -> None:
        changed = (state, reason) != (self.state, self._reason) or state is TunnelState.RUNNING
        self.state = state
        self._reason = reason
        if changed:
            addresses = self._endpoint.addresses if state is TunnelState.RUNNING and self._endpoint else ()
            self._events.publish(StateChanged(time.time(), self.profile.name, state, reason, addresses))

    # What others may know

    def throughput(self) -> ThroughputSnapshot:
        return self._activity.throughput()

    def snapshot(self) -> TunnelSnapshot:
        return tunnel_snapshot(
            self.profile,
            self.state,
            self._reason,
            self._activity,
            tuple(self._bridge.relays.values()) if self._bridge is not None else (),
            self._endpoint,
            wanted=self.wanted,
            running_since=self._running_since,
            contexts=self.contexts,
        )
