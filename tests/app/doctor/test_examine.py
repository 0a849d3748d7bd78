"""All of the doctor's looks together: they hide nothing and change nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.app.doctor.conftest import Patient
from wsgui.app.doctor import examine as module
from wsgui.app.doctor.check import Level
from wsgui.app.doctor.examine import examine
from wsgui.errors import WsguiError


def everything(folder: Path) -> dict[str, tuple[float, int, bytes]]:
    return {
        str(path): (path.stat().st_mtime, path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


def test_it_changes_nothing(patient: Patient, tmp_path: Path) -> None:
    patient.certificates.create(["localhost"])
    patient.paths.make_config()
    (patient.paths.profiles / "office.toml").write_text('listen = "127.0.0.1:0"\ntarget = "office:5901"\n')
    patient.paths.make_runtime()
    (patient.paths.runtime / "left behind.sock").touch()
    before = everything(tmp_path)
    checks = list(examine(patient.paths, environment=os.environ, stores=[patient.store]))
    assert everything(tmp_path) == before
    assert patient.store.trusted == []
    assert {check.name.split(" ")[0].rstrip(":") for check in checks} >= {
        "Folders",
        "Keyring",
        "Certificate",
        "Trust",
        "Port",
        "Event",
        "TLS",
        "Wrapping",
        "VNC",
        "Terminal",
    }


def test_a_user_who_has_nothing_yet_has_no_problem_and_still_nothing(patient: Patient, tmp_path: Path) -> None:
    checks = list(examine(patient.paths, environment=os.environ, stores=[]))
    assert [check for check in checks if check.level is Level.PROBLEM] == []
    assert list(tmp_path.iterdir()) == []


def test_a_broken_profile_is_a_problem(patient: Patient) -> None:
    patient.paths.make_config()
    (patient.paths.profiles / "office.toml").write_text('target = "demo:"\nlisten = "6080x"\n')
    problems = [check for check in examine(patient.paths, stores=[]) if check.level is Level.PROBLEM]
    assert {check.name for check in problems} == {"Profiles"}
    assert "office.toml:2: listen" in problems[0].message


def test_a_look_that_fails_hides_no_other(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[object]:
        raise WsguiError("It is on fire.", "Put it out.")

    monkeypatch.setattr(module, "folders", fail)
    first, *others = examine(patient.paths, stores=[])
    assert (first.name, first.level, first.message, first.hint) == (
        "Folders",
        Level.PROBLEM,
        "It is on fire.",
        "Put it out.",
    )
    assert others
