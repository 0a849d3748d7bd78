"""The Settings tab of a tunnel: its form, or why there is none, and what has happened to its file."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from wsgui.app.profile_edits import StoredProfile
from wsgui.display import display
from wsgui.engine.snapshot import ConnectionSnapshot, TunnelSnapshot
from wsgui.errors import WsguiError
from wsgui.gui.actions import Actions
from wsgui.gui.models.settings_fields import FIELDS
from wsgui.gui.models.settings_form import Applied, Edited, SettingsForm, words
from wsgui.gui.views.settings.absent import Absent
from wsgui.gui.views.settings.foot import Foot
from wsgui.gui.views.settings.form_page import FormPage
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.wording import Deed, Notice, Remedy

LOOK_AGAIN_MS: Final = 2000
"""Another program may change the file while the tab is in sight."""


class SettingsView(QWidget):
    """Keeps each tunnel's changes until they are applied or dropped; asks for its file while it is in sight."""

    marked = Signal()
    """How many changes there are may be another number now."""
    sheet_wanted = Signal(Sheet, QWidget)
    new_wanted = Signal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("page")
        self._actions = actions
        self._name = ""
        self._connections: tuple[ConnectionSnapshot, ...] = ()
        self._forms: dict[str, SettingsForm] = {}
        self._busy: set[str] = set()
        self._source = ""
        self._seen = False
        """The file of the shown tunnel has been looked at since it is shown."""
        self._wanted = ""
        """The field to lead to once that has been done."""
        self.notice = NoticeCard()
        self.notice.chosen.connect(self._remedy)
        self._told: Notice | None = None
        self.form_page = FormPage(actions)
        self.form_page.edited.connect(self._edited)
        self.form_page.sheet_wanted.connect(self.sheet_wanted)
        self.absent = Absent()
        self.absent.new_wanted.connect(self.new_wanted)
        self.absent.open_wanted.connect(lambda: self._actions.open_source(self._source))
        self.foot = Foot()
        self.foot.revert.clicked.connect(self.revert)
        self.foot.apply.clicked.connect(self.apply)
        self.foot.undo.clicked.connect(self.undo)
        self._room = QWidget()
        room = QVBoxLayout(self._room)
        room.setContentsMargins(28, 12, 28, 8)
        room.addWidget(self.notice)
        self._room.hide()
        self._nothing = QWidget()
        self._stack = QStackedWidget()
        for page in (self._nothing, self.form_page, self.absent):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._room)
        column.addWidget(self._stack, 1)
        column.addWidget(self.foot)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_AGAIN_MS)
        self._timer.timeout.connect(self.look)

    # What is shown

    def show_tunnel(self, tunnel: TunnelSnapshot) -> None:
        """Show the settings of `tunnel`; cheap while it is the same one."""
        clients = [connection.identity for connection in tunnel.connections]
        known = [connection.identity for connection in self._connections]
        self._connections = tunnel.connections
        if tunnel.name != self._name:
            self._name, self._seen, self._wanted = tunnel.name, False, ""
            self._say(None)
            self.foot.forget()
            self.form_page.begin(tunnel.name)
            if self._form is None:
                self._stack.setCurrentWidget(self._nothing)
            self._refresh()
            self.look()
            self.form_page.look()
        elif clients != known:
            self._refresh_foot()

    def lead_to(self, path: str) -> None:
        """Bring a field of the shown tunnel into sight and give it the focus, as soon as the file has been read."""
        self._wanted = path
        self._lead()

    def _lead(self) -> None:
        if self._seen and self._wanted:
            path, self._wanted = self._wanted, ""
            self.form_page.lead_to(path)

    def changes_of(self, name: str) -> int:
        """How many changes of the tunnel `name` are not applied yet."""
        form = self._forms.get(name)
        return len(form.changes) if form is not None else 0

    @property
    def _form(self) -> SettingsForm | None:
        return self._forms.get(self._name)

    def look(self) -> None:
        """Read the file anew; what somebody else has changed in it is shown, and what is changed here stays."""
        name = self._name
        if name and name not in self._busy:
            self._actions.profiles.read(name, lambda stored: self._read(name, stored), self._look_failed)

    def _look_failed(self, error: WsguiError) -> None:
        self._tell_error(error)

    def _read(self, name: str, stored: StoredProfile | None) -> None:
        if name in self._busy:
            return  # what is being written is read again afterwards
        form = self._forms.get(name)
        if stored is not None and stored.profile is not None:
            if form is None:
                self._forms[name] = form = SettingsForm(stored)
            else:
                form.follow(stored)
        if name != self._name:
            return
        if stored is None:
            self.absent.show_built_in(display(name))
            self._stack.setCurrentWidget(self.absent)
        elif stored.problem is not None:
            self._source = stored.source
            kept = self.changes_of(name)
            self.absent.show_broken(display(stored.path.name), stored.problem, kept)
            self._stack.setCurrentWidget(self.absent)
        elif form is not None:
            self._stack.setCurrentWidget(self.form_page)
            if form.moved:
                self._say_moved(form)
        self._seen = True
        self._refresh()
        self._lead()

    def _refresh(self) -> None:
        form = self._form
        if form is not None:
            self.form_page.show_form(form)
            if form.elsewhere:
                hint = self.tr("Take the change back, or correct that in the file.")
                self._say(Notice("err", " ".join(form.elsewhere), hint))
            elif self._told is not None and self._told.tone == "err" and not self._told.remedies:
                self._say(None)
        self._refresh_foot()
        self.marked.emit()

    def _refresh_foot(self) -> None:
        form = self._form
        if form is None or self._stack.currentWidget() is not self.form_page:
            self.foot.hide()
        else:
            self.foot.show_form(form, self._connections, busy=self._name in self._busy)

    # What a person does

    def _edited(self, path: str, value: object) -> None:
        form = self._form
        if form is not None and form.edit(path, value, time.monotonic()):
            self.foot.forget()
            self._refresh()

    def apply(self) -> None:
        """Write the changes and let the tunnel take them over; what is wrong is led to first."""
        form, name = self._form, self._name
        if form is None or not form.changes or name in self._busy:
            return
        if form.problems:
            wrong = next((path for path in form.problems if path in FIELDS), "")
            if wrong:
                self.form_page.lead_to(wrong)
            return
        changes = form.changes
        self._begin(name)

        def done(after: StoredProfile) -> None:
            form.applied(after, changes)
            self._end(name)
            self._conclude(name, self.tr("%n change(s) applied", None, len(changes)), undo=True)

        self._actions.profiles.apply(form.stored, changes, done, lambda error: self._failed(name, error))

    def revert(self) -> None:
        """Drop the changes."""
        form = self._form
        if form is not None and self._name not in self._busy:
            form.revert()
            self._say(None)
            self._refresh()

    def undo(self) -> None:
        """Take the last step back: a change, or, when there is none, what was applied last."""
        form, name = self._form, self._name
        if form is None or name in self._busy:
            return
        step = form.undo()
        if isinstance(step, Edited):
            self._refresh()
            self.form_page.lead_to(step.path)
        elif isinstance(step, Applied):
            self._begin(name)

            def done(after: StoredProfile) -> None:
                form.restored(after)
                self._end(name)
                self._conclude(name, self.tr("The settings are as they were before"), undo=form.can_undo)

            self._actions.profiles.restore(form.stored, step.data, done, lambda error: self._failed(name, error))

    def _begin(self, name: str) -> None:
        self._busy.add(name)
        self.foot.forget()
        self._say(None)
        self._refresh_foot()

    def _end(self, name: str) -> None:
        self._busy.discard(name)
        self._refresh()

    def _conclude(self, name: str, words: str, *, undo: bool) -> None:
        if name == self._name:
            self.foot.conclude(words, undo=undo)
            self._refresh_foot()

    def _failed(self, name: str, error: WsguiError) -> None:
        self._end(name)
        if name == self._name:
            self._tell_error(error)
            if error.field in FIELDS:
                self.form_page.lead_to(error.field)
            self.look()

    # What is said

    def _say_moved(self, form: SettingsForm) -> None:
        message = self.tr("{0} was changed by somebody else meanwhile.").format(display(form.stored.path.name))
        hint = self.tr("Your changes are kept, and would be written into it as it is now.")
        if form.overtaken:
            names = ", ".join(f"“{FIELDS[path].name}”" for path in form.overtaken)
            hint = self.tr("Applying your changes would replace what is there now for: {0}.").format(names)
        self._say(self._dismissible("warn", message, hint))

    def _tell_error(self, error: WsguiError) -> None:
        self._say(self._dismissible("err", words(WsguiError(error.message)), display(error.hint, limit=400)))

    def _dismissible(self, tone: str, message: str, hint: str = "", *remedies: Remedy) -> Notice:
        return Notice(tone, message, hint, (*remedies, Remedy(Deed.DISMISS, self.tr("Dismiss"))))

    def _say(self, notice: Notice | None) -> None:
        self._told = notice
        self.notice.show_notice(notice)
        self._room.setVisible(notice is not None)

    def _remedy(self, _remedy: Remedy) -> None:
        self._say(None)
        form = self._form
        if form is not None:
            form.moved = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.look()
        self.form_page.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
