"""None's references stay level under Qt's loop: a PySide6 that loses them aborts the program after a while."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import wsgui

# In processes of their own: with a broken binding it is the process that dies, by none_dealloc.
TURNS = """
import asyncio, sys
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)

loop = QEventLoop(QApplication(["test"]))
loop.run_until_complete(turns(100))
before = sys.getrefcount(None)
loop.run_until_complete(turns(3000))
print(before - sys.getrefcount(None))
loop.close()
"""
TIMERS = """
from PySide6.QtCore import QCoreApplication
from wsgui.gui.binding import none_references_lost

application = QCoreApplication([])
print(none_references_lost(1000))
"""


def lost(script: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(wsgui.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_three_thousand_turns_of_the_loop_cost_no_reference_to_none() -> None:
    assert abs(lost(TURNS)) < 50


def test_a_thousand_killed_timers_cost_no_reference_to_none() -> None:
    assert abs(lost(TIMERS)) < 50
