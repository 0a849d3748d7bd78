"""The head of a tunnel's page: name, state, what can be done, and how it is reached."""

from __future__ import annotations

import functools

from PySide6.QtCore import QCoreApplication, QPoint, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import TunnelSnapshot, TunnelState
from wsgui.gui import formatting
from wsgui.gui.actions import FINISH_SECONDS, Actions
from wsgui.gui.certificate_wording import Trusted, encryption_words, is_ready, ready_words
from wsgui.gui.formatting import plain_tooltip
from wsgui.gui.models.trust import TrustKnowledge
from wsgui.gui.theme import Type
from wsgui.gui.views.menus import Entry, popup
from wsgui.gui.widgets.address_box import AddressBox
from wsgui.gui.widgets.buttons import Button, IconButton
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import ElidedText, Text
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import SERVING, overlay_words, shape_and_tone, state_word

translate = QCoreApplication.translate


class Header(QWidget):
    """Name, state, buttons, address. Buttons for what does not exist yet are added beside Open and Stop."""

    certificates_wanted = Signal()
    """To see to who trusts the certificate."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._tunnel: TunnelSnapshot | None = None
        self._now = 0.0
        self._choosing = False
        self._low = False
        self._title = ElidedText("", Type.TITLE, least_characters=5)
        self._icon = Icon("state-stopped", "off", 13)
        self._state = ElidedText("", Type.STRONG, least_characters=24)
        self._overlay_icon = Icon("warning", "warn", 15)
        self._overlay = ElidedText("", Type.STRONG, "warn", least_characters=24)
        self.open = Button(self.tr("Open"), "primary")
        self.start = Button(self.tr("Start"), "primary")
        self.stop = Button(self.tr("Stop"))
        self.stop_now = Button(self.tr("Stop now"))
        self.finish = Button("")
        self.keep = IconButton("close", self.tr("Do not stop"))
        self.address = AddressBox()
        self._trust = TrustKnowledge(actions.certificates)
        self._ready_icon = Icon("check", "ok", 14)
        self._ready = ElidedText("", Type.BODY, "ok", least_characters=18)
        self._ready_part = QWidget()
        self._target_part = QWidget()
        self.trust = Button(self.tr("Trust it…"), "small")
        self._arrow = Icon("arrow-right", "dim", 14)
        self._target = ElidedText("", Type.BODY, least_characters=10)
        self._protocol = Text("", Type.BODY, "dim")
        self._connect()
        self._lay_out()

    def _connect(self) -> None:
        self.open.clicked.connect(lambda: self._actions.open_page(self._name()))
        self.start.clicked.connect(lambda: self._actions.start(self._name()))
        self.stop.clicked.connect(self.ask_to_stop)
        self.stop_now.clicked.connect(lambda: self._stop(0.0))
        self.finish.clicked.connect(lambda: self._stop(FINISH_SECONDS))
        self.keep.clicked.connect(self.keep_running)
        self.trust.clicked.connect(self.certificates_wanted)
        self._trust.changed.connect(self._show_ready)
        self.address.copy_wanted.connect(self.copy_shown_address)
        self.address.menu_wanted.connect(self._menu)

    def _lay_out(self) -> None:
        who = QWidget()
        row = QHBoxLayout(who)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addSpacing(2)
        row.addWidget(self._icon)
        row.addWidget(self._state)
        row.addWidget(self._overlay_icon)
        row.addWidget(self._overlay)
        buttons = (self.open, self.start, self.stop, self.stop_now, self.finish, self.keep)
        first = _flow(10, who, *buttons, push_from=1)
        row = QHBoxLayout(self._target_part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self._arrow, self._target, self._protocol):
            row.addWidget(widget)
        row = QHBoxLayout(self._ready_part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._ready_icon)
        row.addWidget(self._ready)
        row.addWidget(self.trust)
        second = _flow(10, self.address, self._ready_part, self._target_part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(first)
        layout.addWidget(second)

    def show_tunnel(self, tunnel: TunnelSnapshot, now: float) -> None:
        """Show `tunnel` at `now` (Unix time)."""
        if self._tunnel is None or tunnel.name != self._tunnel.name or tunnel.state is not TunnelState.RUNNING:
            self._choosing = False
        if not tunnel.connections:
            self._choosing = False
        self._tunnel, self._now = tunnel, now
        self._title.set_whole(display(tunnel.name))
        shape, tone = shape_and_tone(tunnel, now)
        overlay = overlay_words(tunnel, now)
        if overlay and (tunnel.reason is None or tunnel.state is not TunnelState.RUNNING):
            shape, tone = "state-running", "ok"  # what is not so good stands beside it
        self._icon.set(shape, tone)
        words = state_word(tunnel.state, len(tunnel.connections))
        if tunnel.state in SERVING and tunnel.running_since is not None:
            words = self.tr("{0} · {1}").format(words, formatting.duration(now - tunnel.running_since))
            started = self.tr("since {0}").format(formatting.moment(tunnel.running_since))
            self._state.setToolTip(plain_tooltip(started))
        self._state.set_whole(words)
        self._state.set_tone({"off": "dim"}.get(tone, tone))
        self._overlay.set_whole(overlay)
        self._overlay_icon.setVisible(bool(overlay))
        self._overlay.setVisible(bool(overlay))
        self._show_ready()
        self._target.set_whole(display(tunnel.target))
        self._show_target()
        self._protocol.setText(self.tr("·  {0}").format(display(tunnel.protocol)))
        self._show_buttons(tunnel)

    def _show_ready(self) -> None:
        """Show whether browsers can come by https and wss, and whether those here do so without a warning."""
        tunnel = self._tunnel
        if tunnel is None:
            return
        trust = self._trust.of(tunnel.certificate) if self.isVisible() else None
        self.address.show_tunnel(tunnel, trust)
        words, tone = ready_words(trust)
        # In a low window the lock says that all is well.
        ready = is_ready(tunnel, self._now) and not (self._low and tone == "ok")
        self._ready_part.setVisible(ready)
        if not ready:
            return
        self._ready_icon.set("check" if tone == "ok" else "warning", tone)
        self._ready.set_whole(words)
        self._ready.set_tone(tone)
        self._ready_part.setToolTip(plain_tooltip(encryption_words(tunnel, trust)))
        self.trust.setVisible(trust is not None and trust.trusted in (Trusted.NO, Trusted.PARTLY))

    def _show_target(self) -> None:
        tunnel = self._tunnel
        if tunnel is None:
            return
        self._target_part.setVisible(not self._low and bool(tunnel.target or tunnel.protocol))
        self._arrow.setVisible(bool(tunnel.target))
        self._target.setVisible(bool(tunnel.target))
        self._protocol.setVisible(bool(tunnel.protocol))

    def set_low(self, low: bool) -> None:
        """Leave out what the row and the lock say too, where there is little height."""
        if low != self._low:
            self._low = low
            self._show_target()
            self._show_ready()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._trust.forget()  # it may have been changed on the Certificates page meanwhile
        self._show_ready()

    def _show_buttons(self, tunnel: TunnelSnapshot) -> None:
        off = tunnel.state is TunnelState.STOPPED
        finishing = tunnel.state is TunnelState.FINISHING
        self.open.setVisible(bool(tunnel.page_url) and tunnel.state is TunnelState.RUNNING)
        self.start.setVisible(off)
        self.stop.setVisible(not off and not finishing and not self._choosing)
        self.stop_now.setVisible(finishing or self._choosing)
        self.finish.setVisible(self._choosing)
        self.keep.setVisible(self._choosing)
        label = self.tr("Let %n client(s) finish", "", len(tunnel.connections))
        if self.finish.accessibleName() != label:
            self.finish.set_label(label)

    def ask_to_stop(self) -> None:
        """Stop at once when nobody is connected, else ask what becomes of the clients."""
        if self._tunnel is None:
            return
        if self._tunnel.connections and self._tunnel.state is TunnelState.RUNNING:
            self._choosing = True
            self._show_buttons(self._tunnel)
            self.finish.setFocus()
        else:
            self._actions.stop(self._tunnel.name)

    def copy_shown_address(self) -> None:
        """Copy what the box shows."""
        if self._tunnel is not None:
            self._actions.copy_address(self._tunnel.name)

    def keep_running(self) -> None:
        """Put the question away."""
        if self._choosing and self._tunnel is not None:
            self._choosing = False
            self._show_buttons(self._tunnel)
            self.stop.setFocus()

    def _stop(self, grace_seconds: float) -> None:
        self._choosing = False
        self._actions.stop(self._name(), grace_seconds=grace_seconds)

    def _name(self) -> str:
        return self._tunnel.name if self._tunnel is not None else ""

    def _menu(self) -> None:
        if self._tunnel is None:
            return
        at = self.address.more.mapToGlobal(QPoint(0, self.address.more.height() + 4))
        popup(self, address_entries(self._tunnel, self._actions), at)


def address_entries(tunnel: TunnelSnapshot, actions: Actions) -> list[Entry]:
    """Menu entries that copy each of the tunnel's addresses. QR and noVNC's link will stand here too."""
    texts = (
        (translate("Header", "Copy page address  {0}"), tunnel.page_url),
        (translate("Header", "Copy WebSocket address  {0}"), tunnel.websocket_url),
    )
    return [
        (text.format(display(address)), functools.partial(actions.copy_text, address))
        for text, address in texts
        if address
    ]


def _flow(gap: int, *widgets: QWidget, push_from: int | None = None) -> QWidget:
    holder = QWidget()
    row = FlowRow(gap, holder, push_from=push_from)
    for widget in widgets:
        row.addWidget(widget)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
