"""A lock that two threads or processes cannot hold at once, and that goes with its process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wsgui.profiles.disk import DiskError
from wsgui.profiles.file_lock import file_lock

HOLD = """
import sys
from pathlib import Path
from wsgui.profiles.file_lock import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_one_after_the_other_may_hold_it(tmp_path: Path) -> None:
    for _ in range(2):
        with file_lock(tmp_path / "lock"):
            pass
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"), pytest.raises(DiskError, match="Another process has been changing"):
        with file_lock(tmp_path / "lock", seconds=0.05):
            raise AssertionError("it is held twice")


def test_a_thread_waits_for_another(tmp_path: Path) -> None:
    order: list[str] = []
    held = threading.Event()

    def second() -> None:
        held.wait(10)
        with file_lock(tmp_path / "lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with file_lock(tmp_path / "lock"):
        held.set()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_it_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(DiskError), file_lock(tmp_path / "lock", seconds=0):
        raise AssertionError("it is held twice")
    process.kill()
    process.wait(10)
    process.stdin.close()
    process.stdout.close()
    with file_lock(tmp_path / "lock", seconds=10):
        pass


def test_a_planted_link_or_fifo_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DiskError, match="cannot be opened"), file_lock(tmp_path / "link"):
        raise AssertionError("it was followed")
    assert not (tmp_path / "elsewhere").exists()
    os.mkfifo(tmp_path / "fifo")
    with file_lock(tmp_path / "fifo", seconds=1):
        pass  # it holds up nobody
