"""A person at the Settings tab, as in `certificates_driver`: `… SCENARIO PICTURES`."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from tests.gui import certificates_driver as driver
from tests.gui.certificates_driver import Person, tell, told, until
from wsgui.engine.snapshot import TunnelState
from wsgui.gui.views.secret_sheet import SecretSheet
from wsgui.gui.views.settings.certificates import CertificateInput
from wsgui.gui.views.settings.inputs import LinesInput
from wsgui.gui.views.tunnel_page import Tab
from wsgui.gui.widgets.secret_field import SecretField

CONTROL = Qt.KeyboardModifier.ControlModifier


async def pick(person: Person) -> None:
    """A certificate by one click, applied, undone; then a value that is wrong."""
    await person.state(TunnelState.RUNNING)
    window, settings = person.window, person.window.page.settings
    window.select("Lab")
    window.activateWindow()
    await until("the window in front", window.isActiveWindow)
    QTest.keyClick(window, Qt.Key(int(Qt.Key.Key_1) + Tab.SETTINGS), CONTROL)
    await until("the form", settings.form_page.isVisible)
    person.picture("form")
    field = settings.form_page.field("tls.certificate")
    assert field is not None
    picker = field.input
    assert isinstance(picker, CertificateInput)
    await person.click("Create one and trust it here", settings)
    await until("a certificate picked", picker.value)
    await until("its authority trusted", lambda: not picker.progress.isVisible())
    person.picture("picked")
    tell({"name": picker.value()[0], "bar": settings.foot.accessibleName()})
    await told()

    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    await until("applied", lambda: "applied" in settings.foot.accessibleName())
    person.picture("applied")
    tell({"applied": settings.foot.accessibleName()})
    await told()

    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL)
    await until("undone", lambda: "before" in settings.foot.accessibleName())
    tell({"certificates": picker.value()})
    await told()

    field = settings.form_page.field("access.origins")
    assert field is not None
    origins = field.input
    assert isinstance(origins, LinesInput)
    origins.lines.setFocus()
    origins.lines.selectAll()
    QTest.keyClicks(origins.lines, "vnc.lab")
    QTest.keyClick(origins.lines, Qt.Key.Key_S, CONTROL)
    person.picture("wrong")
    tell({"wrong": field.below.text()})
    await told()

    QTest.keyClick(origins.lines, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(origins.lines, "https://vnc.lab")
    tell({"typed": settings.foot.accessibleName()})
    await told()  # the file is changed by hand meanwhile
    await until("that it was changed", settings.notice.isVisible)
    person.picture("moved")
    tell({"notice": settings.notice.accessibleName()})
    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    await until("applied", lambda: "applied" in settings.foot.accessibleName())
    tell({"applied": settings.foot.accessibleName()})


async def keep(person: Person) -> None:
    """A user and password stored in the keyring, applied; then another password."""
    await person.state(TunnelState.RUNNING)
    window, settings = person.window, person.window.page.settings
    window.select("Lab")
    window.activateWindow()
    await until("the window in front", window.isActiveWindow)
    QTest.keyClick(window, Qt.Key(int(Qt.Key.Key_1) + Tab.SETTINGS), CONTROL)
    await until("the form", settings.form_page.isVisible)
    field = settings.form_page.field("access.basic")
    assert field is not None
    secret = field.findChild(SecretField)
    assert secret is not None
    await store(person, "Store in keyring…", "lee:correct horse")
    await until("the field filled", lambda: secret.reference)
    person.picture("stored")
    tell({"reference": secret.reference, "bar": settings.foot.accessibleName()})
    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    await until("applied", lambda: "applied" in settings.foot.accessibleName())
    tell({"texts": texts(window)})
    await told()

    await store(person, "Replace…", "lee:battery staple")
    await until("said", lambda: "is stored" in secret.below.text())
    person.picture("replaced")
    tell({"texts": texts(window)})
    await told()


async def store(person: Person, label: str, secret: str) -> None:
    """Type a secret into the sheet that the button opens."""
    await person.click(label, person.window.page.settings)
    sheet = await until("the sheet", lambda: person.sheet(SecretSheet))
    await until("the line", sheet.secret.line.isEnabled)
    QTest.keyClicks(sheet.secret.line, secret)
    person.picture("typed")
    QTest.keyClick(sheet.secret.line, Qt.Key.Key_Return)
    await until("the sheet gone", lambda: not person.window.covered)


def texts(window: QWidget) -> list[str]:
    """All that can be read in the window, and what is on the clipboard."""
    labels = [label.text() for label in window.findChildren(QLabel)]
    lines = [line.text() for line in window.findChildren(QLineEdit)]
    return [*labels, *lines, QGuiApplication.clipboard().text()]


driver.SCENARIOS["pick"] = pick
driver.SCENARIOS["keep"] = keep

if __name__ == "__main__":
    raise SystemExit(driver.main())
