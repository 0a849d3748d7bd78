"""The sidebar: find, the list of tunnels with their switches, and what they are all together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListView, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import FieldError, ProfileError
from wsgui.gui.models.tunnels import ROW_ROLE, GroupRow, Show, TunnelListModel, TunnelRow
from wsgui.gui.theme import Type, theme
from wsgui.gui.views.menus import popup
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.row_delegate import RowDelegate
from wsgui.gui.widgets.search_line import SearchLine
from wsgui.gui.wording import Deed, Notice, Remedy, foot_counts

translate = QCoreApplication.translate
WIDE: Final = 340
MIDDLE: Final = 280
NARROW: Final = 240


def width_for(window_width: float) -> tuple[int, bool]:
    """The sidebar's width for a window's (both at a text scale of 1), and whether there is room for sparklines."""
    if window_width >= 1100:
        return WIDE, True
    return (MIDDLE, False) if window_width >= 980 else (NARROW, False)


class TunnelList(QListView):
    """The list itself; Space switches, Return on a group opens or collapses it."""

    switched = Signal(str, bool)
    menu_wanted = Signal(QModelIndex)

    def __init__(self, model: TunnelListModel, delegate: RowDelegate) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(delegate)
        self._delegate = delegate
        self._pressed = QPersistentModelIndex()
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Tunnels"))
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        # A group's heading is a button, not something to show: the selection stays.
        self._pressed = QPersistentModelIndex(index)
        self._delegate.focus_shown = False
        if not isinstance(index.data(ROW_ROLE), GroupRow):
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        row = index.data(ROW_ROLE)
        if not isinstance(row, GroupRow):
            super().mouseReleaseEvent(event)
        elif self._pressed == index and event.button() == Qt.MouseButton.LeftButton:
            self._delegate.click_group(QRectF(self.visualRect(index)), row, event.position())

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._delegate.focus_shown = True
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._delegate.focus_shown = True
        row = self.currentIndex().data(ROW_ROLE)
        if isinstance(row, TunnelRow) and event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.switched.emit(row.name, not row.wanted)
        elif isinstance(row, GroupRow) and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._delegate.group_toggled.emit(row.title)
        elif isinstance(row, GroupRow) and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            if row.collapsed == (event.key() == Qt.Key.Key_Right):
                self._delegate.group_toggled.emit(row.title)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        if index.isValid():
            self.menu_wanted.emit(index)


class Sidebar(QWidget):
    """Find, list, problems, foot. It owns the selection in the list; the window owns what it means."""

    selected = Signal(str)
    switched = Signal(str, bool)
    group_switched = Signal(tuple, bool)
    """The names of a group's tunnels that are not so yet, and what the user wants of them."""
    remedy_chosen = Signal(str, Remedy)
    new_wanted = Signal()
    certificates_wanted = Signal()
    menu_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._current = ""
        self._removing = False
        self.model = TunnelListModel(self)
        # Before the list connects itself: when the current row goes, it moves on to a row that nobody chose.
        self.model.rowsAboutToBeRemoved.connect(self._hold)
        self.delegate = RowDelegate()
        self.list = TunnelList(self.model, self.delegate)
        self._title = Text(self.tr("Tunnels"), Type.SECTION)
        self.new_button = Button(self.tr("New"), "primary", icon="plus")
        self.new_button.setToolTip(QKeySequence("Ctrl+N").toString(QKeySequence.SequenceFormat.NativeText))
        self.new_button.clicked.connect(self.new_wanted)
        shortcut = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        self.search = SearchLine(self.tr("Find a tunnel"), self.tr("Find a tunnel   {0}").format(shortcut))
        self.search.textChanged.connect(self.model.set_needle)
        self.search.returnPressed.connect(self._take_first)
        self._nothing = Text(self.tr("No tunnel is like that."), Type.SMALL, "dim", wrap=True)
        self._nothing.hide()
        self.problems = NoticeCard()
        self.problems.chosen.connect(lambda remedy: self.remedy_chosen.emit("", remedy))
        self._foot = self._make_foot()
        self.certificates = Button(self.tr("Certificates"), "place")
        self.certificates.setCheckable(True)
        self.certificates.clicked.connect(self.certificates_wanted)
        self._lay_out()
        self.delegate.switched.connect(self.switched)
        self.list.switched.connect(self.switched)
        self.delegate.remedy_chosen.connect(self.remedy_chosen)
        self.delegate.group_toggled.connect(self.model.toggle_group)
        self.delegate.group_switched.connect(self._switch_group)
        self.list.menu_wanted.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.model.rowsInserted.connect(self._restore)
        self.model.rowsRemoved.connect(self._release)

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        row = FlowRow(2, foot)
        row.setContentsMargins(6, 0, 0, 0)
        self._counts: dict[Show, Button] = {}
        for show in (Show.RUNNING, Show.ATTENTION, Show.CONNECTED):
            button = Button("", "foot")
            button.setCheckable(True)
            button.clicked.connect(lambda checked, show=show: self._set_show(show if checked else Show.ALL))
            self._counts[show] = button
            row.addWidget(button)
        return foot

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 4, 0)
        top.addWidget(self._title)
        top.addStretch(1)
        top.addWidget(self.new_button)
        rule = QFrame()
        rule.setObjectName("rule")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 16, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addSpacing(2)
        layout.addWidget(self.search)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.problems)
        layout.addWidget(rule)
        layout.addWidget(self._foot)
        # Recordings and History will stand before it, Preferences behind it.
        places = QWidget()
        row = FlowRow(10, places)
        row.setContentsMargins(6, 0, 0, 0)
        row.addWidget(self.certificates)
        layout.addWidget(places)

    def update_snapshot(self, snapshot: EngineSnapshot, refusals: dict[str, Notice]) -> None:
        """Show `snapshot`; `refusals` are the notices that rows mention."""
        self.model.update(snapshot, refusals)
        for show, text in zip(self._counts, foot_counts(snapshot), strict=True):
            button = self._counts[show]
            button.setVisible(bool(text))
            if text and button.accessibleName() != text:
                # The dot goes with the count before it, so that no line begins with one.
                button.set_label(text, after="" if show is Show.CONNECTED else "  ·")
            if not text and self.model.show is show:
                self._set_show(Show.ALL)
        self._nothing.setVisible(bool(snapshot.tunnels) and self.model.rowCount() == 0)
        self._restore()

    def set_problems(self, problems: tuple[ProfileError, ...]) -> None:
        """Name the profile files that cannot be read."""
        if not problems:
            self.problems.show_notice(None)
            return
        first = problems[0]
        if len(problems) > 1:
            message = self.tr("%n profile file(s) cannot be read", "", len(problems))
            hint = "\n".join(_first_of(problem) for problem in problems[:4])
        else:
            message, hint = _first_of(first), display(first.hint, limit=400)
        opening = Remedy(Deed.OPEN_SOURCE, self.tr("Open the file"), first.source)
        self.problems.show_notice(Notice("err", message, hint, (opening,)))

    def select(self, name: str) -> None:
        """Mark the tunnel `name`, now or as soon as it is in the list."""
        self._current = name
        self._restore()

    def mark_certificates(self, shown: bool) -> None:
        """Mark the place in the foot whose page is shown."""
        self.certificates.setChecked(shown)

    def step(self, by: int) -> None:
        """Select the tunnel `by` places further down, past headings."""
        rows = [
            i for i in range(self.model.rowCount()) if isinstance(self.model.row_at(self.model.index(i)), TunnelRow)
        ]
        if not rows:
            return
        current = self.model.index_of(self._current).row()
        place = rows.index(current) + by if current in rows else 0
        self.list.setCurrentIndex(self.model.index(rows[min(max(place, 0), len(rows) - 1)]))

    def set_sparklines(self, shown: bool) -> None:
        if self.delegate.sparklines != shown:
            self.delegate.sparklines = shown
            self.list.viewport().update()

    def _set_show(self, show: Show) -> None:
        for which, button in self._counts.items():
            button.setChecked(which is show)
        self.model.set_show(show)

    def _take_first(self) -> None:
        for place in range(self.model.rowCount()):
            if isinstance(self.model.row_at(self.model.index(place)), TunnelRow):
                self.list.setCurrentIndex(self.model.index(place))
                self.list.setFocus()
                return

    def _current_changed(self, current: QModelIndex) -> None:
        row = current.data(ROW_ROLE)
        if isinstance(row, TunnelRow) and row.name != self._current and not self._removing:
            self._current = row.name
            self.selected.emit(row.name)

    def _hold(self) -> None:
        self._removing = True

    def _release(self) -> None:
        self._restore()
        self._removing = False

    def _restore(self) -> None:
        index = self.model.index_of(self._current)
        if not index.isValid():
            if isinstance(self.list.currentIndex().data(ROW_ROLE), TunnelRow):
                self.list.selectionModel().clear()
        elif not self.list.selectionModel().isSelected(index):
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flag)

    def _switch_group(self, title: str, on: bool) -> None:
        names = tuple(tunnel.name for tunnel in self.model.tunnels_of(title) if tunnel.wanted != on)
        self.group_switched.emit(names, on)

    def _menu(self, index: QModelIndex) -> None:
        row = index.data(ROW_ROLE)
        if isinstance(row, TunnelRow):
            self.menu_wanted.emit(row.name)
        elif isinstance(row, GroupRow):
            entries = (
                (self.tr("Start all"), lambda: self._switch_group(row.title, True)),
                (self.tr("Stop all"), lambda: self._switch_group(row.title, False)),
            )
            popup(self, entries)


def _first_of(error: ProfileError) -> str:
    """`office.toml line 12: "6080x" is not an address.`"""
    file = display(Path(error.source).name)
    if not error.problems:
        return display(error.message, limit=400)
    problem = error.problems[0]
    message = display(problem.message, limit=400)
    line = problem.line if isinstance(problem, FieldError) else None
    if line is None:
        return translate("Sidebar", "{0}: {1}").format(file, message)
    return translate("Sidebar", "{0} line {1}: {2}").format(file, line, message)
