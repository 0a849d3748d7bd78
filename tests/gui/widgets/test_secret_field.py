"""The field for a secret's place, and the sheet that stores one: said, asked, and never shown or kept by the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.certificates import ABSENT, LOCKED
from tests.gui.secret_store import FakeSecrets
from wsgui.gui.theme import theme
from wsgui.gui.views.secret_sheet import SecretSheet
from wsgui.gui.widgets.secret_field import SecretField
from wsgui.gui.widgets.sheet import Sheet
from wsgui.profiles.keyring_access import KeyringError, KeyringState

SECRET = "lee:correct horse"
IS_LOCKED = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")


class Form(QWidget):
    """A window with one field, whose sheets it opens."""

    def __init__(self, secrets: FakeSecrets) -> None:
        super().__init__()
        self.field = SecretField("User and password", "Office/basic", secrets, "Written as user:password.")
        self.sheets: list[Sheet] = []
        self.field.sheet_wanted.connect(self._open)
        self.changes: list[str] = []
        self.field.changed.connect(self.changes.append)
        self.stored: list[str] = []
        self.field.stored.connect(self.stored.append)
        layout = QVBoxLayout(self)
        layout.addWidget(self.field)
        layout.addStretch(1)

    def _open(self, sheet: Sheet, first: QWidget) -> None:
        self.sheets.append(sheet)
        sheet.open(self, first)

    @property
    def sheet(self) -> SecretSheet:
        sheet = self.sheets[-1]
        assert isinstance(sheet, SecretSheet)
        return sheet

    @property
    def texts(self) -> list[str]:
        """All that can be read in it or by a screen reader."""
        read = []
        for widget in self.findChildren(QWidget):
            if isinstance(widget, QLabel | QLineEdit | QPushButton):
                read.append(widget.text())
            if isinstance(widget, QPlainTextEdit):
                read.append(widget.toPlainText())
            read += [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
        return read


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets()


@pytest.fixture
def form(english: QApplication, qtbot: QtBot, secrets: FakeSecrets) -> Form:
    theme.use(dark=False, text_scale=1.0)
    made = Form(secrets)
    qtbot.addWidget(made)
    made.resize(900, 700)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    QGuiApplication.clipboard().setText("before")
    return made


def button(parent: QWidget, label: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == label)


def store(form: Form, qtbot: QtBot, secret: str = SECRET) -> None:
    form.field.store.click()
    qtbot.keyClicks(form.sheet.secret.line, secret)
    form.sheet.do.click()


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", "not set"),
        ("keyring:office", "in the keyring as office"),
        ("env:WSGUI_KEY", "environment variable WSGUI_KEY"),
        ("file:/run/secrets/key", "file /run/secrets/key"),
        ("unbound:their key", "their key, which came with an imported profile and is not here"),
        ("hunter2", "something that is no reference to a secret"),
    ],
)
def test_it_says_in_words_where_the_secret_is(form: Form, reference: str, words: str) -> None:
    form.field.reference = reference
    assert form.field._words.whole() == words
    assert form.field.accessibleName() == f"User and password: {words}"
    assert form.field.reference == reference
    assert form.changes == []


def test_what_is_typed_goes_into_the_keyring_and_the_field_has_its_name(
    form: Form, qtbot: QtBot, secrets: FakeSecrets
) -> None:
    store(form, qtbot)
    assert secrets.secrets == {"Office/basic": SECRET}
    assert form.changes == ["keyring:Office/basic"]
    assert form.field.reference == "keyring:Office/basic"
    assert form.focusWidget() is form.field.replace


def test_a_secret_is_dots_while_it_is_typed_and_nowhere_afterwards(form: Form, qtbot: QtBot) -> None:
    form.field.store.click()
    sheet = form.sheet
    line = sheet.secret.line
    qtbot.keyClicks(line, SECRET)
    assert line.echoMode() is QLineEdit.EchoMode.Password
    assert SECRET not in line.displayText()
    sheet.do.click()
    line.undo()
    assert line.text() == ""
    assert not any(SECRET in text for text in form.texts)
    assert QGuiApplication.clipboard().text() == "before"


def test_it_can_be_peeked_at_but_not_copied(form: Form, qtbot: QtBot) -> None:
    form.field.store.click()
    line = form.sheet.secret.line
    qtbot.keyClicks(line, SECRET)
    form.sheet.secret._reveal.click()
    assert line.displayText() == SECRET
    line.selectAll()
    for key in (Qt.Key.Key_C, Qt.Key.Key_X):
        qtbot.keyClick(line, key, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseDClick(line, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "before"
    assert line.text() == SECRET


@pytest.mark.parametrize("way", ["escape", "elsewhere"])
def test_a_secret_that_is_not_stored_is_wiped_too(form: Form, qtbot: QtBot, way: str) -> None:
    form.field.store.click()
    line = form.sheet.secret.line
    qtbot.keyClicks(line, SECRET)
    if way == "escape":
        qtbot.keyClick(line, Qt.Key.Key_Escape)
    else:
        form.sheet.variable.setChecked(True)
    line.undo()
    assert line.text() == ""
    assert form.changes == []


def test_anothers_secret_is_replaced_only_when_that_is_said(form: Form, qtbot: QtBot, secrets: FakeSecrets) -> None:
    secrets.secrets["Office/basic"] = "another's"
    secrets.users["Office/basic"] = ("Lab", "Reception")
    store(form, qtbot)
    assert secrets.secrets == {"Office/basic": "another's"}
    assert form.sheet.notice.accessibleName() == (
        "The keyring already has a secret called “Office/basic”. "
        "“Lab” and “Reception” would use the new one from then on. Write another name, or replace it."
    )
    button(form.sheet.notice, "Replace it").click()
    assert secrets.secrets == {"Office/basic": SECRET}
    assert form.changes == ["keyring:Office/basic"]


def test_another_name_leaves_the_other_secret_alone(form: Form, qtbot: QtBot, secrets: FakeSecrets) -> None:
    secrets.secrets["Office/basic"] = "another's"
    store(form, qtbot)
    form.sheet.name.setText("mine")
    form.sheet.do.click()
    assert secrets.secrets == {"Office/basic": "another's", "mine": SECRET}
    assert form.changes == ["keyring:mine"]


def test_ones_own_is_replaced_at_once_and_who_else_uses_it_is_named(
    form: Form, qtbot: QtBot, secrets: FakeSecrets
) -> None:
    secrets.secrets["office"] = "old"
    secrets.users["office"] = ("Office", "Lab")
    form.field.reference = "keyring:office"
    form.field.replace.click()
    assert form.sheet._name.below.text() == "“Office” and “Lab” use it, and get the new one too."
    qtbot.keyClicks(form.sheet.secret.line, "new")
    qtbot.keyClick(form.sheet.secret.line, Qt.Key.Key_Return)
    assert secrets.secrets == {"office": "new"}
    assert form.changes == []
    assert form.stored == ["keyring:office"]
    assert form.field.below.text() == "The new secret is stored. Tunnels use it from now on."


@pytest.mark.parametrize(
    ("place", "typed", "reference"),
    [("variable", "WSGUI_KEY", "env:WSGUI_KEY"), ("file", "/run/secrets/key", "file:/run/secrets/key")],
)
def test_it_may_be_elsewhere(
    form: Form, qtbot: QtBot, secrets: FakeSecrets, place: str, typed: str, reference: str
) -> None:
    form.field.elsewhere.click()
    getattr(form.sheet, place).setChecked(True)
    qtbot.keyClicks(getattr(form.sheet, f"{place}_line"), typed)
    form.sheet.do.click()
    assert form.changes == [reference]
    assert secrets.secrets == {}


@pytest.mark.parametrize(
    ("place", "typed", "words"),
    [
        ("variable", "1X", "A variable's name has letters, digits and _ only, and begins with no digit."),
        ("file", "key.txt", "Write the whole path: it begins with / or ~/."),
        ("name", " ", "Write what it is called in the keyring, such as office."),
    ],
)
def test_what_is_no_reference_is_said_below_its_line(
    form: Form, qtbot: QtBot, secrets: FakeSecrets, place: str, typed: str, words: str
) -> None:
    form.field.store.click()
    sheet = form.sheet
    if place == "name":
        qtbot.keyClicks(sheet.secret.line, SECRET)
        sheet.name.setText(typed)
    else:
        getattr(sheet, place).setChecked(True)
        qtbot.keyClicks(getattr(sheet, f"{place}_line"), typed)
    sheet.do.click()
    assert getattr(sheet, f"_{place}").below.text() == words
    assert form.changes == []
    assert secrets.secrets == {}


def test_no_secret_is_none(form: Form) -> None:
    form.field.store.click()
    form.sheet.do.click()
    assert form.sheet._secret.below.text() == "Write the secret."


def test_what_is_not_known_yet_is_not_offered_again(form: Form, secrets: FakeSecrets) -> None:
    sheet = SecretSheet("User and password", "", "office", secrets)
    sheet.open(form, sheet.first)
    assert not sheet.again.isVisible()
    sheet.dismiss()


def test_without_a_keyring_the_other_places_are_offered_and_it_can_be_tried_again(
    form: Form, secrets: FakeSecrets
) -> None:
    secrets.finding = ABSENT
    form.field.store.click()
    assert form.sheet._words.text().startswith("There is no keyring on this computer. Install one.")
    assert not form.sheet.keyring.isVisible()
    assert form.sheet.variable.isChecked()
    assert form.focusWidget() is form.sheet.variable_line
    secrets.finding = LOCKED
    form.sheet.again.click()
    assert form.sheet.keyring.isChecked()
    assert form.sheet._words.text().startswith("The keyring is locked. It asks to be unlocked")


def test_a_keyring_that_stays_locked_is_told_with_unlock_and_elsewhere(
    form: Form, qtbot: QtBot, secrets: FakeSecrets
) -> None:
    secrets.failing = IS_LOCKED
    store(form, qtbot)
    assert form.sheet.notice.accessibleName().startswith("The keyring is locked, so nothing was changed in it.")
    button(form.sheet.notice, "Unlock").click()
    assert secrets.secrets == {"Office/basic": SECRET}


def test_a_failing_keyring_leads_elsewhere(form: Form, qtbot: QtBot, secrets: FakeSecrets) -> None:
    secrets.failing = KeyringError(KeyringState.FAILED, "The keyring did not keep the secret.", "Look after it.")
    store(form, qtbot)
    button(form.sheet.notice, "Keep it elsewhere").click()
    assert form.sheet.variable.isChecked()
    assert form.focusWidget() is form.sheet.variable_line


def test_storing_takes_its_time_and_can_be_given_up(form: Form, qtbot: QtBot, secrets: FakeSecrets) -> None:
    secrets.held = True
    store(form, qtbot)
    assert form.sheet.progress.isVisible()
    assert not form.sheet.do.isEnabled()
    form.sheet.progress.cancel.click()
    assert secrets.cancelled == 1
    secrets.answer()
    assert form.changes == []


def test_removing_takes_it_from_the_tunnel_and_then_from_the_keyring_if_wished(
    form: Form, secrets: FakeSecrets
) -> None:
    secrets.secrets["office"] = SECRET
    form.field.reference = "keyring:office"
    form.field.remove.click()
    assert form.changes == [""]
    assert secrets.secrets == {"office": SECRET}
    assert form.field.notice.accessibleName().startswith("“office” stays in the keyring.")
    button(form.field.notice, "Remove it there").click()
    assert secrets.secrets == {}
    assert not form.field.notice.isVisible()


def test_a_secret_that_tunnels_use_is_removed_only_after_a_second_question(form: Form, secrets: FakeSecrets) -> None:
    secrets.secrets["office"] = SECRET
    secrets.users["office"] = ("Office", "Lab")
    form.field.reference = "keyring:office"
    form.field.remove.click()
    button(form.field.notice, "Remove it there").click()
    assert form.field.notice.accessibleName().startswith("“office” is used by “Office” and “Lab”.")
    assert secrets.secrets == {"office": SECRET}
    button(form.field.notice, "Remove it all the same").click()
    assert secrets.secrets == {}


def test_a_reference_that_comes_back_takes_the_question_away(form: Form) -> None:
    form.field.reference = "keyring:office"
    form.field.remove.click()
    form.field.reference = "keyring:office"
    assert not form.field.notice.isVisible()


def test_a_problem_stands_below_and_is_read_with_the_buttons(form: Form) -> None:
    form.field.reference = "keyring:office"
    form.field.tell("It must be a reference to a secret, not the secret itself.")
    assert form.field.below.isVisible()
    assert form.field.replace.accessibleDescription().endswith("not the secret itself.")
    form.field.tell("")
    assert not form.field.below.isVisible()


def test_all_is_done_by_keyboard(form: Form, qtbot: QtBot, secrets: FakeSecrets) -> None:
    form.field.store.setFocus()
    qtbot.keyClick(form.field.store, Qt.Key.Key_Space)
    assert form.focusWidget() is form.sheet.secret.line
    qtbot.keyClicks(form.focusWidget(), SECRET)
    qtbot.keyClick(form.focusWidget(), Qt.Key.Key_Return)
    assert secrets.secrets == {"Office/basic": SECRET}
