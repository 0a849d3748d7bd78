"""Hatchling's build hook: compiles rebind/rebind.c and fetches the viewers, and goes on without what cannot be had."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

MACOS = sys.platform == "darwin"  # built for it, not proven on it
LIBRARY = "wsgui/command/_rebind.dylib" if MACOS else "wsgui/command/_rebind.so"
REASON = "wsgui/command/_rebind.txt"
FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden", "-pthread"]
FLAGS += ["-dynamiclib"] if MACOS else ["-shared", "-Wl,-z,relro,-z,now"]
LIBRARIES = [] if MACOS else ["-ldl"]

# Pictures are for the README; the program shows none of them. What lies in vendor was fetched for this checkout.
NOT_INSTALLED = ("resources/pictures", "resources/web/vendor")
VIEWERS = "resources/web/vendor"


class CompileError(Exception):
    """Why there is no library, in words that fit into a sentence."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the resources, the preload library and the viewers, or the reasons why there are none, to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling's BuildHookInterface. `version` is "standard", or "editable" for `pip install -e`."""
        root = Path(self.root)
        if version == "editable":
            self._build_in_place(root)
            self._fetch_viewers(root / VIEWERS)
            build_data["tag"] = "py3-none-any"
            return
        self._folder = tempfile.TemporaryDirectory(prefix="wsgui-build-")
        include = build_data["force_include"]
        for entry in sorted([*(root / "resources").iterdir(), *(root / "resources" / "web").iterdir()]):
            name = entry.relative_to(root).as_posix()
            if name != "resources/web" and name not in NOT_INSTALLED:
                include[str(entry)] = f"wsgui/{name}"
        viewers = Path(self._folder.name, "vendor")
        self._fetch_viewers(viewers)
        include[str(viewers)] = f"wsgui/{VIEWERS}"
        library, reason = Path(self._folder.name, "rebind.so"), Path(self._folder.name, "rebind.txt")
        if self._compile_or_say_why(root, library, reason):
            include[str(library)] = LIBRARY
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform_tag()}"
        else:
            include[str(reason)] = REASON
            build_data["tag"] = "py3-none-any"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what was compiled and fetched, once it is in the wheel."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()

    def _build_in_place(self, root: Path) -> None:
        """The package is used where it lies, so the library goes there too."""
        library, reason = root / LIBRARY, root / REASON
        try:
            # Renamed into place: a program that has the old one loaded keeps it whole.
            with tempfile.TemporaryDirectory(dir=library.parent, prefix=".rebind-") as folder:
                made, why = Path(folder, "rebind.so"), Path(folder, "rebind.txt")
                if self._compile_or_say_why(root, made, why):
                    made.replace(library)
                    reason.unlink(missing_ok=True)
                else:
                    why.replace(reason)
                    library.unlink(missing_ok=True)
        except OSError as error:  # a checkout that is not ours to write to
            self.app.display_warning(f"Wrapped programs will not work: {error}")

    def _fetch_viewers(self, folder: Path) -> None:
        try:
            missing = viewers_module().fetch_all(folder)
        except OSError as error:
            missing = {"viewers": str(error)}
        for viewer, reason in missing.items():
            self.app.display_warning(f"Going on without {viewer}: {reason}")

    def _compile_or_say_why(self, root: Path, library: Path, reason: Path) -> bool:
        try:
            compile_library(root / "rebind" / "rebind.c", library)
        except CompileError as error:
            self.app.display_warning(f"Wrapped programs will not work: {error}")
            reason.write_text(f"{error}\n", encoding="utf-8")
            return False
        return True


def viewers_module() -> ModuleType:
    """What is in viewers.py beside this file; no import finds it, as this folder is on nobody's path."""
    spec = importlib.util.spec_from_file_location("wsgui_build_viewers", Path(__file__).with_name("viewers.py"))
    if spec is None or spec.loader is None:
        raise FileNotFoundError("packaging/viewers.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def compile_library(source: Path, library: Path) -> None:
    """Compile with $CC, cc, gcc or clang, whichever works first; $CPPFLAGS, $CFLAGS and $LDFLAGS are heard.

    Raises:
        CompileError: None of them worked, or this system preloads no libraries.
    """
    if not (MACOS or sys.platform.startswith("linux")):
        raise CompileError("it is for Linux and macOS only")
    flags = [flag for name in ("CPPFLAGS", "CFLAGS", "LDFLAGS") for flag in shlex.split(os.environ.get(name, ""))]
    compilers = list(dict.fromkeys(filter(None, (os.environ.get("CC", "").strip(), "cc", "gcc", "clang"))))
    failure = ""
    for compiler in compilers:
        command = [*shlex.split(compiler), *FLAGS, *flags, "-o", str(library), str(source), *LIBRARIES]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError:
            continue
        if done.returncode == 0 and library.is_file():
            return
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        failure = failure or f"{compiler} failed: {said[0].strip() if said else f'exit status {done.returncode}'}"
    raise CompileError(failure or f"no C compiler was found; tried {', '.join(compilers)}")


def platform_tag() -> str:
    """The wheel's platform: this machine's plain one, as what is linked here promises nothing about older systems."""
    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))
