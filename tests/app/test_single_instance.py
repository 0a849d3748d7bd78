"""One tray app: the lock among many processes, and after a process that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsgui.app.paths import FolderError, Paths
from wsgui.app.single_instance import claim

CLAIM = """
import sys
from pathlib import Path
from wsgui.app.single_instance import claim
print("ready", flush=True)
sys.stdin.readline()
held = claim(Path(sys.argv[1]))
print("first" if held else "later", flush=True)
sys.stdin.readline()
"""


class Starter:
    """A process that claims when told to, and keeps what it has until it ends."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.read()

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def test_of_twenty_starts_at_one_barrier_one_is_first(folders: Paths) -> None:
    starters = [Starter(folders.make_runtime()) for _ in range(20)]
    try:
        for starter in starters:
            starter.go()
        answers = [starter.read() for starter in starters]
    finally:
        for starter in starters:
            starter.kill()

    assert sorted(answers) == ["first", *["later"] * 19]


def test_after_kill_9_the_next_start_is_first(folders: Paths) -> None:
    killed = Starter(folders.make_runtime())
    killed.go()
    assert killed.read() == "first"
    assert claim(folders.runtime) is None

    killed.kill()

    held = claim(folders.runtime)
    assert held is not None
    held.release()


def test_what_is_released_can_be_claimed_again(folders: Paths) -> None:
    for _ in range(2):
        held = claim(folders.make_runtime())
        assert held is not None
        with held:
            assert claim(folders.runtime) is None


def test_a_planted_link_in_the_lock_s_place_is_not_followed(folders: Paths, tmp_path: Path) -> None:
    (folders.make_runtime() / ".tray.lock").symlink_to(tmp_path / "victim")

    with pytest.raises(FolderError, match="cannot be opened"):
        claim(folders.runtime)
    assert not (tmp_path / "victim").exists()
