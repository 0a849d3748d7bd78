"""Processes for one connection: started clean, exits told, all of a session ended; with pidfd and without."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.waiting import until
from wsgui.command import child as child_module
from wsgui.command.child import Child, above_standard, living_groups, spawn

NULL = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]


@pytest.fixture(params=["pidfd", "thread"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the exit is noticed."""
    if request.param == "thread":

        def fail(_pid: int) -> int:
            raise OSError(errno.ENOSYS, "an old kernel")

        monkeypatch.setattr(os, "pidfd_open", fail)


def started(script: str) -> Child:
    pid = spawn(Path("/bin/bash"), ["bash", "-c", script], {"PATH": os.defpath}, NULL)
    return Child(asyncio.get_running_loop(), pid)


def ignores(pid: int, number: signal.Signals) -> bool:
    mask = re.search(r"SigIgn:\t(\w+)", Path(f"/proc/{pid}/status").read_text())
    return mask is not None and bool(int(mask[1], 16) & 1 << number - 1)


async def exited(child: Child) -> int | None:
    return await asyncio.wait_for(asyncio.shield(child.exited), 20)


@pytest.mark.parametrize(
    ("script", "status", "farewell"),
    [
        ("exit 0", 0, "The program ended with status 0"),
        ("exit 3", 3, "The program ended with status 3"),
        ("kill -9 $$", -9, "The program was ended by signal 9 (Killed)"),
        ("kill -HUP $$", -1, "The program was ended by signal 1 (Hangup)"),
    ],
)
async def test_an_exit_is_told_in_words(script: str, status: int, farewell: str) -> None:
    child = started(script)
    assert await exited(child) == status
    assert child.farewell == farewell
    assert await child.end(signal.SIGTERM)


async def test_as_long_as_it_runs_there_is_nothing_to_tell() -> None:
    child = started("sleep 71")
    assert child.farewell == "The program ended"
    assert await child.end(signal.SIGTERM)
    assert await exited(child) == -signal.SIGTERM


async def test_it_leads_a_session_of_its_own() -> None:
    child = started("sleep 72")
    assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
    assert await child.end(signal.SIGTERM)
    assert living_groups(child.pid) == set()


async def test_what_is_left_of_its_session_ends_though_it_has_exited_itself() -> None:
    child = started("set -m; sleep 73 & sleep 74 & exit 1")
    assert await exited(child) == 1
    await until("its jobs", lambda: len(living_groups(child.pid)) == 2)
    assert await child.end(signal.SIGTERM)
    assert living_groups(child.pid) == set()


async def test_what_is_stopped_is_ended_too() -> None:
    child = started("kill -STOP $$")
    await until("it stopping", lambda: b" T " in Path(f"/proc/{child.pid}/stat").read_bytes())
    assert await child.end(signal.SIGTERM)
    assert child.exited.result() == -signal.SIGTERM


async def test_what_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GRACE_SECONDS", 0.1)
    child = started("trap '' TERM; while :; do sleep 0.02; done")
    await until("its trap", lambda: ignores(child.pid, signal.SIGTERM))
    assert await child.end(signal.SIGTERM)
    assert child.exited.result() == -signal.SIGKILL


async def test_when_there_is_no_time_it_is_killed_at_once() -> None:
    child = started("sleep 75")
    child.kill()
    assert await exited(child) == -signal.SIGKILL
    assert await child.end(signal.SIGTERM)


async def test_no_zombie_and_no_descriptor_is_left() -> None:
    before = len(os.listdir("/proc/self/fd"))
    child = started("exit 0")
    await exited(child)
    assert await child.end(signal.SIGTERM)
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_status_that_somebody_else_took_is_not_known() -> None:
    child = started("read line; exit 3")
    os.kill(child.pid, signal.SIGKILL)
    try:
        os.waitpid(child.pid, 0)
    except ChildProcessError:
        pytest.skip("the waiting thread was faster")
    if await exited(child) is None:
        assert child.farewell == "The program ended"


def test_what_cannot_be_run_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        spawn(Path("/no/such/program"), ["x"], {}, NULL)
    with pytest.raises(ValueError, match="null"):
        spawn(Path("/bin/true"), ["x", "a\0b"], {}, NULL)


def test_a_descriptor_is_moved_above_the_standard_ones() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    moved = above_standard(fd)
    assert moved > 2
    assert not os.get_inheritable(moved)
    os.close(moved)
