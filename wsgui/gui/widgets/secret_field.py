"""A field for a reference to a secret: where it is kept, and the sheet that keeps it there; never the secret itself."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.gui.models.secrets import keyring_name, keyring_notice, names_words, place_words
from wsgui.gui.secret_requests import SecretRequests
from wsgui.gui.theme import GRID, Type
from wsgui.gui.views.secret_sheet import SecretSheet
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.flow import FlowRow
from wsgui.gui.widgets.labels import ElidedText, Text, set_tone
from wsgui.gui.widgets.shapes import Icon
from wsgui.gui.widgets.sheet import Sheet
from wsgui.gui.wording import Deed, Notice, Remedy


class SecretField(QWidget):
    """Shows where a secret is kept, and changes it in a sheet.

    Args:
        label: What the secret is.
        suggested_name: What a new one is called in the keyring, until a person writes another.
        requests: Carries out what the sheet asks for (`Actions.secrets`).
        help_text: What a person is to type as the secret.
    """

    changed = Signal(str)
    """A person has chosen another reference: "", "keyring:NAME", "env:VARIABLE" or "file:/PATH"."""
    stored = Signal(str)
    """A person has stored another secret under the name that the field has already; the reference is the same."""
    sheet_wanted = Signal(Sheet, QWidget)
    """To be shown by `MainWindow.open_sheet`; the second is what gets the focus in it."""

    def __init__(self, label: str, suggested_name: str, requests: SecretRequests, help_text: str = "") -> None:
        super().__init__()
        self._label, self._help = label, help_text
        self._reference = ""
        self._suggested = suggested_name
        self._requests = requests
        self._left_behind = ""
        self._icon = Icon("lock", "ok", 15)
        self._words = ElidedText("", Type.BODY, least_characters=12)
        self.store = Button(self.tr("Store in keyring…"), "small")
        self.elsewhere = Button(self.tr("Elsewhere…"), "small")
        self.replace = Button("", "small")
        self.remove = Button(self.tr("Remove"), "small")
        self.notice = NoticeCard()
        self.below = Text("", Type.SMALL, "err", wrap=True)
        self.store.clicked.connect(lambda: self._open())
        self.elsewhere.clicked.connect(lambda: self._open(elsewhere=True))
        self.replace.clicked.connect(lambda: self._open())
        self.remove.clicked.connect(self._forget)
        self.notice.chosen.connect(self._carry_out)
        self._lay_out()
        self._show()

    def _lay_out(self) -> None:
        where = QWidget()
        words = QHBoxLayout(where)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(GRID)
        words.addWidget(self._icon)
        words.addWidget(self._words)
        self._box = QFrame()
        self._box.setObjectName("box")
        row = FlowRow(GRID, self._box, push_from=1)
        row.setContentsMargins(11, 5, 5, 5)
        for widget in (where, self.store, self.elsewhere, self.replace, self.remove):
            row.addWidget(widget)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._box.setSizePolicy(policy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for widget in (Text(self._label, Type.STRONG, wrap=True), self._box, self.below, self.notice):
            layout.addWidget(widget)
        self.below.hide()

    @property
    def reference(self) -> str:
        """As the profile has it; "" is none. Setting it emits nothing."""
        return self._reference

    @reference.setter
    def reference(self, reference: str) -> None:
        if reference != self._reference:
            self._reference = reference
            self._leave("")
            self._show()

    def suggest(self, name: str) -> None:
        """Call a new secret `name`, as when the tunnel gets another name."""
        self._suggested = name

    def tell(self, problem: str) -> None:
        """Show beside it what is wrong with it, in the model's words; "" when nothing is."""
        self._say(problem, "err")
        set_tone(self._box, "true" if problem else "false", "wrong")

    def _say(self, words: str, tone: str) -> None:
        self.below.setText(words)
        self.below.set_tone(tone)
        self.below.setVisible(bool(words))
        self._describe()

    def _show(self) -> None:
        has_one = bool(self._reference)
        kept = bool(keyring_name(self._reference))
        self._icon.set(*(("lock", "ok") if kept else ("warning", "warn")))
        self._icon.setVisible(kept or (not self._reference.startswith(("env:", "file:")) and has_one))
        self._words.set_whole(place_words(self._reference))
        self._words.set_tone("" if has_one else "dim")
        self.store.setVisible(not has_one)
        self.elsewhere.setVisible(not has_one)
        label = self.tr("Replace…") if kept else self.tr("Change…")
        if self.replace.text() != label:
            self.replace.set_label(label)
        self.replace.setVisible(has_one)
        self.remove.setVisible(has_one)
        self.setFocusProxy(self.replace if has_one else self.store)
        self._describe()

    def _describe(self) -> None:
        """What a screen reader says: a button's text alone does not tell which secret it is about."""
        words = self.tr("{0}: {1}").format(self._label, self._words.whole())
        self.setAccessibleName(words)
        for button in (self.store, self.elsewhere, self.replace, self.remove):
            button.setAccessibleDescription(f"{words} {self.below.text()}".rstrip())

    def _open(self, *, elsewhere: bool = False) -> None:
        sheet = SecretSheet(
            self._label,
            self._reference,
            self._suggested,
            self._requests,
            help_text=self._help,
            elsewhere=elsewhere,
        )
        sheet.chosen.connect(self._choose)
        self.sheet_wanted.emit(sheet, sheet.first)
        sheet.begin()

    def _choose(self, reference: str) -> None:
        same = reference == self._reference
        self._take(reference, self.replace)
        if same and keyring_name(reference):
            self._say(self.tr("The new secret is stored. Tunnels use it from now on."), "dim")
            self.stored.emit(reference)
        elif not same:
            self.changed.emit(reference)

    def _take(self, reference: str, focus: QWidget) -> None:
        left = keyring_name(self._reference) if reference != self._reference else ""
        self._reference = reference
        self.tell("")
        self._show()
        focus.setFocus()
        self._leave(left)

    def _forget(self) -> None:
        self._take("", self.store)
        self.changed.emit("")

    def _leave(self, name: str) -> None:
        """Say that the secret `name` is still in the keyring; "" says nothing."""
        self._left_behind = name
        if not name:
            self.notice.show_notice(None)
            return
        message = self.tr("“{0}” stays in the keyring.").format(display(name))
        self._ask("dim", message, self.tr("Remove it there too when nothing else needs it."), Deed.RETRY)

    def _ask(self, tone: str, message: str, hint: str, deed: Deed) -> None:
        label = self.tr("Remove it all the same") if deed is Deed.REMOVE else self.tr("Remove it there")
        remedies = (Remedy(deed, label), Remedy(Deed.KEEP, self.tr("Keep it")))
        self.notice.show_notice(Notice(tone, message, hint, remedies))

    def _carry_out(self, remedy: Remedy) -> None:
        name = self._left_behind
        (self.replace if self._reference else self.store).setFocus()
        if remedy.deed is Deed.KEEP or not name:
            self._leave("")
        elif remedy.deed is Deed.RETRY:
            self._requests.used_by(name, lambda users: self._remove_unless_used(name, users), self._failed)
        else:
            self._remove(name)

    def _remove_unless_used(self, name: str, used_by: tuple[str, ...]) -> None:
        if name != self._left_behind:
            return
        if not used_by:
            self._remove(name)
            return
        message = self.tr("“{0}” is used by {1}.").format(display(name), names_words(used_by))
        hint = self.tr("A tunnel whose secret is gone does not start. If this is the one, apply its change first.")
        self._ask("warn", message, hint, Deed.REMOVE)

    def _remove(self, name: str) -> None:
        self._requests.remove(name, lambda _: self._removed(name), self._failed)

    def _removed(self, name: str) -> None:
        if name == self._left_behind:
            self._leave("")

    def _failed(self, error: WsguiError) -> None:
        notice = keyring_notice(error)
        self._ask(notice.tone, notice.message, notice.hint, Deed.RETRY)
