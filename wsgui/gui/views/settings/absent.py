"""What the Settings tab says of a tunnel without a form: it is built in, or its file is broken."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from wsgui.errors import ProfileError, WsguiError
from wsgui.gui.models.settings_form import words
from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.shapes import Icon

_SHOWN = 6


class Absent(QWidget):
    """One card with the one button that helps."""

    new_wanted = Signal()
    open_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self._icon = Icon("computer", "dim", 28)
        self._title = Text("", Type.SECTION, wrap=True)
        self._words = Text("", Type.BODY, wrap=True)
        self._hint = Text("", Type.BODY, "dim", wrap=True)
        self.new = Button(self.tr("New tunnel…"), "primary")
        self.open = Button(self.tr("Open the file"), "primary")
        self.new.clicked.connect(self.new_wanted)
        self.open.clicked.connect(self.open_wanted)
        card = Card()
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._title, 1)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(24, 20, 24, 22)
        inner.setSpacing(12)
        inner.addLayout(head)
        for part in (self._words, self._hint, self.new, self.open):
            inner.addWidget(part)
        inside = QWidget()
        inside.setObjectName("scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(28, 18, 28, 24)
        column.addWidget(card)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def show_built_in(self, name: str) -> None:
        """Say that the tunnel `name` has no file, and how to have one that can be changed."""
        self._icon.set("computer", "dim")
        self._title.setText(self.tr("{0} is built in").format(name))
        self._words.setText(self.tr("It has no file, so there is nothing to change here."))
        self._hint.setText(
            self.tr("Make a tunnel of your own: write “demo:” as its service to have the same, and change that.")
        )
        self.new.show()
        self.open.hide()

    def show_broken(self, file: str, problem: ProfileError, kept: int) -> None:
        """Say what is wrong with the file; `kept` changes wait for it to be right again."""
        self._icon.set("state-failed", "err")
        self._title.setText(self.tr("{0} cannot be read").format(file))
        lines = [self._line(each) for each in problem.problems[:_SHOWN]]
        if (left := len(problem.problems) - _SHOWN) > 0:
            lines.append(self.tr("and %n more", None, left))
        self._words.setText("\n".join(lines))
        hint = self.tr("The tunnel keeps its last valid settings. Correct the file, and the form is here again.")
        if kept:
            hint += " " + self.tr("Your changes are kept until then.")
        self._hint.setText(hint)
        self.new.hide()
        self.open.show()

    def _line(self, problem: WsguiError) -> str:
        line = getattr(problem, "line", None)
        where = self.tr("Line {0}: ").format(line) if line else ""
        field = f"{problem.field}: " if problem.field else ""
        return f"{where}{words(WsguiError(field + problem.message, problem.hint))}"
