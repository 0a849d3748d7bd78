"""Cards: a framed surface, a figure with its unit, and a notice with buttons."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.formatting import Quantity
from wsgui.gui.theme import GRID, Type, theme
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import Text, set_tone
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.wording import Notice, Remedy


class Card(QFrame):
    """A framed surface with rounded corners."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")


class FigureCard(Card):
    """One figure: what it is, the number, its unit; read as one sentence by a screen reader."""

    def __init__(self, title: str, tone: str = "") -> None:
        super().__init__()
        self._title = Text(title, Type.SMALL, "dim")
        self._number = Text("–", Type.FIGURE, tone)
        self._unit = Text("", Type.BODY, "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 9)
        layout.setSpacing(1)
        layout.addWidget(self._title)
        row = QHBoxLayout()
        row.setSpacing(5)
        row.addWidget(self._number, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addStretch(1)
        layout.addLayout(row)

    def set_quantity(self, quantity: Quantity) -> None:
        """Show `quantity`."""
        self._number.setText(quantity.number)
        self._unit.setText(quantity.unit)
        name = f"{self._title.text()}: {quantity}"
        if name != self.accessibleName():
            self.setAccessibleName(name)

    def sizeHint(self) -> QSize:
        return QSize(max(super().sizeHint().width(), theme.px(128)), super().sizeHint().height())


class NoticeCard(QFrame):
    """What is wrong, what to do, and the buttons that do it."""

    chosen = Signal(Remedy)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._notice: Notice | None = None
        self._icon = Icon("warning", "warn", 18)
        self._message = Text("", Type.STRONG, wrap=True)
        self._hint = Text("", Type.BODY, "dim", wrap=True)
        self._buttons = QWidget()
        self._row = FlowRow(GRID, self._buttons)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._buttons.setSizePolicy(policy)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        words.addWidget(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(10)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.hide()

    def show_notice(self, notice: Notice | None) -> None:
        """Show `notice`; None hides the card."""
        if notice == self._notice:
            return
        self._notice = notice
        if notice is None:
            self.hide()
            return
        set_tone(self, notice.tone)
        self._icon.set("state-failed" if notice.tone == "err" else "warning", notice.tone)
        self._message.setText(notice.message)
        self._hint.setText(notice.hint)
        self._hint.setVisible(bool(notice.hint))
        self._fill(notice.remedies)
        self.setAccessibleName(f"{notice.message} {notice.hint}".rstrip())
        self.show()

    def _fill(self, remedies: tuple[Remedy, ...]) -> None:
        while (item := self._row.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for remedy in remedies:
            button = Button(remedy.label, "small")
            button.clicked.connect(lambda _checked=False, remedy=remedy: self.chosen.emit(remedy))
            self._row.addWidget(button)
            button.show()
        self._buttons.setVisible(bool(remedies))
