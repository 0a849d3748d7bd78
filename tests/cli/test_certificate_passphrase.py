"""A keyring that cannot have a passphrase: said, with the choices, and never plain text instead."""

from __future__ import annotations

import pytest

from tests.support.certificate_shell import WHERE, CertificateShell
from wsgui.profiles import keyring_access
from wsgui.profiles.keyring_access import KeyringError, KeyringState

LOCKED = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")


@pytest.fixture(autouse=True)
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise LOCKED

    for name in ("get", "store"):
        monkeypatch.setattr(keyring_access, name, refuse)


def test_without_a_terminal_it_fails_and_names_the_option(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", code=1)
    assert "The keyring is locked." in certificate.err
    assert "--passphrase" in certificate.err
    assert not list(certificate.folder.rglob("*.pem"))


def test_on_a_terminal_somebody_may_choose_to_type_it(certificate: CertificateShell) -> None:
    out = certificate("create", "a.lan", "--self-signed", answers="y\n", passwords=("sesame-1",) * 2)
    assert "The keyring is locked." in certificate.err
    assert "is kept nowhere" in out


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_whoever_does_not_choose_so_gets_nothing(certificate: CertificateShell, answer: str) -> None:
    certificate("create", "a.lan", code=1, answers=answer)
    assert "Nothing was made." in certificate.err
    assert not list(certificate.folder.rglob("*.pem"))


def test_another_place_needs_no_keyring(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)


def test_a_locked_authority_is_not_helped_by_a_typed_passphrase(
    certificate: CertificateShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)
    monkeypatch.delenv("TEST_PASSPHRASE")
    certificate("create", "b.lan", code=1, answers="y\n")
    assert "--new-authority" in certificate.err
    assert certificate.asked == []
