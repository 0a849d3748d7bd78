"""What a field of the Settings is edited with, by its kind; each takes and gives the value as TOML holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from wsgui.gui.models.settings_fields import FormField, Kind, text
from wsgui.gui.theme import GRID, theme
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.choice import Choice
from wsgui.gui.widgets.labels import set_tone
from wsgui.gui.widgets.lines import Lines
from wsgui.gui.widgets.toggle import Toggle

_ROWS: Final = 3
_NARROWEST: Final = 120


def is_undo(event: QEvent) -> bool:
    """Whether a field would take Ctrl+Z for itself: the form undoes its own way, over all fields."""
    return (
        event.type() == QEvent.Type.ShortcutOverride
        and isinstance(event, QKeyEvent)
        and (event.matches(QKeySequence.StandardKey.Undo))
    )


class FormLine(QLineEdit):
    """A line that leaves Ctrl+Z to the form."""

    def event(self, event: QEvent) -> bool:
        if is_undo(event):
            event.ignore()
            return True
        return super().event(event)


class FormLines(Lines):
    """Several lines that leave Ctrl+Z to the form."""

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(_NARROWEST), super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        if is_undo(event):
            event.ignore()
            return True
        return super().event(event)


class Input(QWidget):
    """Edits one field. `changed` comes from a person only, not from `set_value`."""

    changed = Signal()

    def __init__(self, field: FormField) -> None:
        super().__init__()
        self.field = field

    def value(self) -> Any:
        """The value as it stands here."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show `value`."""
        raise NotImplementedError

    def tell(self, words: str, *, wrong: bool) -> None:
        """Say what a screen reader is to say about it, and mark what is wrong."""


class LineInput(Input):
    """A text of one line."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.line = FormLine()
        self.line.setPlaceholderText(field.placeholder)
        self.line.setAccessibleName(field.name)
        self.line.textEdited.connect(self.changed)
        self.setFocusProxy(self.line)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(GRID)
        self._row.addWidget(self.line, 1)

    def value(self) -> Any:
        return self.line.text()

    def set_value(self, value: Any) -> None:
        text = "" if value is None else str(value)
        if text != self.line.text():
            self.line.setText(text)

    def tell(self, words: str, *, wrong: bool) -> None:
        self.line.setAccessibleDescription(words)
        set_tone(self.line, "true" if wrong else "false", "wrong")


class NumberInput(LineInput):
    """A number; what is none goes on as text, so that the model says what is wrong with it."""

    def value(self) -> Any:
        text = self.line.text().strip()
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
        return text or None

    def set_value(self, value: Any) -> None:
        if value != self.value():
            super().set_value(value)


class PathInput(LineInput):
    """A path, typed or picked."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.browse = Button(self.tr("Browse…"))
        self.browse.setAccessibleName(self.tr("Browse for: {0}").format(field.name))
        self.browse.clicked.connect(self._browse)
        self._row.addWidget(self.browse)

    def _browse(self) -> None:
        dialog = QFileDialog(self.window(), self.field.name)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._picked)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _picked(self, file: str) -> None:
        self.line.setText(file)
        self.changed.emit()


class SwitchInput(Input):
    """On or off."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.toggle = Toggle(field.name)
        self.toggle.clicked.connect(self.changed)
        self.setFocusProxy(self.toggle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.toggle)
        row.addStretch(1)

    def value(self) -> Any:
        return self.toggle.isChecked()

    def set_value(self, value: Any) -> None:
        self.toggle.setChecked(bool(value))

    def tell(self, words: str, *, wrong: bool) -> None:
        self.toggle.setAccessibleDescription(words)


class ChoiceInput(Input):
    """One of several answers."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.choices: list[tuple[Any, Choice]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for option in field.choices:
            choice = Choice(option.label, option.meaning)
            choice.setAccessibleName(f"{field.name}: {option.label}")
            choice.clicked.connect(self.changed)
            column.addWidget(choice)
            self.choices.append((option.value, choice))
        self.setFocusProxy(self.choices[0][1])

    def value(self) -> Any:
        return next((value for value, choice in self.choices if choice.isChecked()), self.field.default)

    def set_value(self, value: Any) -> None:
        for each, choice in self.choices:
            if each == value and type(each) is type(value):
                choice.setChecked(True)
                self.setFocusProxy(choice)


class LinesInput(Input):
    """A list, an entry a line."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.lines = FormLines(field.name, _ROWS)
        self.lines.setPlaceholderText(field.placeholder)
        self._filling = False
        self.lines.textChanged.connect(self._typed)
        self.setFocusProxy(self.lines)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.lines)

    def value(self) -> Any:
        return [line.strip() for line in self.lines.toPlainText().splitlines() if line.strip()]

    def set_value(self, value: Any) -> None:
        # What is being typed keeps its empty lines.
        if list(value or ()) != self.value():
            self._filling = True
            self.lines.setPlainText("\n".join(str(each) for each in value or ()))
            self._filling = False

    def tell(self, words: str, *, wrong: bool) -> None:
        self.lines.setAccessibleDescription(words)
        set_tone(self.lines, "true" if wrong else "false", "wrong")

    def _typed(self) -> None:
        if not self._filling:
            self.changed.emit()


class OptionalLinesInput(LinesInput):
    """A list that may be left out, which is not the same as an empty one: each is an answer of its own."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.setSpacing(GRID)
        any_, these = (Choice(words) for words in map(text, field.left_out))
        self.any, self.these = any_, these
        for place, choice in enumerate((any_, these)):
            choice.setAccessibleName(f"{field.name}: {choice.accessibleName()}")
            choice.clicked.connect(self._chosen)
            column.insertWidget(place, choice)
        self.setFocusProxy(any_)
        self.set_value(None)

    def value(self) -> Any:
        return super().value() if self.these.isChecked() else None

    def set_value(self, value: Any) -> None:
        (self.any if value is None else self.these).setChecked(True)
        self.lines.setVisible(value is not None)
        if value is not None:
            super().set_value(value)

    def _chosen(self) -> None:
        self.lines.setVisible(self.these.isChecked())
        self.changed.emit()


_INPUTS: Final[dict[Kind, Callable[[FormField], Input]]] = {
    Kind.LINE: LineInput,
    Kind.NUMBER: NumberInput,
    Kind.PATH: PathInput,
    Kind.SWITCH: SwitchInput,
    Kind.CHOICE: ChoiceInput,
    Kind.LINES: LinesInput,
    Kind.OPTIONAL_LINES: OptionalLinesInput,
}


def plain_input(field: FormField) -> Input:
    """The input for a field of a kind that needs nobody else: all but secrets and certificates."""
    return _INPUTS[field.kind](field)
