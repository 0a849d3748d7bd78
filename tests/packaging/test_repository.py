"""What is in the repository, and what may never be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TOP_LEVEL = {
    "wsgui",
    "resources",
    "rebind",
    "tests",
    "packaging",
    ".ci",
    "pyproject.toml",
    "briefcase.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    ".gitignore",
}
LONGEST_MODULE = 400  # lines; more is a sign of two rooms

# Written in two halves, so that this file does not contain them.
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "deb.debian" + ".org",
    "security.debian" + ".org",
]
MACHINE_PATHS = ["/wo" + "rk/", "/tmp/se" + "tup", "/ro" + "ot/"]


def test_the_top_level_holds_what_it_should_and_nothing_else(tracked: tuple[Path, ...]) -> None:
    assert {path.parts[0] for path in tracked} == TOP_LEVEL


@pytest.mark.parametrize("text", [*HOSTS, *MACHINE_PATHS])
def test_no_file_names_a_registry_s_host_or_a_path_of_one_machine(
    root: Path, tracked: tuple[Path, ...], text: str
) -> None:
    assert [str(path) for path in tracked if text.encode() in (root / path).read_bytes()] == []


def test_each_module_says_its_purpose_in_one_line_and_stays_short(root: Path, tracked: tuple[Path, ...]) -> None:
    wrong = []
    for path in tracked:
        if path.parts[0] != "wsgui" or path.suffix != ".py":
            continue
        source = (root / path).read_text(encoding="utf-8")
        if path.name == "__init__.py" and not source.strip():
            continue
        first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        if not first or len(source.splitlines()) > LONGEST_MODULE:
            wrong.append(str(path))

    assert wrong == []


def test_the_build_s_folder_is_never_taken_for_the_library_of_the_same_name(root: Path) -> None:
    # With an __init__.py in it, `import packaging` would find this folder where the checkout is on Python's path.
    assert not (root / "packaging" / "__init__.py").exists()
