"""One at a time changes certificates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsgui.app.certificate_lock import alone
from wsgui.profiles.disk import DiskError

HOLDER = """
import sys
from pathlib import Path
from wsgui.app.certificate_lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_waited_for_and_then_given_up_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "certificates")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DiskError, match="Another process"), alone(tmp_path / "certificates", wait_seconds=0.1):
            pass
        holder.communicate(b"")
    with alone(tmp_path / "certificates", wait_seconds=0.1):
        pass


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "certificates"
    with alone(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_it_is_given_back_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path):
        raise ZeroDivisionError
    with alone(tmp_path, wait_seconds=0.1):
        pass
