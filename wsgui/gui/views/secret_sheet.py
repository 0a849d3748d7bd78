"""The sheet that stores a secret in the keyring, or says where else wsgui reads it; it never shows one again."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from wsgui.errors import WsguiError
from wsgui.gui.models.certificates import keyring_state
from wsgui.gui.models.secrets import (
    keyring_name,
    keyring_notice,
    keyring_words,
    names_words,
    reference_problem,
    taken_notice,
)
from wsgui.gui.secret_requests import SecretRequests, Stored
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.certificates.form_sheet import FormSheet
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled, SecretLine
from wsgui.gui.wording import Deed, Notice, Remedy
from wsgui.profiles.keyring_access import Finding, KeyringState


class SecretSheet(FormSheet):
    """Emits `chosen` with the reference, and closes.

    Args:
        title: What the secret is.
        reference: Where it is now; "" is nowhere.
        suggested_name: What a new one is called in the keyring.
        help_text: What is to be typed.
        elsewhere: It opens with the other places than the keyring.
    """

    chosen = Signal(str)

    def __init__(
        self,
        title: str,
        reference: str,
        suggested_name: str,
        requests: SecretRequests,
        *,
        help_text: str = "",
        elsewhere: bool = False,
    ) -> None:
        super().__init__(title, self.tr("Store"))
        self._requests = requests
        self._own = keyring_name(reference)
        self._looked_again = False
        self.keyring = Choice(self.tr("Keyring"), self.tr("Stored there now; profiles and logs have only its name."))
        self.variable = Choice(
            self.tr("Environment variable"), self.tr("wsgui reads it where it is started, as in a container.")
        )
        self.file = Choice(self.tr("File"), self.tr("Its text is the secret, readable for you only (chmod 600)."))
        self.again = Button(self.tr("Look again"), "small")
        self.again.hide()
        self._words = Text("", Type.BODY, "warn", wrap=True)
        self.secret = SecretLine(self.tr("Secret"))
        self._secret = Labelled(self.tr("New secret") if self._own else self.tr("Secret"), self.secret, help_text)
        self.name = QLineEdit(self._own or suggested_name)
        self._name = Labelled(self.tr("Name in the keyring"), self.name, self.tr("Tunnels refer to it by this name."))
        self.variable_line = _line("WSGUI_SECRET", reference, "env:")
        self._variable = Labelled(self.tr("Variable"), self.variable_line)
        self.file_line = _line("/run/secrets/wsgui", reference, "file:")
        self._file = Labelled(self.tr("File's path"), self.file_line)
        self._lay_out()
        self._connect()
        first = self.keyring
        if elsewhere or reference.startswith(("env:", "file:")):
            first = self.file if reference.startswith("file:") else self.variable
        first.setChecked(True)
        self._show()

    @property
    def first(self) -> QWidget:
        """What gets the focus."""
        if self.keyring.isChecked():
            return self.secret.line
        return self.file_line if self.file.isChecked() else self.variable_line

    def _lay_out(self) -> None:
        places = QWidget()
        column = QVBoxLayout(places)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (self._words, self.again, self.keyring, self.variable, self.file):
            column.addWidget(widget)
        for part in (places, self._secret, self._name, self._variable, self._file):
            self.body.addWidget(part)
        self.close_form()

    def _connect(self) -> None:
        for choice in (self.keyring, self.variable, self.file):
            choice.toggled.connect(self._show)
        self.secret.changed.connect(lambda: self._secret.tell(""))
        self.secret.entered.connect(self.submit)
        for field in (self._name, self._variable, self._file):
            line = field.field
            assert isinstance(line, QLineEdit)
            line.textEdited.connect(lambda _text, field=field: field.tell(""))
            line.returnPressed.connect(self.submit)
        self.name.textEdited.connect(lambda: self.notice.show_notice(None))
        self.again.clicked.connect(self._look_again)
        self.notice.chosen.connect(self._carry_out)
        self.closed.connect(self.secret.wipe)

    def begin(self) -> None:
        """Look what can be expected of the keyring, and who else uses the secret in it."""
        self._look()
        self.reveal(self.first)
        if self._own:
            self._requests.used_by(self._own, self._show_users, self.show_error)

    def show_finding(self, finding: Finding) -> None:
        """Say what can be expected of the keyring; one that keeps nothing cannot be chosen."""
        able = finding.state in (KeyringState.AVAILABLE, KeyringState.LOCKED)
        words = keyring_words(finding)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self.again.setVisible(not able)
        self.keyring.setVisible(able)
        if not able and self.keyring.isChecked():
            self.variable.setChecked(True)
            self.first.setFocus()
        elif able and self._looked_again:
            self.keyring.setChecked(True)
            self.first.setFocus()
        self._looked_again = False

    def submit(self) -> None:
        reference, field = self._reference()
        problem = reference_problem(reference)
        if self.keyring.isChecked() and not self.secret.text():
            problem, field = self.tr("Write the secret."), self._secret
        field.tell(problem, wrong=bool(problem))
        if problem:
            field.field.setFocus()
        elif self.keyring.isChecked():
            self._store(replace=keyring_name(reference) == self._own)
        else:
            self._choose(reference)

    def show_error(self, error: WsguiError) -> None:
        notice = keyring_notice(error)
        locked = keyring_state(error) is KeyringState.LOCKED
        remedy = Remedy(Deed.UNLOCK, self.tr("Unlock")) if locked else Remedy(Deed.RETRY, self.tr("Try again"))
        elsewhere = Remedy(Deed.EDIT, self.tr("Keep it elsewhere"))
        remedies = (remedy, elsewhere) if keyring_state(error) is not None else ()
        self.notice.show_notice(Notice(notice.tone, notice.message, notice.hint, remedies))
        self.reveal(self.notice)

    def _reference(self) -> tuple[str, Labelled]:
        if self.keyring.isChecked():
            return f"keyring:{self.name.text().strip()}", self._name
        if self.file.isChecked():
            return f"file:{self.file_line.text().strip()}", self._file
        return f"env:{self.variable_line.text().strip()}", self._variable

    def _store(self, *, replace: bool) -> None:
        name, value = self.name.text().strip(), self.secret.text()

        def stored(answer: Stored) -> None:
            if answer.done:
                self._choose(f"keyring:{name}")
                return
            notice = taken_notice(name, answer.used_by)
            remedy = Remedy(Deed.REPLACE, self.tr("Replace it"), name)
            self.notice.show_notice(Notice(notice.tone, notice.message, notice.hint, (remedy,)))
            self.reveal(self.notice)
            self.name.setFocus()

        self.wait_for(
            self.tr("Storing it in the keyring…"),
            lambda done, failed: self._requests.store(name, value, replace=replace, done=done, failed=failed),
            stored,
        )

    def _choose(self, reference: str) -> None:
        self.secret.wipe()
        self.dismiss()
        self.chosen.emit(reference)

    def _carry_out(self, remedy: Remedy) -> None:
        self.notice.show_notice(None)
        if remedy.deed is Deed.EDIT:
            self.variable.setChecked(True)
            self.first.setFocus()
        elif remedy.deed is Deed.REPLACE:
            self._store(replace=self.name.text().strip() == remedy.value)
        else:
            self.submit()

    def _look(self) -> None:
        self._requests.keyring(self.show_finding, self.show_error)

    def _look_again(self) -> None:
        self._looked_again = True
        self._look()

    def _show_users(self, used_by: tuple[str, ...]) -> None:
        if len(used_by) > 1:
            self._name.set_help(self.tr("{0} use it, and get the new one too.").format(names_words(used_by)))

    def _show(self) -> None:
        kept = self.keyring.isChecked()
        self._secret.setVisible(kept)
        self._name.setVisible(kept)
        self._variable.setVisible(self.variable.isChecked())
        self._file.setVisible(self.file.isChecked())
        label = self.tr("Store") if kept else self.tr("Use it")
        if self.do.accessibleName() != label:
            self.do.set_label(label)
        if not kept:
            self.secret.wipe()


def _line(placeholder: str, reference: str, kind: str) -> QLineEdit:
    line = QLineEdit(reference.removeprefix(kind) if reference.startswith(kind) else "")
    line.setPlaceholderText(placeholder)
    return line
