"""Exported files: private, whole, and over no other one by accident."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wsgui.app.certificate_export import save_file
from wsgui.errors import CertificateError
from wsgui.profiles.disk import DiskError


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_file(tmp_path / "a.pem", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "a.pem").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "a.pem").stat().st_mode) == 0o600


def test_what_is_there_is_replaced_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.write_bytes(b"old")
    with pytest.raises(CertificateError, match="already"):
        save_file(file, b"new")
    assert file.read_bytes() == b"old"
    save_file(file, b"new", replace=True)
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    link = tmp_path / "a.pem"
    link.symlink_to(kept)
    with pytest.raises(CertificateError):
        save_file(link, b"new")
    save_file(link, b"new", replace=True)
    assert kept.read_bytes() == b"kept"
    assert not link.is_symlink()


def test_a_folder_in_the_files_place_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.pem").mkdir()
    with pytest.raises(DiskError, match="cannot be written"):
        save_file(tmp_path / "a.pem", b"new", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pem"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiskError):
        save_file(tmp_path / "nowhere" / "a.pem", b"new")
