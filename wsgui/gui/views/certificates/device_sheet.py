"""The sheet by which another device comes to trust this computer's authority: code, address, fingerprint, time."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QDateTime, QLocale, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wsgui.app.certificate_listing import Listing
from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, OfferSnapshot, Reach, TunnelSnapshot, TunnelState
from wsgui.errors import WsguiError
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.models.certificates import error_notice
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.details_sheet import in_lines
from wsgui.gui.views.certificates.progress import Progress
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Value
from wsgui.gui.widgets.qr_code import QrCode
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.wording import short_address

Offers = dict[str, OfferSnapshot]


class DeviceSheet(Sheet):
    """Choose a tunnel that the network reaches, offer, show the offer until it ends.

    Args:
        offers: What is offered already, by tunnel; kept up to date here, as closing the sheet ends no offer.
    """

    def __init__(self, requests: CertificateRequests, copy: Callable[[str], None], offers: Offers) -> None:
        super().__init__(self.tr("Another device"))
        self._requests = requests
        self._copy = copy
        self._offers = offers
        self._listing: Listing | None = None
        self._tunnels: tuple[TunnelSnapshot, ...] = ()
        self._snapshot = EngineSnapshot(0.0, ())
        self._choices: dict[str, Choice] = {}
        self._tunnel = ""
        self._ends = QTimer(self)
        self._ends.setSingleShot(True)
        self._ends.timeout.connect(self._ended)
        self._words = Text("", Type.BODY, wrap=True)
        self._chooser = QWidget()
        self._chooser_column = QVBoxLayout(self._chooser)
        self._chooser_column.setContentsMargins(0, 0, 0, 0)
        self._chooser_column.setSpacing(GRID)
        self.notice = NoticeCard()
        self.progress = Progress()
        self.code = QrCode(self.tr("QR code of the address"))
        self.address = Value(self.tr("Address"), "")
        self._until = Text("", Type.STRONG, "ok")
        self._steps = QWidget()
        self._steps_column = QVBoxLayout(self._steps)
        self._steps_column.setContentsMargins(0, 0, 0, 0)
        self._steps_column.setSpacing(GRID)
        self.fingerprint = Value(self.tr("SHA-256 fingerprint, to compare there"), "", fixed=True)
        self.copy = Button(self.tr("Copy the address"), "small", icon="copy")
        self.copy.clicked.connect(self._copy_address)
        self.offer = Button(self.tr("Offer it"), "primary")
        self.stop = Button(self.tr("Stop offering"))
        self.done = Button(self.tr("Close"))
        self.first: QWidget = self.offer
        self.offer.clicked.connect(self._offer)
        self.stop.clicked.connect(self._withdraw)
        self.done.clicked.connect(self.dismiss)
        self._lay_out()

    def _lay_out(self) -> None:
        self._offered = QWidget()
        offered = QVBoxLayout(self._offered)
        offered.setContentsMargins(0, 0, 0, 0)
        offered.setSpacing(14)
        offered.addWidget(self._steps)
        offered.addWidget(self.code, 0, Qt.AlignmentFlag.AlignLeft)
        offered.addWidget(self.address)
        offered.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)
        offered.addWidget(self.fingerprint)
        offered.addWidget(self._until)
        for part in (self._words, self._chooser, self.notice, self.progress, self._offered):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.foot.addStretch(1)
        for button in (self.done, self.stop, self.offer):
            self.foot.addWidget(button)

    def begin(self, listing: Listing | None, snapshot: EngineSnapshot, tunnel: str = "") -> None:
        """Show where it can be offered; where there is but one way, it is offered at once."""
        self._listing = listing
        self._tunnel = tunnel
        self.update_snapshot(snapshot)
        if self._tunnel and self._authorities() and (tunnel or len(self._tunnels) == 1):
            self._offer()

    def update_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Know which tunnels run."""
        self._snapshot = snapshot
        tunnels = tuple(t for t in snapshot.tunnels if t.state is TunnelState.RUNNING and t.reach is Reach.NETWORK)
        if [_shown(t) for t in tunnels] != [_shown(t) for t in self._tunnels]:
            self._tunnels = tunnels
            self._fill_chooser()
        self._tunnels = tunnels
        names = [t.name for t in tunnels]
        for gone in set(self._offers) - set(names):
            del self._offers[gone]
        if self._tunnel not in names:
            self._tunnel = next((name for name in names if name in self._offers), names[0] if names else "")
        self._show()

    def _authorities(self) -> bool:
        return self._listing is not None and bool(self._listing.authorities)

    def _fill_chooser(self) -> None:
        while (item := self._chooser_column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._choices = {}
        self._chooser_column.addWidget(Text(self.tr("Through which tunnel?"), Type.STRONG))
        for tunnel in self._tunnels:
            choice = Choice(display(tunnel.name), short_address(tunnel))
            choice.toggled.connect(lambda on, name=tunnel.name: self._choose(name) if on else None)
            self._choices[tunnel.name] = choice
            self._chooser_column.addWidget(choice)

    def _choose(self, name: str) -> None:
        if name != self._tunnel:
            self._tunnel = name
            self.notice.show_notice(None)
            self._show()

    def _show(self) -> None:
        offer = self._offers.get(self._tunnel)
        if offer is not None and offer.until <= time.time():
            del self._offers[self._tunnel]
            offer = None
        possible = bool(self._tunnels) and self._authorities()
        self._words.setText(self._what_to_say(possible))
        self._chooser.setVisible(possible and len(self._tunnels) > 1)
        if self._tunnel in self._choices:
            self._choices[self._tunnel].setChecked(True)
        self.offer.setVisible(possible and offer is None)
        self.stop.setVisible(offer is not None)
        self._offered.setVisible(offer is not None)
        if offer is not None:
            self._show_offer(offer)

    def _what_to_say(self, possible: bool) -> str:
        if not self._authorities():
            return self.tr("There is no authority yet that another device could trust. Create a certificate first.")
        if possible:
            return self.tr(
                "A phone or another computer in your network connects without a warning once it trusts this "
                "computer's authority. Its public certificate can be downloaded once, for ten minutes."
            )
        here = [t for t in self._snapshot.tunnels if t.state is TunnelState.RUNNING and t.reach is Reach.THIS_COMPUTER]
        if here:
            return self.tr(
                "“{0}” can be reached from this computer only, so no other device can fetch anything from it. "
                "Let it listen on *:{1} instead of {2} in its settings, then come back."
            ).format(display(here[0].name), here[0].listen.rpartition(":")[2] or "6080", display(here[0].listen))
        return self.tr(
            "No tunnel is running that your network reaches. Start one that listens on *:6080, say, then come back."
        )

    def _show_offer(self, offer: OfferSnapshot) -> None:
        address = offer.urls[0] if offer.urls else ""
        tunnel = self._snapshot.tunnel(self._tunnel)
        self.code.set_text(address)
        self.address.set_value(address)
        self.fingerprint.set_value(in_lines(offer.fingerprint))
        until = QLocale().toString(
            QDateTime.fromSecsSinceEpoch(int(offer.until)).time(), QLocale.FormatType.ShortFormat
        )
        self._until.setText(self.tr("Offered until {0}, to one device").format(until))
        page = display(tunnel.page_url) if tunnel is not None else ""
        self._fill_steps(page)
        self._ends.start(max(round((offer.until - time.time()) * 1000), 0) + 200)

    def _fill_steps(self, page: str) -> None:
        while (item := self._steps_column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, text in enumerate(
            (
                self.tr("On the device, in the same network, scan the code or open the address."),
                self.tr("Compare the fingerprint that it shows, and install the certificate as trusted."),
                self.tr("Open {0} there: it connects without a warning.").format(page),
            ),
            1,
        ):
            row = QHBoxLayout()
            row.setSpacing(10)
            row.addWidget(Text(f"{number}.", Type.STRONG, "dim"), 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(Text(text, Type.BODY, wrap=True), 1)
            holder = QWidget()
            holder.setLayout(row)
            row.setContentsMargins(0, 0, 0, 0)
            self._steps_column.addWidget(holder)

    # What is asked

    def _authority(self) -> str:
        """The ID of the authority that signed what the tunnel shows; "" is the newest."""
        tunnel = self._snapshot.tunnel(self._tunnel)
        shown = tunnel.certificate.name if tunnel is not None and tunnel.certificate is not None else ""
        rows = self._listing.rows if self._listing is not None else ()
        return next((row.managed.authority for row in rows if row.managed.name == shown), "")

    def _offer(self) -> None:
        if self._tunnel in self._offers or self.progress.isVisible():
            return
        name = self._tunnel

        def offered(offer: OfferSnapshot) -> None:
            self._offers[name] = offer
            self._rest()
            self.stop.setFocus()

        def failed(error: WsguiError) -> None:
            self._rest()
            self.notice.show_notice(error_notice(error))

        self.notice.show_notice(None)
        self.offer.setEnabled(False)
        self.progress.begin(self.tr("Offering the certificate…"))
        self._requests.offer(name, self._authority(), offered, failed)

    def _rest(self) -> None:
        self.progress.end()
        self.offer.setEnabled(True)
        self._show()

    def _withdraw(self) -> None:
        self._requests.withdraw(self._tunnel)
        self._offers.pop(self._tunnel, None)
        self._show()
        self.offer.setFocus()

    def _ended(self) -> None:
        self._show()

    def _copy_address(self) -> None:
        if offer := self._offers.get(self._tunnel):
            self._copy(offer.urls[0])


def _shown(tunnel: TunnelSnapshot) -> tuple[str, str]:
    return tunnel.name, short_address(tunnel)
