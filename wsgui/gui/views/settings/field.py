"""A field of the Settings: its name, what it is edited with, and below it what it means or what is wrong with it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wsgui.gui.actions import Actions
from wsgui.gui.models.settings_fields import FormField, Kind, text
from wsgui.gui.models.settings_form import SettingsForm
from wsgui.gui.theme import Type
from wsgui.gui.views.settings.certificates import CertificateInput
from wsgui.gui.views.settings.inputs import Input, plain_input
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.secret_field import SecretField
from wsgui.gui.widgets.sheet import Sheet
from wsgui.profiles.naming import file_stem


class SecretInput(Input):
    """A reference to a secret; the field says its name and its problem itself."""

    sheet_wanted = Signal(Sheet, QWidget)

    def __init__(self, field: FormField, actions: Actions) -> None:
        super().__init__(field)
        self.secret = SecretField(field.name, "", actions.secrets, field.how_typed)
        self.secret.changed.connect(lambda _: self.changed.emit())
        self.secret.sheet_wanted.connect(self.sheet_wanted)
        self.setFocusProxy(self.secret)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.secret)

    def begin(self, tunnel: str) -> None:
        """Propose names of this tunnel's secrets."""
        self.secret.suggest(f"{file_stem(tunnel)}{self.field.suffix}")

    def value(self) -> Any:
        return self.secret.reference

    def set_value(self, value: Any) -> None:
        self.secret.reference = value or ""

    def tell(self, words: str, *, wrong: bool) -> None:
        self.secret.tell(words if wrong else "")


class FieldView(QWidget):
    """Shows one field of a form; `edited` comes with its path and its new value."""

    edited = Signal(str, object)
    sheet_wanted = Signal(Sheet, QWidget)

    def __init__(self, field: FormField, actions: Actions) -> None:
        super().__init__()
        self.field = field
        self.input: Input
        if field.kind is Kind.CERTIFICATES:
            self.input = certificates = CertificateInput(field, actions.certificates)
            certificates.sheet_wanted.connect(self.sheet_wanted)
        elif field.kind is Kind.SECRET:
            self.input = secret = SecretInput(field, actions)
            secret.sheet_wanted.connect(self.sheet_wanted)
        else:
            self.input = plain_input(field)
        self.input.changed.connect(lambda: self.edited.emit(field.path, self.input.value()))
        self._mark = Text(self.tr("changed"), Type.SMALL, "accent")
        self._mark.setAccessibleName(self.tr("{0}: changed").format(field.name))
        self.below = Text(field.description, Type.SMALL, "dim", wrap=True)
        own_name = field.kind in (Kind.SWITCH, Kind.SECRET)
        head = QHBoxLayout()
        head.setSpacing(8)
        if own_name:
            head.addWidget(self.input, 1)
        else:
            head.addWidget(Text(field.name, Type.STRONG, wrap=True), 1)
        head.addWidget(self._mark)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        if not own_name:
            column.addWidget(self.input)
        column.addWidget(self.below)

    def show_form(self, form: SettingsForm) -> None:
        """Show the field as it is in `form`."""
        path = self.field.path
        self.input.set_value(form.value(path))
        problem = form.problems.get(path, "")
        self._mark.setVisible(path in form.changes)
        by_itself = self.field.kind is Kind.SECRET  # it shows its problem itself
        nobody = text(self.field.empty) if self.field.empty and form.value(path) == [] else ""
        words = (problem if not by_itself else "") or nobody or self.field.description
        self.below.setText(words)
        self.below.set_tone("err" if words == problem else "warn" if words == nobody else "dim")
        self.input.tell(problem or words, wrong=bool(problem))

    def begin(self, tunnel: str) -> None:
        """Be the field of another tunnel."""
        if isinstance(self.input, SecretInput):
            self.input.begin(tunnel)

    def look(self) -> None:
        """Ask anew for what there is to choose from."""
        if isinstance(self.input, CertificateInput):
            self.input.look()
