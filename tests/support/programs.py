"""Programs of the system that tests run against: whether they are there, and how they are ended."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest


def need(*programs: str) -> None:
    """Skip the test, naming what is missing, when one of these is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (packaging/test.sh installs them)")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that a test started: politely, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(10)
