"""The page of the selected tunnel: its header, its tabs, and what the chosen tab shows."""

from __future__ import annotations

import enum
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from wsgui.engine.snapshot import ThroughputSnapshot, TunnelSnapshot
from wsgui.gui import formatting
from wsgui.gui.actions import Actions
from wsgui.gui.models.connections import ConnectionTableModel
from wsgui.gui.models.sessions import Session
from wsgui.gui.theme import Type, theme
from wsgui.gui.views.connections import ConnectionsView
from wsgui.gui.views.header import Header
from wsgui.gui.views.overview import Overview
from wsgui.gui.views.settings.page import SettingsView
from wsgui.gui.wording import Notice


class Tab(enum.IntEnum):
    """The tabs there are; Traffic, Recordings and Log will stand before Settings."""

    OVERVIEW = 0
    CONNECTIONS = 1
    SETTINGS = 2


TABS: Final = len(Tab)
LOW_PAGE: Final = 420
"""Below this height (pixels at a text scale of 1) the head says only what is not elsewhere, for the tab's sake."""


class TunnelPage(QWidget):
    """Shows one tunnel; only the tab in sight is kept up to date."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("page")
        self._model = ConnectionTableModel(self)
        self._latest: tuple[TunnelSnapshot, float, Notice | None, Session | None, bool] | None = None
        self.header = Header(actions)
        self.overview = Overview(actions, self._model)
        self.connections = ConnectionsView(actions, self._model)
        self.settings = SettingsView(actions)
        self.settings.marked.connect(self._mark_settings)
        self.settings.new_wanted.connect(self.overview.new_wanted)
        self.overview.table.menu_wanted.connect(self.connections.show_menu)
        self.overview.all_wanted.connect(lambda: self.show_tab(Tab.CONNECTIONS))
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(self.tr("Parts of this tunnel"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.addTab(self.tr("Overview"))
        self.tabs.addTab(self.tr("Connections"))
        self.tabs.addTab(self.tr("Settings"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.overview)
        self._stack.addWidget(self.connections)
        self._stack.addWidget(self.settings)
        self.tabs.currentChanged.connect(self._tab_changed)
        self._refont()
        theme.changed.connect(self._refont)
        top = QWidget()
        head = QVBoxLayout(top)
        head.setContentsMargins(28, 18, 28, 0)
        head.setSpacing(8)
        head.addWidget(self.header)
        head.addWidget(self.tabs)
        rule = QFrame()
        rule.setObjectName("rule")
        ruled = QVBoxLayout()
        ruled.setContentsMargins(28, 0, 28, 0)
        ruled.addWidget(rule)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(top)
        layout.addLayout(ruled)
        layout.addWidget(self._stack, 1)

    def show_tunnel(
        self, tunnel: TunnelSnapshot, now: float, refusal: Notice | None, session: Session | None, first_start: bool
    ) -> None:
        """Show `tunnel` as it is at `now` (Unix time)."""
        self._latest = (tunnel, now, refusal, session, first_start)
        self.header.show_tunnel(tunnel, now)
        count = len(tunnel.connections)
        title = self.tr("Connections")
        if count:
            title = self.tr("Connections  {0}").format(formatting.count(count))
        if title != self.tabs.tabText(Tab.CONNECTIONS):
            self.tabs.setTabText(Tab.CONNECTIONS, title)
        self._model.update(tunnel, now)
        self._mark_settings()
        match self._stack.currentIndex():
            case Tab.OVERVIEW:
                self.overview.show_tunnel(tunnel, now, refusal=refusal, session=session, first_start=first_start)
            case Tab.CONNECTIONS:
                self.connections.show_tunnel(tunnel)
            case _:
                self.settings.show_tunnel(tunnel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.header.set_low(self.height() / theme.text_scale < LOW_PAGE)

    def show_throughput(self, throughput: ThroughputSnapshot | None) -> None:
        self.overview.show_throughput(throughput)

    def show_tab(self, tab: int) -> None:
        """Bring a tab to the front."""
        if 0 <= tab < TABS:
            self.tabs.setCurrentIndex(tab)

    def show_setting(self, path: str) -> None:
        """Lead to the field that a button is about, such as `tls.certificate`."""
        self.show_tab(Tab.SETTINGS)
        self.settings.lead_to(path)

    def apply_settings(self) -> None:
        """Apply what is changed in the Settings, if that is the tab in sight."""
        if self.settings.isVisible():
            self.settings.apply()

    def undo(self) -> None:
        """Undo in the tab in sight."""
        if self.settings.isVisible():
            self.settings.undo()

    def _mark_settings(self) -> None:
        """Let the tab say that changes wait there."""
        count = self.settings.changes_of(self._latest[0].name) if self._latest is not None else 0
        title = self.tr("Settings  ●") if count else self.tr("Settings")
        if title != self.tabs.tabText(Tab.SETTINGS):
            self.tabs.setTabText(Tab.SETTINGS, title)
        name = self.tr("Settings, %n change(s) not applied", None, count) if count else self.tr("Settings")
        self.tabs.setAccessibleTabName(Tab.SETTINGS, name)

    def _tab_changed(self, tab: int) -> None:
        left = self._stack.currentWidget()
        if left is not None and (focus := self.focusWidget()) is not None and left.isAncestorOf(focus):
            self.tabs.setFocus()  # else the next widget of the window gets it, whatever that is
        self._stack.setCurrentIndex(tab)
        if self._latest is not None:
            self.show_tunnel(*self._latest)

    def _refont(self) -> None:
        self.tabs.setFont(theme.font(Type.BODY))
