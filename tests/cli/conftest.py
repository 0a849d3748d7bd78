"""What the tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.certificate_shell import CertificateShell


@pytest.fixture
def certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CertificateShell:
    """`wsgui certificate …` in folders of its own."""
    return CertificateShell(tmp_path, capsys, monkeypatch)
