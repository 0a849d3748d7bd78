"""Fields for sheets: a text of several lines, a secret, and values to read and copy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontDatabase, QKeyEvent, QKeySequence, QMouseEvent
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

    def set_help(self, help_text: str) -> None:
        """Say something else of what the answer means."""
        self._help = help_text
        self.tell("")

    def tell(self, words: str, *, wrong: bool = False) -> None:
        """Show `words` below, as a mistake or as what is meant; none: the help."""
        shown = words or self._help
        self.below.setText(shown)
        self.below.setVisible(bool(shown))
        self.below.set_tone("err" if wrong else "dim")
        self.field.setAccessibleDescription(shown)
        set_tone(self.field, "true" if wrong else "false", "wrong")


class UncopiedLine(QLineEdit):
    """A line whose text never gets onto a clipboard, not even while it can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.show_text(shown=False)

    def show_text(self, *, shown: bool) -> None:
        """Show what is typed, or dots."""
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(hints.ImhSensitiveData | hints.ImhNoPredictiveText | hints.ImhNoAutoUppercase)

    def wipe(self) -> None:
        """Empty it; nothing brings back what was in it."""
        self.setText("")  # not clear(), which can be undone
        self.show_text(shown=False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.Cut)):
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        with self._as_dots():  # where marked text is on a clipboard, as under X11
            super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        with self._as_dots():
            menu = self.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    @contextlib.contextmanager
    def _as_dots(self) -> Iterator[None]:
        """Qt copies nothing from a line of dots."""
        shown = self.echoMode() is QLineEdit.EchoMode.Normal
        self.show_text(shown=False)
        try:
            yield
        finally:
            self.show_text(shown=shown)


class SecretLine(QWidget):
    """A line for a password, which can be made visible while one types it."""

    changed = Signal()
    entered = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.line = UncopiedLine()
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

    def wipe(self) -> None:
        """Empty it for good, as soon as what was typed has been handed over."""
        self.line.wipe()
        self._reveal.setChecked(False)

    def setAccessibleDescription(self, description: str) -> None:
        self.line.setAccessibleDescription(description)

    def setAccessibleName(self, name: str) -> None:
        self.line.setAccessibleName(name)

    def _show(self, shown: bool) -> None:
        self.line.show_text(shown=shown)


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
