"""A user's folders, profiles and certificates, for the doctor to look at; keyring and stores are made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.keyrings import MemoryKeyring, memory_keyring
from tests.support.trust_stores import MemoryStore
from wsgui.app.certificates import Certificates
from wsgui.app.paths import Paths
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile


class Patient:
    """What is looked at."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths.beneath(folder)
        self.profiles: list[Profile] = []
        self.store = MemoryStore("Browser")
        self.certificates = Certificates(self.paths, lambda: self.profiles, stores=[self.store])

    def profile(self, name: str = "Office", **fields: Any) -> Profile:
        settings = {"name": name, "listen": "127.0.0.1:0", "target": "127.0.0.1:5901"} | fields
        given = {field: value for field, value in settings.items() if value is not None}
        self.profiles.append(build_profile(given, "test"))
        return self.profiles[-1]


@pytest.fixture
def patient(tmp_path: Path, ring: MemoryKeyring) -> Patient:
    return Patient(tmp_path / "wsgui")


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made
