"""What fails in a task is told; what runs is held and can be ended."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from wsgui.errors import WsguiError
from wsgui.gui.tasks import Tasks


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def tasks(told: list[tuple[str, str]]) -> Tasks:
    return Tasks(lambda message, hint: told.append((message, hint)))


async def fail(error: BaseException) -> None:
    raise error


async def test_an_error_with_a_remedy_is_shown_in_its_own_words(tasks: Tasks, told: list[tuple[str, str]]) -> None:
    await asyncio.wait([tasks.start(fail(WsguiError("Port 6080 is taken.", "Use 6081.")), what="Starting")])
    assert told == [("Port 6080 is taken.", "Use 6081.")]


async def test_a_fault_is_shown_and_logged_with_its_trace(
    tasks: Tasks, told: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.wait([tasks.start(fail(ZeroDivisionError("by zero")), what="Starting Lab")])
    assert told[0][0] == "Starting Lab failed: ZeroDivisionError: by zero"
    assert [(r.levelno, bool(r.exc_info)) for r in caplog.records] == [(logging.ERROR, True)]


async def test_a_running_task_is_not_collected(tasks: Tasks) -> None:
    done = asyncio.Event()

    async def wait_alone() -> None:
        await asyncio.get_running_loop().create_future()

    task = tasks.start(wait_alone(), what="waiting")
    task.add_done_callback(lambda _: done.set())
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert not done.is_set()
    await tasks.close()
    await done.wait()


async def test_closing_ends_what_runs_and_says_nothing(tasks: Tasks, told: list[tuple[str, str]]) -> None:
    task = tasks.start(asyncio.Event().wait(), what="waiting")
    await tasks.close()
    assert task.cancelled()
    assert told == []
