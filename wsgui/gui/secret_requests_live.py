"""Carries out what the window asks about secrets, in threads, as a keyring may wait for its user."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QCoreApplication

from wsgui.app.runtime import Runtime
from wsgui.app.secret_names import SecretIndex
from wsgui.certificates.passphrases import OWN_ENTRIES
from wsgui.display import display
from wsgui.errors import SecretError, WsguiError
from wsgui.gui.answering import answer
from wsgui.gui.certificate_requests import Cancel, Failed
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.secret_requests import Stored
from wsgui.gui.tasks import Tasks
from wsgui.gui.threads import in_thread
from wsgui.profiles import keyring_access
from wsgui.profiles.keyring_access import Finding
from wsgui.profiles.references import keyring_names

translate = QCoreApplication.translate
T = TypeVar("T")


class LiveSecretRequests:
    """`wsgui.gui.secret_requests.SecretRequests` for a running program.

    Args:
        engine: Where the secrets' names and the profiles are.
        tasks: Runs what takes time, and shows what fails in an unforeseen way.
    """

    def __init__(self, engine: EngineThread, tasks: Tasks) -> None:
        self._engine = engine
        self._tasks = tasks

    def keyring(self, done: Callable[[Finding], object], failed: Failed) -> Cancel:
        what = translate("secrets", "Looking at the keyring")
        return answer(self._tasks, what, in_thread(keyring_access.state, name="keyring"), done, failed)

    def store(
        self, name: str, value: str, *, replace: bool, done: Callable[[Stored], object], failed: Failed
    ) -> Cancel:
        async def work() -> Stored:
            index, users = await self._engine.call(lambda runtime: _known(runtime, name))
            stored = await in_thread(lambda: _store(index, name, value, replace=replace), name="secrets")
            if stored:
                await self._engine.call(lambda runtime: _read_again(runtime, users))
            return Stored(stored, users)

        what = translate("secrets", "Storing the secret {0}").format(display(name))
        return answer(self._tasks, what, work(), done, failed)

    def used_by(self, name: str, done: Callable[[tuple[str, ...]], object], failed: Failed) -> Cancel:
        async def work() -> tuple[str, ...]:
            return (await self._engine.call(lambda runtime: _known(runtime, name)))[1]

        what = translate("secrets", "Looking who uses the secret {0}").format(display(name))
        return answer(self._tasks, what, work(), done, failed)

    def remove(self, name: str, done: Callable[[bool], object], failed: Failed) -> Cancel:
        async def work() -> bool:
            index, _ = await self._engine.call(lambda runtime: _known(runtime, name))
            return await in_thread(lambda: _remove(index, name), name="secrets")

        what = translate("secrets", "Removing the secret {0}").format(display(name))
        return answer(self._tasks, what, work(), done, failed)


async def _known(runtime: Runtime, name: str) -> tuple[SecretIndex, tuple[str, ...]]:
    """The secrets' names, and the tunnels that use the one called `name`."""
    users = (profile.name for profile in runtime.engine.profiles if name in keyring_names(profile))
    return runtime.secrets, tuple(users)


async def _read_again(runtime: Runtime, tunnels: tuple[str, ...]) -> None:
    """Let tunnels take what has been stored: nobody comes in by the password of before any more."""
    for profile in runtime.engine.profiles:
        if profile.name in tunnels:
            with contextlib.suppress(WsguiError):  # its row says why
                await runtime.engine.configure(profile)


# In a thread


def _store(index: SecretIndex, name: str, value: str, *, replace: bool) -> bool:
    _check_not_ours(name)
    # One that another program or the command line has stored is in no index.
    if not replace and (name in index.names() or keyring_access.get(name) is not None):
        return False
    index.set(name, value)
    return True


def _remove(index: SecretIndex, name: str) -> bool:
    _check_not_ours(name)
    return index.remove(name)


def _check_not_ours(name: str) -> None:
    if name.startswith(OWN_ENTRIES):
        raise SecretError(
            translate("secrets", "Names that begin with “{0}/” are kept for certificates.").format(
                name.partition("/")[0]
            ),
            translate("secrets", "Choose another name."),
        )
