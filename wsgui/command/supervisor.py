"""Keeps the program of a tunnel running: starts it on a port of ours, sees that it listens there, starts it again."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from wsgui.command import rebind, wording
from wsgui.command.environment import arguments_of, environment_of
from wsgui.command.executable import find_executable, obstacle_to_preloading
from wsgui.command.free_port import free_port
from wsgui.command.listening import Listening, listening_on, ports_of
from wsgui.command.pacing import BackOff, Pacing, Run
from wsgui.command.process import Process, ended_of
from wsgui.command.state import ProgramKind, ProgramState, ending_in_words
from wsgui.display import display
from wsgui.errors import TargetError, WsguiError
from wsgui.profiles.addresses import TcpAddress
from wsgui.profiles.sections import Command

LISTEN_SECONDS: Final = 30.0
"""A program that does not listen so long after its start is said so; it is waited for all the same."""
MAX_TAKEN: Final = 5
"""Ports that other programs may take before ours, one after the other, until it is given up."""
_FIRST_LOOK_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.25
_LATE_LOOK_SECONDS: Final = 2.0
_LEAVING_LOOKS: Final = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the program is started this time."""

    executable: Path
    arguments: tuple[str, ...]
    environment: dict[str, str]
    port: int
    mark: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one life went; `taken_by` is another program that was on the port, else ''."""

    run: Run
    taken_by: str = ""


class Supervisor:
    """A program that runs with a tunnel, in `[command] mode` rebind or port. Every method on the engine's loop.

    Should we be killed (SIGKILL) it goes on, on its port on loopback, unless a service manager ends it with us. The
    next start gives its program another port.

    Args:
        command: What to run.
        port: The tunnel's port: the one that the program binds where `command.port` names none.
        say: Takes a level of `logging` and a line that is fit to show: what the program prints, what happens to it.
        changed: Takes each new state. Neither is called any more once `stop` has returned.
        hidden: Variables that the program does not get (`environment.referenced_variables`).
        base: The environment it begins from; ours when None.
        pacing: When it is started again; a profile's when None.
        library: The preload library; the installed one when None.
    """

    def __init__(
        self,
        command: Command,
        *,
        port: int,
        say: Callable[[int, str], None],
        changed: Callable[[ProgramState], None],
        hidden: Collection[str] = (),
        base: Mapping[str, str] | None = None,
        pacing: Pacing | None = None,
        library: Path | None = None,
    ) -> None:
        self.address: TcpAddress | None = None
        """Where the program is to be reached: where it listens, or, until that is known, where it should."""
        self.state = ProgramState(ProgramKind.ENDED)
        self._command = command
        self._asked_port = command.port or port
        self._say = say
        self._changed = changed
        self._hidden = frozenset(hidden)
        self._base = base
        self._pacing = pacing or BackOff()
        self._library = library
        self._name = display(Path(command.run[0]).name, limit=64) if command.run else ""
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Event()

    async def start(self) -> TcpAddress:
        """Start the program; returns at once, with the address where it will listen.

        Raises:
            WsguiError: It cannot be started, or, in mode rebind, the library could not work in it.
        """
        plan = await self._blocking(self._plan)
        process = await self._launch(plan)
        self._task = asyncio.get_running_loop().create_task(self._supervise(process, plan))
        self._task.add_done_callback(self._failed)
        return TcpAddress("127.0.0.1", plan.port)

    async def stop(self) -> None:
        """End the program with all that is in its group and session; returns when nothing of it is left."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
        process, self._process = self._process, None
        if process is None:
            return
        await process.end()
        left = await self._left_of(process)
        if left:
            self._say(logging.WARNING, wording.left_behind(self._name, left))

    async def _left_of(self, process: Process) -> tuple[int, ...]:
        """Who of its family has not ended with it, also after a moment: what a desktop ran may be on its way out."""
        for _ in range(_LEAVING_LOOKS):
            if not (left := await self._blocking(process.family.members)):
                return ()
            await asyncio.sleep(_LOOK_SECONDS)
        return left

    async def reachable(self) -> TcpAddress:
        """Wait until the program listens, and return where.

        Raises:
            TargetError: It has ended, and is not started again.
        """
        while self.state.kind is not ProgramKind.RUNNING or self.address is None:
            if self.state.kind in (ProgramKind.ENDED, ProgramKind.GAVE_UP):
                raise TargetError(self.state.message or f"The program {self._name} does not run.", self.state.hint)
            await self._turn.wait()
        return self.address

    # One life after the other

    async def _supervise(self, process: Process, plan: _Plan) -> None:
        taken = 0
        while True:
            outcome = await self._live(process, plan)
            if outcome.taken_by:
                taken += 1
                await process.end()
                message, hint = wording.port_taken(self._name, plan.port, outcome.taken_by)
                self._say(logging.WARNING, message)
                if taken >= MAX_TAKEN:
                    self._set(ProgramState(ProgramKind.GAVE_UP, message=message, hint=hint))
                    return
            elif self._command.when_it_ends != "restart":
                if self._command.when_it_ends == "stop":
                    await process.end()
                return
            else:
                taken = 0
                await process.end()
                await self._rest(outcome.run)
            process, plan = await self._again()

    async def _again(self) -> tuple[Process, _Plan]:
        """Start the program anew, trying until that succeeds: what it needs may be on its way."""
        while True:
            began = asyncio.get_running_loop().time()
            try:
                plan = await self._blocking(self._plan)
                return await self._launch(plan), plan
            except WsguiError as error:
                self._say(logging.ERROR, str(error))
                state = ProgramState(ProgramKind.RESTARTING, message=error.message, hint=error.hint)
                self._set(state, quietly=True)
                await self._rest(Run(began, began, served=False, status=None))

    async def _rest(self, run: Run) -> None:
        seconds, complaint = self._pacing.rest_seconds(run)
        if complaint:
            self._say(logging.WARNING, complaint)
        state = self.state
        self._set(
            ProgramState(
                ProgramKind.RESTARTING,
                status=run.status,
                ending=state.ending,
                restart_seconds=seconds,
                message=state.message,
                hint=state.hint,
            )
        )
        await asyncio.sleep(seconds)

    async def _live(self, process: Process, plan: _Plan) -> _Outcome:
        started = asyncio.get_running_loop().time()
        listening, stranger = await self._until_it_listens(process, plan)
        if stranger:
            return _Outcome(Run(started, started, served=False, status=None), stranger)
        if listening is not None:
            self._is_running(process, plan, listening)
            await asyncio.wait((process.ended,))
            await self._until_nobody_listens(process, plan)
        status = process.status
        run = Run(started, asyncio.get_running_loop().time(), served=listening is not None, status=status)
        await self._has_ended(process, run)
        return _Outcome(run)

    async def _until_it_listens(self, process: Process, plan: _Plan) -> tuple[Listening | None, str]:
        """The socket when it does; else neither, when it has ended, or who else has the port."""
        loop = asyncio.get_running_loop()
        late_at, pause = loop.time() + LISTEN_SECONDS, _FIRST_LOOK_SECONDS
        while True:
            had_ended = process.ended.done()
            listening, stranger = await self._blocking(listening_on, plan.port, process.family)
            if listening is not None or stranger:
                return listening, stranger
            # One that ends well and leaves others to go on has gone into the background.
            if had_ended and (process.status != 0 or not await self._blocking(process.family.members)):
                return None, ""
            is_late = loop.time() >= late_at
            if is_late:
                await self._is_late(process, plan)
            if had_ended:
                await asyncio.sleep(pause)
            else:
                await asyncio.wait((process.ended,), timeout=pause)
            pause = _LATE_LOOK_SECONDS if is_late else min(1.5 * pause, _LOOK_SECONDS)

    async def _until_nobody_listens(self, process: Process, plan: _Plan) -> None:
        """Wait for those of the family who go on when the process that was started has ended."""
        told = 0
        while True:
            # Its port is free for anybody now: nobody is sent there before it is known who has it.
            self._set(ProgramState(ProgramKind.STARTING, pid=process.pid), quietly=True)
            listening, _ = await self._blocking(listening_on, plan.port, process.family)
            if listening is None or listening.pid is None:
                return
            if listening.pid != told:
                told = listening.pid
                self._say(logging.INFO, f"{self._name} goes on in the background (process {told}).")
            self._set(ProgramState(ProgramKind.RUNNING, pid=listening.pid))
            await ended_of(listening.pid)

    # What is started, and what is said

    def _plan(self) -> _Plan:
        command, asked = self._command, self._asked_port
        port = free_port(avoid=asked)
        told = port if command.mode == "port" else None
        base = os.environ if self._base is None else self._base
        environment = environment_of(base, command, hidden=self._hidden, port=told)
        executable = find_executable(command.run[0], path=environment.get("PATH"))
        mark = f"PORT={port}"
        if command.mode == "rebind":
            library = self._library or rebind.library()
            obstacle = obstacle_to_preloading(executable, library, path=environment.get("PATH"))
            if obstacle is not None:
                raise WsguiError(obstacle.message, obstacle.hint, field="command.mode")
            environment = rebind.environment(environment, old_port=asked, new_port=port, preload=library)
            mark = f"REBIND_NEW_PORT={port}"
        return _Plan(executable, arguments_of(command, port=told), environment, port, mark)

    async def _launch(self, plan: _Plan) -> Process:
        self._process = None
        self._process = process = await Process.start(
            plan.arguments,
            plan.executable,
            plan.environment,
            mark=plan.mark,
            say=lambda line: self._say(logging.INFO, f"{self._name}: {line}"),
        )
        self.address = TcpAddress("127.0.0.1", plan.port)
        self._say(logging.INFO, f"Started {self._name} (process {process.pid}).")
        self._set(ProgramState(ProgramKind.STARTING, pid=process.pid))
        return process

    def _is_running(self, process: Process, plan: _Plan, listening: Listening) -> None:
        self.address = TcpAddress(listening.host, plan.port)
        if listening.is_everywhere:
            self._say(logging.WARNING, wording.open_to_all(self._name, plan.port))
        else:
            self._say(logging.INFO, wording.ready(self._name, str(self.address)))
        self._set(ProgramState(ProgramKind.RUNNING, pid=listening.pid or process.pid))

    async def _is_late(self, process: Process, plan: _Plan) -> None:
        ports = await self._blocking(ports_of, process.family)
        moved = self._command.mode == "rebind"
        message, hint = wording.late(self._name, self._asked_port if moved else plan.port, ports, moved=moved)
        if message == self.state.message:
            return
        self._say(logging.WARNING, f"{message} {hint}")
        self._set(ProgramState(ProgramKind.STARTING, pid=process.pid, message=message, hint=hint))

    async def _has_ended(self, process: Process, run: Run) -> None:
        status = run.status or 0
        moved = self._command.mode == "rebind"
        message, hint = wording.ended(self._name, run, await process.last_words(), self._asked_port if moved else None)
        is_fine = run.served and status == 0
        goes_on = self._command.when_it_ends == "restart"
        self._say(logging.INFO if is_fine else logging.ERROR, f"{message} {hint}".rstrip())
        self._set(
            ProgramState(
                ProgramKind.RESTARTING if goes_on else ProgramKind.ENDED,
                status=run.status,
                ending=ending_in_words(status),
                message="" if is_fine else message,
                hint=hint,
            ),
            quietly=goes_on,
        )

    def _set(self, state: ProgramState, *, quietly: bool = False) -> None:
        """Take over a state; `quietly` when a fuller one of the same kind follows."""
        self.state = state
        if quietly:
            return
        self._turn.set()
        self._turn = asyncio.Event()
        self._changed(state)

    def _failed(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        message = f"wsgui itself has failed ({type(error).__name__}) while it looked after {self._name}."
        self._set(ProgramState(ProgramKind.GAVE_UP, message=message, hint="Report it, with the log."))
        task.get_loop().call_exception_handler({"message": "looking after a program failed", "exception": error})

    async def _blocking(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)
