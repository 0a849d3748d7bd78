"""packaging/requirements-headless.txt: enough to run a tunnel on a server, exactly pinned, and no Qt in it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

NAME_AND_VERSION = re.compile(r"^([a-z0-9-]+)==([^ \\]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def requirements(root: Path) -> str:
    return (root / "packaging" / "requirements-headless.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(root: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment as a server would have it: the headless set, then wsgui's wheel alone."""
    environment = tmp_path_factory.mktemp("server")
    venv.create(environment, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-deps"]
    listed = str(root / "packaging" / "requirements-headless.txt")
    subprocess.run([*pip, "--require-hashes", "--requirement", listed], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    return environment


def test_it_pins_every_dependency_but_the_window_s(requirements: str, root: Path) -> None:
    script = [sys.executable, "-c", "import make_requirements as m; print('\\n'.join(m.headless_dependencies()))"]
    environment = {**os.environ, "PYTHONPATH": str(root / "packaging")}
    asked = subprocess.run(script, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in asked}
    pinned = {name for name, _ in NAME_AND_VERSION.findall(requirements)}

    assert names <= pinned
    assert not [name for name in pinned if "pyside" in name or "qasync" in name or "shiboken" in name]


def test_every_pin_has_hashes_and_no_index_is_named(requirements: str) -> None:
    pins = re.split(r"\n(?=[a-z])", requirements.split("#\n")[-1])

    assert all("--hash=sha256:" in pin for pin in pins)
    assert "http://" not in requirements
    assert "https://" not in requirements


def test_it_has_no_qt(server: Path) -> None:
    lines = "import importlib.util as u; print([n for n in ('PySide6', 'shiboken6', 'qasync') if u.find_spec(n)])"
    done = subprocess.run([server / "bin" / "python", "-c", lines], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


@pytest.fixture
def demo(server: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo, run headless by that installation alone, in folders of its own."""
    folders = {name: str(tmp_path / name) for name in ("WSGUI_CONFIG_DIR", "WSGUI_DATA_DIR", "WSGUI_RUNTIME_DIR")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1", **folders}
    command = [server / "bin" / "wsgui", "--profile", "Demo", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.kill()


def test_it_runs_a_profile_without_qt_and_ends_as_asked(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            break
    else:
        pytest.fail("".join(said))

    with urllib.request.urlopen(found.group(), timeout=30) as answer:
        assert answer.status == 200
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(30) == 0
