"""Carries out what the window asks about certificates, in threads and in the engine's."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication

from wsgui.app.certificates import Certificates
from wsgui.app.runtime import Runtime
from wsgui.display import display
from wsgui.engine.snapshot import OfferSnapshot
from wsgui.gui.answering import answer
from wsgui.gui.asking import Asking
from wsgui.gui.certificate_requests import Cancel, Failed
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.tasks import Tasks
from wsgui.gui.threads import in_thread

translate = QCoreApplication.translate
T = TypeVar("T")


class LiveCertificateRequests:
    """`wsgui.gui.certificate_requests.CertificateRequests` for a running program.

    Args:
        engine: Where the certificates' facade and the tunnels are.
        tasks: Runs what takes time, and shows what fails in an unforeseen way.
        asking: Asks the person for passphrases that are kept nowhere.
        start: Starts a tunnel, as its switch does.
    """

    def __init__(self, engine: EngineThread, tasks: Tasks, asking: Asking, start: Callable[[str], None]) -> None:
        self._engine = engine
        self._tasks = tasks
        self._asking = asking
        self._start = start

    def ask(
        self, what: str, question: Callable[[Certificates], T], done: Callable[[T], object], failed: Failed
    ) -> Cancel:
        return self._run(what, self._in_thread(question), done, failed)

    def offer(self, tunnel: str, authority: str, done: Callable[[OfferSnapshot], object], failed: Failed) -> Cancel:
        async def work() -> OfferSnapshot:
            der = await self._in_thread(lambda c: c.export_authority(form="der", identity=authority))
            return await self._engine.call(lambda runtime: runtime.engine.offer_authority(tunnel, der))

        what = translate("certificates", "Offering the authority's certificate on {0}").format(display(tunnel))
        return self._run(what, work(), done, failed)

    def withdraw(self, tunnel: str) -> None:
        what = translate("certificates", "Ending the offer on {0}").format(display(tunnel))
        self._tasks.start(self._engine.call(lambda runtime: runtime.engine.withdraw_offer(tunnel)), what=what)

    def unlock(self, tunnel: str) -> None:
        async def work() -> None:
            names = await self._engine.call(lambda runtime: _certificates_of(runtime, tunnel))
            await self._in_thread(lambda c: [c.vault.passphrase(name) for name in names])
            self._start(tunnel)

        self._tasks.start(work(), what=translate("certificates", "Unlocking the key of {0}").format(display(tunnel)))

    async def _in_thread(self, question: Callable[[Certificates], T]) -> T:
        certificates = await self._engine.call(_facade)

        def work() -> T:
            with self._asking.allowed():
                return question(certificates)

        return await in_thread(work, name="certificates")

    def _run(self, what: str, work: Coroutine[Any, Any, T], done: Callable[[T], object], failed: Failed) -> Cancel:
        return answer(self._tasks, what, work, done, failed)


async def _facade(runtime: Runtime) -> Certificates:
    return runtime.certificates


async def _certificates_of(runtime: Runtime, tunnel: str) -> tuple[str, ...]:
    profile = next((profile for profile in runtime.engine.profiles if profile.name == tunnel), None)
    return tuple(profile.tls.certificate) if profile is not None else ()
