"""A field for a reference to a secret: where it is kept, and the sheet that keeps it there; never the secret itself."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from wsgui.gui.secret_requests import SecretRequests
from wsgui.gui.theme import GRID, Type
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.sheet import Sheet


class SecretField(QWidget):
    """Shows where a secret is kept, and changes it in a sheet.

    Args:
        label: What the secret is.
        suggested_name: What a new one is called in the keyring, until a person writes another.
        requests: Carries out what the sheet asks for (`Actions.secrets`).
    """

    changed = Signal(str)
    """A person has chosen another reference: "", "keyring:NAME", "env:VARIABLE" or "file:/PATH"."""
    sheet_wanted = Signal(Sheet, QWidget)
    """To be shown by `MainWindow.open_sheet`; the second is what gets the focus in it."""

    def __init__(self, label: str, suggested_name: str, requests: SecretRequests) -> None:
        super().__init__()
        self._reference = ""
        self._suggested = suggested_name
        self._requests = requests
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(Text(label, Type.STRONG, wrap=True))

    @property
    def reference(self) -> str:
        """As the profile has it; "" is none. Setting it emits nothing."""
        return self._reference

    @reference.setter
    def reference(self, reference: str) -> None:
        self._reference = reference

    def suggest(self, name: str) -> None:
        """Call a new secret `name`, as when the tunnel gets another name."""
        self._suggested = name

    def tell(self, problem: str) -> None:
        """Show beside it what is wrong with it, in the model's words; "" when nothing is."""
