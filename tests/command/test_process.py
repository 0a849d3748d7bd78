"""wsgui/command/process.py: one run of a program, on systems with and without what Linux offers for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wsgui.command.process import Process, ended_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and groups are POSIX's")

ENVIRONMENT = {"PATH": os.environ["PATH"], "MARK": "1"}


async def started(*arguments: str, said: list[str] | None = None) -> Process:
    said = [] if said is None else said
    program = Path("/bin") / arguments[0]
    return await Process.start(arguments, program, ENVIRONMENT, mark="MARK=1", say=said.append)


@pytest.fixture(params=["pidfd", "thread"])
def watching(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which the end of a process is noticed."""
    if request.param == "thread":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no pidfd")


@pytest.mark.usefixtures("watching")
async def test_the_end_of_a_program_is_noticed_with_its_status_and_last_words() -> None:
    said: list[str] = []
    program = await started("sh", "-c", "echo one; echo two >&2; exit 7", said=said)

    await asyncio.wait_for(asyncio.shield(program.ended), 30)

    assert program.status == 7
    assert await program.last_words() == "two"
    assert said == ["one", "two"]
    await program.end()


@pytest.mark.usefixtures("watching")
async def test_the_end_of_a_process_that_is_no_child_is_noticed() -> None:
    with subprocess.Popen(["sleep", "99"]) as other:
        ended = ended_of(other.pid)
        other.kill()
        other.wait()
        await asyncio.wait_for(ended, 30)


@pytest.mark.usefixtures("watching")
async def test_a_program_is_ended_and_buried() -> None:
    program = await started("sleep", "99")

    await program.end()

    assert program.status == -15
    assert program.ended.done()


async def test_a_process_that_was_gone_already_has_ended() -> None:
    with subprocess.Popen(["true"]) as other:
        other.wait()

    await asyncio.wait_for(ended_of(other.pid), 30)


async def test_no_descriptor_is_left_after_many_runs() -> None:
    await (await started("true")).end()
    before = len(os.listdir("/proc/self/fd")) if sys.platform.startswith("linux") else 0

    for _ in range(10):
        program = await started("true")
        await asyncio.wait_for(asyncio.shield(program.ended), 30)
        await program.end()
    await asyncio.sleep(0)

    after = len(os.listdir("/proc/self/fd")) if sys.platform.startswith("linux") else 0
    assert after == before


def test_a_program_runs_on_the_loop_of_another_thread() -> None:
    statuses: list[int | None] = []

    async def run() -> None:
        program = await started("sh", "-c", "exit 3")
        await asyncio.wait_for(asyncio.shield(program.ended), 30)
        statuses.append(program.status)
        await program.end()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()

    assert statuses == [3]
