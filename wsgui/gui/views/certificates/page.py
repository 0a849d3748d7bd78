"""The Certificates page: what trusts this computer's authority, the certificates, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from wsgui.app.certificate_listing import Listing
from wsgui.app.certificates import Certificates, Created
from wsgui.certificates.trust.store import Outcome
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import CertificateRequests, Failed
from wsgui.gui.models import certificates as words
from wsgui.gui.theme import Type, theme
from wsgui.gui.views.certificates.details_sheet import DetailsSheet
from wsgui.gui.views.certificates.device_sheet import DeviceSheet, Offers
from wsgui.gui.views.certificates.empty_card import EmptyCard
from wsgui.gui.views.certificates.export_sheet import ExportSheet
from wsgui.gui.views.certificates.import_sheet import ImportSheet
from wsgui.gui.views.certificates.list_card import ListCard
from wsgui.gui.views.certificates.new_sheet import NewSheet
from wsgui.gui.views.certificates.progress import Progress
from wsgui.gui.views.certificates.row import Wish
from wsgui.gui.views.certificates.trust_card import TrustCard
from wsgui.gui.views.certificates.waiting import Waiting
from wsgui.gui.views.menus import popup
from wsgui.gui.widgets.buttons import Button, IconButton
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.wording import Deed, Notice, Remedy
from wsgui.profiles.keyring_access import KeyringState

T = TypeVar("T")
WIDEST = 1200
"""Pixels of the cards at a text scale of 1."""
LOOK_AGAIN_MS = 15_000
"""A certificate may be renewed, or a store changed, by another program while the page is in sight."""


class CertificatesPage(QWidget):
    """Asks `requests`, and shows what they answer; it looks anew whenever it comes into sight."""

    sheet_wanted = Signal(Sheet, QWidget)
    """A sheet, and what in it gets the focus."""

    def __init__(self, requests: CertificateRequests, copy: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("page")
        self._requests = requests
        self._copy = copy
        self._snapshot = EngineSnapshot(0.0, ())
        self._listing: Listing | None = None
        self._stores_known = False
        self._looking = False
        self._stale = False
        self._lost_focus = False
        """What had the focus went while something was done; it goes to what came of that."""
        self._device: DeviceSheet | None = None
        self._offers: Offers = {}
        self.new = Button(self.tr("New certificate…"), icon="plus")
        self.import_ = Button(self.tr("Import…"))
        self.more = IconButton("more", self.tr("More"))
        self.notice = NoticeCard()
        self.progress = Progress()
        self._waiting = Waiting(self.progress, self._busy_changed)
        self.trust_card = TrustCard(copy)
        self.list = ListCard()
        self.empty = EmptyCard()
        self._title = Text(self.tr("Certificates"), Type.TITLE)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_AGAIN_MS)
        self._timer.timeout.connect(self.look)
        self._connect()
        self._lay_out()
        self._show_listing()

    def _connect(self) -> None:
        self.new.clicked.connect(lambda: self.open_new())
        self.import_.clicked.connect(lambda: self.open_import())
        self.more.clicked.connect(self._open_more)
        self.notice.chosen.connect(self._remedy)
        self.empty.create_button.clicked.connect(self.create_and_trust)
        self.trust_card.trust_wanted.connect(self.trust)
        self.trust_card.untrust_wanted.connect(self.untrust)
        self.trust_card.device_wanted.connect(lambda: self.open_device())
        self.list.wished.connect(self._wish)
        self.list.remedied.connect(self._row_remedy)

    def _lay_out(self) -> None:
        head = QWidget()
        flow = FlowRow(10, head, push_from=1)
        for widget in (self._title, self.import_, self.new, self.more):
            flow.addWidget(widget)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        head.setSizePolicy(policy)
        inside = QWidget()
        inside.setObjectName("scrolled")
        # Its height follows from its width; its layout's guess, for the narrowest texts, would make it too high.
        inside.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._content = QWidget()
        theme.changed.connect(self._fit)
        self._fit()
        sides = QHBoxLayout(inside)
        sides.setContentsMargins(28, 18, 28, 24)
        sides.addWidget(self._content, 1)
        sides.addStretch(0)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        for part in (head, self.notice, self.progress, self.trust_card, self.list, self.empty):
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _fit(self) -> None:
        # On the widest screens a row that reached from edge to edge could not be followed by eye.
        self._content.setMaximumWidth(theme.px(WIDEST))

    # What is shown

    def update_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Know which tunnels run."""
        self._snapshot = snapshot
        if self._device is not None:
            self._device.update_snapshot(snapshot)

    def look(self) -> None:
        """Ask for the listing anew; the certificates are shown at once, and the stores when they have answered."""
        if self._looking:
            return
        self._looking = True
        stores = self._listing is not None
        self._requests.ask(
            self.tr("Looking at the certificates"), lambda c: c.listing(stores=stores), self._looked, self._look_failed
        )

    def _look_again(self) -> None:
        """After a change: what a look that is under way brings is old."""
        self._stale = self._looking
        self.look()

    def _looked(self, listing: Listing) -> None:
        first = self._listing is None
        self.show_listing(listing, stores=not first)
        self._looking = False
        if first or self._stale:
            self._stale = False
            self.look()

    def _look_failed(self, error: WsguiError) -> None:
        self._looking = self._stale = False
        self.show_notice(words.error_notice(error))

    def show_listing(self, listing: Listing, *, stores: bool = True) -> None:
        """Show `listing`; `stores` says whether the stores have been looked at."""
        self._listing, self._stores_known = listing, stores
        self._show_listing()

    def _show_listing(self) -> None:
        listing = self._listing
        rows = words.certificate_rows(listing, words.now()) if listing is not None else ()
        view = words.trust_view(listing, known=self._stores_known) if listing is not None else None
        self.trust_card.show_view(view)
        self.list.setVisible(bool(rows))
        self.list.show_rows(rows)
        empty = listing is not None and not rows
        self._lost_focus = self._lost_focus or (self.empty.create_button.hasFocus() and not empty)
        self.empty.setVisible(empty)
        self.empty.create_button.setEnabled(not self._waiting.busy)
        # While there is nothing, one button says what to do; the rest waits in the menu.
        self.more.setVisible(empty)
        self.new.setVisible(bool(rows))
        self.import_.setVisible(bool(rows))
        if self._lost_focus and not self._waiting.busy and (rows or empty):
            self._lost_focus = False
            if rows:
                self.list.focus_first()
            else:
                self.empty.create_button.setFocus()

    def show_notice(self, notice: Notice | None) -> None:
        """Say something above everything, with a way to put it away."""
        if notice is not None:
            dismiss = Remedy(Deed.DISMISS, self.tr("Dismiss"))
            notice = Notice(notice.tone, notice.message, notice.hint, (*notice.remedies, dismiss))
        self.notice.show_notice(notice)

    # Making and trusting

    def create_and_trust(self) -> None:
        """One click: a certificate for this computer's names, and the authority into its stores."""
        self._begin(
            self.tr("Making the certificate…"), lambda c: c.create(), self._created_by_click, self._create_failed
        )

    def _created_by_click(self, created: Created) -> None:
        self._tell_created(created)
        self._look_again()
        self.trust()

    def _create_failed(self, error: WsguiError) -> None:
        state = words.keyring_state(error)
        if state is None:
            self._show_error(error)
            return
        retry = self.tr("Unlock") if state is KeyringState.LOCKED else self.tr("Try again")
        own = Remedy(Deed.USE_PASSPHRASE, self.tr("Use a passphrase"))
        notice = words.no_keyring_notice(error)
        self.show_notice(Notice(notice.tone, notice.message, notice.hint, (Remedy(Deed.UNLOCK, retry), own)))

    def _tell_created(self, created: Created) -> None:
        if created.trusts_again:
            device = Remedy(Deed.OTHER_DEVICE, self.tr("Another device…"))
            message = self.tr("These names needed a new authority.")
            hint = self.tr("Every other device that is to connect without a warning has to trust it once more.")
            self.show_notice(Notice("warn", message, hint, (device,)))

    def trust(self) -> None:
        """Put the authority into this computer's stores."""
        saying = self.tr("Adding the authority to this computer's stores. The system may ask for your password…")
        self._begin(saying, lambda c: c.trust(), self._trusted, self._show_error)

    def untrust(self) -> None:
        """Take it out of them again."""
        saying = self.tr("Removing the authority from this computer's stores. The system may ask for your password…")
        self._begin(saying, lambda c: c.untrust(), self._trusted, self._show_error)

    def _trusted(self, outcomes: tuple[Outcome, ...]) -> None:
        self.trust_card.show_undone(words.undone(outcomes))
        self._look_again()

    def _begin(
        self, saying: str, question: Callable[[Certificates], T], done: Callable[[T], object], failed: Failed
    ) -> None:
        """Ask for something that takes a while."""
        if self._waiting.busy:
            return

        def went_wrong(error: WsguiError) -> None:
            failed(error)
            self._look_again()

        self.show_notice(None)
        self._waiting.begin(
            saying,
            lambda done, failed: self._requests.ask(saying.removesuffix("…"), question, done, failed),
            done,
            went_wrong,
            given_up=self._look_again,
        )

    def _busy_changed(self, busy: bool) -> None:
        self.trust_card.set_busy(busy=busy)
        focus = self.focusWidget()
        if busy and focus is not None and focus.hasFocus():
            self.progress.cancel.setFocus()
        elif not busy and self.progress.cancel.hasFocus():
            self._lost_focus = True
        self._show_listing()

    def _show_error(self, error: WsguiError) -> None:
        self.show_notice(words.error_notice(error))

    # One certificate

    def _wish(self, name: str, wish: Wish) -> None:
        listing = self._listing
        row = next((row for row in listing.rows if row.managed.name == name), None) if listing else None
        match wish:
            case Wish.RENEW:
                self._with_row(name, self.tr("Renewing it…"), lambda c: c.renew(name), self._tell_created)
            case Wish.REMOVE:
                self._with_row(name, self.tr("Removing it…"), lambda c: c.remove(name), lambda _: None)
            case Wish.DETAILS if row is not None:
                self._open(DetailsSheet(row, self._copy))
            case Wish.EXPORT if row is not None:
                sheet = ExportSheet(row.managed, self._requests)
                self._open(sheet, sheet.first)
            case Wish.REPLACE:
                self.open_import(replace=name)
            case _:
                pass

    def _with_row(self, name: str, saying: str, question: Callable[..., object], done: Callable[..., object]) -> None:
        view = self.list.row(name)
        if view is None or view.progress.isVisible():
            return
        view.show_notice(None)

        def finished(value: object) -> None:
            view.progress.end()
            done(value)
            self._look_again()

        def failed(error: WsguiError) -> None:
            view.progress.end()
            notice = words.error_notice(error, name)
            remedies: tuple[Remedy, ...] = ()
            if words.keyring_state(error) is KeyringState.LOCKED:
                remedies = (
                    Remedy(Deed.UNLOCK, self.tr("Unlock")),
                    Remedy(Deed.USE_PASSPHRASE, self.tr("Use a passphrase")),
                )
            view.show_notice(Notice(notice.tone, notice.message, notice.hint, remedies))

        view.progress.begin(saying)
        self._requests.ask(saying, question, finished, failed)

    def _row_remedy(self, name: str, remedy: Remedy) -> None:
        if remedy.deed is Deed.UNLOCK:
            self._wish(name, Wish.RENEW)
        elif remedy.deed is Deed.USE_PASSPHRASE:
            self.open_new(ask=True)

    def _remedy(self, remedy: Remedy) -> None:
        self.notice.show_notice(None)
        match remedy.deed:
            case Deed.UNLOCK:
                self.create_and_trust()
            case Deed.USE_PASSPHRASE:
                self.open_new(ask=True)
            case Deed.OTHER_DEVICE:
                self.open_device()
            case _:
                pass

    # Sheets

    def open_new(self, *, ask: bool = False) -> None:
        """Open the sheet for a new certificate; with `ask` its passphrase is one that the person thinks up."""
        sheet = NewSheet(self._requests)
        sheet.created.connect(self._created)
        self._open(sheet, sheet.first)
        sheet.begin(ask=ask)

    def open_import(self, *, replace: str = "") -> None:
        """Open the sheet that takes in a certificate, in the place of `replace` if that is given."""
        sheet = ImportSheet(self._requests, replace=replace)
        sheet.created.connect(self._created)
        self._open(sheet, sheet.first)
        sheet.begin()

    def open_device(self, tunnel: str = "") -> None:
        """Open the sheet by which another device comes to trust the authority, with `tunnel` chosen."""
        sheet = DeviceSheet(self._requests, self._copy, self._offers)
        self._device = sheet
        sheet.closed.connect(self._device_closed)
        sheet.begin(self._listing, self._snapshot, tunnel)
        self._open(sheet, sheet.first)

    def _device_closed(self) -> None:
        self._device = None

    def _open(self, sheet: Sheet, first: QWidget | None = None) -> None:
        self.sheet_wanted.emit(sheet, first)

    def _created(self, created: Created) -> None:
        self._tell_created(created)
        self._look_again()

    def _open_more(self) -> None:
        entries = (
            (self.tr("New certificate…"), lambda: self.open_new()),
            (self.tr("Import…"), lambda: self.open_import()),
        )
        popup(self, entries, self.more.mapToGlobal(QPoint(0, self.more.height() + 4)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
