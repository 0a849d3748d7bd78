"""The program finds its own files, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgui import assets


def test_the_demo_page_is_found() -> None:
    assert assets.path("web/demo/index.html").is_file()
    assert assets.path("web/demo").is_dir()


def test_an_installed_wheel_carries_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, beside = tmp_path / "wsgui" / "resources", tmp_path / "resources"
    monkeypatch.setattr(assets, "_CANDIDATES", (inside, beside))
    (beside / "icons").mkdir(parents=True)
    assert assets.path("icons") == beside / "icons"
    (inside / "icons").mkdir(parents=True)
    assert assets.path("icons") == inside / "icons"


def test_an_incomplete_installation_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="Install wsgui again"):
        assets.path("web/none.html")
    monkeypatch.setattr(assets, "_CANDIDATES", (tmp_path / "none",))
    with pytest.raises(FileNotFoundError, match="Install wsgui again"):
        assets.path("web")
