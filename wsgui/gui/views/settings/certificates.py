"""Picks the certificates of a tunnel among those that wsgui keeps, and makes one where there is none."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wsgui.app.certificate_listing import Listing
from wsgui.app.certificates import Created
from wsgui.certificates.trust.store import Outcome
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.models import certificates as words
from wsgui.gui.models.settings_fields import FormField
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.certificates.progress import Progress
from wsgui.gui.views.certificates.waiting import Waiting
from wsgui.gui.views.settings.inputs import Input
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.widgets.tick import Tick
from wsgui.gui.wording import Deed, Notice, Remedy
from wsgui.profiles.keyring_access import KeyringState


class CertificateInput(Input):
    """A row for each certificate; the first that is chosen is for all clients that ask for none of the others."""

    sheet_wanted = Signal(Sheet, QWidget)

    def __init__(self, field: FormField, requests: CertificateRequests) -> None:
        super().__init__(field)
        self._requests = requests
        self._chosen: list[str] = []
        self._listing = Listing()
        self._known = False
        self.ticks: dict[str, Tick] = {}
        self.firsts: dict[str, Button] = {}
        """Beside each, while it can be made the first of several."""
        self.create_button = Button(self.tr("Create one and trust it here"), "primary")
        self.new = Button(self.tr("New certificate…"), "small", icon="plus")
        self.notice = NoticeCard()
        self.progress = Progress()
        self._waiting = Waiting(self.progress, self._busy_changed)
        self._nothing = Text("", Type.BODY, "dim", wrap=True)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID)
        buttons = QHBoxLayout()
        buttons.addWidget(self.create_button)
        buttons.addWidget(self.new)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(self._rows)
        column.addWidget(self._nothing)
        column.addWidget(self.notice)
        column.addWidget(self.progress)
        column.addLayout(buttons)
        self.create_button.clicked.connect(self.make_one)
        self.new.clicked.connect(lambda: self.open_new())
        self.notice.chosen.connect(self._remedy)
        self.setFocusProxy(self.create_button)
        self._show()

    # The value

    def value(self) -> Any:
        return list(self._chosen)

    def set_value(self, value: Any) -> None:
        if list(value or ()) != self._chosen:
            self._chosen = list(value or ())
            self._show()

    def tell(self, words: str, *, wrong: bool) -> None:
        for tick in self.ticks.values():
            tick.setAccessibleDescription(words if wrong else tick.meaning)

    def _ticked(self, name: str) -> None:
        if name in self._chosen:
            self._chosen.remove(name)
        else:
            self._chosen.append(name)
        self._show()
        self.changed.emit()

    def _make_first(self, name: str) -> None:
        self._chosen.remove(name)
        self._chosen.insert(0, name)
        self._show()
        self.changed.emit()

    # What there is

    def look(self) -> None:
        """Ask what certificates there are."""
        what = self.tr("Looking at the certificates")
        self._requests.ask(what, lambda c: c.listing(stores=False), self._looked, self._failed)

    def _looked(self, listing: Listing) -> None:
        if not self._known or listing != self._listing:
            self._listing, self._known = listing, True
            self._show()

    def _show(self) -> None:
        rows = {row.name: row for row in words.certificate_rows(self._listing, words.now())}
        gone = [name for name in self._chosen if name not in rows and self._known]
        wanted = [*rows, *gone] if self._known else list(self._chosen)
        before = list(self.ticks)
        for name in [name for name in self.ticks if name not in wanted]:
            del self.firsts[name]
            line = self.ticks.pop(name).parentWidget()
            if line is not None:
                self._rows.removeWidget(line)
                line.hide()
                line.deleteLater()
        for place, name in enumerate(wanted):
            tick = self.ticks.get(name) or self._new_tick(name)
            line = tick.parentWidget()
            if line is not None and self._rows.indexOf(line) != place:
                self._rows.insertWidget(place, line)
            row = rows.get(name)
            tick.setChecked(name in self._chosen)
            first = len(self._chosen) > 1 and self._chosen[:1] == [name]
            self.firsts[name].setVisible(len(self._chosen) > 1 and name in self._chosen and not first)
            if row is None:
                tick.say(self.tr("Not among your certificates: create or import it.") if self._known else "", "err")
                continue
            parts = [self.tr("for all other names") if first else "", row.names, _end(row), row.fate, row.problem]
            tick.say(" · ".join(part for part in parts if part), row.tone if row.tone != "ok" else "")
        if list(self.ticks) != before:
            self._order(wanted)
        none = self._known and not rows
        self._nothing.setText(
            self.tr("There is no certificate yet. One click makes it for this computer's names and addresses.")
        )
        self._nothing.setVisible(none and not gone)
        self.create_button.setVisible(none)
        self.new.setVisible(bool(rows))

    def _new_tick(self, name: str) -> Tick:
        tick = Tick(display(name))
        tick.clicked.connect(lambda: self._ticked(name))
        first = Button(self.tr("Make first"), "small")
        first.setAccessibleName(self.tr("Make {0} the first").format(display(name)))
        first.clicked.connect(lambda: self._make_first(name))
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(tick, 1)
        row.addWidget(first)
        self._rows.addWidget(line)  # which keeps it
        self.ticks[name], self.firsts[name] = tick, first
        return tick

    def _order(self, names: list[str]) -> None:
        """Let Tab come to the rows before the buttons: what is made late is by itself the last of the whole window."""
        self.setFocusProxy(self.ticks[names[0]] if names else self.create_button)
        # Nothing can be put behind what takes no focus, so the button below the rows comes before them for a moment.
        below = self.progress.cancel
        before: QWidget = below
        for part in (part for name in names for part in (self.ticks[name], self.firsts[name])):
            QWidget.setTabOrder(before, part)
            before = part
        if before is not below:
            QWidget.setTabOrder(before, below)

    # Making one

    def make_one(self) -> None:
        """One click: a certificate for this computer's names, chosen here, and trusted by the browsers here."""
        self.notice.show_notice(None)
        self._waiting.begin(
            self.tr("Making the certificate…"),
            lambda done, failed: self._requests.ask(
                self.tr("Making a certificate"), lambda c: c.create(), done, failed
            ),
            self._created_by_click,
            self._create_failed,
            given_up=self.look,
        )

    def open_new(self, *, ask: bool = False) -> None:
        """Open the sheet for a new certificate, which is then chosen."""
        sheet = NewSheet(self._requests)
        sheet.created.connect(self._created)
        self.sheet_wanted.emit(sheet, sheet.first)
        sheet.begin(ask=ask)

    def _created_by_click(self, created: Created) -> None:
        self._created(created)
        self._waiting.begin(
            self.tr("Adding the authority to this computer's stores. The system may ask for your password…"),
            lambda done, failed: self._requests.ask(
                self.tr("Trusting the authority"), lambda c: c.trust(), done, failed
            ),
            self._trusted,
            self._failed,
        )

    def _created(self, created: Created) -> None:
        name = created.managed.name
        if name not in self._chosen:
            self._chosen.append(name)
        self.look()
        self._show()
        if created.trusts_again:
            message = self.tr("These names needed a new authority.")
            hint = self.tr("Every other device that is to connect without a warning has to trust it once more.")
            self._tell(Notice("warn", message, hint))
        self.changed.emit()

    def _trusted(self, outcomes: tuple[Outcome, ...]) -> None:
        undone = words.undone(outcomes)
        if undone:
            stores = ", ".join(each.store for each in undone)
            message = self.tr("Not everything here trusts the certificate yet: {0}.").format(stores)
            self._tell(Notice("warn", message, self.tr("The Certificates page has the command that does it.")))

    def _create_failed(self, error: WsguiError) -> None:
        state = words.keyring_state(error)
        if state is None:
            self._failed(error)
            return
        retry = self.tr("Unlock") if state is KeyringState.LOCKED else self.tr("Try again")
        own = Remedy(Deed.USE_PASSPHRASE, self.tr("Use a passphrase"))
        notice = words.no_keyring_notice(error)
        self._tell(Notice(notice.tone, notice.message, notice.hint, (Remedy(Deed.UNLOCK, retry), own)))

    def _failed(self, error: WsguiError) -> None:
        self._tell(words.error_notice(error))

    def _tell(self, notice: Notice) -> None:
        dismiss = Remedy(Deed.DISMISS, self.tr("Dismiss"))
        self.notice.show_notice(Notice(notice.tone, notice.message, notice.hint, (*notice.remedies, dismiss)))

    def _remedy(self, remedy: Remedy) -> None:
        self.notice.show_notice(None)
        if remedy.deed is Deed.UNLOCK:
            self.make_one()
        elif remedy.deed is Deed.USE_PASSPHRASE:
            self.open_new(ask=True)

    def _busy_changed(self, busy: bool) -> None:
        self.create_button.setEnabled(not busy)
        self.new.setEnabled(not busy)


def _end(row: words.CertificateRow) -> str:
    """When it ends, as a part of a sentence."""
    if row.ends_tone:
        return row.ends
    return words.translate("settings", "ends {0}").format(row.ends)
