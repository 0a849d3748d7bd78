"""A person at the Settings tab, as in `certificates_driver`: `… SCENARIO PICTURES`."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui import certificates_driver as driver
from tests.gui.certificates_driver import Person, tell, told, until
from wsgui.engine.snapshot import TunnelState
from wsgui.gui.views.settings.certificates import CertificateInput
from wsgui.gui.views.settings.inputs import LinesInput
from wsgui.gui.views.tunnel_page import Tab

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


driver.SCENARIOS["pick"] = pick

if __name__ == "__main__":
    raise SystemExit(driver.main())
