"""`wsgui certificate trust` and `untrust`: a line a store, and the command for what could not be done."""

from __future__ import annotations

import pytest

from tests.support.certificate_shell import WHERE, CertificateShell
from tests.support.trust_stores import MemoryStore


@pytest.fixture
def made(certificate: CertificateShell) -> CertificateShell:
    certificate("create", "a.lan", "--passphrase", WHERE)
    return certificate


def test_each_store_has_its_line(made: CertificateShell) -> None:
    assert made("trust").splitlines() == [
        "System: System trusts it now.",
        "Chrome and others: Chrome and others trusts it now.",
    ]
    assert all(store.trusted for store in made.stores)
    assert len(made("untrust").splitlines()) == 2
    assert not any(store.trusted for store in made.stores)


def test_a_part_of_a_stores_name_is_enough(made: CertificateShell) -> None:
    made("trust", "--store", "chrome")
    assert [bool(store.trusted) for store in made.stores] == [False, True]


def test_a_store_that_is_not_there_is_said(made: CertificateShell) -> None:
    made("trust", "--store", "keychain", code=2)
    assert "There are: System, Chrome and others." in made.err


def test_what_cannot_be_done_comes_with_its_command(made: CertificateShell) -> None:
    made.stores[0] = MemoryStore("System", refuses="sudo cp a b")
    assert made("trust").splitlines()[0] == "System: System cannot be changed. Run: sudo cp a b"


def test_several_commands_have_a_line_each(made: CertificateShell) -> None:
    made.stores[0] = MemoryStore("System", refuses="sudo cp a b\nsudo update")
    assert made("trust").splitlines()[:3] == [
        "System: System cannot be changed. Run:",
        "  sudo cp a b",
        "  sudo update",
    ]


def test_it_fails_only_when_no_store_trusts_it(made: CertificateShell) -> None:
    made.stores[:] = [MemoryStore("System", refuses="sudo cp a b")]
    made("trust", code=1)


def test_without_an_authority_there_is_nothing_to_trust(certificate: CertificateShell) -> None:
    certificate("trust", code=1)
    assert "wsgui certificate create" in certificate.err
