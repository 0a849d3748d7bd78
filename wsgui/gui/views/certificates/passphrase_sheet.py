"""The sheet that asks for a passphrase which is kept nowhere, while a thread waits for it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from wsgui.display import display
from wsgui.gui.theme import Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Labelled, SecretLine
from wsgui.gui.widgets.sheet import Sheet


class PassphraseSheet(Sheet):
    """Emits `given` at most once; `closed` always comes, after it.

    Args:
        what: What it is for, as the vault says it.
        problem: Why it is asked for once more.
    """

    given = Signal(str)

    def __init__(self, what: str, problem: str = "") -> None:
        super().__init__(self.tr("Passphrase"))
        self.prompt = what
        self.line = SecretLine(self.tr("Passphrase"))
        self.first: QWidget = self.line.line
        self._field = Labelled(self.tr("Passphrase"), self.line)
        self._field.tell(display(problem, limit=600), wrong=bool(problem))
        self.cancel = Button(self.tr("Cancel"))
        self.do = Button(self.tr("Continue"), "primary")
        self.do.setEnabled(False)
        self.line.changed.connect(lambda: self.do.setEnabled(bool(self.line.text())))
        self.line.entered.connect(self._give)
        self.do.clicked.connect(self._give)
        self.cancel.clicked.connect(self.dismiss)
        kept = self.tr("It stays in this program's memory until wsgui is quit, and is written nowhere.")
        self.body.addWidget(Text(display(what.rstrip(": "), limit=600), Type.BODY, wrap=True))
        self.body.addWidget(self._field)
        self.body.addWidget(Text(kept, Type.BODY, "dim", wrap=True))
        self.body.addStretch(1)
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel)
        self.foot.addWidget(self.do)

    def _give(self) -> None:
        if text := self.line.text():
            self.given.emit(text)
            self.dismiss()
