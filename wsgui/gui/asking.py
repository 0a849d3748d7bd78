"""Lets threads ask the person at the window for a passphrase, and wait for the answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future

from PySide6.QtCore import QCoreApplication

from wsgui.errors import SecretError

translate = QCoreApplication.translate
Show = Callable[[str, "Future[str]"], None]
"""Shows a prompt, and settles the future: with what was typed, or cancelled when nothing was."""


class Asking:
    """The `ask` of a vault in a program with a window.

    A thread may ask only within `allowed`, that is, where a person has just wanted something: a tunnel that starts by
    itself must fail with its reason in its row, not wait behind a window that nobody looks at.
    """

    def __init__(self) -> None:
        self._thread = threading.local()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._show: Show | None = None

    def attend(self, show: Show) -> None:
        """Ask by `show`, on the loop that is running."""
        self._loop, self._show = asyncio.get_running_loop(), show

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """This thread may ask meanwhile."""
        self._thread.allowed = True
        try:
            yield
        finally:
            self._thread.allowed = False

    def ask(self, prompt: str) -> str:
        """Show `prompt` and return what was typed, empty when nothing was. Blocks.

        Raises:
            SecretError: This thread may not ask.
        """
        show, loop = self._show, self._loop
        if not getattr(self._thread, "allowed", False) or show is None or loop is None:
            raise SecretError(
                translate("asking", "The key's passphrase is kept nowhere, so it has to be typed after each start."),
                translate("asking", "Unlock it."),
            )
        answer: Future[str] = Future()
        loop.call_soon_threadsafe(show, prompt, answer)
        try:
            return answer.result()
        except CancelledError:
            return ""
