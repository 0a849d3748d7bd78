"""What the programs of a process's tunnels may not see of its certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgui.app.paths import Paths
from wsgui.app.runtime import Runtime
from wsgui.certificates.authority import make_authority
from wsgui.certificates.vault import Vault
from wsgui.command.environment import environment_of
from wsgui.profiles import withheld
from wsgui.profiles.sections import Command


async def test_the_authority_s_passphrase_is_no_program_s_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHORITY_PASSPHRASE", "of the authority")
    folders = Paths.beneath(tmp_path)
    authority, key = make_authority([], machine=[])
    Vault(folders.certificates).save_authority(authority, key, "env:AUTHORITY_PASSPHRASE")
    monkeypatch.setattr(withheld, "_withheld", set())  # as in a process that has just begun

    async with Runtime(folders, name="own", role="headless"):
        assert environment_of({"AUTHORITY_PASSPHRASE": "x"}, Command(), hidden=(), port=None) == {}
