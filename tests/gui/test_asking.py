"""A thread asks the person at the window, and waits; a thread that may not, fails at once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from wsgui.errors import SecretError
from wsgui.gui.asking import Asking
from wsgui.gui.threads import in_thread

pytestmark = pytest.mark.usefixtures("no_collecting")


def allowed(asking: Asking) -> str:
    with asking.allowed():
        return asking.ask("Passphrase of the key: ")


async def test_what_is_typed_comes_back_to_the_thread() -> None:
    asking, prompts = Asking(), []

    def show(prompt: str, answer: Future[str]) -> None:
        prompts.append(prompt)
        answer.set_result("sesame")

    asking.attend(show)
    assert await in_thread(lambda: allowed(asking), name="test") == "sesame"
    assert prompts == ["Passphrase of the key: "]


async def test_a_sheet_that_is_closed_answers_with_nothing() -> None:
    asking = Asking()
    asking.attend(lambda _, answer: answer.cancel() and None)
    assert await in_thread(lambda: allowed(asking), name="test") == ""


async def test_nobody_is_asked_for_what_starts_by_itself() -> None:
    asking = Asking()
    asking.attend(lambda *_: pytest.fail("asked"))
    with pytest.raises(SecretError, match="kept nowhere"):
        await in_thread(lambda: asking.ask("Passphrase: "), name="test")


async def test_a_cancelled_wait_leaves_the_thread_to_itself() -> None:
    go, ended = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(10)
        ended.set()

    waiting = asyncio.ensure_future(in_thread(work, name="test"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go.set()
    assert await asyncio.to_thread(ended.wait, 10)


async def test_what_a_thread_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, name="test")
