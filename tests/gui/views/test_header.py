"""The head of a tunnel's page: whether browsers can come by https and wss, and without a warning."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.gui import certificates, samples
from tests.gui.recorder import RecordedActions
from wsgui.certificates.trust.store import TrustState
from wsgui.gui.theme import theme
from wsgui.gui.views.main_window import MainWindow


def untrusted(actions: RecordedActions) -> None:
    row = certificates.row(certificates.managed("lab-pc.local", "issued", certificates.NAMES))
    states = dict.fromkeys(("system", "chrome", "firefox"), TrustState.UNTRUSTED)
    actions.certificates.facade.shown = certificates.listing(row, trusted=certificates.stores(**states))


def shown_text(window: MainWindow) -> str:
    header = window.page.header
    return header._ready.whole() if header._ready_part.isVisible() else ""


def test_ready_stands_beside_the_address_of_an_encrypted_tunnel_only(window: MainWindow) -> None:
    window.update_snapshot(samples.engine(samples.busy(), samples.tunnel("Plain")))
    assert shown_text(window) == "https/wss ready"
    assert not window.page.header.trust.isVisible()
    window.select("Plain")
    assert shown_text(window) == ""
    assert window.page.header.address._lock.accessibleName() == "Not encrypted"


def test_the_lock_is_read_out_with_the_certificate(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    name = window.page.header.address._lock.accessibleName()
    assert "Certificate lab-pc.local, kept by wsgui" in name
    assert "renews itself" in name


def test_what_is_not_trusted_here_is_said_with_a_button_that_leads_to_where_it_is_done(
    window: MainWindow, actions: RecordedActions
) -> None:
    untrusted(actions)
    window.update_snapshot(samples.office())
    assert shown_text(window) == "https/wss ready, not trusted here"
    window.page.header.trust.click()
    assert window.stack.currentWidget() is window.certificates


def test_trust_that_was_given_meanwhile_is_seen_when_the_tunnel_is_shown_again(
    window: MainWindow, actions: RecordedActions, qtbot: QtBot
) -> None:
    untrusted(actions)
    window.update_snapshot(samples.office())
    window.show_certificates()
    actions.certificates.facade.trust()
    row = certificates.row(certificates.managed("lab-pc.local", "issued", certificates.NAMES))
    actions.certificates.facade.shown = certificates.listing(row)
    window.select("Office desktop")
    qtbot.waitUntil(lambda: shown_text(window) == "https/wss ready")
    assert not window.page.header.trust.isVisible()


def test_the_end_of_the_certificate_stands_beside_the_state_and_in_the_row(window: MainWindow) -> None:
    soon = samples.certificate(not_after=samples.NOW + 5.5 * 86400)
    window.update_snapshot(samples.engine(samples.busy(certificate=soon)))
    header = window.page.header
    assert header._overlay.isVisible()
    assert header._overlay.whole() == "Certificate ends in 5 days"
    row = window.sidebar.model.row_at(window.sidebar.model.index_of("Office desktop"))
    assert row is not None
    assert getattr(row, "line", "") == "Certificate ends in 5 days"
    assert "Certificate ends in 5 days" in getattr(row, "state", "")


def test_a_low_window_leaves_the_room_to_the_tab(window: MainWindow, qtbot: QtBot) -> None:
    window.update_snapshot(samples.office())
    header = window.page.header
    theme.use(text_scale=2.0)
    window.resize(900, 600)
    qtbot.waitUntil(lambda: not header._ready_part.isVisible() and not header._target_part.isVisible())
    assert header.height() >= header.heightForWidth(header.width())
    theme.use(text_scale=1.0)
    window.resize(1236, 760)
    qtbot.waitUntil(lambda: header._ready_part.isVisible() and header._target_part.isVisible())


def test_what_is_not_well_is_said_in_a_low_window_too(
    window: MainWindow, actions: RecordedActions, qtbot: QtBot
) -> None:
    untrusted(actions)
    window.update_snapshot(samples.office())
    theme.use(text_scale=2.0)
    window.resize(900, 600)
    qtbot.waitUntil(lambda: not header_target(window))
    assert shown_text(window) == "https/wss ready, not trusted here"


def header_target(window: MainWindow) -> bool:
    return window.page.header._target_part.isVisible()
