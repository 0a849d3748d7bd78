"""Brings what a coroutine comes to back to who asked: one call with the answer, or one with why there is none."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication

from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import Cancel, Failed
from wsgui.gui.tasks import Tasks

translate = QCoreApplication.translate
T = TypeVar("T")


def answer(
    tasks: Tasks, what: str, work: Coroutine[Any, Any, T], done: Callable[[T], object], failed: Failed
) -> Cancel:
    """Run `work`, then call `done` or `failed`; `what` names it in the log.

    Returns:
        What makes neither be called.
    """

    async def run() -> None:
        try:
            value = await work
        except WsguiError as error:
            failed(error)
        except Exception as error:
            # Whoever waits must not wait for ever; the log and the bar have the details.
            failed(_fault(what, error))
            raise
        else:
            done(value)

    task = tasks.start(run(), what=what)
    task.add_done_callback(lambda _: work.close())  # cancelled before it began, nobody else ends it
    return task.cancel


def _fault(what: str, error: Exception) -> WsguiError:
    return WsguiError(
        translate("certificates", "{0} failed by a fault of wsgui ({1}).").format(what, type(error).__name__),
        translate("certificates", "The log has the details."),
    )
