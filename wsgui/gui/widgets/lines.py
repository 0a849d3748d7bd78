"""Fields for sheets: a text of several lines, a secret, and values to read and copy."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.theme import GRID, Type, theme
from wsgui.gui.widgets.buttons import IconButton
from wsgui.gui.widgets.labels import Text, set_tone


class Lines(QPlainTextEdit):
    """A text of several lines in which Tab goes on to the next field."""

    def __init__(self, name: str, rows: int) -> None:
        super().__init__()
        self._rows = rows
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._refont()
        theme.changed.connect(self._refont)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(280), self.fontMetrics().lineSpacing() * self._rows + theme.px(20))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()  # closes the sheet
        else:
            super().keyPressEvent(event)

    def _refont(self) -> None:
        self.setFont(theme.font(Type.BODY))
        self.updateGeometry()


class Labelled(QWidget):
    """A question, the field for its answer, and below it what the answer means or what is wrong with it."""

    changed = Signal()

    def __init__(self, question: str, field: QWidget, help_text: str = "") -> None:
        super().__init__()
        self.field = field
        self._help = help_text
        field.setAccessibleName(question)
        self.below = Text(help_text, Type.SMALL, "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(Text(question, Type.STRONG, wrap=True))
        layout.addWidget(field)
        layout.addWidget(self.below)
        self.below.setVisible(bool(help_text))

    def tell(self, words: str, *, wrong: bool = False) -> None:
        """Show `words` below, as a mistake or as what is meant; none: the help."""
        shown = words or self._help
        self.below.setText(shown)
        self.below.setVisible(bool(shown))
        self.below.set_tone("err" if wrong else "dim")
        self.field.setAccessibleDescription(shown)
        set_tone(self.field, "true" if wrong else "false", "wrong")


class SecretLine(QWidget):
    """A line for a password, which can be made visible while one types it."""

    changed = Signal()
    entered = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setAccessibleName(name)
        self.line.textEdited.connect(self.changed)
        self.line.returnPressed.connect(self.entered)
        self._reveal = IconButton("eye", self.tr("Show what is typed"))
        self._reveal.setCheckable(True)
        self._reveal.toggled.connect(self._show)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line, 1)
        layout.addWidget(self._reveal)
        self.setFocusProxy(self.line)

    def text(self) -> str:
        return self.line.text()

    def setAccessibleDescription(self, description: str) -> None:
        self.line.setAccessibleDescription(description)

    def setAccessibleName(self, name: str) -> None:
        self.line.setAccessibleName(name)

    def _show(self, shown: bool) -> None:
        self.line.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)


class Value(QWidget):
    """A name and its value below it; the value can be selected, with the keyboard too."""

    def __init__(self, name: str, value: str, *, fixed: bool = False) -> None:
        super().__init__()
        self._name = name
        self.value = Text(value, Type.BODY, wrap=True)
        self.value.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.set_value(value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(Text(name, Type.SMALL_STRONG, "dim"))
        layout.addWidget(self.value)
        if fixed:
            self._refont()
            theme.changed.connect(self._refont)

    def set_value(self, value: str) -> None:
        """Show `value`."""
        self.value.setText(value)
        self.value.setAccessibleName(f"{self._name}: {value}")

    def _refont(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(theme.px(12))
        self.value.setFont(font)
