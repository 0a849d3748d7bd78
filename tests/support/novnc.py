"""noVNC for tests: npm's package at the version that packaging/novnc.py pins, and a small page of our own for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "tests" / "integration" / "pages"


def novnc() -> Path:
    """The folder with noVNC's `core/`; fetched when it is not there yet. Skips the test when it cannot be had."""
    given = os.environ.get("WSGUI_TEST_NOVNC")
    if given:
        return Path(given)
    script = REPOSITORY / "packaging" / "novnc.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        pytest.skip(f"no noVNC: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def make_web_root(folder: Path) -> Path:
    """Fill `folder` with our page and noVNC beside it, as a user would who serves it with `[web] root`."""
    source = novnc()
    shutil.copytree(PAGES, folder, dirs_exist_ok=True)
    for part in ("core", "vendor"):
        shutil.copytree(source / part, folder / "novnc" / part)
    return folder
