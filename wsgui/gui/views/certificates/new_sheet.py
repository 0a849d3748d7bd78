"""The sheet for a new certificate: its names, who signs it, and where its key's passphrase is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from wsgui.app.certificates import Created
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.models.certificates import read_names
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.form_sheet import FormSheet
from wsgui.gui.views.certificates.passphrase_choice import PassphraseChoice
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled, Lines


class NewSheet(FormSheet):
    """Emits `created` and closes; what is wrong stands beside its field."""

    created = Signal(Created)

    def __init__(self, requests: CertificateRequests) -> None:
        super().__init__(self.tr("New certificate"), self.tr("Create"))
        self._requests = requests
        self._touched = False
        self.names = Lines(self.tr("Names and addresses, one a line"), 7)
        self.first: QWidget = self.names
        self._names = Labelled(self.tr("Names and addresses, one a line"), self.names)
        self.label = QLineEdit()
        self._label = Labelled(self.tr("What it is called in tunnels"), self.label, self.tr("Empty: its first name."))
        self.ours = Choice(
            self.tr("Signed by this computer's authority"),
            self.tr("Devices that trust the authority connect without a warning."),
        )
        self.itself = Choice(
            self.tr("Self-signed"),
            self.tr("Needs no authority. Each browser warns about it until somebody there makes an exception."),
        )
        self.ours.setChecked(True)
        self.passphrase = PassphraseChoice()
        self.names.textChanged.connect(self._check)
        self.passphrase.look_again.connect(self._look_at_keyring)
        signers = QWidget()
        column = QVBoxLayout(signers)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(Text(self.tr("Who vouches for it?"), Type.STRONG))
        column.addWidget(self.ours)
        column.addWidget(self.itself)
        for part in (self._names, self._label, signers, self.passphrase):
            self.body.addWidget(part)
        self.close_form()
        self._check()

    def begin(self, *, ask: bool = False) -> None:
        """Propose this computer's names; with `ask` the passphrase is one to be asked for."""
        what = self.tr("Looking up this computer's names")
        self._requests.ask(what, lambda c: c.default_names(), self._propose, lambda _: None)
        self._look_at_keyring()
        if ask:
            self.passphrase.choose_asked()
            # What is typed next must not replace the names, which are proposed as selected.
            self.passphrase.asked.setFocus(Qt.FocusReason.OtherFocusReason)

    def _look_at_keyring(self) -> None:
        what = self.tr("Looking at the keyring")
        self._requests.ask(what, lambda c: c.keyring(), self.passphrase.show_finding, self.show_error)

    def _propose(self, names: tuple[str, ...]) -> None:
        if not self.names.toPlainText().strip():
            self.names.setPlainText("\n".join(names))
            self.names.selectAll()

    def _check(self) -> None:
        read = read_names(self.names.toPlainText())
        self._touched = self._touched or bool(read.names)
        self._names.tell(read.words, wrong=bool(read.problem) or (self._touched and not read.names))
        self.label.setPlaceholderText(read.names[0] if read.names else "")

    def submit(self) -> None:
        read = read_names(self.names.toPlainText())
        if read.problem or not read.names:
            self._touched = True
            self._check()
            self.names.setFocus()
            return
        if not self.passphrase.check():
            return
        name, self_signed, reference = self.label.text().strip(), self.itself.isChecked(), self.passphrase.reference
        self.wait_for(
            self.tr("Making the certificate…"),
            lambda done, failed: self._requests.ask(
                self.tr("Making a certificate"),
                lambda c: c.create(read.names, name=name, self_signed=self_signed, passphrase=reference),
                done,
                failed,
            ),
            self._done,
        )

    def _done(self, created: Created) -> None:
        self.dismiss()
        self.created.emit(created)
