"""The doctor on folders: who else could read or change what is in them."""

from __future__ import annotations

import os
import sys

import pytest

from tests.app.doctor.conftest import Patient
from wsgui.app.doctor.check import Level
from wsgui.app.doctor.folders import folders

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Access lists are not in the mode")


def test_folders_that_are_not_there_yet_or_private_are_well(patient: Patient) -> None:
    [check] = folders(patient.paths)
    assert check.level is Level.OK
    patient.paths.make_config()
    patient.paths.make_data()
    [check] = folders(patient.paths)
    assert check.level is Level.OK


@pytest.mark.parametrize(("mode", "level"), [(0o750, Level.WARNING), (0o770, Level.PROBLEM), (0o702, Level.PROBLEM)])
def test_one_that_others_reach_is_said_with_the_command(patient: Patient, mode: int, level: Level) -> None:
    patient.paths.make_data().chmod(mode)
    [check] = folders(patient.paths)
    assert (check.name, check.level) == ("Folder for data", level)
    assert check.hint == f"Run: chmod 700 {patient.paths.data}"


def test_a_file_in_a_folder_s_place_is_a_problem(patient: Patient) -> None:
    patient.paths.config.parent.mkdir(parents=True)
    patient.paths.data.write_text("")
    assert next((check.name, check.level) for check in folders(patient.paths)) == ("Folder for data", Level.PROBLEM)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_one_that_cannot_be_made_is_a_problem(patient: Patient) -> None:
    above = patient.paths.config.parent
    above.mkdir(parents=True)
    above.chmod(0o500)
    try:
        assert {check.level for check in folders(patient.paths)} == {Level.PROBLEM}
    finally:
        above.chmod(0o700)


def test_a_certificate_s_file_that_others_can_read_is_a_warning(patient: Patient) -> None:
    patient.certificates.create(["localhost"])
    file = patient.paths.certificates / "localhost.pem"
    file.chmod(0o644)
    [check] = folders(patient.paths)
    assert (check.level, check.hint) == (Level.WARNING, f"Run: chmod 600 {file}")
