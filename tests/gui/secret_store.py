"""Secrets in memory, in place of a keyring in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.gui.certificates import AVAILABLE
from wsgui.errors import WsguiError
from wsgui.gui.secret_requests import Stored
from wsgui.profiles.keyring_access import Finding


class FakeSecrets:
    """Fulfils `wsgui.gui.secret_requests.SecretRequests` at once, or, while `held`, when `answer` is called."""

    def __init__(self) -> None:
        self.finding: Finding = AVAILABLE
        self.secrets: dict[str, str] = {}
        self.users: dict[str, tuple[str, ...]] = {}
        self.failing: WsguiError | None = None
        """What the next request that touches the keyring fails with."""
        self.held = False
        self.waiting: list[Callable[[], None]] = []
        self.cancelled = 0

    def keyring(self, done: Callable[[Finding], object], failed: Any) -> Callable[[], object]:
        done(self.finding)
        return lambda: None

    def store(self, name: str, value: str, *, replace: bool, done: Any, failed: Any) -> Callable[[], object]:
        def work() -> Stored:
            if name in self.secrets and not replace:
                return Stored(False, self.users.get(name, ()))
            self.secrets[name] = value
            return Stored(True, self.users.get(name, ()))

        return self._run(work, done, failed)

    def used_by(self, name: str, done: Any, failed: Any) -> Callable[[], object]:
        done(self.users.get(name, ()))
        return lambda: None

    def remove(self, name: str, done: Any, failed: Any) -> Callable[[], object]:
        return self._run(lambda: self.secrets.pop(name, None) is not None, done, failed)

    def answer(self) -> None:
        """Answer all that waits."""
        self.held = False
        while self.waiting:
            self.waiting.pop(0)()

    def _run(self, work: Callable[[], object], done: Any, failed: Any) -> Callable[[], object]:
        gone = False

        def run() -> None:
            error, self.failing = self.failing, None
            if gone:
                return
            if error is not None:
                failed(error)
            else:
                done(work())

        def cancel() -> None:
            nonlocal gone
            gone = True
            self.cancelled += 1

        if self.held:
            self.waiting.append(run)
        else:
            run()
        return cancel
