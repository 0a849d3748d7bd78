"""The doctor on secrets that profiles, certificates and authorities refer to."""

from __future__ import annotations

from pathlib import Path

import keyring.errors
import pytest

from tests.app.doctor.conftest import Patient
from tests.support.keyrings import MemoryKeyring
from wsgui.app.certificates import Certificates
from wsgui.app.doctor.check import Level
from wsgui.app.doctor.secrets import authorities, files, secrets


@pytest.mark.parametrize("reference", ["keyring:office", "env:WSGUI_NOT_THERE", "file:/not/there"])
def test_a_secret_that_is_missing_is_a_problem_that_names_profile_and_field(patient: Patient, reference: str) -> None:
    patient.profile(access={"basic": reference})
    [check] = secrets(patient.profiles)
    assert (check.name, check.level) == ("Secret of Office (access.basic)", Level.PROBLEM)
    assert check.hint


def test_the_key_of_tokens_is_one_too(patient: Patient) -> None:
    patient.profile(target=None, tokens={"source": "jwt:keyring:signing", "allow": ["127.0.0.0/8:5900"]})
    [check] = secrets(patient.profiles)
    assert check.hint == "Store it: wsgui secret set signing"


def test_one_that_is_there_is_not_spoken_of(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUI_THERE", "user:secret-word")
    patient.profile(access={"basic": "env:WSGUI_THERE"})
    assert secrets(patient.profiles) == []


def test_what_a_keyring_keeps_to_itself_is_told_once_by_the_look_at_the_keyring(
    patient: Patient, ring: MemoryKeyring
) -> None:
    patient.profile(access={"basic": "keyring:office"})
    patient.certificates.create(["office.lan"])
    ring.failure = keyring.errors.KeyringLocked()
    assert secrets(patient.profiles) == []
    assert authorities(patient.certificates) == []


def test_an_authority_whose_key_cannot_be_opened_names_what_nothing_renews(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", "correct horse")
    patient.certificates.create(["office.lan"], passphrase="env:FIRST")
    assert authorities(patient.certificates) == []
    patient.certificates.move_passphrase("office.lan", "keyring")
    monkeypatch.delenv("FIRST")
    [check] = authorities(patient.certificates)
    assert check.level is Level.WARNING
    assert "FIRST is not set" in check.message
    assert "nothing renews office.lan" in check.message


def test_an_authority_whose_passphrase_is_asked_for_is_noted(patient: Patient, tmp_path: Path) -> None:
    asked = Certificates(patient.paths, tuple, stores=(), ask=lambda _: "correct horse")
    asked.create(["office.lan"], passphrase="ask")
    [check] = authorities(patient.certificates)
    assert (check.level, check.hint) == (Level.NOTE, "Renew in time: wsgui certificate renew --all")


def test_one_that_signed_nothing_that_is_here_is_left_alone(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST", "correct horse")
    patient.certificates.create(["office.lan"], passphrase="env:FIRST")
    patient.certificates.remove("office.lan")
    monkeypatch.delenv("FIRST")
    assert authorities(patient.certificates) == []


def test_a_file_that_everybody_can_read_is_a_warning_with_the_command(patient: Patient, tmp_path: Path) -> None:
    file = tmp_path / "pass phrase"
    file.write_text("correct horse")
    file.chmod(0o600)
    patient.certificates.create(["office.lan"], passphrase=f"file:{file}")
    assert files(patient.certificates, patient.profiles) == []
    file.chmod(0o644)
    [check] = files(patient.certificates, patient.profiles)
    assert (check.level, check.hint) == (Level.WARNING, f"Run: chmod 600 '{file}'")
