"""A tunnel's program: one that runs beside it and is connected to, or one for each connection."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.settings import TargetConnector
from wsgui.bridge.targets import Connected, Connector, Failed
from wsgui.command.environment import referenced_variables
from wsgui.command.pacing import Pacing
from wsgui.command.state import ProgramKind, ProgramState
from wsgui.display import display
from wsgui.engine.snapshot import Reason, ReasonKind
from wsgui.errors import TargetError, WsguiError
from wsgui.profiles.addresses import TcpAddress
from wsgui.profiles.model import Profile

if TYPE_CHECKING:
    from wsgui.bridge.programs import ProgramConnector
    from wsgui.command.supervisor import Supervisor

Say = Callable[[int, str], None]
"""Takes a level as in the logging module and a line for the tunnel's log."""

PATIENCE_SECONDS: Final = 10.0
"""How long a client waits for a program that starts, where the profile sets no deadline."""
DISBELIEF_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 0.05
_A_PROCESS_A_CONNECTION: Final = ("stdio", "terminal")


def target_name(profile: Profile) -> str:
    """Return what a profile's clients are taken to, for people."""
    if profile.command.run:
        return display(" ".join(profile.command.run), limit=128)
    if profile.target is not None:
        return str(profile.target)
    return "by token"


def expected_protocol(profile: Profile) -> str:
    """Return what a profile's clients will find, where that is known before anybody came; else empty."""
    return "telnet" if profile.command.run and profile.command.mode == "terminal" else ""


def needs_restart(old: Profile, new: Profile) -> bool:
    """Return whether the program of `old` cannot be that of `new`."""
    if old.command.mode in _A_PROCESS_A_CONNECTION and new.command.run and new.command.mode in _A_PROCESS_A_CONNECTION:
        return False  # what runs goes on, and what is new holds for those who come
    if old.command != new.command or referenced_variables(old) != referenced_variables(new):
        return True
    return new.command.mode == "rebind" and _port(old) != _port(new)


def _port(profile: Profile) -> int:
    """Return the port that the program binds."""
    if profile.command.port is not None:
        return profile.command.port
    return profile.listen.port if isinstance(profile.listen, TcpAddress) else 0


class Program:
    """Starts and ends what a profile's `[command]` names; `connector` leads to it.

    Args:
        profile: Whose command it is.
        loop: The engine's loop.
        buffer: The loop's read buffer.
        say: Where its output goes, and what happens to it.
        changed: Called with this when `reason` or `is_over` may be another.
        pacing: When it is started again; None as profiles have it.
    """

    def __init__(
        self,
        profile: Profile,
        loop: asyncio.AbstractEventLoop,
        buffer: ReadBuffer,
        say: Say,
        changed: Callable[[Program], None],
        pacing: Pacing | None = None,
    ) -> None:
        self.profile = profile
        self.reason: Reason | None = None
        """What is to be known of it beside that it runs."""
        self.is_over = False
        """It has ended for good, and the tunnel is to end with it."""
        self.has_failed = False
        self._changed = changed
        self._supervisor: Supervisor | None = None
        self._beside: _Beside | None = None
        self._each: ProgramConnector | None = None
        self.connector: TargetConnector
        command, hidden = profile.command, referenced_variables(profile)
        if command.mode in _A_PROCESS_A_CONNECTION:
            from wsgui.bridge.programs import ProgramConnector

            self._each = ProgramConnector(loop, command, buffer, say, hidden=hidden)
            self.connector = self._each
        else:
            from wsgui.command.supervisor import Supervisor  # loaded with a program only: few tunnels have one

            self._supervisor = Supervisor(
                command, port=_port(profile), say=say, changed=self._state_changed, hidden=hidden, pacing=pacing
            )
            self._beside = _Beside(loop, self._supervisor, target_name(profile), buffer, profile.limits.connect_seconds)
            self.connector = self._beside

    async def start(self) -> None:
        """Start it, where it does not start with each connection.

        Raises:
            WsguiError: It cannot be started, or not moved to another port.
        """
        if self._supervisor is not None:
            await self._supervisor.start()

    def take_over(self, profile: Profile) -> None:
        """Go by a changed profile, one that needs no restart."""
        self.profile = profile
        if self._beside is not None:
            self._beside.seconds = profile.limits.connect_seconds
        if self._each is not None:
            self._each.configure(profile.command, hidden=referenced_variables(profile))

    async def stop(self) -> None:
        """End it with all that it has started; no harm where it was not started."""
        if self._supervisor is not None:
            await self._supervisor.stop()
        if self._each is not None:
            await self._each.close()

    def _state_changed(self, state: ProgramState) -> None:
        self.reason = _reason_of(state)
        over = state.kind in (ProgramKind.ENDED, ProgramKind.GAVE_UP)
        self.is_over = over and self.profile.command.when_it_ends == "stop"
        self.has_failed = state.kind is ProgramKind.GAVE_UP or state.status not in (None, 0)
        self._changed(self)


def _reason_of(state: ProgramState) -> Reason | None:
    """Return what is to be known of a program in that state, and when it is started again where that takes a while."""
    if not state.message:
        return None
    message, rest = state.message, math.ceil(state.restart_seconds or 0.0)
    if rest and state.kind is ProgramKind.RESTARTING:
        message = f"{message} It is started again in {rest} s."
    return Reason(ReasonKind.PROGRAM, message, state.hint, "command", exit_status=state.status)


class ProgramSlot:
    """A tunnel's one program: kept as long as the profile names it, and exchanged when it names another.

    Args:
        loop: The engine's loop.
        buffer: The loop's read buffer.
        say: See `Program`.
        changed: Called when what is to be known of the program that runs may be another.
        pacing: Makes what says when a program is started again; None as profiles have it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        buffer: ReadBuffer,
        say: Say,
        changed: Callable[[], None],
        pacing: Callable[[], Pacing] | None = None,
    ) -> None:
        self.current: Program | None = None
        self._loop = loop
        self._buffer = buffer
        self._say = say
        self._changed = changed
        self._pacing = pacing

    def of(self, profile: Profile) -> Program | None:
        """Return the program that a profile names: the one that runs where it may go on, else one not started yet."""
        current = self.current
        if current is not None and not current.is_over and not needs_restart(current.profile, profile):
            return current
        return self._new(profile)

    def _new(self, profile: Profile) -> Program | None:
        if not profile.command.run:
            return None
        pacing = self._pacing() if self._pacing is not None else None
        return Program(profile, self._loop, self._buffer, self._say, self._program_changed, pacing)

    async def exchange(self, program: Program | None) -> None:
        """Have what `of` has returned run, and the one before no more. One that goes on is left as it is: `take_over`.

        Raises:
            WsguiError: It cannot be started; then none runs.
        """
        if program is self.current:
            return
        await self.end()
        if program is not None:
            try:
                await program.start()
            except BaseException:
                await program.stop()
                raise
        self.current = program

    def take_over(self, profile: Profile) -> None:
        """Let the program that runs go by this profile, for which `of` has returned it."""
        if self.current is not None:
            self.current.take_over(profile)

    async def return_to(self, profile: Profile) -> TargetConnector | None:
        """Run the program of the profile before again, and return what leads to it; why it cannot run is said."""
        program = self._new(profile)
        try:
            await self.exchange(program)
        except WsguiError as error:
            self._say(logging.ERROR, str(error))
        return program.connector if program is not None else None

    async def end(self) -> None:
        """End the program, if there is one."""
        program, self.current = self.current, None
        if program is not None:
            await program.stop()

    def _program_changed(self, program: Program) -> None:
        if program is self.current:
            self._changed()


class _Beside:
    """Connects to a program that runs beside the tunnel, wherever it listens now."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, supervisor: Supervisor, name: str, buffer: ReadBuffer, seconds: float
    ) -> None:
        self.address = name
        self._loop = loop
        self._supervisor = supervisor
        self._buffer = buffer
        self.seconds = seconds
        """Deadline of an attempt."""

    def connect(self, connected: Connected, failed: Failed) -> asyncio.Task[None] | None:
        return self._loop.create_task(self._connect(connected, failed))

    async def _connect(self, connected: Connected, failed: Failed) -> None:
        """Connect once it listens: clients may come before it does, and while it is started again.

        That it has ended may be known only after it refused somebody, so a refusal is not believed at once.
        """
        problem = TargetError(
            f"The program {self.address} does not listen (yet).", "Look into the tunnel's log for what it says."
        )
        refused: list[TargetError] = []
        believed = self._loop.time() + DISBELIEF_SECONDS
        try:
            async with asyncio.timeout(self.seconds or PATIENCE_SECONDS):
                while True:
                    address = await self._supervisor.reachable()
                    refused.clear()
                    connecting = Connector(self._loop, address, self._buffer, 0).connect(connected, refused.append)
                    if connecting is not None:
                        await connecting
                    if not refused:
                        return
                    if self._loop.time() >= believed:
                        problem = refused[0]
                        break
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError:
            pass
        except TargetError as error:
            problem = error
        failed(problem)
