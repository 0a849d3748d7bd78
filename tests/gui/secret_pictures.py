"""The field for a secret, its sheet, and tunnels that lack one, in their states, for `pictures`."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from tests.gui import samples
from tests.gui.certificates import ABSENT, LOCKED
from tests.gui.secret_store import FakeSecrets
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.gui.views.main_window import MainWindow
from wsgui.gui.views.secret_sheet import SecretSheet
from wsgui.gui.widgets.secret_field import SecretField
from wsgui.profiles.keyring_access import KeyringError, KeyringState

Prepare = Callable[[MainWindow], None]
Screen = tuple[EngineSnapshot, tuple[int, int], float, Prepare]
USUAL = (1236, 760)
IS_LOCKED = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")
HELP = "Written as user:password."
TITLE = "User and password"


def _sheet(window: MainWindow, reference: str = "", *, elsewhere: bool = False) -> SecretSheet:
    sheet = SecretSheet(TITLE, reference, "office/basic", _secrets(window), help_text=HELP, elsewhere=elsewhere)
    window.open_sheet(sheet, sheet.first)
    sheet.begin()
    return sheet


def _secrets(window: MainWindow) -> FakeSecrets:
    secrets = window._actions.secrets
    assert isinstance(secrets, FakeSecrets)
    return secrets


def _nothing(_window: MainWindow) -> None:
    pass


def _fields(window: MainWindow) -> None:
    """The field in each of its states, on a page of its own."""
    page = QWidget()
    page.setObjectName("page")
    column = QVBoxLayout(page)
    column.setContentsMargins(28, 18, 28, 18)
    column.setSpacing(16)
    references = ("", "keyring:office/basic", "env:WSGUI_BASIC", "file:/run/secrets/basic", "unbound:their secret")
    fields = [SecretField(TITLE, "office/basic", _secrets(window)) for _ in range(6)]
    for field, reference in zip(fields, (*references, "keyring:old"), strict=True):
        field.reference = reference
        column.addWidget(field)
    fields[4].tell("It is bound to nothing yet. Store the secret here, or say where it is.")
    fields[5].remove.click()
    column.addStretch(1)
    window.stack.addWidget(page)
    window.stack.setCurrentWidget(page)


def _new(window: MainWindow) -> None:
    _sheet(window).secret.line.setText("lee:correct horse")


def _replace(window: MainWindow) -> None:
    _secrets(window).users["office"] = ("Office desktop", "Lab console")
    _sheet(window, "keyring:office")


def _taken(window: MainWindow) -> None:
    _secrets(window).secrets["office/basic"] = "another's"
    _secrets(window).users["office/basic"] = ("Lab console",)
    sheet = _sheet(window)
    sheet.secret.line.setText("lee:correct horse")
    sheet.do.click()


def _storing(window: MainWindow) -> None:
    _secrets(window).held = True
    sheet = _sheet(window)
    sheet.secret.line.setText("lee:correct horse")
    sheet.do.click()


def _locked(window: MainWindow) -> None:
    _secrets(window).finding = LOCKED
    _secrets(window).failing = IS_LOCKED
    sheet = _sheet(window)
    sheet.secret.line.setText("lee:correct horse")
    sheet.do.click()


def _absent(window: MainWindow) -> None:
    _secrets(window).finding = ABSENT
    _sheet(window)


def _wrong(window: MainWindow) -> None:
    sheet = _sheet(window, elsewhere=True)
    sheet.file.setChecked(True)
    sheet.file_line.setText("secret.txt")
    sheet.do.click()


def screens() -> dict[str, Screen]:
    """As in `pictures.screens`."""
    office = samples.office()
    return {
        "secret-fields": (office, (1236, 900), 1, _fields),
        "secret-new": (office, USUAL, 1, _new),
        "secret-new-900x600-text-200": (office, (900, 600), 2, _new),
        "secret-replace": (office, USUAL, 1, _replace),
        "secret-taken": (office, USUAL, 1, _taken),
        "secret-storing": (office, USUAL, 1, _storing),
        "secret-locked": (office, (1236, 900), 1, _locked),
        "secret-absent": (office, USUAL, 1, _absent),
        "secret-wrong": (office, USUAL, 1, _wrong),
        "reason-locked": (samples.engine(samples.locked(), samples.stopped()), USUAL, 1, _nothing),
        "reason-secret": (samples.engine(samples.secretless(), samples.stopped()), USUAL, 1, _nothing),
        "reason-locked-900x600-text-200": (samples.engine(samples.locked()), (900, 600), 2, _nothing),
    }
