"""The bar below changed settings: how many changes there are, what they do to clients, and the two ways out."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from wsgui.engine.snapshot import ConnectionSnapshot
from wsgui.gui.models.settings_form import SettingsForm
from wsgui.gui.theme import Type, theme
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.shapes import Icon

ROOMY = 560
"""Pixels (at a text scale of 1) from which on there is room for all words in a line."""


class Foot(QWidget):
    """Hidden while there is nothing to say: neither changes, nor what came of the last ones."""

    def __init__(self) -> None:
        super().__init__()
        self._outcome = ""
        self.setObjectName("page")
        self._what = Text("", Type.STRONG)
        self._effect = Text("", Type.BODY, "dim")
        self.revert = Button(self.tr("Revert"))
        self.apply = Button(self.tr("Apply"), "primary")
        self.apply.setToolTip(self.tr("Ctrl+S"))
        self.undo = Button(self.tr("Undo"))
        self.undo.setToolTip(self.tr("Ctrl+Z"))
        self._done = Icon("check", "ok", 16)
        rule = QFrame()
        rule.setObjectName("rule")
        row = QWidget()
        flow = FlowRow(10, row, push_from=3)
        for part in (self._done, self._what, self._effect, self.undo, self.revert, self.apply):
            flow.addWidget(part)
        policy = row.sizePolicy()
        policy.setHeightForWidth(True)
        row.setSizePolicy(policy)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 0, 28, 14)
        column.setSpacing(10)
        column.addWidget(rule)
        column.addWidget(row)
        self.hide()

    def conclude(self, words: str, *, undo: bool) -> None:
        """Say what came of the last changes, until something is changed again; `undo` offers to take them back."""
        self._outcome = words
        self.undo.setEnabled(undo)

    def forget(self) -> None:
        """Say no longer what came of the last changes."""
        self._outcome = ""

    def show_form(self, form: SettingsForm, connections: tuple[ConnectionSnapshot, ...], *, busy: bool) -> None:
        """Say what applying `form` would do to a tunnel's `connections`."""
        had_focus = self.apply.hasFocus() or self.revert.hasFocus()
        count, wrong = len(form.changes), len(form.problems)
        what = self.tr("%n change(s)", None, count)
        effect = ""
        ends = form.disconnects(connections)
        if ends.certain:
            what = self.tr("{0}, will disconnect {1}").format(what, self.tr("%n client(s)", None, ends.certain))
        elif ends.possible:
            what = self.tr("{0}, may disconnect {1}").format(what, self.tr("%n client(s)", None, ends.possible))
        if ends.certain and ends.possible:
            what = self.tr("{0}, perhaps {1} more").format(what, ends.possible)
        elif connections and not (ends.certain or ends.possible) and form.profile is not None:
            effect = self.tr("Who is connected stays; it holds for those who come next.")
        if not count:
            what, effect = self._outcome, ""
        if wrong:
            effect = self.tr("%n to correct first.", None, wrong)
        self._what.setText(what)
        self._effect.setText(effect)
        self._effect.set_tone("err" if wrong else "dim")
        # What nobody has to do anything about gives way where there is little room.
        self._effect.setVisible(bool(effect) and (bool(wrong) or self.width() >= theme.px(ROOMY)))
        self.setAccessibleName(f"{what}. {effect}".strip())
        self.revert.setEnabled(not busy)
        self.apply.setEnabled(not busy)
        for button in (self.revert, self.apply):
            button.setVisible(count > 0)
        self._done.setVisible(count == 0)
        self.undo.setVisible(count == 0 and self.undo.isEnabled())
        self.setVisible(count > 0 or bool(self._outcome))
        if had_focus and self.undo.isVisible():
            self.undo.setFocus()
