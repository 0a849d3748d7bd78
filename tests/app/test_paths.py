"""Folders: where they are, that they are private, and that nobody else can have a hand in the runtime folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wsgui.app.paths import FolderError, Paths, check_private, paths

as_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to hand a folder to another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_variables_override_the_platform_s_folders() -> None:
    found = paths({"WSGUI_CONFIG_DIR": "/a", "WSGUI_DATA_DIR": "/b", "WSGUI_RUNTIME_DIR": "/c"})

    assert found == Paths(Path("/a"), Path("/b"), Path("/c"), Path("/a/profiles"))


def test_without_variables_the_platform_s_folders_are_used() -> None:
    found = paths({})

    assert found.config.name == "wsgui"
    assert found.profiles == found.config / "profiles"


def test_an_empty_variable_counts_as_none() -> None:
    assert paths({"WSGUI_CONFIG_DIR": ""}).config == paths({}).config


def test_a_relative_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert paths({"WSGUI_DATA_DIR": "here"}).data == tmp_path / "here"


def test_folders_are_made_0700_whatever_the_umask(folders: Paths) -> None:
    before = os.umask(0)
    try:
        made = (folders.make_config(), folders.make_data(), folders.make_runtime(), folders.profiles)
    finally:
        os.umask(before)

    assert [mode(folder) for folder in made] == [0o700] * 4


def test_a_file_in_the_folder_s_place_is_refused_with_the_variable_that_moves_it(folders: Paths) -> None:
    folders.data.parent.mkdir()
    folders.data.write_text("")

    with pytest.raises(FolderError, match=r"cannot be made.*WSGUI_DATA_DIR"):
        folders.make_data()


def test_a_link_in_the_runtime_folder_s_place_is_refused(folders: Paths, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folders.runtime.parent.mkdir()
    folders.runtime.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FolderError, match="is a link"):
        folders.make_runtime()


@pytest.mark.parametrize("bits", [0o777, 0o1777, 0o770, 0o702])
def test_a_runtime_folder_that_others_can_write_into_is_refused(folders: Paths, bits: int) -> None:
    folders.make_runtime().chmod(bits)

    with pytest.raises(FolderError, match=r"Other users can write.*chmod 700"):
        folders.make_runtime()


def test_a_runtime_folder_whose_parent_anybody_can_change_is_refused(folders: Paths) -> None:
    folders.make_runtime().parent.chmod(0o777)

    with pytest.raises(FolderError, match="Other users can replace"):
        folders.make_runtime()


def test_a_sticky_parent_as_tmp_is_does_no_harm(folders: Paths) -> None:
    folders.make_runtime().parent.chmod(0o1777)

    assert folders.make_runtime() == folders.runtime


@as_root
def test_another_user_s_runtime_folder_is_refused(folders: Paths) -> None:
    os.chown(folders.make_runtime(), 1234, 1234)

    with pytest.raises(FolderError, match="belongs to another user"):
        folders.make_runtime()


@as_root
def test_a_runtime_folder_inside_another_user_s_is_refused(folders: Paths) -> None:
    os.chown(folders.make_runtime().parent, 1234, 1234)

    with pytest.raises(FolderError, match="Other users can replace"):
        folders.make_runtime()


@as_root
def test_root_may_look_into_a_service_s_own_folder(folders: Paths) -> None:
    os.chown(folders.make_runtime(), 1234, 1234)

    check_private(folders.runtime, any_owner=True)
