"""Carries out what the Settings tab asks: files in threads, and then the tunnel takes over what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from wsgui.app.runtime import Runtime
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.gui.answering import answer
from wsgui.gui.certificate_requests import Cancel, Failed
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.settings_requests import Applied
from wsgui.gui.tasks import Tasks
from wsgui.gui.threads import in_thread
from wsgui.profiles import revising
from wsgui.profiles.builtin import demo_profile
from wsgui.profiles.model import Profile
from wsgui.profiles.revising import Changes, ProfileFile
from wsgui.profiles.store import ProfileStore

translate = QCoreApplication.translate


class LiveSettingsRequests:
    """`wsgui.gui.settings_requests.SettingsRequests` for a running program.

    Args:
        engine: Where the profiles and the tunnels are.
        tasks: Runs what takes time, and shows what fails in an unforeseen way.
    """

    def __init__(self, engine: EngineThread, tasks: Tasks) -> None:
        self._engine = engine
        self._tasks = tasks

    def read(self, name: str, done: Callable[[ProfileFile | None], object], failed: Failed) -> Cancel:
        async def work() -> ProfileFile | None:
            store = await self._engine.call(_store)
            return await in_thread(lambda: revising.find(store, name), name="settings")

        what = translate("settings", "Reading the settings of {0}").format(display(name))
        return answer(self._tasks, what, work(), done, failed)

    def look_again(self, file: ProfileFile, done: Callable[[ProfileFile | None], object], failed: Failed) -> Cancel:
        what = translate("settings", "Reading the settings of {0}").format(display(file.name))
        reading = in_thread(lambda: revising.read_again(file.path), name="settings")
        return answer(self._tasks, what, reading, done, failed)

    def apply(self, file: ProfileFile, changes: Changes, done: Callable[[Applied], object], failed: Failed) -> Cancel:
        return self._write(file, lambda: revising.revise(file, changes), done, failed)

    def put_back(self, file: ProfileFile, data: bytes, done: Callable[[Applied], object], failed: Failed) -> Cancel:
        return self._write(file, lambda: revising.put_back(file, data), done, failed)

    def adopt_demo(self, done: Callable[[str], object], failed: Failed) -> Cancel:
        what = translate("settings", "Making a profile of the demo")
        return answer(self._tasks, what, self._engine.call(_adopt_demo), done, failed)

    def _write(
        self,
        file: ProfileFile,
        write: Callable[[], ProfileFile],
        done: Callable[[Applied], object],
        failed: Failed,
    ) -> Cancel:
        async def work() -> Applied:
            written = await in_thread(write, name="settings")
            profile = written.profile
            if profile is None:
                return Applied(written, written.problem)
            return Applied(written, await self._engine.call(lambda runtime: _take_over(runtime, profile)))

        what = translate("settings", "Changing the settings of {0}").format(display(file.name))
        return answer(self._tasks, what, work(), done, failed)


# In the engine's thread


async def _store(runtime: Runtime) -> ProfileStore:
    return runtime.store


async def _take_over(runtime: Runtime, profile: Profile) -> WsguiError | None:
    try:
        await runtime.engine.configure(profile)
    except WsguiError as error:
        return error
    return None


async def _adopt_demo(runtime: Runtime) -> str:
    taken = {name.casefold() for name in (*runtime.engine.names, *await asyncio.to_thread(runtime.store.names))}
    base = translate("settings", "My demo")
    numbered = (f"{base} {number}" for number in range(2, 1000))
    name = next(each for each in (base, *numbered) if each.casefold() not in taken)
    demo = (await asyncio.to_thread(demo_profile)).model_copy(update={"name": name})
    await asyncio.to_thread(runtime.store.save, demo)
    await runtime.engine.configure(demo)
    await runtime.start(name)
    return name
