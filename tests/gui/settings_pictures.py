"""The Settings tab in its states, for `pictures`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QApplication

from tests.gui import certificates, samples
from tests.gui.certificates import FakeRequests
from tests.gui.profiles import OFFICE, FakeProfiles
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import TunnelError
from wsgui.gui.views.main_window import MainWindow
from wsgui.gui.views.tunnel_page import Tab

Prepare = Callable[[MainWindow], None]
Screen = tuple[EngineSnapshot, tuple[int, int], float, Prepare]
USUAL = (1236, 760)
PLAIN = 'name = "Office desktop"\nlisten = "*:6080"\ntarget = "office:5901"\n'
FILES = (
    PLAIN + '[tls]\ncertificate_file = "/etc/ssl/office.pem"\nkey_file = "/etc/ssl/office.key"\n'
    'key_password = "env:OFFICE_KEY"\nminimum = "1.3"\nclient_authority = "/etc/ssl/clients.pem"\n'
    '[access]\nclient_names = ["lee", "kim"]\norigins = ["same-host", "https://vnc.lab"]\n'
)


def files(window: MainWindow) -> FakeProfiles:
    """The profiles' files of a window whose actions are recorded."""
    found = window._actions.profiles
    assert isinstance(found, FakeProfiles)
    return found


def _requests(window: MainWindow) -> FakeRequests:
    found = window._actions.certificates
    assert isinstance(found, FakeRequests)
    return found


def opened(window: MainWindow, text: str = OFFICE, *, listing: Any = None) -> None:
    """Show the Settings of the first tunnel, whose file has `text`."""
    files(window).put(text)
    _requests(window).facade.shown = listing or certificates.usual()
    window.page.show_tab(Tab.SETTINGS)


def _changed(window: MainWindow) -> None:
    opened(window)
    edit = window.page.settings._edited
    edit("tls.certificate", ["lab-pc.local", "printer.lan"])
    edit("web.require_access", False)
    edit("access.hosts", ["vnc.example.org"])


def _wrong(window: MainWindow) -> None:
    opened(window, OFFICE.replace("keyring:office-desktop", "env:OFFICE"))
    edit = window.page.settings._edited
    edit("access.client_names", [])
    edit("access.origins", ["same-host", "vnc.lab"])
    edit("tls.key_file", "office.key")
    window.page.settings.apply()


def _to_access(window: MainWindow) -> None:
    opened(window, FILES)
    for _ in range(8):
        QApplication.sendPostedEvents()
    window.page.settings.form_page.list.rows[1].click()


def disconnecting(window: MainWindow) -> None:
    """A certificate is asked for in place of the password."""
    opened(window)
    edit = window.page.settings._edited
    edit("access.basic", None)
    edit("tls.client_authority", "/etc/ssl/clients.pem")


def may_disconnect(window: MainWindow) -> None:
    """Other users and passwords, which may be the same."""
    opened(window)
    window.page.settings._edited("access.basic", "env:OFFICE")


def _applied(window: MainWindow) -> None:
    _changed(window)
    window.page.settings.apply()


def _refused(window: MainWindow) -> None:
    _changed(window)
    files(window).failing = TunnelError(
        'The keyring is locked, so the key of "printer.lan" cannot be opened.', "Unlock it and try again."
    )
    window.page.settings.apply()


def _moved(window: MainWindow) -> None:
    _changed(window)
    files(window).put(OFFICE.replace('"lab-pc.local"', '"www.example.org"'))
    window.page.settings.look()


def _broken(window: MainWindow) -> None:
    _changed(window)
    files(window).put(OFFICE.replace('"*:6080"', '"6080x"') + 'bsic = "env:X"\n')
    window.page.settings.look()


def _no_certificate(window: MainWindow) -> None:
    opened(window, PLAIN, listing=certificates.Listing())


def _built_in(window: MainWindow) -> None:
    window.page.show_tab(Tab.SETTINGS)


def _hostile(window: MainWindow) -> None:
    opened(window)
    edit = window.page.settings._edited
    edit("access.hosts", [samples.HOSTILE])
    edit("tls.certificate", [samples.HOSTILE.replace("/", "")])


def screens() -> dict[str, Screen]:
    """As in `pictures.screens`."""
    office = samples.office()
    demo = samples.tunnel("Demo", target="demo:", running_since=samples.NOW - 4)
    small = (900, 600)
    users = tuple(samples.connection(number, identity=who) for number, who in enumerate(("anna", "lee", ""), 1))
    known = samples.engine(samples.busy(connections=users), samples.stopped())
    return {
        "settings": (office, USUAL, 1, opened),
        "settings-900x600": (office, small, 1, opened),
        "settings-text-200": (office, USUAL, 2, _changed),
        "settings-900x600-text-200": (office, small, 2, _changed),
        "settings-3840x2160": (office, (3840, 2160), 1, _changed),
        "settings-files": (office, (1236, 1500), 1, lambda window: opened(window, FILES)),
        "settings-access": (office, USUAL, 1, _to_access),
        "settings-changed": (office, USUAL, 1, _changed),
        "settings-disconnects": (known, USUAL, 1, disconnecting),
        "settings-may-disconnect": (known, small, 1, may_disconnect),
        "settings-wrong": (office, (1236, 1400), 1, _wrong),
        "settings-applied": (office, USUAL, 1, _applied),
        "settings-refused": (office, USUAL, 1, _refused),
        "settings-moved": (office, USUAL, 1, _moved),
        "settings-broken": (office, USUAL, 1, _broken),
        "settings-no-certificate": (office, USUAL, 1, _no_certificate),
        "settings-built-in": (samples.engine(demo), USUAL, 1, _built_in),
        "settings-hostile": (office, (1236, 1400), 1, _hostile),
    }
