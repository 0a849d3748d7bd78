"""`wsgui websockify --install-link DIR`: whose place it takes, and what it says about PATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wsgui.cli.install_link import install, make_link, own_script, warnings
from wsgui.errors import UsageError, WsguiError


@pytest.fixture
def script(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    path = folder / "wsgui"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "bin"
    path.mkdir()
    return path


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_link_leads_to_the_program(script: Path, folder: Path) -> None:
    assert make_link(folder / "websockify", script)
    assert os.readlink(folder / "websockify") == str(script)
    assert os.listdir(folder) == ["websockify"]


def test_made_again_it_is_left_as_it_is(script: Path, folder: Path) -> None:
    make_link(folder / "websockify", script)
    assert not make_link(folder / "websockify", script)


@pytest.mark.parametrize("gone", [True, False])
def test_a_link_to_another_wsgui_is_replaced(script: Path, folder: Path, tmp_path: Path, gone: bool) -> None:
    old = tmp_path / "wsgui"
    if not gone:
        program(old)
    (folder / "websockify").symlink_to(old)
    assert make_link(folder / "websockify", script)
    assert os.readlink(folder / "websockify") == str(script)
    assert os.listdir(folder) == ["websockify"]


def test_another_program_is_not_overwritten(script: Path, folder: Path) -> None:
    theirs = program(folder / "websockify")
    with pytest.raises(UsageError, match="another"):
        make_link(theirs, script)
    assert not theirs.is_symlink()


def test_a_link_to_another_program_is_not_overwritten(script: Path, folder: Path, tmp_path: Path) -> None:
    theirs = program(tmp_path / "websockify-0.13")
    (folder / "websockify").symlink_to(theirs)
    with pytest.raises(UsageError, match="another"):
        make_link(folder / "websockify", script)
    assert os.readlink(folder / "websockify") == str(theirs)


def test_a_missing_folder_is_not_made(script: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        make_link(tmp_path / "none" / "websockify", script)


def test_a_new_account_gets_its_own_folder_for_programs(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert make_link(tmp_path / ".local" / "bin" / "websockify", script)


def test_an_own_folder_that_cannot_be_made_is_an_error(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".local").write_text("")
    with pytest.raises(WsguiError, match="cannot be made"):
        make_link(tmp_path / ".local" / "bin" / "websockify", script)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_an_error(script: Path, folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(WsguiError, match="cannot be made"):
        make_link(folder / "websockify", script)


def test_a_folder_on_path_with_no_other_websockify_is_no_word_worth(script: Path, folder: Path) -> None:
    make_link(folder / "websockify", script)
    assert list(warnings(folder / "websockify", {"PATH": f"{script.parent}{os.pathsep}{folder}"})) == []


def test_a_folder_that_is_not_on_path_is_told_of(script: Path, folder: Path) -> None:
    make_link(folder / "websockify", script)
    (sentence,) = warnings(folder / "websockify", {"PATH": str(script.parent)})
    assert "is not on PATH" in sentence


def test_another_websockify_that_comes_first_is_told_of(script: Path, folder: Path) -> None:
    make_link(folder / "websockify", script)
    theirs = program(script.parent / "websockify")
    (sentence,) = warnings(folder / "websockify", {"PATH": f"{theirs.parent}{os.pathsep}{folder}"})
    assert str(theirs) in sentence
    assert list(warnings(folder / "websockify", {"PATH": f"{folder}{os.pathsep}{theirs.parent}"})) == []


def test_the_program_is_the_one_that_was_called(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_script(str(script)) == script
    monkeypatch.setenv("PATH", str(script.parent))
    assert own_script("wsgui") == script


def test_run_as_a_module_it_is_the_installed_one(monkeypatch: pytest.MonkeyPatch, script: Path) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(script.parent))
    assert own_script("/somewhere/wsgui/__main__.py") == script


def test_without_an_installed_program_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(WsguiError, match="no wsgui program"):
        own_script("/somewhere/__main__.py")


@pytest.mark.parametrize("arguments", [[], [""], ["/x", "/y"], ["--help"]])
def test_anything_but_one_folder_is_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        install(arguments)


def test_it_says_what_it_made_and_what_is_in_the_way(
    script: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", str(script.parent))
    assert install([str(folder)]) == 0
    said = capsys.readouterr()
    assert str(folder / "websockify") in said.out
    assert "not on PATH" in said.err
