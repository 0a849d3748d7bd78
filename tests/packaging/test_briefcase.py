"""briefcase.toml says of the application what the package itself says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import wsgui


@pytest.fixture
def briefcase(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "briefcase.toml").read_text(encoding="utf-8"))


@pytest.fixture
def project(root: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def test_the_versions_are_the_same(briefcase: dict[str, Any]) -> None:
    assert briefcase["version"] == wsgui.__version__


def test_the_dependencies_are_the_same(briefcase: dict[str, Any], project: dict[str, Any]) -> None:
    assert briefcase["app"]["wsgui"]["requires"] == project["dependencies"]


def test_the_description_and_python_are_the_same(briefcase: dict[str, Any], project: dict[str, Any]) -> None:
    assert briefcase["app"]["wsgui"]["description"] == project["description"]
    assert briefcase["requires_python"] == project["requires-python"]


def test_its_sources_are_there(root: Path, briefcase: dict[str, Any]) -> None:
    assert all((root / source).is_dir() for source in briefcase["app"]["wsgui"]["sources"])
