"""Which authority signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wsgui.app.certificate_signing import AuthorityKeyError, sign
from wsgui.certificates.vault import Vault
from wsgui.errors import CertificateError

WHERE = "env:TEST_PASSPHRASE"
NOW = datetime.now(UTC)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setenv("TEST_PASSPHRASE", "correct horse battery")
    return Vault(tmp_path)


def test_the_newest_one_that_may_sign_signs(vault: Vault) -> None:
    first = sign(vault, ["a.lan"], machine=["desk"], passphrase=WHERE, now=NOW)
    second = sign(vault, ["a.lan"], machine=["desk"], passphrase=WHERE, make=True, now=NOW)
    third = sign(vault, ["b.lan"], machine=["desk"], passphrase=WHERE, now=NOW)
    assert first.made
    assert not first.again
    assert second.made
    assert second.again
    assert not third.made
    assert third.stored.authority.id == second.stored.authority.id


def test_a_preferred_one_comes_first(vault: Vault) -> None:
    first = sign(vault, ["a.lan"], machine=[], passphrase=WHERE, now=NOW)
    sign(vault, ["a.lan"], machine=[], passphrase=WHERE, make=True, now=NOW)
    preferred = first.stored.authority.id
    assert sign(vault, ["a.lan"], machine=[], preferred=preferred, now=NOW).stored.authority.id == preferred


def test_a_preferred_one_that_may_not_sign_for_a_name_does_not(vault: Vault) -> None:
    first = sign(vault, ["a.lan"], machine=[], passphrase=WHERE, now=NOW)
    second = sign(
        vault, ["vnc.example.com"], machine=[], passphrase=WHERE, preferred=first.stored.authority.id, now=NOW
    )
    assert second.made


def test_none_is_made_where_none_may_be(vault: Vault) -> None:
    with pytest.raises(CertificateError, match="No authority"):
        sign(vault, ["a.lan"], machine=[], passphrase=WHERE, may_make=False, now=NOW)
    assert vault.authorities() == ()


def test_one_that_ends_soon_does_not_sign(vault: Vault) -> None:
    sign(vault, ["a.lan"], machine=[], passphrase=WHERE, now=NOW - timedelta(days=3600))
    assert sign(vault, ["a.lan"], machine=[], passphrase=WHERE, now=NOW).made


def test_a_key_that_cannot_be_opened_is_no_reason_to_make_another_authority(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(vault, ["a.lan"], machine=[], passphrase=WHERE, now=NOW)
    monkeypatch.setenv("TEST_PASSPHRASE", "wrong")
    with pytest.raises(AuthorityKeyError):
        sign(vault, ["b.lan"], machine=[], passphrase=WHERE, now=NOW)
    assert len(vault.authorities()) == 1
