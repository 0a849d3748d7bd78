"""The public certificate as a file that a person, or root, is told to use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.authorities import pem_of
from wsgui.certificates.authority import make_authority
from wsgui.certificates.trust.public_file import public_file


def planted_file(path: Path, elsewhere: Path) -> None:
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nsomebody else's\n-----END CERTIFICATE-----\n")


def planted_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("plant", [planted_file, planted_link])
def test_what_somebody_else_has_put_there_is_not_what_root_is_told_to_trust(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    authority, _ = make_authority([], machine=[])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(pem_of(authority.root))
    path = public_file(tmp_path / "public", authority.root)
    path.unlink()
    plant(path, elsewhere)
    assert public_file(tmp_path / "public", authority.root) == path
    assert path.read_bytes() == pem_of(authority.root)
    assert not path.is_symlink()


def test_a_file_that_is_there_already_stays(tmp_path: Path) -> None:
    authority, _ = make_authority([], machine=[])
    before = public_file(tmp_path / "public", authority.root).stat()
    assert public_file(tmp_path / "public", authority.root).stat().st_ino == before.st_ino
