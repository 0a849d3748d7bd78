"""The card "This computer": which programs here trust the authority, and the buttons that change that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.models.certificates import StoreMark, TrustView, Undone
from wsgui.gui.theme import GRID, Type
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.lines import Value
from wsgui.gui.widgets.shapes import Icon


class TrustCard(Card):
    """Stores as marks in a row, what is still to do below them, buttons."""

    trust_wanted = Signal()
    untrust_wanted = Signal()
    device_wanted = Signal()

    def __init__(self, copy: Callable[[str], None]) -> None:
        super().__init__()
        self._copy = copy
        self._marks: tuple[StoreMark, ...] = ()
        self._undone: tuple[Undone, ...] = ()
        title = Text(self.tr("This computer"), Type.SECTION)
        self._stores = QWidget()
        self._row = FlowRow(16, self._stores)
        _grows(self._stores)
        self._words = Text("", Type.BODY, "dim", wrap=True)
        self._to_do = QWidget()
        self._to_do_column = QVBoxLayout(self._to_do)
        self._to_do_column.setContentsMargins(0, 0, 0, 0)
        self._to_do_column.setSpacing(GRID)
        self.trust = Button(self.tr("Trust here"), "primary")
        self.untrust = Button(self.tr("Remove trust"))
        self.device = Button(self.tr("Another device…"), icon="qr")
        self.trust.clicked.connect(self.trust_wanted)
        self.untrust.clicked.connect(self.untrust_wanted)
        self.device.clicked.connect(self.device_wanted)
        buttons = QWidget()
        flow = FlowRow(10, buttons)
        for button in (self.trust, self.device, self.untrust):
            flow.addWidget(button)
        _grows(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 18)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(self._stores)
        layout.addWidget(self._words)
        layout.addWidget(self._to_do)
        layout.addSpacing(2)
        layout.addWidget(buttons)

    def show_view(self, view: TrustView | None) -> None:
        """Show where the authority is trusted; None hides the card."""
        self.setVisible(view is not None)
        if view is None:
            return
        self._words.setText(view.words)
        self._words.set_tone("dim" if view.trusted else "")
        self.trust.setVisible(view.can_trust)
        self.untrust.setVisible(view.can_untrust)
        if view.marks != self._marks:
            self._marks = view.marks
            _empty(self._row)
            for mark in view.marks:
                self._row.addWidget(_Mark(mark))
            self._stores.setVisible(bool(view.marks))
            self._fill_to_do()

    def show_undone(self, undone: Sequence[Undone]) -> None:
        """Say what could not be done here, and how a person does it."""
        self._undone = tuple(undone)
        self._fill_to_do()

    def set_busy(self, busy: bool) -> None:
        """While something is being done, nothing else is begun."""
        for button in (self.trust, self.untrust):
            button.setEnabled(not busy)

    def _fill_to_do(self) -> None:
        _empty(self._to_do_column)
        told = {each.store for each in self._undone}
        for mark in self._marks:
            if mark.to_do and not any(store.startswith(mark.name) for store in told):
                # "Restart Firefox." says by itself which one it is.
                known = mark.name in mark.to_do
                words = mark.to_do if known else self.tr("{0}: {1}").format(mark.name, mark.to_do)
                self._to_do_column.addWidget(Text(words, Type.BODY, "warn", wrap=True))
        for each in self._undone:
            self._to_do_column.addWidget(_ByHand(each, self._copy))
        self._to_do.setVisible(self._to_do_column.count() > 0)


class _Mark(QWidget):
    """`✓ Chrome`: an icon and a name; the state is said to screen readers and in the tooltip."""

    def __init__(self, mark: StoreMark) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(Icon(mark.shape, mark.tone, 16))
        text = Text(mark.name if mark.tone == "ok" else mark.spoken, Type.STRONG)
        text.setAccessibleName(mark.spoken)
        layout.addWidget(text)


class _ByHand(QWidget):
    """What could not be done, and the command that does it, to be copied."""

    def __init__(self, undone: Undone, copy: Callable[[str], None]) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(Text(f"{undone.store}: {undone.message}", Type.BODY, "warn", wrap=True))
        if undone.command:
            layout.addWidget(Value(self.tr("Run this in a terminal"), undone.command, fixed=True))
            button = Button(self.tr("Copy the command"), "small", icon="copy")
            button.clicked.connect(lambda: copy(undone.command))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)


def _grows(widget: QWidget) -> None:
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    widget.setSizePolicy(policy)


def _empty(layout: FlowRow | QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()
