"""What handles certificates is loaded by who has some, and by nobody else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wsgui.app.certificates import Certificates
from wsgui.app.certificates_when_needed import CertificatesWhenNeeded
from wsgui.app.paths import Paths
from wsgui.certificates.vault import Vault

HEAVY = ("cryptography", "keyring", "segno", "ifaddr", "wsgui.certificates.vault")
LOADED = f"import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
PROCESS = """
import asyncio, pathlib, sys
from wsgui.app.certificates_when_needed import CertificatesWhenNeeded
from wsgui.app.paths import Paths
from wsgui.app.renewal import AutomaticRenewal
from wsgui.app.runtime import Runtime
from wsgui.cli import headless
from wsgui.profiles.builtin import demo_profile
async def run():
    folders = Paths.beneath(pathlib.Path(sys.argv[1]))
    async with Runtime(folders, name="x", role="headless", profiles=[demo_profile()]) as runtime:
        await runtime.start("Demo")
        await AutomaticRenewal(CertificatesWhenNeeded(folders, tuple), runtime.engine.events).check()
asyncio.run(run())
"""


def python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code + "\n" + LOADED, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_a_process_without_certificates_runs_without_what_handles_them(tmp_path: Path) -> None:
    assert python(PROCESS, str(tmp_path)) == ""


@pytest.fixture
def folders(tmp_path: Path) -> Paths:
    return Paths.beneath(tmp_path)


def test_it_is_the_vault_of_an_engine(folders: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PASSPHRASE", "correct horse")
    kept = CertificatesWhenNeeded(folders, tuple)
    assert not kept.are_there()
    assert kept.renew_due(datetime.now(UTC)) == ()
    kept.open().create(["a.lan"], passphrase="env:TEST_PASSPHRASE", now=datetime(2020, 1, 1, tzinfo=UTC))
    assert kept.are_there()
    assert kept.read("a.lan").name == "a.lan"
    assert kept.passphrase("a.lan") == "correct horse"
    assert kept.file("a.lan").is_file()
    assert [each.name for each in kept.renew_due(datetime.now(UTC))] == ["a.lan"]


def test_they_are_opened_once_with_the_vault_that_somebody_has_typed_into(folders: Paths) -> None:
    vault = Vault(folders.certificates)
    kept = CertificatesWhenNeeded(folders, tuple, vault=vault)
    assert isinstance(kept.open(), Certificates)
    assert kept.open() is kept.open()
    assert kept.open().vault is vault


def test_a_folder_that_cannot_be_looked_into_may_hold_some(folders: Paths) -> None:
    folders.certificates.parent.mkdir(parents=True)
    folders.certificates.write_text("no folder")
    assert CertificatesWhenNeeded(folders, tuple).are_there()
