"""Writes the lists that follow from pyproject.toml's dependencies: requirements-headless.txt, and briefcase.toml's.

The first is what a server needs: every version and hash pinned, and no Qt.

Run it after a change of `dependencies` in pyproject.toml, with uv installed (`pip install uv`):

    python packaging/make_requirements.py

The versions in the file stay unless they no longer fit; `--upgrade` takes the newest of all. One file serves every
Python from 3.11 on and every platform, by markers. It names no index: pip's own configuration says where to get things.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "briefcase.toml"
OUTPUT = ROOT / "packaging" / "requirements-headless.txt"
WINDOW_ONLY = frozenset({"pyside6-essentials", "qasync"})
HEADER = """\
# What `wsgui --profile NAME` needs on a server: all of wsgui's dependencies but Qt. Made by make_requirements.py.
#
#     pip install --require-hashes --no-deps -r packaging/requirements-headless.txt
#     pip install --no-deps .
#
"""


def dependencies() -> list[str]:
    """The project's own dependencies, as pyproject.toml names them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def headless_dependencies() -> list[str]:
    """The same without the window's."""
    return [line for line in dependencies() if requirement_name(line) not in WINDOW_ONLY]


def requirement_name(requirement: str) -> str:
    """`PySide6-Essentials>=6.8` → `pyside6-essentials`."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.group()).lower() if name else ""


def update_bundle() -> None:
    """Bring the bundle's `requires` up to date; the rest of its file stays as it is."""
    listed = "".join(f'    "{line}",\n' for line in dependencies())
    text = BUNDLE.read_text(encoding="utf-8")
    BUNDLE.write_text(
        re.sub(r"(?ms)^requires = \[\n.*?^\]", lambda _: f"requires = [\n{listed}]", text), encoding="utf-8"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--upgrade", action="store_true", help="take the newest versions of everything")
    options = arguments.parse_args()
    update_bundle()
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        print("uv is missing. Install it: pip install uv.", file=sys.stderr)
        return 2
    command = [uv, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-header", "--no-annotate", "--quiet", "--output-file", str(OUTPUT)]
    command += ["--upgrade"] if options.upgrade else []
    done = subprocess.run([*command, "-"], input="\n".join(headless_dependencies()), text=True, check=False)
    if done.returncode == 0:
        pins = re.sub(r"\A(#.*\n)+", "", OUTPUT.read_text(encoding="utf-8"))
        OUTPUT.write_text(HEADER + pins, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
