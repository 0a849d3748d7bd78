"""One request at a time, with a bar that says what is being done and stops waiting for it."""

from __future__ import annotations

from collections.abc import Callable

from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import Cancel, Failed
from wsgui.gui.views.certificates.progress import Progress

Ask = Callable[[Callable[..., object], Failed], Cancel]


class Waiting:
    """Begins a request unless one is under way.

    Args:
        progress: Shows it.
        changed: Called when it begins (true) and when it has ended or been given up (false).
    """

    def __init__(self, progress: Progress, changed: Callable[[bool], object]) -> None:
        self._progress = progress
        self._changed = changed
        self._cancel: Cancel | None = None

    @property
    def busy(self) -> bool:
        return self._cancel is not None

    def begin(
        self, saying: str, ask: Ask, done: Callable[..., object], failed: Failed, *, given_up: Cancel = lambda: None
    ) -> None:
        """Ask, and call `done` or `failed` with what comes, or `given_up` when the person does not want to wait."""
        if self.busy:
            return

        def finished(value: object) -> None:
            self._rest()
            done(value)

        def went_wrong(error: WsguiError) -> None:
            self._rest()
            failed(error)

        self._cancel = lambda: None  # the answer may come before `ask` returns
        cancel = ask(finished, went_wrong)
        if not self.busy:
            return

        def give_up() -> None:
            self._rest()
            cancel()
            given_up()

        self._cancel = give_up
        self._progress.begin(saying, give_up)
        self._changed(True)

    def stop(self) -> None:
        """Wait no longer, if it does."""
        if self._cancel is not None:
            self._cancel()

    def _rest(self) -> None:
        self._cancel = None
        self._changed(False)  # first, as what is hidden loses the focus to anything
        self._progress.end()
