"""The head of a tunnel's page: name, state, what can be done, and how it is reached."""

from __future__ import annotations

import functools

from PySide6.QtCore import QCoreApplication, QPoint
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import TunnelSnapshot, TunnelState
from wsgui.gui import formatting
from wsgui.gui.actions import FINISH_SECONDS, Actions
from wsgui.gui.formatting import plain_tooltip
from wsgui.gui.theme import Type
from wsgui.gui.views.menus import Entry, popup
from wsgui.gui.widgets.address_box import AddressBox
from wsgui.gui.widgets.buttons import Button, IconButton
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import ElidedText, Text
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import SERVING, shape_and_tone, state_word, target_refuses

translate = QCoreApplication.translate


class Header(QWidget):
    """Name, state, buttons, address. Buttons for what does not exist yet are added beside Open and Stop."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._tunnel: TunnelSnapshot | None = None
        self._choosing = False
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
        target = QWidget()
        row = QHBoxLayout(target)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self._arrow, self._target, self._protocol):
            row.addWidget(widget)
        second = _flow(10, self.address, target)
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
        self._tunnel = tunnel
        self._title.set_whole(display(tunnel.name))
        shape, tone = shape_and_tone(tunnel)
        if target_refuses(tunnel):
            shape, tone = "state-running", "ok"
        self._icon.set(shape, tone)
        words = state_word(tunnel.state, len(tunnel.connections))
        if tunnel.state in SERVING and tunnel.running_since is not None:
            words = self.tr("{0} · {1}").format(words, formatting.duration(now - tunnel.running_since))
            started = self.tr("since {0}").format(formatting.moment(tunnel.running_since))
            self._state.setToolTip(plain_tooltip(started))
        self._state.set_whole(words)
        self._state.set_tone({"off": "dim"}.get(tone, tone))
        self._overlay.set_whole(self.tr("Target refuses") if target_refuses(tunnel) else "")
        self._overlay_icon.setVisible(target_refuses(tunnel))
        self._overlay.setVisible(target_refuses(tunnel))
        self.address.show_tunnel(tunnel)
        self._target.set_whole(display(tunnel.target))
        self._arrow.setVisible(bool(tunnel.target))
        self._target.setVisible(bool(tunnel.target))
        self._protocol.setVisible(bool(tunnel.protocol))
        self._protocol.setText(self.tr("·  {0}").format(display(tunnel.protocol)))
        self._show_buttons(tunnel)

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
