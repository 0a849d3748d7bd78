"""The form of the Settings: the list of sections left, the sections below each other right."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from wsgui.gui.actions import Actions
from wsgui.gui.models.settings_fields import SECTIONS
from wsgui.gui.models.settings_form import SettingsForm
from wsgui.gui.theme import GRID, theme
from wsgui.gui.views.settings.field import FieldView
from wsgui.gui.views.settings.section import SectionView
from wsgui.gui.views.settings.section_list import SectionList
from wsgui.gui.widgets.sheet import Sheet

WIDEST = 720
"""Pixels of the form at a text scale of 1: longer lines are hard to read."""
BESIDE = 620
"""From this width on (at a text scale of 1) there is room for the list beside the form."""


class FormPage(QWidget):
    """Shows a form; `edited` comes with a field's path and its new value."""

    edited = Signal(str, object)
    sheet_wanted = Signal(Sheet, QWidget)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("page")
        self.list = SectionList()
        self.sections = [SectionView(section, actions) for section in SECTIONS]
        for section in self.sections:
            section.edited.connect(self.edited)
            section.sheet_wanted.connect(self.sheet_wanted)
        self.list.chosen.connect(self._go_to)
        inside = QWidget()
        inside.setObjectName("scrolled")
        # Its height follows from its width; its layout's guess, for the narrowest texts, would make it too high.
        inside.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5 * GRID)
        for section in self.sections:
            column.addWidget(section)
        column.addStretch(1)
        sides = QHBoxLayout(inside)
        sides.setContentsMargins(28, 18, 28, 28)
        sides.addWidget(self._content, 1)
        sides.addStretch(0)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inside)
        self.area.verticalScrollBar().valueChanged.connect(self._mark)
        self._aside = QWidget()
        beside = QVBoxLayout(self._aside)
        beside.setContentsMargins(20, 14, 0, 14)
        beside.addWidget(self.list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._aside)
        row.addWidget(self.area, 1)
        self.list.mark(0)
        self._fit()
        theme.changed.connect(self._fit)

    @property
    def fields(self) -> list[FieldView]:
        return [field for section in self.sections for field in section.fields]

    def field(self, path: str) -> FieldView | None:
        """The field of this path, unfolded."""
        return next((found for section in self.sections if (found := section.field(path)) is not None), None)

    def show_form(self, form: SettingsForm) -> None:
        """Show all fields as they are in `form`."""
        self.list.show_form(form)
        for section in self.sections:
            section.show_form(form)

    def begin(self, tunnel: str) -> None:
        """Be the form of another tunnel, from its top."""
        for section in self.sections:
            section.begin(tunnel)
        self.area.verticalScrollBar().setValue(0)

    def look(self) -> None:
        """Ask anew for what there is to choose from."""
        for section in self.sections:
            section.look()

    def lead_to(self, path: str) -> None:
        """Bring a field into sight and give it the focus."""
        field = self.field(path)
        if field is not None:
            field.input.setFocus(Qt.FocusReason.OtherFocusReason)
            # Once it has its place: it may have been folded until now.
            QTimer.singleShot(0, field, lambda: self.area.ensureWidgetVisible(field))

    def _go_to(self, place: int) -> None:
        top = self.sections[place].mapTo(self._content, QPoint(0, 0)).y()
        self.area.verticalScrollBar().setValue(top)
        self.list.mark(place)

    def _mark(self, at: int) -> None:
        """Mark the section that is read now: the last one whose title has come into the upper half."""
        bar = self.area.verticalScrollBar()
        half = at + self.area.viewport().height() // 2
        tops = [section.mapTo(self._content, QPoint(0, 0)).y() for section in self.sections]
        now = max((place for place, top in enumerate(tops) if top <= half), default=0)
        if at == bar.minimum():
            now = 0
        elif at == bar.maximum():
            now = len(tops) - 1
        self.list.mark(now)

    def _fit(self) -> None:
        self._content.setMaximumWidth(theme.px(WIDEST))
        self._aside.setVisible(self.width() >= theme.px(BESIDE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
