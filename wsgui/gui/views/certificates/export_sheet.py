"""The sheet that writes a certificate, with or without its key, or the authority, into a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from wsgui.certificates.vault import Managed
from wsgui.display import display
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.form_sheet import FormSheet
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled, SecretLine


class ExportSheet(FormSheet):
    """A key leaves only encrypted, with a password typed twice."""

    def __init__(self, managed: Managed, requests: CertificateRequests) -> None:
        super().__init__(self.tr("Export {0}").format(display(managed.name)), self.tr("Save as…"))
        self._managed = managed
        self._requests = requests
        self.chain = Choice(self.tr("Certificate"), self.tr("PEM, with its intermediates. Public: no key is in it."))
        self.authority = Choice(
            self.tr("This computer's authority"),
            self.tr("PEM. Public: install it on a device that is to connect without a warning."),
        )
        self.pem = Choice(self.tr("Certificate and key, PEM"), self.tr("The key is encrypted with the password below."))
        self.pkcs12 = Choice(
            self.tr("Certificate and key, PKCS#12"), self.tr("One .p12 file, as Windows, macOS and Java take it.")
        )
        self.first: QWidget = self.chain
        self.authority.setVisible(bool(managed.authority))
        self.password = SecretLine(self.tr("Password for the file"))
        self.again = SecretLine(self.tr("The same once more"))
        self._password = Labelled(self.tr("Password for the file"), self.password)
        self._again = Labelled(self.tr("The same once more"), self.again)
        choices = QWidget()
        column = QVBoxLayout(choices)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(Text(self.tr("What is to be in the file?"), Type.STRONG))
        for choice in (self.chain, self.authority, self.pem, self.pkcs12):
            column.addWidget(choice)
            choice.toggled.connect(self._show)
        for part in (choices, self._password, self._again):
            self.body.addWidget(part)
        self.close_form()
        self.chain.setChecked(True)
        self.again.entered.connect(self.submit)

    def _show(self) -> None:
        secret = self._with_key()
        self._password.setVisible(secret)
        self._again.setVisible(secret)
        self.notice.show_notice(None)

    def _with_key(self) -> bool:
        return self.pem.isChecked() or self.pkcs12.isChecked()

    def submit(self) -> None:
        if not self._check():
            return
        dialog = QFileDialog(self, self.tr("Save as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix(self._suffix())
        dialog.selectFile(self._file_name())
        dialog.fileSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _check(self) -> bool:
        if not self._with_key():
            return True
        missing = not self.password.text()
        self._password.tell(self.tr("Write a password that opens the file.") if missing else "", wrong=missing)
        differs = not missing and self.password.text() != self.again.text()
        self._again.tell(self.tr("It is not the same as above.") if differs else "", wrong=differs)
        if missing or differs:
            (self.password if missing else self.again).line.setFocus()
        return not (missing or differs)

    def _suffix(self) -> str:
        return "p12" if self.pkcs12.isChecked() else "pem"

    def _file_name(self) -> str:
        stem = (
            "wsgui-authority"
            if self.authority.isChecked()
            else self._managed.name.replace("*", "any").replace(":", "-")
        )
        return f"{stem}.{self._suffix()}"

    def save(self, file: str) -> None:
        """Write what is chosen to `file`; the dialog has asked whether it may be replaced."""
        name, identity, password = self._managed.name, self._managed.authority, self.password.text()
        of_authority, pkcs12, with_key = self.authority.isChecked(), self.pkcs12.isChecked(), self._with_key()

        self.wait_for(
            self.tr("Writing the file…"),
            lambda done, failed: self._requests.ask(
                self.tr("Exporting a certificate"),
                lambda c: c.save_file(
                    Path(file),
                    c.export_authority(identity=identity)
                    if of_authority
                    else c.export_pkcs12(name, password)
                    if pkcs12
                    else c.export_pem(name, password=password if with_key else ""),
                    replace=True,
                ),
                done,
                failed,
            ),
            lambda _: self.dismiss(),
        )
