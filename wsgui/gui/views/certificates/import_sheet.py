"""The sheet that takes in a key and certificate of somebody else's making."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from wsgui.app.certificates import Created
from wsgui.display import display
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.form_sheet import FormSheet
from wsgui.gui.views.certificates.passphrase_choice import PassphraseChoice
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled, SecretLine


class ImportSheet(FormSheet):
    """Emits `created` and closes.

    Args:
        replace: The certificate in whose place the new one goes; empty = beside the others.
    """

    created = Signal(Created)

    def __init__(self, requests: CertificateRequests, *, replace: str = "") -> None:
        title = self.tr("Import a new {0}").format(display(replace)) if replace else self.tr("Import a certificate")
        super().__init__(title, self.tr("Import"))
        self._requests = requests
        self._replace = replace
        self._files: tuple[Path, ...] = ()
        self.choose = Button(self.tr("Choose files…"))
        self.first: QWidget = self.choose
        self._chosen = Text("", Type.BODY, wrap=True)
        self._chosen.hide()
        self.password = SecretLine(self.tr("The file's password"))
        self._password = Labelled(
            self.tr("The file's password"), self.password, self.tr("Empty when its key is not encrypted.")
        )
        self.label = QLineEdit()
        self._label = Labelled(self.tr("What it is called in tunnels"), self.label, self.tr("Empty: its first name."))
        self._label.setVisible(not replace)
        self.passphrase = PassphraseChoice()
        self.passphrase.setVisible(not replace)  # it keeps what it has
        self.choose.clicked.connect(self._open_dialog)
        self.password.entered.connect(self.submit)
        self.passphrase.look_again.connect(self._look_at_keyring)
        files = QWidget()
        column = QVBoxLayout(files)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        help_text = self.tr(
            "The certificate, its intermediates and its key: PEM in one file or several, or PKCS#12 (.p12, .pfx)."
        )
        column.addWidget(Text(self.tr("Files"), Type.STRONG))
        column.addWidget(Text(help_text, Type.BODY, "dim", wrap=True))
        column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._chosen)
        for part in (files, self._password, self._label, self.passphrase):
            self.body.addWidget(part)
        self.close_form()
        self.do.setEnabled(False)

    def begin(self) -> None:
        """Look where the passphrase can be kept."""
        if not self._replace:
            self._look_at_keyring()

    def set_files(self, files: list[str]) -> None:
        """Take these files."""
        self._files = tuple(Path(file) for file in files)
        self._chosen.setText("\n".join(display(file.name) for file in self._files))
        self._chosen.setVisible(bool(self._files))
        self.do.setEnabled(bool(self._files))
        self.notice.show_notice(None)
        if self._files:
            self.password.line.setFocus()

    def _look_at_keyring(self) -> None:
        what = self.tr("Looking at the keyring")
        self._requests.ask(what, lambda c: c.keyring(), self.passphrase.show_finding, self.show_error)

    def _open_dialog(self) -> None:
        dialog = QFileDialog(self, self.tr("Import a certificate"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(
            [
                self.tr("Certificates and keys (*.pem *.crt *.cer *.key *.p12 *.pfx)"),
                self.tr("All files (*)"),
            ]
        )
        dialog.filesSelected.connect(self.set_files)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def submit(self) -> None:
        if not self._files or (not self._replace and not self.passphrase.check()):
            return
        files, password = self._files, self.password.text()
        name = self._replace or self.label.text().strip()
        replacing = bool(self._replace)
        reference = "" if replacing else self.passphrase.reference
        self.wait_for(
            self.tr("Reading the files…"),
            lambda done, failed: self._requests.ask(
                self.tr("Importing a certificate"),
                lambda c: c.import_(
                    files, name=name, password=lambda _: password, passphrase=reference, replace=replacing
                ),
                done,
                failed,
            ),
            self._done,
        )

    def _done(self, created: Created) -> None:
        self.dismiss()
        self.created.emit(created)
