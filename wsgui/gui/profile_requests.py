"""What the window may ask about a profile's file: each request is carried out elsewhere, and answered on Qt's loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QCoreApplication

from wsgui.app import profile_edits
from wsgui.app.profile_edits import StoredProfile
from wsgui.app.runtime import Runtime
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.tasks import Tasks
from wsgui.gui.threads import in_thread

translate = QCoreApplication.translate
T = TypeVar("T")
Failed = Callable[[WsguiError], object]
Done = Callable[[StoredProfile], object]


class ProfileRequests(Protocol):
    """Requests return at once. Exactly one of `done` and `failed` is called later."""

    def read(self, name: str, done: Callable[[StoredProfile | None], object], failed: Failed) -> None:
        """Read the file of the profile `name`; None when it has none."""

    def apply(self, stored: StoredProfile, changes: Mapping[str, Any], done: Done, failed: Failed) -> None:
        """Let the tunnel take `changes` (dotted fields; None: no line) over and write them into the file."""

    def restore(self, stored: StoredProfile, data: bytes, done: Done, failed: Failed) -> None:
        """Give the file, which is `stored` now, the text `data` that it had before."""


class LiveProfileRequests:
    """`ProfileRequests` for a running program.

    Args:
        engine: Where the store and the tunnels are.
        tasks: Runs what takes time, and shows what fails in an unforeseen way.
    """

    def __init__(self, engine: EngineThread, tasks: Tasks) -> None:
        self._engine = engine
        self._tasks = tasks

    def read(self, name: str, done: Callable[[StoredProfile | None], object], failed: Failed) -> None:
        async def work() -> StoredProfile | None:
            store = await self._engine.call(_store)
            return await in_thread(lambda: profile_edits.read(store, name), name="profile")

        self._run(translate("profiles", "Reading the settings of {0}").format(display(name)), work(), done, failed)

    def apply(self, stored: StoredProfile, changes: Mapping[str, Any], done: Done, failed: Failed) -> None:
        work = self._engine.call(lambda runtime: profile_edits.apply(runtime, stored, changes))
        self._run(translate("profiles", "Applying the settings of {0}").format(stored.source), work, done, failed)

    def restore(self, stored: StoredProfile, data: bytes, done: Done, failed: Failed) -> None:
        work = self._engine.call(lambda runtime: profile_edits.restore(runtime, stored, data))
        self._run(translate("profiles", "Undoing the settings of {0}").format(stored.source), work, done, failed)

    def _run(self, what: str, answer: Coroutine[Any, Any, T], done: Callable[[T], object], failed: Failed) -> None:
        async def work() -> None:
            try:
                value = await answer
            except WsguiError as error:
                failed(error)
            except Exception as error:
                # Whoever waits must not wait for ever; the log and the bar have the details.
                why = translate("profiles", "{0} failed by a fault of wsgui ({1}).").format(what, type(error).__name__)
                failed(WsguiError(why, translate("profiles", "The log has the details.")))
                raise
            else:
                done(value)

        self._tasks.start(work(), what=what)


async def _store(runtime: Runtime) -> Any:
    return runtime.store
