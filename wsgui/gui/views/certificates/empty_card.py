"""The page's one card while there is no certificate yet, with its one button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.shapes import Icon


class EmptyCard(Card):
    """Says what the click does."""

    def __init__(self) -> None:
        super().__init__()
        self.create_button = Button(self.tr("Create and trust here"), "primary")
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Icon("certificate", "accent", 28), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(Text(self.tr("No certificate yet"), Type.SECTION), 1)
        words = self.tr(
            "With one, browsers connect encrypted, by https and wss. wsgui makes it for this computer's names and "
            "addresses, renews it by itself, and lets the browsers here trust it, so that they do not warn."
        )
        small = self.tr("The key is encrypted, and its passphrase is kept in your keyring.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 22)
        layout.setSpacing(12)
        layout.addLayout(head)
        layout.addWidget(Text(words, Type.BODY, wrap=True))
        layout.addWidget(Text(small, Type.BODY, "dim", wrap=True))
        layout.addSpacing(2)
        layout.addWidget(self.create_button, 0, Qt.AlignmentFlag.AlignLeft)
