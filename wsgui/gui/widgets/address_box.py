"""The box with a tunnel's address: whether it is encrypted, who can reach it, the address, copy and more."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from wsgui.engine.snapshot import Reach, TunnelSnapshot
from wsgui.gui.certificate_wording import TrustHere, encryption_words
from wsgui.gui.formatting import plain_tooltip
from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import IconButton
from wsgui.gui.widgets.labels import ElidedText, SelectableAddress
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import address_of, reach_words

_REACH_ICONS = {Reach.THIS_COMPUTER: "computer", Reach.NETWORK: "network", Reach.SOCKET_FILE: "socket-file"}


class AddressBox(QFrame):
    """Shows how a tunnel is reached."""

    copy_wanted = Signal()
    menu_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("box")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._lock = Icon("unlocked", "dim", 15)
        self._reach_icon = Icon("computer", "dim", 15)
        self._reach = ElidedText("", Type.STRONG, least_characters=5)
        self.address = SelectableAddress()
        self.address.setAccessibleName(self.tr("Address"))
        self.copy = IconButton("copy", self.tr("Copy the address"))
        self.more = IconButton("chevron-down", self.tr("Other addresses"))
        self.copy.clicked.connect(self.copy_wanted)
        self.more.clicked.connect(self.menu_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 4, 2)
        layout.setSpacing(6)
        for widget in (self._lock, self._reach_icon, self._reach):
            layout.addWidget(widget)
        layout.addSpacing(2)
        layout.addWidget(self.address, 1)
        layout.addWidget(self.copy)
        layout.addSpacing(-6)
        layout.addWidget(self.more)

    def show_tunnel(self, tunnel: TunnelSnapshot, trust: TrustHere | None = None) -> None:
        """Show the address of `tunnel`; `trust` is what is known of its certificate."""
        self._lock.set("lock" if tunnel.secure else "unlocked", "ok" if tunnel.secure else "dim")
        self._reach_icon.set(_REACH_ICONS[tunnel.reach], "dim")
        words = reach_words(tunnel.reach)
        self._reach.set_whole(words)
        self.address.set_whole(address_of(tunnel))
        self.more.setVisible(bool(tunnel.page_url))
        encryption = encryption_words(tunnel, trust)
        if encryption != self._lock.accessibleName():
            self._lock.setAccessibleName(encryption)
            self._lock.setToolTip(plain_tooltip(encryption))
