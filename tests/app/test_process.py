"""The limit of open files, tried in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

RAISE = """
import resource
from wsgui.app.process import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
print(raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""
UMASK = """
import os
from wsgui.app.process import private_umask
private_umask()
print(oct(os.umask(0)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is none to raise")
def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    assert _output(RAISE) == "512 (512, 512)"


def test_files_made_from_now_on_are_private() -> None:
    assert _output(UMASK) == "0o77"


def _output(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
