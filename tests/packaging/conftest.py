"""The repository as it is, and wheels built from it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BuildWheel = Callable[..., Path]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> tuple[Path, ...]:
    """Every file that is in the repository, or about to be."""
    if not (root / ".git").exists():
        pytest.skip("this is no checkout")
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        root,
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(Path(name) for name in names if name and (root / name).is_file())


@pytest.fixture(scope="session")
def build_wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildWheel:
    """Builds a wheel as pip would, from a folder (the checkout by default), with changes of the environment."""

    def build(source: Path = root, changes: Mapping[str, str] | None = None) -> Path:
        place = tmp_path_factory.mktemp("wheel")
        command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--wheel-dir", str(place), str(source)]
        done = subprocess.run(
            command, env={**os.environ, **(changes or {})}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = place.glob("*.whl")
        return wheel

    return build


@pytest.fixture(scope="session")
def wheel(build_wheel: BuildWheel) -> Path:
    """A wheel of the checkout, built with this machine's C compiler."""
    return build_wheel()
