"""What is said of the certificate that a tunnel shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from tests.gui import samples
from tests.gui.samples import NOW
from wsgui.engine.snapshot import TunnelState
from wsgui.gui import certificate_wording, wording
from wsgui.gui.certificate_wording import Trusted, TrustHere
from wsgui.gui.plurals import EnglishPlurals
from wsgui.gui.wording import Deed

DAY = 86400.0


@pytest.fixture(autouse=True)
def plurals(qapp: QApplication) -> Iterator[None]:
    translator = EnglishPlurals(qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (300.0, ""),
        (14.5, ""),
        (13.5, "Certificate ends in 13 days"),
        (1.5, "Certificate ends in 1 day"),
        (0.5, "Certificate ends today"),
        (-0.5, "Certificate ended today"),
        (-1.5, "Certificate ended yesterday"),
        (-2.5, "Certificate ended 2 days ago"),
    ],
)
def test_the_end_of_a_certificate_is_said_in_row_and_header_from_two_weeks_before(days: float, words: str) -> None:
    tunnel = samples.busy(certificate=samples.certificate(not_after=NOW + days * DAY))
    assert certificate_wording.end_words(tunnel, NOW) == words
    assert wording.overlay_words(tunnel, NOW) == words
    assert wording.needs_attention(tunnel, NOW) is bool(words)
    line, tone, remedy = wording.row_line(tunnel, None, NOW)
    assert (tone, remedy) == ("warn" if words else "dim", None)
    if words:
        assert line == words
        assert wording.shape_and_tone(tunnel, NOW) == ("warning", "warn")


@pytest.mark.parametrize(
    ("changes", "deed", "hint"),
    [
        ({"managed": True, "renews": True}, Deed.CERTIFICATES, "should have been renewed"),
        ({"managed": True, "renews": False}, Deed.CERTIFICATES, "Import a new one"),
        ({"managed": False, "renews": False}, Deed.SETTINGS, "into the file"),
    ],
)
def test_the_page_says_what_to_do_about_the_end_with_a_button_that_leads_there(
    changes: dict[str, bool], deed: Deed, hint: str
) -> None:
    certificate = samples.certificate(not_after=NOW + 5.5 * DAY, **changes)
    notice = wording.state_notice(samples.busy(certificate=certificate), NOW)
    assert notice is not None
    assert notice.message == "The certificate lab-pc.local ends in 5 days."
    assert hint in notice.hint
    assert [remedy.deed for remedy in notice.remedies] == [deed]


def test_what_keeps_a_tunnel_from_running_is_said_before_the_end_of_its_certificate() -> None:
    certificate = samples.certificate(not_after=NOW)
    notice = wording.state_notice(samples.refusing(certificate=certificate), NOW)
    assert notice is not None
    assert "refuses connections" in notice.message
    assert wording.overlay_words(samples.refusing(certificate=certificate), NOW) == (
        "Target refuses · Certificate ends today"
    )


def test_ready_is_said_while_browsers_can_come_by_wss() -> None:
    assert certificate_wording.is_ready(samples.busy(), NOW)
    assert not certificate_wording.is_ready(samples.tunnel(), NOW)
    assert not certificate_wording.is_ready(samples.busy(state=TunnelState.FINISHING), NOW)
    ended = samples.busy(certificate=samples.certificate(not_after=NOW - 1))
    assert not certificate_wording.is_ready(ended, NOW)


@pytest.mark.parametrize(
    ("trust", "words", "tone"),
    [
        (None, "https/wss ready", "ok"),
        (TrustHere(Trusted.YES, ("System",)), "https/wss ready", "ok"),
        (TrustHere(Trusted.NO, (), ("System",)), "https/wss ready, not trusted here", "warn"),
        (TrustHere(Trusted.PARTLY, ("System",), ("Firefox",)), "https/wss ready, not trusted everywhere here", "warn"),
        (TrustHere(Trusted.NOBODY), "https/wss ready, browsers warn", "warn"),
    ],
)
def test_ready_says_whether_browsers_here_warn_as_far_as_that_is_known(
    trust: TrustHere | None, words: str, tone: str
) -> None:
    assert certificate_wording.ready_words(trust) == (words, tone)


def test_the_lock_tells_certificate_names_end_and_trust() -> None:
    trust = TrustHere(Trusted.PARTLY, ("System", "Chrome"), ("Firefox",))
    lines = certificate_wording.encryption_words(samples.busy(), trust).split("\n")
    assert lines[:3] == [
        "Encrypted (TLS)",
        "Certificate lab-pc.local, kept by wsgui",
        "For lab-pc.local, lab-pc, 192.168.1.20, localhost and 2 others",
    ]
    assert lines[3].startswith("Ends on ")
    assert lines[3].endswith(", renews itself")
    assert lines[4:] == ["Trusted on this computer by System, Chrome", "Not trusted on this computer by Firefox"]


def test_the_lock_of_a_file_tells_which_and_of_no_certificate_that_nothing_is_encrypted() -> None:
    file = samples.certificate(name="/etc/ssl/a.pem", managed=False, renews=False, names=())
    words = certificate_wording.encryption_words(samples.busy(certificate=file), None)
    assert words.startswith("Encrypted (TLS)\nCertificate from the file /etc/ssl/a.pem\nEnds on ")
    assert "renews" not in words
    assert certificate_wording.encryption_words(samples.tunnel(), None) == "Not encrypted"


def test_names_from_outside_stay_text() -> None:
    hostile = samples.certificate(name=samples.HOSTILE, names=(samples.HOSTILE,), not_after=NOW + DAY)
    tunnel = samples.busy(certificate=hostile)
    assert "\u202e" not in certificate_wording.encryption_words(tunnel, None)
    notice = wording.state_notice(tunnel, NOW)
    assert notice is not None
    assert "\u202e" not in notice.message
