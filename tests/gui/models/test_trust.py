"""Who trusts the certificates that tunnels show is asked seldom, and shown as far as it is known."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from tests.gui import certificates, samples
from tests.gui.certificates import FakeRequests
from wsgui.certificates.trust.store import TrustState
from wsgui.errors import CertificateError
from wsgui.gui.certificate_wording import Trusted
from wsgui.gui.models.trust import LOOK_AGAIN_SECONDS, TrustKnowledge, trust_here


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def office(**states: TrustState) -> FakeRequests:
    requests = FakeRequests()
    issued = certificates.row(certificates.managed("lab-pc.local", "issued", certificates.NAMES))
    own = certificates.row(certificates.managed("printer.lan", "self-signed"))
    others = certificates.row(certificates.managed("www.example.org", "imported"))
    requests.facade.shown = certificates.listing(issued, own, others, trusted=certificates.stores(**states))
    return requests


def test_a_certificate_is_trusted_as_its_authority_is() -> None:
    found = trust_here(office().facade.shown)["lab-pc.local"]
    assert (found.trusted, found.by, found.not_by) == (Trusted.YES, ("System", "Chrome", "Firefox"), ())


def test_a_store_that_is_not_there_is_not_counted() -> None:
    absent = office(system=TrustState.UNTRUSTED, chrome=TrustState.UNTRUSTED, firefox=TrustState.ABSENT)
    found = trust_here(absent.facade.shown)["lab-pc.local"]
    assert (found.trusted, found.not_by) == (Trusted.NO, ("System", "Chrome"))
    some = trust_here(office(chrome=TrustState.UNTRUSTED).facade.shown)["lab-pc.local"]
    assert some.trusted is Trusted.PARTLY


def test_nothing_is_said_of_what_is_not_known() -> None:
    unknown = office(system=TrustState.UNKNOWN, chrome=TrustState.UNKNOWN, firefox=TrustState.UNKNOWN)
    assert "lab-pc.local" not in trust_here(unknown.facade.shown)
    assert "www.example.org" not in trust_here(office().facade.shown)


def test_nobody_vouches_for_a_certificate_that_signed_itself() -> None:
    assert trust_here(office().facade.shown)["printer.lan"].trusted is Trusted.NOBODY


def test_the_stores_are_asked_once_a_minute_and_when_something_may_have_changed(qapp: QApplication) -> None:
    requests, clock = office(), Clock()
    requests.held = True
    knowledge = TrustKnowledge(requests, clock=clock)
    told: list[bool] = []
    knowledge.changed.connect(lambda: told.append(True))
    assert knowledge.of(samples.certificate()) is None
    assert knowledge.of(samples.certificate()) is None
    assert len(requests.waiting) == 1
    requests.answer()
    assert told == [True]
    found = knowledge.of(samples.certificate())
    assert found is not None
    assert found.trusted is Trusted.YES
    requests.held = True
    knowledge.of(samples.certificate())
    assert not requests.waiting
    clock.time += LOOK_AGAIN_SECONDS
    knowledge.of(samples.certificate())
    assert len(requests.waiting) == 1
    requests.answer()
    assert told == [True]
    requests.held = True
    knowledge.forget()
    assert knowledge.of(samples.certificate()) == found
    assert len(requests.waiting) == 1


def test_stores_that_cannot_be_asked_are_asked_again_later(qapp: QApplication) -> None:
    requests, clock = office(), Clock()
    requests.facade.failing["listing"] = CertificateError("The folder cannot be read.")
    knowledge = TrustKnowledge(requests, clock=clock)
    assert knowledge.of(samples.certificate()) is None
    clock.time += LOOK_AGAIN_SECONDS
    assert knowledge.of(samples.certificate()) is not None


def test_files_of_others_are_not_asked_about(qapp: QApplication) -> None:
    requests = office()
    requests.held = True
    knowledge = TrustKnowledge(requests)
    assert knowledge.of(samples.certificate(managed=False)) is None
    assert knowledge.of(None) is None
    assert not requests.waiting
