"""The preload library, compiled from the source here, and ports for it to move."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "-std=c11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-fPIC",
    "-fvisibility=hidden",
    "-shared",
    "-pthread",
]


@pytest.fixture(scope="session")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rebind/rebind.c, compiled with every warning an error."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "the tests need a C compiler"
    library = tmp_path_factory.mktemp("preload") / "rebind.so"
    subprocess.run([compiler, *FLAGS, "-o", library, ROOT / "rebind" / "rebind.c", "-ldl"], check=True)
    return library


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port that was free just now on 127.0.0.1 and ::1; another one at each call."""

    def choose() -> int:
        with socket.socket(socket.AF_INET6) as both:
            both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            both.bind(("::", 0))
            return int(both.getsockname()[1])

    return choose
