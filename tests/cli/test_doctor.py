"""`wsgui doctor`: what is printed, and how it ends."""

from __future__ import annotations

import json

import pytest

from wsgui.app.doctor.check import Check, Level
from wsgui.cli import doctor

WELL = Check("Keyring", Level.OK, "SecretService keeps secrets.")
NOTE = Check("Tray", Level.NOTE, "There is none.", "Install one.")
WARNING = Check("Trust: Chrome", Level.WARNING, "Chrome does not trust it.", "Run: wsgui certificate trust")
PROBLEM = Check("Port of Office", Level.PROBLEM, "Port 6080 is used by nginx (pid 812).", "Use 6081.")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    checks: list[Check] = [WELL]
    monkeypatch.setattr(doctor, "_checks", lambda: iter(checks))
    return checks


def test_each_finding_is_a_line_with_its_remedy_below(found: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    found += [NOTE, WARNING, PROBLEM]
    assert doctor.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("wsgui ")
    assert lines[1:] == [
        "ok       Keyring: SecretService keeps secrets.",
        "note     Tray: There is none.",
        "         Install one.",
        "warning  Trust: Chrome: Chrome does not trust it.",
        "         Run: wsgui certificate trust",
        "PROBLEM  Port of Office: Port 6080 is used by nginx (pid 812).",
        "         Use 6081.",
        "1 problem and 1 warning.",
    ]


@pytest.mark.parametrize(
    ("more", "code", "last"),
    [([], 0, "All is well."), ([WARNING, WARNING], 0, "2 warnings."), ([PROBLEM, PROBLEM], 1, "2 problems.")],
)
def test_only_a_problem_is_a_failure(
    found: list[Check], capsys: pytest.CaptureFixture[str], more: list[Check], code: int, last: str
) -> None:
    found += more
    assert doctor.main([]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_programs_get_all_of_it_as_json(found: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    found.append(PROBLEM)
    assert doctor.main(["--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["checks"][1] == {
        "name": "Port of Office",
        "level": "problem",
        "message": "Port 6080 is used by nginx (pid 812).",
        "hint": "Use 6081.",
    }
