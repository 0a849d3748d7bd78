"""What the tests of wsgui.app share: private folders beneath a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgui.app.paths import Paths


@pytest.fixture
def folders(tmp_path: Path) -> Paths:
    """Folders that nobody has made yet."""
    return Paths.beneath(tmp_path / "wsgui")
