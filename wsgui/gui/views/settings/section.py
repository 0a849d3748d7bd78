"""A section of the Settings: its title, and its fields in groups that can be folded."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from wsgui.gui import icons
from wsgui.gui.actions import Actions
from wsgui.gui.models.settings_fields import Group, Section, text
from wsgui.gui.models.settings_form import SettingsForm
from wsgui.gui.theme import GRID, Type, theme
from wsgui.gui.views.settings.field import FieldView
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.sheet import Sheet


class GroupView(QWidget):
    """Fields below each other; those of a titled group are folded while they say nothing."""

    def __init__(self, group: Group, actions: Actions) -> None:
        super().__init__()
        self.fields = [FieldView(field, actions) for field in group.fields]
        self._title = text(group.title) if group.title else ""
        self._by_hand = False
        self._body = QWidget()
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(3 * GRID)
        for field in self.fields:
            inner.addWidget(field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        self.fold: Button | None = None
        if self._title:
            self.fold = Button(self._title, "place")
            self.fold.setCheckable(True)
            self.fold.toggled.connect(self._folded)
            self.fold.clicked.connect(self._clicked)
            theme.changed.connect(self._dress)
            column.addWidget(self.fold)
            self._folded(False)
        column.addWidget(self._body)

    def show_form(self, form: SettingsForm) -> None:
        """Show the fields as they are in `form`, and unfold what says something."""
        for field in self.fields:
            field.show_form(form)
        if self.fold is not None and any(self._says(form, field) for field in self.fields):
            self.fold.setChecked(True)

    def begin(self, tunnel: str) -> None:
        """Be the group of another tunnel."""
        for field in self.fields:
            field.begin(tunnel)
        if self.fold is not None:
            self.fold.setChecked(self._by_hand)

    def unfold(self) -> None:
        if self.fold is not None:
            self.fold.setChecked(True)

    def _says(self, form: SettingsForm, field: FieldView) -> bool:
        path = field.field.path
        return form.value(path) != field.field.default or path in form.problems or path in form.changes

    def _clicked(self, opened: bool) -> None:
        self._by_hand = opened

    def _folded(self, opened: bool) -> None:
        self._body.setVisible(opened)
        self._dress()

    def _dress(self) -> None:
        if self.fold is not None:
            opened = self.fold.isChecked()
            self.fold.setIcon(
                icons.icon("chevron-down" if opened else "chevron-right", theme.colours.dim, theme.px(14))
            )
            self.fold.setIconSize(QSize(theme.px(14), theme.px(14)))
            self.fold.setAccessibleDescription(self.tr("open") if opened else self.tr("folded"))


class SectionView(QWidget):
    """A section's title, what it is about, and its groups."""

    edited = Signal(str, object)
    sheet_wanted = Signal(Sheet, QWidget)

    def __init__(self, section: Section, actions: Actions) -> None:
        super().__init__()
        self.section = section
        self.setAccessibleName(text(section.title))
        self.groups = [GroupView(group, actions) for group in section.groups]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * GRID)
        head = QVBoxLayout()
        head.setSpacing(2)
        head.addWidget(Text(text(section.title), Type.SECTION))
        head.addWidget(Text(text(section.intro), Type.BODY, "dim", wrap=True))
        column.addLayout(head)
        for group in self.groups:
            column.addWidget(group)
        for field in self.fields:
            field.edited.connect(self.edited)
            field.sheet_wanted.connect(self.sheet_wanted)

    @property
    def fields(self) -> list[FieldView]:
        return [field for group in self.groups for field in group.fields]

    def field(self, path: str) -> FieldView | None:
        """The field of this path, unfolded; None when it is in another section."""
        for group in self.groups:
            for field in group.fields:
                if field.field.path == path:
                    group.unfold()
                    return field
        return None

    def show_form(self, form: SettingsForm) -> None:
        for group in self.groups:
            group.show_form(form)

    def begin(self, tunnel: str) -> None:
        for group in self.groups:
            group.begin(tunnel)

    def look(self) -> None:
        for field in self.fields:
            field.look()
