"""The wheel: with the preload library where a C compiler is, with the viewers where npm is, installable where not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wsgui.command.rebind import LIBRARY_NAME, REASON_NAME

LIBRARY = f"wsgui/command/{LIBRARY_NAME}"
REASON = f"wsgui/command/{REASON_NAME}"
VENDOR = "wsgui/resources/web/vendor/"
KEPT_TEXTS = ("novnc/LICENSE.txt", "novnc/pins.txt", "xterm/pins.txt")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the library is for Linux")


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()


@pytest.fixture(scope="module")
def bare_path(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which neither a compiler nor npm is to be found."""
    return {"CC": "/nonexistent/cc", "PATH": str(tmp_path_factory.mktemp("empty"))}


def test_with_a_compiler_the_wheel_has_the_library_and_is_for_this_platform(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")

    assert wheel.name.endswith(f"-py3-none-{platform}.whl")
    assert LIBRARY in names(wheel)
    assert REASON not in names(wheel)


def test_without_a_compiler_the_wheel_is_for_any_platform_and_says_why(
    build_wheel: Callable[..., Path], bare_path: dict[str, str]
) -> None:
    wheel = build_wheel(changes=bare_path)

    assert wheel.name.endswith("-py3-none-any.whl")
    assert LIBRARY not in names(wheel)
    assert read(wheel, REASON) == "no C compiler was found; tried /nonexistent/cc, cc, gcc, clang\n"


def test_a_compiler_that_fails_is_quoted(
    build_wheel: Callable[..., Path], bare_path: dict[str, str], tmp_path: Path
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'fatal error: dlfcn.h: no such file' >&2\nexit 1\n")
    compiler.chmod(0o755)

    wheel = build_wheel(changes={**bare_path, "CC": str(compiler)})

    assert read(wheel, REASON) == f"{compiler} failed: fatal error: dlfcn.h: no such file\n"


def test_the_wheel_has_every_module_and_resource_but_the_pictures(wheel: Path, tracked: tuple[Path, ...]) -> None:
    modules = {path.as_posix() for path in tracked if path.parts[0] == "wsgui"}
    resources = {f"wsgui/{path.as_posix()}" for path in tracked if path.parts[0] == "resources"}
    pictures = {name for name in resources if name.startswith("wsgui/resources/pictures/")}

    found = {name for name in names(wheel) if not name.split("/")[0].endswith(".dist-info")}

    assert (modules | resources) - pictures <= found
    assert not pictures & found
    assert not [name for name in found if not name.startswith("wsgui/")]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_with_npm_the_wheel_has_the_viewers_and_their_licences(wheel: Path) -> None:
    vendored = {name.removeprefix(VENDOR) for name in names(wheel) if name.startswith(VENDOR)}

    assert {"novnc/core/rfb.js", "novnc/vendor/pako/lib/zlib/inflate.js", "xterm/lib/xterm.mjs"} <= vendored
    assert {"xterm/lib/addon-fit.mjs", "xterm/css/xterm.css"} <= vendored
    assert {"novnc/LICENSE.txt", "novnc/docs/LICENSE.MPL-2.0", "novnc/vendor/pako/LICENSE"} <= vendored
    assert {"xterm/LICENSE", "xterm/LICENSE.addon-fit"} <= vendored
    assert not [name for name in vendored if name.endswith((".txt", ".map")) and name not in KEPT_TEXTS]


def test_without_npm_the_wheel_is_built_all_the_same_and_the_program_says_what_is_missing(
    build_wheel: Callable[..., Path], bare_path: dict[str, str], tmp_path: Path
) -> None:
    wheel = build_wheel(changes={**bare_path, "XDG_CACHE_HOME": str(tmp_path / "cache")})

    assert {name for name in names(wheel) if name.startswith(VENDOR)} == {f"{VENDOR}novnc.txt", f"{VENDOR}xterm.txt"}
    assert read(wheel, f"{VENDOR}novnc.txt") == "npm was not found\n"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    lines = f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); from wsgui.web.viewers import viewer"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{lines}; viewer('vnc')"], capture_output=True, text=True, check=False
    )
    assert "wsgui's VNC page is not here" in done.stderr
    assert "npm was not found" in done.stderr


def test_the_wheel_names_its_licence(wheel: Path) -> None:
    (licence,) = (name for name in names(wheel) if name.endswith("licenses/LICENSE"))

    assert read(wheel, licence).startswith("MIT License")


def test_a_wheel_built_from_the_source_distribution_is_the_same(
    build_wheel: Callable[..., Path], wheel: Path, root: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as unpacked:
        unpacked.extractall(tmp_path)

    again = build_wheel(tmp_path / archive.name.removesuffix(".tar.gz"))

    assert again.name == wheel.name
    assert names(again) == names(wheel)


def found_by(python: Path | str, *, path: Path | None = None) -> Path:
    """Where an installed wsgui finds the library."""
    lines = "from wsgui.command.rebind import library; print(library())"
    lines = f"import sys; sys.path.insert(0, {str(path)!r}); {lines}" if path else lines
    done = subprocess.run([python, "-I", "-c", lines], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def test_an_installed_wheel_finds_its_library(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)

    assert found_by(sys.executable, path=tmp_path) == tmp_path / LIBRARY


def test_an_editable_install_builds_the_library_and_the_viewers_into_the_checkout(
    root: Path, tracked: tuple[Path, ...], tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    for path in tracked:
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes((root / path).read_bytes())
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel:editable", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    (link,) = (name for name in names(wheel) if name.endswith(".pth"))
    assert read(wheel, link).strip() == str(checkout)
    assert found_by(sys.executable, path=checkout) == checkout / LIBRARY
    vendor = checkout / "resources" / "web" / "vendor"
    assert (vendor / "novnc" / "core" / "rfb.js").is_file() or (vendor / "novnc.txt").is_file()
