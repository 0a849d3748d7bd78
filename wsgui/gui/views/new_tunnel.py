"""The page on which a new tunnel is written down: where the service is, where to listen, what it is called."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.gui.actions import Actions
from wsgui.gui.models.draft import Draft, draft, suggested_listen, suggested_name
from wsgui.gui.theme import GRID, Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import ElidedText, Text, set_tone
from wsgui.gui.widgets.shapes import Icon


class Field(QWidget):
    """A question, a line to answer it, and below it what the answer means or what is wrong with it."""

    changed = Signal()

    def __init__(self, question: str, placeholder: str, help_text: str) -> None:
        super().__init__()
        self._help = help_text
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(question)
        self.line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.below = Text(help_text, Type.SMALL, "dim", wrap=True)
        self.touched = False
        """Typed into: before that, a missing answer is no mistake."""
        self.line.textEdited.connect(self._touch)
        self.line.textEdited.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(Text(question, Type.STRONG))
        layout.addWidget(self.line)
        layout.addWidget(self.below)

    def _touch(self) -> None:
        self.touched = True

    def tell(self, problem: str, meaning: str = "", tone: str = "dim") -> None:
        """Show `problem`, else `meaning` in `tone` with the help behind it."""
        wrong = bool(problem) and self.touched
        words = problem if wrong else f"{meaning}   {self._help}".strip()
        self.below.setText(words)
        self.below.set_tone("err" if wrong else tone)
        self.line.setAccessibleDescription(words)
        set_tone(self.line, "true" if wrong else "false", "wrong")


class NewTunnel(QWidget):
    """Ends with a profile handed to `Actions.create`, or with `cancelled`."""

    cancelled = Signal()
    created = Signal(str)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("page")
        self._actions = actions
        self._snapshot = EngineSnapshot(0.0, ())
        self._draft = Draft(None)
        self.service = Field(
            self.tr("Where is the service?"),
            self.tr("office:5901"),
            self.tr("Takes 5901, :1, host:1, host:22, tls://host:port or unix:/path."),
        )
        self.listen = Field(
            self.tr("Where should clients connect?"),
            "127.0.0.1:6080",
            self.tr("127.0.0.1 is this computer only; *:6080 is everybody who can reach it."),
        )
        self.name = Field(self.tr("What do you call it?"), self.tr("Office desktop"), "")
        self._fields = (self.service, self.listen, self.name)
        self.start = Button(self.tr("Start"), "primary")
        self.cancel = Button(self.tr("Cancel"))
        self._address_icon = Icon("computer", "dim", 16)
        self._address = ElidedText("", Type.STRONG, mode=Qt.TextElideMode.ElideMiddle)
        for part in self._fields:
            part.changed.connect(self._check)
            part.line.returnPressed.connect(self.accept)
        self.start.clicked.connect(self.accept)
        self.cancel.clicked.connect(self.cancelled)
        self._lay_out()

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setObjectName("scrolled")
        form = QVBoxLayout(inside)
        form.setContentsMargins(28, 20, 28, 20)
        form.setSpacing(24)
        form.addWidget(Text(self.tr("New tunnel"), Type.TITLE))
        for part in self._fields:
            form.addWidget(part)
        form.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        rule = QFrame()
        rule.setObjectName("rule")
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self._address_icon)
        foot.addWidget(self._address, 1)
        foot.addStretch(1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.start)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(28, 0, 28, 20)
        bottom.setSpacing(10)
        bottom.addWidget(rule)
        bottom.addLayout(foot)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 1)
        layout.addLayout(bottom)

    def begin(self, snapshot: EngineSnapshot) -> None:
        """Empty the page for a new tunnel beside those of `snapshot`."""
        self._snapshot = snapshot
        for part in self._fields:
            part.line.clear()
            part.touched = False
        self.listen.line.setText(suggested_listen(snapshot))
        self._check()
        self.service.line.setFocus()

    def update_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Know the names that are taken."""
        if tuple(t.name for t in snapshot.tunnels) != tuple(t.name for t in self._snapshot.tunnels):
            self._snapshot = snapshot
            if self.start.isEnabled():
                self._check()

    def accept(self) -> None:
        """Create the tunnel, or show everything that is still wrong."""
        profile = self._draft.profile
        if not self.start.isEnabled():
            return
        if profile is None:
            for part in self._fields:
                part.touched = True
            self._check()
            return
        # Until something is changed: a second press would ask for a second tunnel of this name.
        self.start.setEnabled(False)
        self._actions.create(profile)
        self.created.emit(profile.name)

    def _check(self) -> None:
        if not self.name.touched:
            self.name.line.setText(suggested_name(self.service.line.text()))
        made = draft(self.service.line.text(), self.listen.line.text(), self.name.line.text(), self._snapshot)
        self._draft = made
        self.start.setEnabled(True)
        problems = {key: display(str(problem), limit=400) for key, problem in made.problems.items()}
        self.service.tell(problems.get("target", ""), made.meaning)
        network = self.tr("Everybody in your network can connect, without encryption or password.")
        self.listen.tell(
            problems.get("listen", ""),
            network if made.open_to_network else "",
            "warn" if made.open_to_network else "dim",
        )
        self.name.tell(problems.get("name", ""))
        self._address_icon.set("network" if made.open_to_network else "computer", "dim")
        self._address.set_whole(display(f"{made.profile.listen}") if made.profile is not None else "")
        self._address_icon.setVisible(made.profile is not None)
