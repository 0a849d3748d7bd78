"""A program for each connection, as the target: its standard input and output, or a terminal of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.program_end import ProgramEnd
from wsgui.bridge.targets import Connected, Failed, errno_text
from wsgui.bridge.terminal_end import TerminalEnd
from wsgui.command.child import Child, above_standard, spawn
from wsgui.command.environment import arguments_of, environment_of
from wsgui.command.executable import find_executable
from wsgui.command.output import Capture
from wsgui.command.terminal import environment_on_terminal, open_terminal
from wsgui.display import display
from wsgui.errors import TargetError, WsguiError
from wsgui.profiles.sections import Command

OUTPUT_SECONDS: Final = 1.0
"""How long what a program has left behind may still write to the log."""


@dataclass(frozen=True, slots=True)
class _Started:
    """A program that runs: either the socket and its error output, or the terminal's descriptor."""

    name: str
    pid: int
    sock: socket.socket | None = None
    errors: int = -1
    terminal: int = -1

    def drop(self) -> None:
        """Close our side."""
        if self.sock is not None:
            self.sock.close()
        for fd in (self.errors, self.terminal):
            if fd >= 0:
                os.close(fd)


@dataclass(slots=True)
class _Run:
    """What there is to know of a program beside its process: what asks it to end, and its error output."""

    name: str
    ask: signal.Signals
    errors: Capture | None = None


class ProgramConnector:
    """Starts `[command] run` for each connection, and ends it with that.

    A program begins a session of its own. Nothing of a client is in its arguments or environment, and no descriptor of
    ours but its own ones. With mode "stdio" descriptors 0 and 1 are one stream socket, as inetd gives it (so
    /dev/stdout cannot be opened by its path), and 2 goes to the log; with mode "terminal" all three are a terminal of
    80×24, until the client's telnet says another size.

    Should we be killed (SIGKILL), a program on a terminal is hung up on with its jobs, and another one reads the end of
    its input; what reads none goes on, unless a service manager ends it with us.

    Args:
        loop: The engine's loop.
        command: What to run, with mode "stdio" or "terminal".
        buffer: The loop's read buffer, for the ends.
        say: Takes a level as in the logging module and a line for the tunnel's log.
        hidden: Variables of our environment that the programs do not get, from `environment.referenced_variables`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        command: Command,
        buffer: ReadBuffer,
        say: Callable[[int, str], None],
        *,
        hidden: Collection[str] = (),
    ) -> None:
        self.address = display(Path(command.run[0]).name)
        """The program's name, for people."""
        self._loop = loop
        self._command = command
        self._buffer = buffer
        self._say = say
        self._hidden = frozenset(hidden)
        self._starting = 0
        self._running: dict[Child, _Run] = {}
        self._tasks: dict[Child, asyncio.Task[None]] = {}
        self._closed = False
        self._none_left = asyncio.Event()
        self._none_left.set()
        # Should nobody call `close`: at least when the program ends, none of them stays.
        weakref.finalize(self, _kill, self._running)

    @property
    def count(self) -> int:
        """Programs that run, those included that begin or are being ended."""
        return self._starting + len(self._running)

    def configure(self, command: Command, *, hidden: Collection[str]) -> None:
        """Go by these from the next connection on; what runs goes on, and counts."""
        self.address = display(Path(command.run[0]).name)
        self._command = command
        self._hidden = frozenset(hidden)

    def connect(self, connected: Connected, failed: Failed) -> asyncio.Task[None] | None:
        """Start a program, and call one of the two, from the task that is returned; None when it failed at once."""
        if (problem := self._refusal()) is not None:
            failed(problem)
            return None
        self._starting += 1
        self._none_left.clear()
        return self._loop.create_task(self._connect(connected, failed))

    def _refusal(self) -> TargetError | None:
        if sys.platform == "win32":
            return TargetError(
                "A program for each connection is run on Linux and macOS only.", 'Use mode = "port" in [command].'
            )
        if self._closed:
            return TargetError("The tunnel is being stopped.", "Start it again.")
        if self.count >= self._command.at_once:
            return TargetError(
                "One program runs already." if self.count == 1 else f"{self.count} programs run already.",
                "Close one, or raise [command] at_once.",
            )
        return None

    async def _connect(self, connected: Connected, failed: Failed) -> None:
        starting = self._loop.run_in_executor(None, self._start)
        try:
            started = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on, and has started it in the end.
            starting.add_done_callback(self._unwanted)
            raise
        except (WsguiError, OSError, ValueError) as error:
            self._not_started()
            failed(self._explain(error))
            return
        except BaseException:
            self._not_started()
            raise
        child = self._begun(started)

        def left() -> None:
            self._leave(child)

        if started.sock is None:
            connected(TerminalEnd(self._loop, started.terminal, self._buffer, child, left))
            return
        end = ProgramEnd(self._loop, started.sock, self._buffer, child, left)
        try:
            say = self._error_line(started.name, child.pid)
            self._running[child].errors = await Capture.of(os.fdopen(started.errors, "rb", 0), say)
        except BaseException:
            end.close()
            raise
        connected(end)

    def _start(self) -> _Started:
        """Blocking: files are looked for, and a program's start waits for its file.

        Raises:
            WsguiError: There is no such program, or the environment cannot be made.
            OSError, ValueError: The system does not start it.
        """
        command, is_terminal = self._command, self._command.mode == "terminal"
        name = display(Path(command.run[0]).name)
        environment = environment_of(os.environ, command, hidden=self._hidden, port=None)
        if is_terminal:
            environment = environment_on_terminal(environment, command.environment)
        program = find_executable(command.run[0], path=environment.get("PATH", os.defpath))
        arguments = arguments_of(command, port=None)
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            if is_terminal:
                terminal = open_terminal()
                ours.callback(os.close, terminal.fd)
                theirs.callback(os.close, terminal.program_fd)
                open_it = (os.POSIX_SPAWN_OPEN, 0, terminal.path, os.O_RDWR, 0)
                copies = ((os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2))
                started = _Started(
                    name, spawn(program, arguments, environment, (open_it, *copies)), terminal=terminal.fd
                )
            else:
                sock, other = socket.socketpair()
                ours.callback(sock.close)
                sock.setblocking(False)
                stream = above_standard(other.detach())
                theirs.callback(os.close, stream)
                errors, write_errors = os.pipe()
                ours.callback(os.close, errors)
                write_errors = above_standard(write_errors)
                theirs.callback(os.close, write_errors)
                copies_of = ((stream, 0), (stream, 1), (write_errors, 2))
                actions = [(os.POSIX_SPAWN_DUP2, source, to) for source, to in copies_of]
                started = _Started(name, spawn(program, arguments, environment, actions), sock=sock, errors=errors)
            ours.pop_all()
            return started

    def _explain(self, error: Exception) -> TargetError:
        if isinstance(error, WsguiError):
            return TargetError(error.message, error.hint)
        code = error.errno if isinstance(error, OSError) else None
        what = f"The program {self.address} could not be started"
        if code == errno.ENOEXEC:
            return TargetError(
                f"{what}, as its file is in no format that this system runs.",
                "If it is a script, give it a first line such as #!/bin/sh.",
            )
        if code == errno.ENOENT:
            return TargetError(
                f"{what}, as the interpreter that it names is missing.",
                "Install the interpreter, or correct the script's first line.",
            )
        if code in (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC):
            return TargetError(f"{what}: {errno_text(code)}.", "End other programs, or raise the system's limits.")
        words = errno_text(code) if code else display(str(error))
        return TargetError(f"{what}: {words}.", "Check [command] run, and the file's permissions.")

    # From the start to the end of each

    def _not_started(self) -> None:
        self._starting -= 1
        self._check_none_left()

    def _begun(self, started: _Started) -> Child:
        self._starting -= 1
        child = Child(self._loop, started.pid)
        ask = signal.SIGHUP if started.sock is None else signal.SIGTERM
        self._running[child] = _Run(started.name, ask)
        self._say(logging.DEBUG, f"Started {started.name} as process {child.pid}.")
        return child

    def _unwanted(self, starting: asyncio.Future[_Started]) -> None:
        if starting.cancelled() or starting.exception() is not None:
            self._not_started()
            return
        started = starting.result()
        child = self._begun(started)
        started.drop()
        self._leave(child)

    def _error_line(self, name: str, pid: int) -> Callable[[str], None]:
        say = self._say  # not ourselves: what is held by those that run may not hold us
        return lambda line: say(logging.INFO, f"{name}[{pid}]: {line}")

    def _leave(self, child: Child) -> None:
        if child in self._running and child not in self._tasks:
            self._tasks[child] = self._loop.create_task(self._end(child))

    async def _end(self, child: Child) -> None:
        by_itself = child.exited.done()
        run = self._running[child]
        gone = await child.end(run.ask)
        if run.errors is not None:
            await asyncio.wait((run.errors.ended,), timeout=OUTPUT_SECONDS)
            run.errors.close()
        if gone:
            failed = by_itself and child.exited.result() != 0
            self._say(logging.INFO if failed else logging.DEBUG, f"{run.name}[{child.pid}]: {child.farewell}.")
        else:
            self._say(logging.WARNING, f"{run.name}[{child.pid}] or what it started could not be ended.")
        del self._running[child], self._tasks[child]
        self._check_none_left()

    def _check_none_left(self) -> None:
        if not self.count:
            self._none_left.set()

    async def close(self) -> None:
        """End every program that still runs, start none any more, and wait until all are gone."""
        self._closed = True
        for child in tuple(self._running):
            self._leave(child)
        await self._none_left.wait()


def _kill(running: dict[Child, _Run]) -> None:
    for child in running:
        child.kill()
