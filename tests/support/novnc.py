"""noVNC for tests: what packaging/viewers.py puts into the checkout, and a small page for it beside our own one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "tests" / "integration" / "pages"
VENDORED = REPOSITORY / "resources" / "web" / "vendor"


def novnc() -> Path:
    """The folder with noVNC's `core/`. Skips the test when it could not be had."""
    folder = VENDORED / "novnc"
    if not folder.is_dir():
        pytest.skip("no noVNC: run packaging/viewers.py")
    return folder


def make_web_root(folder: Path) -> Path:
    """Fill `folder` with our page and noVNC beside it, as a user would who serves it with `[web] root`."""
    source = novnc()
    shutil.copytree(PAGES, folder, dirs_exist_ok=True)
    for part in ("core", "vendor"):
        shutil.copytree(source / part, folder / "novnc" / part)
    return folder
