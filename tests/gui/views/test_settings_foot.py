"""The bar below changed settings says whom applying them disconnects, only when it is so."""

from __future__ import annotations

from tests.gui import samples, settings_pictures
from wsgui.gui.views.main_window import MainWindow


def said(window: MainWindow) -> str:
    return window.page.settings.foot.accessibleName()


def show(window: MainWindow, *identities: str) -> None:
    connections = tuple(samples.connection(number, identity=who) for number, who in enumerate(identities, 1))
    window.update_snapshot(samples.engine(samples.busy(connections=connections)))


def test_clients_that_rest_on_what_is_no_longer_asked_for_are_counted(window: MainWindow) -> None:
    show(window, "anna", "lee", "")
    settings_pictures.disconnecting(window)
    assert said(window).startswith("2 changes, will disconnect 2 clients.")


def test_who_goes_or_comes_meanwhile_is_counted_anew(window: MainWindow) -> None:
    show(window, "anna", "lee")
    settings_pictures.disconnecting(window)
    show(window, "anna")
    assert "will disconnect 1 client." in said(window)
    show(window)
    assert said(window).startswith("2 changes.")


def test_what_depends_on_a_secret_that_is_not_known_here_is_said_to_be_possible(window: MainWindow) -> None:
    show(window, "anna", "")
    settings_pictures.may_disconnect(window)
    assert said(window).startswith("1 change, may disconnect 1 client.")


def test_changes_that_disconnect_nobody_say_so(window: MainWindow) -> None:
    show(window, "anna")
    settings_pictures.opened(window)
    window.page.settings._edited("access.hosts", ["vnc.lab"])
    assert said(window) == "1 change. Who is connected stays; it holds for those who come next."
