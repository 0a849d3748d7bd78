"""The tray's menu: a switch a tunnel, addresses to copy, pages to open; never changed while somebody looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, TunnelSnapshot, TunnelState
from wsgui.gui.actions import Actions
from wsgui.gui.formatting import escaped_ampersand
from wsgui.gui.wording import state_word

translate = QCoreApplication.translate

MOST_TUNNELS: Final = 12
LONGEST_NAME: Final = 80
FORGOTTEN_SECONDS: Final = 60.0
"""Some desktops show the menu themselves and never say that it closed: after this time it counts as closed."""


def menu_text(text: str) -> str:
    """`text` from outside, safe in a menu: no invisible characters, and "&" is a character, not a key."""
    return escaped_ampersand(display(text, limit=LONGEST_NAME))


def tunnel_text(tunnel: TunnelSnapshot) -> str:
    """A tunnel's line in the menu: its name, and what it is unless it just runs or is off."""
    name, clients = menu_text(tunnel.name), len(tunnel.connections)
    if tunnel.state is TunnelState.STOPPED or (tunnel.state is TunnelState.RUNNING and not clients):
        return name
    if tunnel.state is TunnelState.RUNNING:
        return translate("tray", "{0}, {1} connected").format(name, clients)
    return translate("tray", "{0}: {1}").format(name, state_word(tunnel.state, clients))


class TrayMenu:
    """Fills a QMenu from snapshots; what is chosen in it goes to `actions`, "Open wsgui" to `open_window`.

    A tunnel keeps its QAction for life: a click that a slow desktop delivers late still means the tunnel it showed.

    Args:
        show_address: Where a menu cannot reach the clipboard: shows a tunnel's address in the window instead.
    """

    def __init__(
        self,
        actions: Actions,
        open_window: Callable[[], None],
        show_address: Callable[[str], None] | None = None,
    ) -> None:
        self.menu = QMenu("wsgui")
        self._actions = actions
        self._open_since: float | None = None
        self._recent: list[str] = []
        self._wanted: frozenset[str] = frozenset()
        self._shown: tuple[object, ...] | None = None
        self._switches: dict[str, QAction] = {}
        self._copies: dict[str, QAction] = {}
        self._pages: dict[str, QAction] = {}

        self.menu.addAction(translate("tray", "Open wsgui")).triggered.connect(lambda: open_window())
        self.menu.addSeparator()
        self._after_switches = self.menu.addSeparator()
        self._copy_address = show_address or actions.copy_address
        self._copy_menu = self.menu.addMenu(
            translate("tray", "Show address…") if show_address else translate("tray", "Copy address")
        )
        self._page_menu = self.menu.addMenu(translate("tray", "Open page"))
        self.menu.addSeparator()
        self.menu.addAction(translate("tray", "Quit")).triggered.connect(lambda: actions.quit())
        self.menu.aboutToShow.connect(self._opened)
        self.menu.aboutToHide.connect(self._closed)

    @property
    def is_open(self) -> bool:
        if self.menu.isVisible():
            return True
        return self._open_since is not None and time.monotonic() - self._open_since < FORGOTTEN_SECONDS

    def close(self) -> None:
        """Take the menu down for good; nothing may be asked of it after this."""
        self.menu.hide()
        self.menu.deleteLater()

    def update(self, snapshot: EngineSnapshot) -> None:
        """Take over `snapshot`, unless the menu is open: then nothing moves, and the next one will do."""
        if self.is_open:
            return
        wanted = [tunnel.name for tunnel in snapshot.tunnels if tunnel.wanted]
        new = [name for name in wanted if name not in self._wanted]
        self._recent = new + [name for name in self._recent if name not in new]
        self._wanted = frozenset(wanted)
        tunnels = self._chosen(snapshot)
        shown = tuple((t.name, tunnel_text(t), t.wanted, t.page_url, t.websocket_url) for t in tunnels)
        if shown == self._shown:
            return
        self._shown = shown
        self._place(self.menu, self._switches, [t.name for t in tunnels], self._after_switches, self._new_switch)
        for tunnel in tunnels:
            switch = self._switches[tunnel.name]
            switch.setText(tunnel_text(tunnel))
            switch.setChecked(tunnel.wanted)
        self._fill(self._copy_menu, self._copies, [t for t in tunnels if t.page_url or t.websocket_url], self._new_copy)
        self._fill(self._page_menu, self._pages, [t for t in tunnels if t.page_url], self._new_page)

    def _chosen(self, snapshot: EngineSnapshot) -> list[TunnelSnapshot]:
        """At most 12: those that are on in their own order, those that were on lately, the rest in their own order."""

        def rank(tunnel: TunnelSnapshot) -> int:
            if tunnel.wanted:
                return -1
            return self._recent.index(tunnel.name) if tunnel.name in self._recent else len(self._recent)

        return sorted(snapshot.tunnels, key=rank)[:MOST_TUNNELS]

    def _fill(
        self,
        menu: QMenu,
        known: dict[str, QAction],
        tunnels: list[TunnelSnapshot],
        new: Callable[[str], QAction],
    ) -> None:
        self._place(menu, known, [t.name for t in tunnels], None, new)
        for tunnel in tunnels:
            known[tunnel.name].setText(menu_text(tunnel.name))
        menu.menuAction().setEnabled(bool(tunnels))

    def _place(
        self,
        menu: QMenu,
        known: dict[str, QAction],
        names: list[str],
        before: QAction | None,
        new: Callable[[str], QAction],
    ) -> None:
        """Make `menu` hold the actions of `names` in this order, in front of `before`, moving as few as need be."""
        for name in [n for n in known if n not in names]:
            gone = known.pop(name)
            menu.removeAction(gone)
            gone.deleteLater()
        ours = set(known.values())
        if [a for a in menu.actions() if a in ours] != [known.get(n) for n in names]:
            for name in names:
                action = known.get(name) or known.setdefault(name, new(name))
                menu.removeAction(action)
                if before is None:
                    menu.addAction(action)
                else:
                    menu.insertAction(before, action)

    def _new_switch(self, name: str) -> QAction:
        action = QAction(self.menu)
        action.setCheckable(True)
        action.triggered.connect(lambda on: self._switch(name, on))
        return action

    def _switch(self, name: str, on: bool) -> None:
        # The click has moved the check mark already: the next snapshot puts it right, also when nothing came of it.
        self._shown = None
        if on:
            self._actions.start(name)
        else:
            self._actions.stop(name)

    def _new_copy(self, name: str) -> QAction:
        action = QAction(self._copy_menu)
        action.triggered.connect(lambda: self._copy_address(name))
        return action

    def _new_page(self, name: str) -> QAction:
        action = QAction(self._page_menu)
        action.triggered.connect(lambda: self._actions.open_page(name))
        return action

    def _opened(self) -> None:
        self._open_since = time.monotonic()

    def _closed(self) -> None:
        # What was chosen is told after this; the next snapshot comes in a later turn of the loop.
        self._open_since = None
