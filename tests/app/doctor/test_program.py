"""The doctor on what wsgui is made of."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.app.doctor.conftest import Patient
from wsgui.app.doctor import program
from wsgui.app.doctor.check import Level
from wsgui.app.doctor.program import event_loop, viewers, wrapping
from wsgui.errors import WsguiError

REASON = WsguiError("Programs cannot be wrapped: there was no compiler.", "Install one.")


def fail(*_: object, **__: object) -> None:
    raise REASON


def test_the_event_loop_and_tls_are_told_by_their_versions() -> None:
    loop, tls = event_loop()
    assert (loop.level, tls.level) == (Level.OK, Level.OK)
    assert loop.message.startswith("uvloop " if sys.platform != "win32" else "winloop ")


@pytest.mark.parametrize(("version", "level"), [("", Level.WARNING), ("0.22.1", Level.PROBLEM), ("1.0", Level.OK)])
@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
def test_a_missing_or_old_uvloop_is_said(monkeypatch: pytest.MonkeyPatch, version: str, level: Level) -> None:
    monkeypatch.setattr(program, "_version", lambda _: version)
    check = event_loop()[0]
    assert check.level is level
    assert bool(check.hint) == (level is not Level.OK)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is for Linux")
def test_wrapping_is_tried(patient: Patient) -> None:
    [check] = wrapping(patient.profiles, os.environ)
    assert (check.level, check.message) == (Level.OK, "The ports of wrapped programs can be moved.")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is for Linux")
def test_a_library_that_moves_nothing_is_found_out(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program.rebind, "environment", lambda base, **_: dict(base))
    [check] = wrapping(patient.profiles, os.environ)
    assert check.level is Level.NOTE
    assert "it listens on the port that it asked for" in check.message


@pytest.mark.parametrize(("wrapped", "level"), [(False, Level.NOTE), (True, Level.PROBLEM)])
def test_a_missing_library_is_a_problem_for_whoever_wraps(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, wrapped: bool, level: Level
) -> None:
    monkeypatch.setattr(program.rebind, "library", fail)
    if wrapped:
        patient.profile(target=None, command={"run": ["vncserver"], "mode": "rebind", "port": 5901})
    [check] = wrapping(patient.profiles, os.environ)
    assert (check.level, check.message, check.hint) == (level, REASON.message, REASON.hint)


@pytest.mark.parametrize(("root", "level"), [("demo", Level.WARNING), ("vnc", Level.PROBLEM)])
def test_a_missing_page_is_a_problem_for_whoever_serves_it(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, root: str, level: Level
) -> None:
    patient.profile(web={"root": root})
    monkeypatch.setattr(program, "viewer", fail)
    desktop, terminal = viewers(patient.profiles)
    assert (desktop.level, terminal.level) == (level, Level.WARNING)


def test_an_installed_novnc_is_looked_for_only_when_it_is_wanted(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.profile(web={"root": "novnc"})
    monkeypatch.setattr(program, "viewer", fail)
    check = viewers(patient.profiles)[-1]
    assert (check.name, check.level) == ("Installed noVNC", Level.PROBLEM)
    assert check.message.endswith("Office wants it.")
