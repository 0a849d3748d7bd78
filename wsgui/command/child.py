"""A process that is started for one connection: started clean, its exit noticed, and ended with all of its session."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

from wsgui.command.descriptors import give_back_limit

GRACE_SECONDS: Final = 3.0
"""How long a program has to end by itself after it was asked to."""
KILLED_SECONDS: Final = 5.0
"""How long it is waited for what was killed; what hangs in the kernel for longer is given up."""
_LOOK_AGAIN_SECONDS: Final = 0.05

FileAction = tuple[int, int] | tuple[int, int, int] | tuple[int, int, str, int, int]


def spawn(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], actions: Sequence[FileAction]
) -> int:
    """Start a program in a session of its own, and return its process id; blocking, for as long as exec takes.

    It has descriptors 0, 1 and 2 and no other, every signal's usual handling, and none of them blocked. A terminal
    that `actions` opens becomes its controlling terminal, as it leads its session (open(2), O_NOCTTY).

    Args:
        actions: As `os.posix_spawn` takes them; they make descriptors 0, 1 and 2.

    Raises:
        OSError: It could not be started.
        ValueError: There is a NUL in an argument or in the environment.
    """
    closed = [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable()]
    handled = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    pid = os.posix_spawn(
        program,
        list(arguments),
        dict(environment),
        file_actions=[*actions, *closed],
        setsid=True,
        setsigmask=(),
        setsigdef=handled,
    )
    give_back_limit(pid)
    return pid


def above_standard(fd: int) -> int:
    """Return a descriptor above 2 in place of `fd`, which is closed: file actions may then be done in any order."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(fd)
    return moved


def _inheritable() -> list[int]:
    """Descriptors that a program would get beside its own: what we were started with, as Python opens none so."""
    found = []
    for name in os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"):
        with contextlib.suppress(OSError):  # the listing's own
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
    return found


class Child:
    """A process that `spawn` made, from then until it and what it started are gone.

    Args:
        loop: The engine's loop.
        pid: Its process id, which is its session's and its group's too.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, pid: int) -> None:
        self.pid = pid
        self.exited: asyncio.Future[int | None] = loop.create_future()
        """Its exit status, or minus the signal that ended it; None when somebody else has taken note of that."""
        self._loop = loop
        self._reaped = False
        try:
            self._pidfd = os.pidfd_open(pid) if sys.platform == "linux" else -1
        except OSError:
            self._pidfd = -1  # an old kernel, or no descriptor left
        if self._pidfd >= 0:
            loop.add_reader(self._pidfd, self._note_exit)
        else:
            threading.Thread(target=self._wait, name=f"wait-{pid}", daemon=True).start()

    def _note_exit(self) -> None:
        try:
            status = self._status(os.WNOHANG)
        except BlockingIOError:
            return
        self._release()
        self._set_exited(status)

    def _wait(self) -> None:
        status = self._status(0)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._set_exited, status)

    def _status(self, flags: int) -> int | None:
        try:
            if sys.platform != "linux":
                _, waited = os.waitpid(self.pid, 0)
                self._reaped = True
                return os.waitstatus_to_exitcode(waited)
            # It stays a zombie: as long as it is one, nobody else can have its number, and no stranger is signalled.
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | flags)
        except ChildProcessError:
            return None
        if result is None:
            raise BlockingIOError
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def _release(self) -> None:
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _set_exited(self, status: int | None) -> None:
        if not self.exited.done():
            self.exited.set_result(status)

    @property
    def farewell(self) -> str:
        """How it ended, for people: `The program ended with status 3`."""
        if not self.exited.done() or (status := self.exited.result()) is None:
            return "The program ended"
        if status >= 0:
            return f"The program ended with status {status}"
        return f"The program was ended by signal {-status} ({_signal_name(-status)})"

    def kill(self) -> None:
        """End it, and its group, without a word; for when there is no time left for `end`."""
        self._signal((self.pid,), signal.SIGKILL)

    async def end(self, ask: signal.Signals) -> bool:
        """End it and all of its session: by `ask`, and after GRACE_SECONDS by SIGKILL.

        Programs that left its session (setsid(2): daemons, tmux) are not of it any more.

        Returns:
            Whether nothing of it is left.
        """
        self._signal((self.pid,), ask)
        groups = await self._groups()
        self._signal(groups - {self.pid}, ask)
        self._signal(groups, signal.SIGCONT)  # what is stopped would not hear
        if not await self._gone(GRACE_SECONDS):
            self._signal(await self._groups() | {self.pid}, signal.SIGKILL)
            if not await self._gone(KILLED_SECONDS):
                return False
        self._reap()
        return True

    async def _gone(self, seconds: float) -> bool:
        deadline = self._loop.time() + seconds
        pause = _LOOK_AGAIN_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.exited), seconds)
        while True:
            if self.exited.done() and not await self._groups():
                return True
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(2 * pause, 8 * _LOOK_AGAIN_SECONDS)

    async def _groups(self) -> set[int]:
        return await self._loop.run_in_executor(None, partial(living_groups, self.pid))

    def _signal(self, groups: set[int] | tuple[int, ...], number: signal.Signals) -> None:
        for group in groups:
            if group == self.pid and self._reaped and sys.platform == "linux":
                continue  # nobody is left, and the number may be another's
            # Nobody is left, or it runs as somebody else whom we may not signal: its terminal's end tells it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    def _reap(self) -> None:
        if not self._reaped:
            self._reaped = True
            self._release()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)


def living_groups(session: int) -> set[int]:
    """Return the process groups of a session that have somebody in them who has not ended; blocking."""
    if sys.platform != "linux":
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return set()
        except PermissionError:
            return {session}
        return {session}
    groups = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # proc(5): the name, which may hold anything, stands in brackets; then state, parent, group, session.
                state, _, group, of = file.read().rpartition(b")")[2].split(maxsplit=4)[:4]
        except (OSError, ValueError):
            continue
        if int(of) == session and state not in (b"Z", b"X"):
            groups.add(int(group))
    return groups


def _signal_name(number: int) -> str:
    return signal.strsignal(number) or "unknown"
