"""A user of their own for each test: nothing here touches the machine's stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from tests.support.authorities import User, make_root


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.fixture(scope="session")
def root() -> x509.Certificate:
    return make_root()
