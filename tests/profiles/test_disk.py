"""Small files: whole or not at all, private, and never through what somebody planted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wsgui.profiles.disk import DiskError, create_file, make_private_folder, read_regular, remove_file, replace_file


def test_a_new_file_is_whole_and_private_and_leaves_nothing_else(tmp_path: Path) -> None:
    create_file(tmp_path / "a", b"x" * 100_000)
    assert (tmp_path / "a").read_bytes() == b"x" * 100_000
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("planted", ["file", "link", "folder"])
def test_a_new_file_never_takes_the_place_of_anything(tmp_path: Path, planted: str) -> None:
    path = tmp_path / "a"
    if planted == "file":
        path.write_bytes(b"theirs")
    elif planted == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(FileExistsError):
        create_file(path, b"ours")
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_is_replaced_whole_and_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with open(path, "rb") as reader:
        replace_file(path, b"new", expected=b"old")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("now", [b"", b"ol", b"older", b"OLD"])
def test_a_file_that_says_something_else_is_not_replaced(tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(now)
    with pytest.raises(DiskError, match="was changed by somebody else"):
        replace_file(path, b"new", expected=b"old")
    assert path.read_bytes() == now


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="cannot be read: No such file"):
        replace_file(tmp_path / "a", b"new", expected=b"old")
    with pytest.raises(DiskError, match="cannot be removed: No such file"):
        remove_file(tmp_path / "a")


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="cannot be written: No such file"):
        create_file(tmp_path / "none" / "a", b"x")


def test_a_file_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(DiskError, match="cannot be made: Not a directory"):
        make_private_folder(tmp_path / "a")


def test_an_existing_folder_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o755)
    make_private_folder(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_at_most_the_limit_and_one_byte_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 3)[0] == b"1234"
    assert read_regular(tmp_path / "a", 9)[0] == b"12345"


def test_reading_what_is_no_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(DiskError):
            read_regular(tmp_path, 1)
    assert len(os.listdir("/proc/self/fd")) == before
