"""The main window: the tunnel list and the page of the selected tunnel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, ThroughputSnapshot, TunnelSnapshot, TunnelState
from wsgui.errors import ProfileError
from wsgui.gui.actions import FINISH_SECONDS, Actions
from wsgui.gui.models.sessions import LastSessions
from wsgui.gui.notes import Note
from wsgui.gui.theme import theme
from wsgui.gui.views import shortcuts
from wsgui.gui.views.certificates.page import CertificatesPage
from wsgui.gui.views.empty import EmptyPage
from wsgui.gui.views.header import address_entries
from wsgui.gui.views.menus import Entry, popup
from wsgui.gui.views.new_tunnel import NewTunnel
from wsgui.gui.views.sidebar import Sidebar, width_for
from wsgui.gui.views.tunnel_page import Tab, TunnelPage
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.wording import Deed, Notice, Remedy, refusal_notice

_DEMO_TARGET = "demo:"
AWAIT_SECONDS = 3.0
"""How long a tunnel that was just created may take to be in a snapshot, before another is shown again."""


class MainWindow(QMainWindow):
    """Shows snapshots and asks `actions` for what a person wants; it holds no state of the engine.

    Closing it hides it (`closed` is emitted; what then happens to the program is the application's affair).
    """

    selection_changed = Signal(str)
    """The selected tunnel's name, or "" when nothing is selected."""
    closed = Signal()
    """The person closed the window; it is hidden now."""
    visibility_changed = Signal(bool)
    """Shown or hidden: the application pulls 10 snapshots a second while shown."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._selected = ""
        self._snapshot = EngineSnapshot(0.0, ())
        self._sessions = LastSessions()
        self._dismissed: dict[str, Notice] = {}
        self._previous = ""
        self._awaited_until = 0.0
        self._created = ""
        self.setWindowTitle(self.tr("wsgui"))
        self.setMinimumSize(640, 480)
        self.resize(1236, 760)
        self.sidebar = Sidebar()
        self.page = TunnelPage(actions)
        self.new_tunnel = NewTunnel(actions)
        self.certificates = CertificatesPage(actions.certificates, actions.copy_text)
        self.empty = EmptyPage()
        self._sheets: list[Sheet] = []
        self.message = NoticeCard()
        self.message.chosen.connect(lambda _remedy: self.message.show_notice(None))
        self.stack = QStackedWidget()
        for page in (self.empty, self.page, self.new_tunnel, self.certificates):
            self.stack.addWidget(page)
        self._lay_out()
        self._connect()
        shortcuts.install(self, actions)
        theme.changed.connect(self._fit)
        self.sidebar.list.setFocus()

    def _lay_out(self) -> None:
        right = QWidget()
        right.setObjectName("page")
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._message_room = QWidget()
        room = QVBoxLayout(self._message_room)
        room.setContentsMargins(28, 12, 28, 0)
        room.addWidget(self.message)
        self._message_room.hide()
        column.addWidget(self._message_room)
        column.addWidget(self.stack, 1)
        self._whole = QWidget()
        row = QHBoxLayout(self._whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(right, 1)
        self.setCentralWidget(self._whole)

    def _connect(self) -> None:
        self.sidebar.selected.connect(self.select)
        self.sidebar.switched.connect(self._switch)
        self.sidebar.group_switched.connect(self._switch_all)
        self.sidebar.remedy_chosen.connect(self._remedy)
        self.sidebar.new_wanted.connect(self.show_new_tunnel)
        self.sidebar.menu_wanted.connect(self._row_menu)
        self.sidebar.certificates_wanted.connect(self.show_certificates)
        self.certificates.sheet_wanted.connect(self.open_sheet)
        self.page.settings.sheet_wanted.connect(self.open_sheet)
        self.page.overview.remedy_chosen.connect(lambda remedy: self._remedy(self._selected, remedy))
        self.page.overview.new_wanted.connect(self.show_new_tunnel)
        self.page.header.certificates_wanted.connect(self.show_certificates)
        self.empty.new_wanted.connect(self.show_new_tunnel)
        self.new_tunnel.cancelled.connect(self._leave_new_tunnel)
        self.new_tunnel.created.connect(self._show_created)
        self.message.chosen.connect(lambda _remedy: self._message_room.hide())

    @property
    def selected(self) -> str:
        """The selected tunnel's name; "" when none is."""
        return self._selected

    @property
    def current_tunnel(self) -> TunnelSnapshot | None:
        """The selected tunnel in the latest snapshot."""
        return self._snapshot.tunnel(self._selected)

    def select(self, name: str) -> None:
        """Show the tunnel `name`, now or as soon as a snapshot has it."""
        self._created = ""
        self._take(name)
        if self.current_tunnel is not None:
            self.stack.setCurrentWidget(self.page)
            self._show_selected()
        elif self._snapshot.tunnels:
            self._awaited_until = self._snapshot.time + AWAIT_SECONDS
        self._mark()

    def unapplied(self) -> dict[str, int]:
        """How many changed settings of which tunnels are not applied yet."""
        counts = {tunnel.name: self.page.settings.changes_of(tunnel.name) for tunnel in self._snapshot.tunnels}
        return {name: count for name, count in counts.items() if count}

    def show_settings(self, name: str) -> None:
        """Show the settings of the tunnel `name`."""
        self.select(name)
        self.page.show_tab(Tab.SETTINGS)

    def update_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Take over what the engine is now; cheap while hidden."""
        self._snapshot = snapshot
        self._sessions.update(snapshot)
        if self.isVisible() and not self.isMinimized():
            self._refresh()

    def update_throughput(self, name: str, throughput: ThroughputSnapshot) -> None:
        """Draw `throughput` when `name` is the selected tunnel."""
        if name == self._selected and self.isVisible():
            self.page.show_throughput(throughput)

    def show_message(self, text: str, hint: str = "") -> None:
        """Show what went wrong and what to do in a bar that does not block; it stays until it is dismissed."""
        dismiss = Remedy(Deed.DISMISS, self.tr("Dismiss"))
        self.message.show_notice(Notice("warn", display(text, limit=600), display(hint, limit=600), (dismiss,)))
        self._message_room.show()

    def tell(self, notes: tuple[Note, ...]) -> None:
        """Tell what is worth a notification while the window is in front: of tunnels their rows do that already."""
        for note in notes:
            if note.certificate:
                self.show_message(note.title + ".", note.body)

    def set_problems(self, problems: tuple[ProfileError, ...]) -> None:
        """Name the profile files that cannot be read, below the list; () removes the message."""
        self.sidebar.set_problems(problems)

    def show_new_tunnel(self) -> None:
        """Open the page for a new tunnel."""
        self.stack.setCurrentWidget(self.new_tunnel)
        self._mark()
        self.new_tunnel.begin(self._snapshot)

    def show_certificates(self) -> None:
        """Open the page of this computer's certificates."""
        self.stack.setCurrentWidget(self.certificates)
        self.certificates.update_snapshot(self._snapshot)
        self._mark()

    def open_sheet(self, sheet: Sheet, first: QWidget | None = None) -> None:
        """Show `sheet` over everything; `first` in it gets the focus."""
        self._sheets.append(sheet)
        sheet.closed.connect(lambda: self._sheets.remove(sheet))
        sheet.open(self._whole, first)

    def dismiss_sheets(self) -> None:
        """Close all sheets; who waits for an answer gets none."""
        for sheet in tuple(self._sheets):
            sheet.dismiss()

    @property
    def covered(self) -> bool:
        """Whether a sheet lies over everything."""
        return bool(self._sheets)

    def escape(self) -> None:
        """Leave what is open for a moment: a sheet, the new tunnel's page, a question, a search."""
        if self._sheets:
            self._sheets[-1].dismiss()
        elif self.stack.currentWidget() is self.new_tunnel:
            self._leave_new_tunnel()
        elif self.sidebar.search.hasFocus() and self.sidebar.search.text():
            self.sidebar.search.clear()
        else:
            self.page.header.keep_running()

    def next_pane(self, step: int) -> None:
        """Move the focus to the next of: search, list, page's buttons, tabs."""
        panes: list[QWidget] = [self.sidebar.search, self.sidebar.list]
        shown = self.stack.currentWidget()
        if shown is self.page:
            panes += [self.page.header, self.page.tabs]
        elif shown is not None:
            panes.append(shown)
        focus = self.focusWidget()
        inside = [i for i, pane in enumerate(panes) if focus is pane or (focus and pane.isAncestorOf(focus))]
        target = panes[(inside[0] + step) % len(panes) if inside else 0]
        while target.focusPolicy() == Qt.FocusPolicy.NoFocus:
            children = [c for c in target.findChildren(QWidget) if _takes_focus(c)]
            if not children:
                return
            target = children[0]
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def _refresh(self) -> None:
        refusals = {t.name: n for t in self._snapshot.tunnels if (n := self._refusal(t)) is not None}
        self.sidebar.update_snapshot(self._snapshot, refusals)
        self.new_tunnel.update_snapshot(self._snapshot)
        if self.current_tunnel is not None:
            arrived = self._awaited_until > 0
            self._awaited_until = 0.0
            if arrived:
                self.stack.setCurrentWidget(self.page)
        elif self._snapshot.time >= self._awaited_until and self._snapshot.tunnels:
            self._awaited_until = 0.0
            fallback = self._snapshot.tunnel(self._previous) or self._snapshot.tunnels[0]
            self._take(fallback.name)
        if not self._elsewhere:
            self.stack.setCurrentWidget(self.page if self._snapshot.tunnels else self.empty)
        if self.stack.currentWidget() is self.certificates:
            self.certificates.update_snapshot(self._snapshot)
        self._mark()
        self._show_selected()

    def _take(self, name: str) -> None:
        changed = name != self._selected
        if self.current_tunnel is not None:
            self._previous = self._selected
        self._selected = name
        if changed:
            self.page.show_throughput(None)
            self.selection_changed.emit(name)

    @property
    def _elsewhere(self) -> bool:
        """Whether the page in sight is no tunnel's."""
        return self.stack.currentWidget() in (self.new_tunnel, self.certificates)

    def _mark(self) -> None:
        """Mark the shown tunnel's row; none beside another page, so that a click on any row leaves that."""
        self.sidebar.select("" if self._elsewhere else self._selected)
        self.sidebar.mark_certificates(self.stack.currentWidget() is self.certificates)

    def _show_selected(self) -> None:
        tunnel = self.current_tunnel
        if tunnel is None or self.stack.currentWidget() is not self.page:
            return
        first_start = all(t.target == _DEMO_TARGET for t in self._snapshot.tunnels)
        session = self._sessions.last(tunnel.name)
        self.page.show_tunnel(tunnel, self._snapshot.time, self._refusal(tunnel), session, first_start)
        if tunnel.name == self._created and tunnel.state not in (TunnelState.STOPPED, TunnelState.STARTING):
            self._created = ""
            self.page.header.open.setFocus()

    def _refusal(self, tunnel: TunnelSnapshot) -> Notice | None:
        notice = refusal_notice(tunnel)
        return None if notice is not None and notice == self._dismissed.get(tunnel.name) else notice

    def _show_created(self, name: str) -> None:
        self.select(name)
        self.page.show_tab(0)
        self._created = name

    def _leave_new_tunnel(self) -> None:
        self.stack.setCurrentWidget(self.page if self.current_tunnel is not None else self.empty)
        self._mark()
        self._show_selected()

    def _switch(self, name: str, on: bool) -> None:
        tunnel = self._snapshot.tunnel(name)
        if on:
            self._actions.start(name)
        elif tunnel is not None and tunnel.connections:
            # The same question as by the button: clients are not thrown out by a slip of the finger.
            self.select(name)
            self.page.header.ask_to_stop()
        else:
            self._actions.stop(name)

    def _switch_all(self, names: tuple[str, ...], on: bool) -> None:
        for name in names:
            if on:
                self._actions.start(name)
            else:
                # One question for many tunnels would say too little: clients finish, and each page offers "Stop now".
                tunnel = self._snapshot.tunnel(name)
                busy = tunnel is not None and bool(tunnel.connections)
                self._actions.stop(name, grace_seconds=FINISH_SECONDS if busy else 0.0)

    def _remedy(self, name: str, remedy: Remedy) -> None:
        match remedy.deed:
            case Deed.USE_PORT:
                self._actions.use_port(name, int(remedy.value))
            case Deed.RETRY:
                self._actions.start(name)
            case Deed.EDIT:
                self._actions.edit_profile(name)
            case Deed.ALLOW_ORIGIN:
                self._actions.allow_origin(name, remedy.value)
                self._dismiss(name)
            case Deed.DISMISS:
                self._dismiss(name)
            case Deed.REVIEW:
                self.select(name)
                self.page.show_tab(0)
            case Deed.OPEN_SOURCE:
                self._actions.open_source(remedy.value)
            case Deed.UNLOCK:
                self._actions.certificates.unlock(name)
            case Deed.CERTIFICATES:
                self.show_certificates()
            case Deed.USE_PASSPHRASE:
                self.show_certificates()
                self.certificates.open_new(ask=True)
            case Deed.SETTINGS:
                self.select(name)
                self.page.show_setting(remedy.value)
            case Deed.OTHER_DEVICE:
                self.show_certificates()
                self.certificates.open_device(name)

    def _dismiss(self, name: str) -> None:
        tunnel = self._snapshot.tunnel(name)
        notice = refusal_notice(tunnel) if tunnel is not None else None
        if notice is not None:
            self._dismissed[name] = notice
            self._refresh()

    def _row_menu(self, name: str) -> None:
        tunnel = self._snapshot.tunnel(name)
        if tunnel is None:
            return
        entries: list[Entry] = [
            (self.tr("Stop"), lambda: self._switch(name, False))
            if tunnel.wanted
            else (self.tr("Start"), lambda: self._switch(name, True))
        ]
        if tunnel.page_url:
            entries.append((self.tr("Open"), lambda: self._actions.open_page(name)))
        entries += [None, *address_entries(tunnel, self._actions), None]
        entries.append((self.tr("Edit profile"), lambda: self._actions.edit_profile(name)))
        popup(self, entries)

    def _fit(self) -> None:
        scale = theme.text_scale
        width, sparklines = width_for(self.width() / scale)
        self.sidebar.setFixedWidth(min(round(width * min(scale, 1.4)), self.width() // 2))
        self.sidebar.set_sparklines(sparklines)
        self.page.overview.fit(self.height() / scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.closed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()
        self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visibility_changed.emit(False)


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
