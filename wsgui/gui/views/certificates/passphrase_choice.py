"""Where the passphrase of a new key is kept: the keyring, or what a person chooses where there is none."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from wsgui.gui.theme import GRID, Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled
from wsgui.profiles.keyring_access import Finding, KeyringState


class PassphraseChoice(QWidget):
    """One line while the keyring can be used; all the choices where it cannot, or when asked for."""

    changed = Signal()
    look_again = Signal()
    """The person has unlocked or installed a keyring and wants it tried again."""

    def __init__(self) -> None:
        super().__init__()
        self._finding: Finding | None = None
        self._open = False
        self._title = Text(self.tr("The key's passphrase"), Type.STRONG)
        self._words = Text(self.tr("Looking at the keyring…"), Type.BODY, "dim", wrap=True)
        self.elsewhere = Button(self.tr("Keep it elsewhere"), "small")
        self.again = Button(self.tr("Look again"), "small")
        self.keyring = Choice(self.tr("Keyring"), self.tr("Made and kept there; you never see it."))
        self.asked = Choice(
            self.tr("Ask me"),
            self.tr("You think one up and type it after each start of wsgui; it is kept nowhere."),
        )
        self.variable = Choice(
            self.tr("Environment variable"), self.tr("wsgui reads it where it is started, as in a container.")
        )
        self.file = Choice(self.tr("File"), self.tr("One line, readable for you only (chmod 600)."))
        self.variable_line = Labelled(self.tr("Variable"), _line("WSGUI_KEY"))
        self.file_line = Labelled(self.tr("File's path"), _line("/run/secrets/wsgui-key"))
        self._choices = QWidget()
        self._lay_out()
        for choice in (self.keyring, self.asked, self.variable, self.file):
            choice.toggled.connect(self._chosen)
        for line in (self.variable_line, self.file_line):
            line.field.textEdited.connect(self.changed)  # type: ignore[attr-defined]
        self.elsewhere.clicked.connect(self.show_choices)
        self.again.clicked.connect(self.look_again)
        self.keyring.setChecked(True)
        self._show()

    def _lay_out(self) -> None:
        choices = QVBoxLayout(self._choices)
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setSpacing(GRID)
        for widget in (self.keyring, self.asked, self.variable, self.variable_line, self.file, self.file_line):
            choices.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._title)
        layout.addWidget(self._words)
        layout.addWidget(self.elsewhere, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._choices)

    def show_finding(self, finding: Finding) -> None:
        """Show what can be expected of the keyring."""
        self._finding = finding
        usable = finding.state is KeyringState.AVAILABLE
        if not usable:
            self._open = True
            if self.keyring.isChecked() and finding.state is not KeyringState.LOCKED:
                self.asked.setChecked(True)
        self._show()

    def show_choices(self) -> None:
        """Offer the other places too."""
        self._open = True
        self._show()
        (self.asked if self.asked.isChecked() else self.keyring).setFocus()

    def choose_asked(self) -> None:
        """Have it asked for."""
        self._open = True
        self.asked.setChecked(True)
        self._show()

    @property
    def reference(self) -> str:
        """As the certificates' facade takes it; "" is the keyring."""
        if self.asked.isChecked():
            return "ask"
        if self.variable.isChecked():
            return f"env:{_text(self.variable_line)}"
        if self.file.isChecked():
            return f"file:{_text(self.file_line)}"
        return ""

    def check(self) -> bool:
        """Whether it says enough; if not, the field that lacks something says so."""
        for choice, line in ((self.variable, self.variable_line), (self.file, self.file_line)):
            missing = choice.isChecked() and not _text(line)
            line.tell(self.tr("Write which one it is.") if missing else "", wrong=missing)
            if missing:
                line.field.setFocus()
                return False
        return True

    def _chosen(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        finding = self._finding
        usable = finding is None or finding.state is KeyringState.AVAILABLE
        locked = finding is not None and finding.state is KeyringState.LOCKED
        if finding is None:
            self._words.setText(self.tr("Looking at the keyring…"))
        elif usable:
            self._words.setText(self.tr("The key is encrypted, and its passphrase is kept in your keyring."))
        elif locked:
            self._words.setText(self.tr("The keyring is locked. It is asked to unlock when the key is made."))
        else:
            self._words.setText(f"{finding.message} {self.tr('The key is encrypted all the same: choose how.')}")
        self._words.set_tone("dim" if usable else "warn")
        self.elsewhere.setVisible(not self._open and finding is not None)
        self.again.setVisible(self._open and not usable)
        self._choices.setVisible(self._open)
        self.keyring.setVisible(usable or locked)
        self.variable_line.setVisible(self.variable.isChecked())
        self.file_line.setVisible(self.file.isChecked())


def _line(placeholder: str) -> QLineEdit:
    line = QLineEdit()
    line.setPlaceholderText(placeholder)
    return line


def _text(labelled: Labelled) -> str:
    field = labelled.field
    return field.text().strip() if isinstance(field, QLineEdit) else ""
