"""The doctor on keyring, certificates and trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring.errors
import pytest

from tests.app.doctor.conftest import Patient
from tests.support.authorities import make_root, pem_of
from tests.support.keyrings import MemoryKeyring
from wsgui.app.doctor.certificates import certificate_files, managed_certificates, trust_stores
from wsgui.app.doctor.certificates import keyring as look_at_keyring
from wsgui.app.doctor.check import Check, Level
from wsgui.certificates.trust.store import Trust, TrustState


def look_at(patient: Patient) -> Check:
    [check] = look_at_keyring(patient.certificates, patient.profiles)
    return check


def test_a_keyring_that_works_is_well(patient: Patient) -> None:
    check = look_at(patient)
    assert (check.level, check.message) == (Level.OK, "MemoryKeyring keeps secrets.")


@pytest.mark.parametrize(
    ("failure", "level"),
    [(keyring.errors.NoKeyringError(), Level.NOTE), (keyring.errors.KeyringLocked(), Level.WARNING)],
)
def test_one_that_is_missing_is_no_problem_while_nothing_is_kept_in_it(
    patient: Patient, ring: MemoryKeyring, failure: Exception, level: Level
) -> None:
    ring.failure = failure
    check = look_at(patient)
    assert check.level is level
    assert check.hint


def test_one_that_a_certificate_and_a_profile_need_is_a_problem(patient: Patient, ring: MemoryKeyring) -> None:
    patient.certificates.create(["localhost"])
    patient.profile(access={"basic": "keyring:office"})
    ring.failure = keyring.errors.KeyringLocked()
    check = look_at(patient)
    assert check.level is Level.PROBLEM
    assert check.message == (
        'The keyring is locked. It is needed for the certificate "localhost", '
        'the authority that renews certificates and the profile "Office".'
    )


def test_a_certificate_says_until_when_it_is_valid(patient: Patient) -> None:
    patient.certificates.create(["localhost"])
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert (check.name, check.level) == ('Certificate "localhost"', Level.OK)
    assert "renews itself from" in check.message


def test_one_that_has_ended_is_a_problem_where_it_is_used(patient: Patient) -> None:
    patient.certificates.create(["localhost"], self_signed=True, now=datetime.now(UTC) - timedelta(days=500))
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert check.level is Level.WARNING
    patient.profile(tls={"certificate": ["localhost"]})
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert (check.level, check.hint) == (Level.PROBLEM, "Renew it: wsgui certificate renew localhost")


def test_one_whose_key_cannot_be_opened_is_a_problem_where_it_is_used(patient: Patient, ring: MemoryKeyring) -> None:
    patient.certificates.create(["localhost"])
    patient.profile(tls={"certificate": ["localhost"]})
    ring.secrets.clear()
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert check.level is Level.PROBLEM
    assert check.hint


def test_one_that_is_broken_is_said_and_hides_no_other(patient: Patient) -> None:
    patient.certificates.create(["localhost"])
    patient.certificates.create(["other.lan"])
    (patient.paths.certificates / "other.lan.pem").write_text("junk")
    levels = {check.name: check.level for check in managed_certificates(patient.certificates, patient.profiles)}
    assert levels == {'Certificate "localhost"': Level.OK, 'Certificate "other.lan"': Level.WARNING}


@pytest.mark.parametrize(
    ("days", "level"), [(400, Level.OK), (20, Level.WARNING), (-1, Level.PROBLEM), (None, Level.PROBLEM)]
)
def test_a_file_that_a_profile_names_is_looked_at(
    patient: Patient, tmp_path: Path, days: int | None, level: Level
) -> None:
    file = tmp_path / "server.pem"
    if days is not None:
        file.write_bytes(pem_of(make_root("server", days=days)))
    patient.profile(tls={"certificate_file": str(file)})
    [check] = certificate_files(patient.profiles)
    assert (check.name, check.level) == ("Certificate of Office", level)
    assert bool(check.hint) == (level is not Level.OK)


def test_a_file_that_holds_no_certificate_is_a_problem(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("junk")
    patient.profile(tls={"certificate_file": str(tmp_path / "server.pem")})
    [check] = certificate_files(patient.profiles)
    assert check.level is Level.PROBLEM


def test_without_an_authority_there_is_nothing_to_trust(patient: Patient) -> None:
    [check] = trust_stores(patient.certificates)
    assert check.level is Level.NOTE
    assert "wsgui certificate create" in check.hint


def test_a_store_that_does_not_trust_the_authority_is_a_warning_with_the_command(patient: Patient) -> None:
    patient.certificates.create(["localhost"])
    [check] = trust_stores(patient.certificates)
    assert (check.name, check.level) == ("Trust: Browser", Level.WARNING)
    assert check.hint == "Run: wsgui certificate trust"
    patient.certificates.trust()
    [check] = trust_stores(patient.certificates)
    assert (check.level, check.hint) == (Level.OK, "")


def test_a_store_that_is_not_there_is_only_noted(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    patient.certificates.create(["localhost"])
    monkeypatch.setattr(patient.store, "state", lambda _: Trust(TrustState.ABSENT, "There is none."))
    [check] = trust_stores(patient.certificates)
    assert check.level is Level.NOTE


def test_a_certificate_that_a_profile_names_and_that_is_not_there_is_a_problem(patient: Patient) -> None:
    patient.profile(tls={"certificate": ["*.lab.lan"]})
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert (check.name, check.level) == ("Certificate of Office", Level.PROBLEM)
    assert "wsgui certificate create '*.lab.lan'" in check.hint


@pytest.mark.parametrize("name", ["::1", "my_pc", "b\u00fccher.lan", "office.lan"])
def test_one_that_is_there_is_found_however_the_profile_spells_it(patient: Patient, name: str) -> None:
    patient.certificates.create([name])
    patient.profile(tls={"certificate": [name.upper()]})
    [check] = managed_certificates(patient.certificates, patient.profiles)
    assert check.level is Level.OK
