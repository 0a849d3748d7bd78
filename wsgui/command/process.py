"""One run of a program in a session and group of its own: started, watched, and ended with all that came of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from wsgui.command.descriptors import give_back_limit
from wsgui.command.listening import Family
from wsgui.command.output import Capture
from wsgui.command.proc import can_tell_owners
from wsgui.display import display
from wsgui.errors import WsguiError

GRACE_SECONDS: Final = 5.0
"""Between SIGTERM and SIGKILL."""
_LOOK_AGAIN_SECONDS: Final = 0.02
_LAST_WORDS_SECONDS: Final = 0.5
"""How long the end of the output is waited for once the program is gone; who has left may hold the pipe for ever."""


class Process:
    """A running program; every method on its loop. Made by `start`."""

    def __init__(self, popen: subprocess.Popen[bytes], capture: Capture, mark: str) -> None:
        self.pid = popen.pid
        self.family = Family(popen.pid, mark)
        self.ended = ended_of(popen.pid, popen)
        """Done when the process itself has ended; others of its family may go on."""
        self._popen = popen
        self._capture = capture

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        executable: Path,
        environment: Mapping[str, str],
        *,
        mark: str,
        say: Callable[[str], None],
    ) -> Process:
        """Start a program with none of our descriptors; what it prints goes to `say`, line by line.

        Args:
            arguments: Its argv, as the user wrote it.
            executable: The file to run.
            mark: The variable in `environment` by which its family is known (`Family`).

        Raises:
            WsguiError: The system refuses to run it.
        """
        loop = asyncio.get_running_loop()
        starting = loop.run_in_executor(None, functools.partial(_spawn, tuple(arguments), executable, environment))
        try:
            popen = await asyncio.shield(starting)
            assert popen.stdout is not None
            return cls(popen, await Capture.of(popen.stdout, say), mark)
        except BaseException:
            # It may run already, and nobody would end it.
            with contextlib.suppress(WsguiError):
                await loop.run_in_executor(None, _undo, await starting, mark)
            raise

    @property
    def status(self) -> int | None:
        """How it ended, as in `subprocess.Popen.returncode`; None while it runs."""
        return self._popen.poll()

    async def last_words(self) -> str:
        """Return the last line that it printed before it ended."""
        await asyncio.wait((self._capture.ended,), timeout=_LAST_WORDS_SECONDS)
        return self._capture.log.last_line

    async def end(self) -> None:
        """End it with its group and session: SIGTERM, and SIGKILL for what is left after `GRACE_SECONDS`.

        What has left both, as daemons do, is not touched.
        """
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + GRACE_SECONDS, _LOOK_AGAIN_SECONDS
        try:
            await self._signal(force=False)
            while loop.time() < deadline and await self._is_there():
                await asyncio.wait((self.ended,), timeout=pause) if not self.ended.done() else await asyncio.sleep(
                    pause
                )
                pause = min(2 * pause, 10 * _LOOK_AGAIN_SECONDS)
        finally:
            await asyncio.shield(self._finish())

    async def _finish(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_SECONDS  # what hangs in the kernel, or is not ours to end, is not waited for
        while await self._is_there() and loop.time() < deadline:
            await self._signal(force=True)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._popen.poll()
        await asyncio.wait((self._capture.ended,), timeout=_LAST_WORDS_SECONDS)
        self._capture.close()
        await asyncio.wait((self._capture.ended,), timeout=_LAST_WORDS_SECONDS)

    async def _is_there(self) -> bool:
        if not self.ended.done():
            return True
        return can_tell_owners() and bool(await asyncio.get_running_loop().run_in_executor(None, self.family.session))

    async def _signal(self, *, force: bool) -> None:
        ended = self.ended.done()
        await asyncio.get_running_loop().run_in_executor(None, _signal_all, self.family, ended, force)


def _signal_all(family: Family, has_ended: bool, force: bool) -> None:
    """End a program and whoever is in its group or session; blocking."""
    if sys.platform == "win32":
        # A process tree has no common signal there; taskkill walks it.
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(family.leader)], capture_output=True, check=False)
        return
    number = signal.SIGKILL if force else signal.SIGTERM
    members = family.session() if can_tell_owners() else {}
    if not has_ended or family.leader in members.values():
        # A group's number is nobody else's as long as one of its members is there.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(family.leader, number)
    for pid, group in members.items():
        if group != family.leader:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _spawn(arguments: Sequence[str], executable: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        popen = subprocess.Popen(
            arguments,
            executable=executable,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            close_fds=True,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError) as error:
        shown = display(str(executable))
        why = (error.strerror if isinstance(error, OSError) else "an argument has a NUL in it") or type(error).__name__
        raise WsguiError(
            f"The program {shown} could not be started: {why}.", "Try it in a terminal.", field="command.run"
        ) from None
    give_back_limit(popen.pid)
    return popen


def _undo(popen: subprocess.Popen[bytes], mark: str) -> None:
    _signal_all(Family(popen.pid, mark), False, True)
    popen.wait()
    if popen.stdout is not None:
        popen.stdout.close()


def ended_of(pid: int, popen: subprocess.Popen[bytes] | None = None) -> asyncio.Future[None]:
    """Return a future that is done when process `pid` has ended; `popen` when it is a child of ours."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    try:
        descriptor = os.pidfd_open(pid)
    except AttributeError:  # another system than Linux
        pass
    except ProcessLookupError:
        end()
        return ended
    except OSError:  # an older one, or one that does not let us
        pass
    else:
        _watch(loop, descriptor, ended, end)
        return ended
    threading.Thread(target=_wait, args=(loop, pid, popen, end), daemon=True).start()
    return ended


def _watch(
    loop: asyncio.AbstractEventLoop, descriptor: int, ended: asyncio.Future[None], end: Callable[[], None]
) -> None:
    def close(_: asyncio.Future[None]) -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)

    loop.add_reader(descriptor, end)
    ended.add_done_callback(close)


def _wait(
    loop: asyncio.AbstractEventLoop, pid: int, popen: subprocess.Popen[bytes] | None, end: Callable[[], None]
) -> None:
    if popen is not None:
        popen.wait()
    else:
        while _exists(pid):
            select.select([], [], [], 1.0)
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(end)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
