"""The tray app in a process of its own, driven from inside as a person clicks and types: `… SCENARIO PICTURES`.

What it shows is told on stdout, a JSON value a line; where it waits, any line on stdin lets it go on.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from wsgui.app import certificates as facade
from wsgui.app.logging import LEVELS, EventLog
from wsgui.app.paths import paths
from wsgui.certificates.trust.nss import chrome_store, firefox_store
from wsgui.certificates.trust.system import SystemStore
from wsgui.certificates.trust.tools import Tools
from wsgui.engine.snapshot import TunnelState
from wsgui.gui import application
from wsgui.gui.shell import Shell
from wsgui.gui.views.certificates.device_sheet import DeviceSheet
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.certificates.passphrase_sheet import PassphraseSheet
from wsgui.gui.widgets.sheet import Sheet
from wsgui.profiles.reading import build_profile

T = TypeVar("T")
LEFT = Qt.MouseButton.LeftButton
PASSPHRASE = "a passphrase of one's own"
SECONDS = 60.0


async def until(what: str, look: Callable[[], T]) -> T:
    """Look, a turn of the loop at a time, until there is something to see."""
    try:
        async with asyncio.timeout(SECONDS):
            while not (seen := look()):
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {SECONDS:g} s: {what}") from None
    return seen


def tell(value: Any) -> None:
    print(json.dumps(value), flush=True)


async def told() -> None:
    assert await asyncio.to_thread(sys.stdin.readline)


def button(parent: QWidget, label: str) -> QPushButton | None:
    return next((b for b in parent.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == label), None)


class Person:
    """Looks at the window, clicks, types."""

    def __init__(self, shell: Shell, pictures: Path) -> None:
        self.shell = shell
        self.window = shell.window
        self.page = shell.window.certificates
        self._pictures = pictures

    async def click(self, label: str, parent: QWidget | None = None) -> None:
        found = await until(label, lambda: button(parent or self.window, label))
        await until(f"{label} enabled", found.isEnabled)
        QTest.mouseClick(found, LEFT)

    def picture(self, name: str) -> None:
        self.window.grab().save(str(self._pictures / f"{name}.png"))

    def sheet(self, kind: type[T]) -> T | None:
        shown: list[Sheet] = self.window._sheets
        return shown[-1] if shown and isinstance(shown[-1], kind) else None

    async def type_passphrase(self) -> str:
        asked = await until("a sheet that asks", lambda: self.sheet(PassphraseSheet))
        self.picture("asked")
        QTest.keyClicks(asked.line.line, PASSPHRASE)
        QTest.keyClick(asked.line.line, Qt.Key.Key_Return)
        await until("the sheet gone", lambda: asked not in self.window._sheets)
        return asked.prompt

    async def have_tunnel(self, name: str) -> None:
        profile = {"listen": "*:0", "target": "demo:", "tls": {"certificate": [name]}, "autostart": True}
        profile["listen"] = f"*:{os.environ['TEST_PORT']}"
        self.window._actions.create(build_profile({"name": "Lab", **profile}, "Lab"))
        await self.state(TunnelState.RUNNING)

    async def state(self, state: TunnelState) -> None:
        await until(
            f"Lab {state.value}", lambda: (lab := self.shell._latest.tunnel("Lab")) is not None and lab.state is state
        )


async def create_and_trust(person: Person) -> None:
    """One click, then a tunnel, then another device."""
    await person.click("Certificates")
    await person.click("Create and trust here")
    await until("trusted by Chrome", lambda: person.page.trust_card.untrust.isVisible())
    person.picture("created")
    (row,) = person.page.list.rows
    tell({"name": row.name})
    await told()
    await person.have_tunnel(row.name)
    await person.click("Certificates")
    await until("used by Lab", lambda: person.page.list.rows[0].row.used_by == ("Lab",))
    person.page.list.rows[0].setFocus()
    QTest.keyClick(person.page.list.rows[0], Qt.Key.Key_Delete)
    tell({"refused": person.page.list.rows[0].notice.accessibleName()})
    await person.click("Another device…")
    sheet = await until("the sheet", lambda: person.sheet(DeviceSheet))
    await until("an offer", lambda: sheet.stop.isVisible() or sheet.notice.isVisible())
    person.picture("offered")
    offer = next(iter(person.page._offers.values()), None)
    tell({"urls": offer.urls if offer else (), "fingerprint": offer.fingerprint if offer else ""})
    await told()
    if offer is not None:
        await person.click("Stop offering", sheet)
    QTest.keyClick(person.window.focusWidget(), Qt.Key.Key_Escape)
    await until("the sheet gone", lambda: not person.window.covered)
    tell({"stopped": True})
    await told()
    await person.click("Remove trust")
    await until("no longer trusted", lambda: not person.page.trust_card.untrust.isVisible())
    person.picture("untrusted")
    tell({"untrusted": True})


async def own_passphrase(person: Person) -> None:
    """No keyring: a passphrase of one's own, asked for."""
    await person.click("Certificates")
    await person.click("Create and trust here")
    await until("what is the matter", person.page.notice.isVisible)
    person.picture("no-keyring")
    tell({"notice": person.page.notice.accessibleName()})
    await person.click("Use a passphrase")
    sheet = await until("the form", lambda: person.sheet(NewSheet))
    await until("names", lambda: sheet.names.toPlainText())
    person.picture("new")
    prompts = []
    await person.click("Create", sheet)
    while not person.page.list.rows:
        await until("asked or made", lambda: person.sheet(PassphraseSheet) or person.page.list.rows)
        if person.sheet(PassphraseSheet):
            prompts.append(await person.type_passphrase())
    tell({"prompts": prompts, "name": person.page.list.rows[0].name})
    await person.have_tunnel(person.page.list.rows[0].name)
    tell({"running": True})


async def unlock(person: Person) -> None:
    """After the next start the tunnel says that it has to be unlocked, and a click does it."""
    await person.state(TunnelState.FAILED)
    await until("Lab on the page", lambda: person.window.selected == "Lab")
    notice = person.window.page.overview.state_notice
    await until("the reason", notice.isVisible)
    person.picture("failed")
    tell({"notice": notice.accessibleName()})
    await person.click("Unlock", notice)
    await person.type_passphrase()
    await person.state(TunnelState.RUNNING)
    tell({"running": True})


SCENARIOS: dict[str, Callable[[Person], Awaitable[None]]] = {
    "create-and-trust": create_and_trust,
    "own-passphrase": own_passphrase,
    "unlock": unlock,
}


def main() -> int:
    scenario, pictures = SCENARIOS[sys.argv[1]], Path(sys.argv[2])
    home = Path(os.environ["HOME"])
    tools = Tools(os.environ)

    def stores(folder: Path) -> tuple[Any, ...]:
        # The system's own store is this computer's: here it has another root.
        root = home / "root"
        return (SystemStore(tools, folder, root=root), chrome_store(tools, folder), firefox_store(tools, folder))

    facade.platform_stores = stores  # type: ignore[assignment]

    class Played(Shell):
        def follow_engine(self, *, minimized: bool) -> None:
            super().follow_engine(minimized=minimized)
            self._tasks.start(self._play(), what="the scenario")

        async def _play(self) -> None:
            try:
                await scenario(Person(self, pictures))
            except BaseException as error:
                tell({"error": f"{type(error).__name__}: {error}"})
                self.window.grab().save(str(pictures / "error.png"))
                raise
            finally:
                self.quit()

    application.Shell = Played  # type: ignore[misc]
    log = EventLog("text", LEVELS["info"], sys.stderr)
    log.install()
    try:
        return application.run_application(paths(), log, minimized=False)
    finally:
        log.close()


if __name__ == "__main__":
    raise SystemExit(main())
