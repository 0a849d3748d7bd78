"""One tray app a user, whoever starts it how often, and however the last one ended."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from typing import TYPE_CHECKING

from wsgui.app.control_client import peers

if TYPE_CHECKING:
    from tests.gui.conftest import Desktop, Launch
    from wsgui.app.paths import Paths

STARTS = 20
# Imports first, then waits for the end of the pipe, which comes to all at once.
AT_THE_BARRIER = """
import os, sys
from wsgui.cli.main import main
os.read(int(sys.argv[1]), 1)
sys.exit(main(sys.argv[2:]))
"""


def test_twenty_starts_at_one_barrier_leave_one_process(desktop: Desktop, folders: Paths) -> None:
    reading, writing = os.pipe()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", AT_THE_BARRIER, str(reading), "--log-level", "warning"],
            env=desktop.environment_for(folders),
            pass_fds=(reading,),
            stderr=subprocess.PIPE,
        )
        for _ in range(STARTS)
    ]
    try:
        os.close(writing)
        os.close(reading)
        # All but one end by themselves; which one stays is what the control channel says.
        left = list(started)
        with selectors.DefaultSelector() as ends:
            for process in started:
                ends.register(os.pidfd_open(process.pid), selectors.EVENT_READ, process)
            while len(left) > 1:
                ended = ends.select(60)
                assert ended, f"{len(left)} processes are left"
                for key, _ in ended:
                    ends.unregister(key.fd)
                    os.close(key.fd)
                    assert key.data.wait() == 0, key.data.stderr.read()
                    left.remove(key.data)
            for key in list(ends.get_map().values()):
                os.close(key.fd)
        assert [peer.pid for peer in peers(folders.runtime)] == [left[0].pid]
        left[0].terminate()
        assert left[0].wait(20) == 0
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                process.wait()
            if process.stderr:
                process.stderr.close()


def test_a_second_start_shows_the_first_ones_window(desktop: Desktop, launch: Launch, folders: Paths) -> None:
    first = launch(desktop, "--minimized")
    assert first.window() == 0
    second = subprocess.run(
        [sys.executable, "-m", "wsgui"], env=desktop.environment_for(folders), timeout=30, capture_output=True
    )
    assert (second.returncode, second.stderr) == (0, b"")
    first.wait_until("the first one's window", first.window)


def test_a_second_start_at_login_shows_nothing(desktop: Desktop, launch: Launch, folders: Paths) -> None:
    first = launch(desktop, "--minimized")
    second = subprocess.run(
        [sys.executable, "-m", "wsgui", "--minimized"], env=desktop.environment_for(folders), timeout=30
    )
    assert second.returncode == 0
    assert first.window() == 0


def test_after_a_kill_the_next_start_takes_over(desktop: Desktop, launch: Launch, folders: Paths) -> None:
    first = launch(desktop, "--minimized")
    first.process.kill()
    first.process.wait()
    assert (folders.runtime / "tray.sock").exists()
    second = launch(desktop, "--minimized")
    assert [peer.pid for peer in peers(folders.runtime)] == [second.process.pid]
