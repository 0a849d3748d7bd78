"""The set-up scripts: whole, careful, and exact about what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = ["packaging/run.sh", "packaging/test.sh", "packaging/setup.sh", ".ci/run"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the scripts are for Debian")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder that comes first on PATH; what a test puts there stands for the system's program."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


# What dpkg-query answers: one package is here and provides another name, one was removed.
KNOWN_PACKAGES = r"""printf 'installed\there, renamed (= 1.2), other\ndeinstalled\tgone-b, \n'"""


def put(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def bash(root: Path, lines: str, tools: Path, *, only_tools: bool = False) -> subprocess.CompletedProcess[str]:
    path = str(tools) if only_tools else f"{tools}:{os.environ['PATH']}"
    return subprocess.run(
        [shutil.which("bash") or "bash", "-euo", "pipefail", "-c", f". packaging/setup.sh\n{lines}"],
        cwd=root,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_valid_bash(root: Path, script: str) -> None:
    subprocess.run(["bash", "-n", root / script], check=True)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_a_script_passes_shellcheck(root: Path, script: str) -> None:
    done = subprocess.run(["shellcheck", "-x", script], cwd=root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", ["packaging/run.sh", "packaging/test.sh", ".ci/run"])
def test_a_script_can_be_started_and_stops_at_the_first_failure(root: Path, script: str) -> None:
    assert os.access(root / script, os.X_OK)
    assert "\nset -euo pipefail\n" in (root / script).read_text()


def test_somebody_who_may_not_install_is_told_exactly_what_is_missing(root: Path, tools: Path) -> None:
    put(tools, "id", "echo 1000")
    put(tools, "sudo", "exit 1")
    put(tools, "apt-get", "echo called >&2; exit 1")
    put(tools, "dpkg-query", KNOWN_PACKAGES)

    done = bash(root, 'need_packages "what it is for" here renamed gone-a gone-b', tools)

    assert done.returncode == 1
    assert done.stderr == (
        "Missing: what it is for. As root, run: "
        "apt-get update && apt-get install -y --no-install-recommends gone-a gone-b\n"
    )


def test_what_is_only_wanted_is_done_without(root: Path, tools: Path) -> None:
    put(tools, "id", "echo 1000")
    put(tools, "sudo", "exit 1")
    put(tools, "apt-get", "exit 1")
    put(tools, "dpkg-query", "exit 1")

    done = bash(root, 'want_packages "wrapping" gcc; echo went on', tools)

    assert done.stdout == "went on\n"
    assert "Going on without: wrapping. As root, run: apt-get install -y --no-install-recommends gcc" in done.stderr


def test_only_what_is_missing_is_installed_and_lists_are_brought_up_to_date_first(root: Path, tools: Path) -> None:
    put(tools, "id", "echo 0")
    put(tools, "apt-get", 'echo "$DEBIAN_FRONTEND $*" >>"$(dirname "$0")/calls"')
    put(tools, "dpkg-query", KNOWN_PACKAGES)

    done = bash(root, 'need_packages "x" here other gone', tools)

    assert done.returncode == 0, done.stderr
    assert (tools / "calls").read_text().splitlines() == [
        "noninteractive update -qq",
        "noninteractive install -y -qq --no-install-recommends gone",
    ]


def test_sudo_is_used_only_where_it_asks_for_no_password(root: Path, tools: Path) -> None:
    put(tools, "id", "echo 1000")
    put(tools, "sudo", 'echo "$*" >>"$(dirname "$0")/calls"')
    put(tools, "apt-get", "exit 1")
    put(tools, "dpkg-query", "exit 1")

    done = bash(root, 'need_packages "x" gone', tools)

    assert done.returncode == 0, done.stderr
    assert all(call.startswith("-n ") for call in (tools / "calls").read_text().splitlines())


def test_a_python_that_is_too_old_or_makes_no_environments_is_passed_over(root: Path, tools: Path) -> None:
    put(tools, "python3", "exit 1")
    put(tools, "python3.14", 'case "$2" in *version_info*) exit 0 ;; *) exit 1 ;; esac')
    put(tools, "python3.12", "exit 0")

    done = bash(root, "find_python", tools, only_tools=True)

    assert done.stdout == f"{tools}/python3.12\n"


def test_a_second_set_up_does_nothing_until_something_that_decides_has_changed(
    root: Path, tools: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    for name in ("pyproject.toml", "packaging/hatch_build.py", "packaging/viewers.py", "rebind/rebind.c"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes((root / name).read_bytes())
    # A Python that makes "environments" which only count what pip is asked to do.
    put(tools, "pip", "exit 0")
    put(
        tools,
        "python3",
        'case "$*" in\n'
        '*"-m venv"*) for last; do :; done; mkdir -p "$last/bin"\n'
        '  printf \'#!/bin/sh\\necho "$*" >>"%s/calls"\\n\' "$(dirname "$0")" >"$last/bin/python"\n'
        '  chmod +x "$last/bin/python" ;;\n'
        "*) exit 0 ;;\n"
        "esac",
    )
    lines = f"checkout={checkout}; make_environment test '[test]'; make_environment test '[test]'; echo $environment"

    first = bash(root, lines, tools)
    (checkout / "pyproject.toml").write_text("changed = true\n")
    second = bash(root, lines, tools)

    assert (first.stdout, second.stdout) == (f"{checkout}/.venv-test\n", f"{checkout}/.venv-test\n"), first.stderr
    assert len((tools / "calls").read_text().splitlines()) == 2
