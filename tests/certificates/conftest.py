"""A vault, and a keyring in memory, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keyrings import MemoryKeyring, memory_keyring
from tests.support.vaults import NAME
from wsgui.certificates.issue import Bundle, self_signed
from wsgui.certificates.vault import Vault


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return self_signed([NAME, "127.0.0.1"])


@pytest.fixture(scope="module")
def other() -> Bundle:
    return self_signed([NAME])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "certificates"


@pytest.fixture
def vault(folder: Path, ring: MemoryKeyring) -> Vault:
    return Vault(folder)
