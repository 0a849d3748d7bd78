"""What the Overview shows while there are no figures: stopped, starting, waiting for the first connection."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wsgui.engine.snapshot import Reach, TunnelSnapshot, TunnelState
from wsgui.gui import formatting
from wsgui.gui.actions import Actions
from wsgui.gui.models.sessions import Session
from wsgui.gui.theme import GRID, Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.labels import SelectableAddress, Text
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import SERVING, address_of, shape_and_tone


class QuietCard(Card):
    """One sentence, what it means, the address, and the next step."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._tunnel: TunnelSnapshot | None = None
        self._icon = Icon("state-stopped", "off", 20)
        self._title = Text("", Type.SECTION)
        self._words = Text("", Type.BODY, "dim", wrap=True)
        self.address = SelectableAddress()
        self.address.setAccessibleName(self.tr("Address"))
        self._addresses = QWidget()
        self.start = Button(self.tr("Start"), "primary")
        self.open = Button(self.tr("Open"), "primary")
        self.copy = Button(self.tr("Copy address"))
        self.start.clicked.connect(lambda: self._tunnel and self._actions.start(self._tunnel.name))
        self.open.clicked.connect(lambda: self._tunnel and self._actions.open_page(self._tunnel.name))
        self.copy.clicked.connect(lambda: self._tunnel and self._actions.copy_address(self._tunnel.name))
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self._icon)
        top.addWidget(self._title)
        top.addStretch(1)
        where = QHBoxLayout(self._addresses)
        where.setContentsMargins(0, 0, 0, 0)
        where.setSpacing(GRID)
        where.addWidget(self.address)
        where.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        for button in (self.start, self.open, self.copy):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self._words)
        layout.addWidget(self._addresses)
        layout.addLayout(buttons)

    def show_tunnel(self, tunnel: TunnelSnapshot, session: Session | None, now: float) -> None:
        """Say what `tunnel` is waiting for; `session` is its last one."""
        self._tunnel = tunnel
        running = tunnel.state in SERVING
        self._icon.set(*(("state-running", "ok") if running else shape_and_tone(tunnel, now)))
        if tunnel.state is TunnelState.STARTING:
            self._title.setText(self.tr("Starting"))
            self._words.setText(self.tr("The tunnel opens its address."))
        elif running:
            self._title.setText(self.tr("Waiting for the first connection"))
            self._words.setText(self._how_to_connect(tunnel))
        else:
            self._title.setText(self.tr("Stopped"))
            self._words.setText(self._last(session, now))
        self.address.set_whole(address_of(tunnel))
        if tunnel.state is not TunnelState.STOPPED:
            self._words.setToolTip("")
        self._addresses.setVisible(running)
        self.copy.setVisible(running)
        self.open.setVisible(running and bool(tunnel.page_url))
        self.start.setVisible(tunnel.state is TunnelState.STOPPED)

    def _how_to_connect(self, tunnel: TunnelSnapshot) -> str:
        match tunnel.reach:
            case Reach.THIS_COMPUTER:
                return self.tr("Open its page in a browser on this computer, or give a client on it this address:")
            case Reach.NETWORK:
                return self.tr("Open its page in a browser, or give a client in your network this address:")
            case Reach.SOCKET_FILE:
                return self.tr("Point a proxy or another program on this computer at this socket:")

    def _last(self, session: Session | None, now: float) -> str:
        if session is None:
            return self.tr("Nobody can connect until you start it.")
        lines = (
            self.tr("The last session ran {0} and ended {1} ago.").format(
                formatting.duration(session.ended - session.started), formatting.duration(now - session.ended)
            ),
            self.tr("%n connection(s) served", "", session.served),
            self.tr("{0} transferred").format(formatting.size(session.transferred_bytes)),
        )
        self._words.setToolTip(formatting.plain_tooltip(formatting.moment(session.ended)))
        return "\n".join(lines)


class StartCard(Card):
    """What one can do first, until there is an own tunnel."""

    new_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        title = Text(self.tr("This is the demo. Make a tunnel of your own:"), Type.STRONG)
        # "Reach a remote WebSocket as a local port" and "Import a websockify command" will stand beside it.
        self.service = Button(self.tr("Share a VNC, terminal or TCP service"), icon="plus")
        self.service.clicked.connect(self.new_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(self.service, 0, Qt.AlignmentFlag.AlignLeft)
