"""The part with the window open: throughput beside that of a headless engine, and how late a 16 ms Qt timer is."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import select
import subprocess
import time
from collections.abc import Iterator

from tests.bench.cells import Figures, Scale, check, down, up
from tests.bench.peers import PEERS, Instance, Setup, find, folders, wsgui_profile
from tests.bench.processes import BenchError, Speaker
from tests.bench.run import Bench, Rounds

HEADLESS = PEERS[0]
DISPLAY_SECONDS = 10.0
LONG_ENOUGH_SECONDS = 2.0  # more than 100 ticks of the timer, for a p99
CELLS = {"gui down 1": down(1), "gui up 64K": up(65_536)}


class Window:
    """The tray app's process with its window shown, in the place of a headless instance."""

    def __init__(self, setup: Setup, display: str) -> None:
        profiles = setup.folder / "config" / "profiles"
        profiles.mkdir(parents=True, mode=0o700)
        wsgui_profile(dataclasses.replace(setup, folder=profiles), "bench.toml")
        environment = folders(setup) | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": ""}
        self.process = Speaker("tests.bench.window", environment=environment, log=setup.folder / "output")
        self.instance = Instance(HEADLESS, setup, self.process)

    def latenesses(self) -> list[float]:
        """Seconds late of each tick since the last call."""
        self.process.say({})
        late: list[float] = self.process.hear(5)["late"]
        return late


@contextlib.contextmanager
def display() -> Iterator[str]:
    """An X server of our own, with a free number.

    Raises:
        BenchError: There is no Xvfb, or it does not start.
    """
    program = find("Xvfb")
    if not program:
        raise BenchError("Xvfb is not installed (Debian: xvfb).")
    reading, writing = os.pipe()
    try:
        command = [program, "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        with subprocess.Popen(
            command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as server:
            try:
                os.close(writing)
                writing = -1
                if not select.select([reading], [], [], DISPLAY_SECONDS)[0]:
                    raise BenchError("Xvfb does not start.")
                yield ":" + os.read(reading, 16).decode().strip()
            finally:
                server.terminate()
                try:
                    server.wait(3)
                except subprocess.TimeoutExpired:
                    server.kill()
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies.

    Raises:
        BenchError: There are none: the window's thread stood still.
    """
    if not values:
        raise BenchError("the window's thread stood still")
    return sorted(values)[int(len(values) * share)]


def collect(bench: Bench, results: Rounds) -> None:
    """Measure both alternately; what cannot be is noted with its reason.

    "p99 ms, idle" is the timer's lateness while the same load goes through the headless process: what the machine,
    and not the engine in the window's process, is to blame for.
    """
    for name in CELLS:
        results[name] = {HEADLESS.name: []}
    try:
        if not importlib.util.find_spec("PySide6"):
            raise BenchError("PySide6 is not installed.")
        with display() as number:
            _measure(bench, results, number)
    except BenchError as error:
        for name in CELLS:
            results[name][HEADLESS.name].append(str(error))


def _measure(bench: Bench, results: Rounds, number: str) -> None:
    scale: Scale = dataclasses.replace(bench.scale, seconds=max(LONG_ENOUGH_SECONDS, bench.scale.seconds))
    window = Window(bench.setup(tls=False, echo=False), number)
    try:
        check(bench.load, window.instance, scale)
        headless = bench.instance(HEADLESS, tls=False, echo=False)
        time.sleep(1.0)  # the window's first painting is not what is asked about
        for _ in range(scale.rounds):
            for name, measure in CELLS.items():
                window.latenesses()
                alone = measure(bench.load, headless, scale)
                late_without = window.latenesses()
                shown = measure(bench.load, window.instance, scale)
                late = window.latenesses()
                figures: Figures = {
                    "MB/s": shown["MB/s"],
                    "of headless": shown["MB/s"] / alone["MB/s"],
                    "CPU s/GB": shown["CPU s/GB"],
                    "timer p50 ms": percentile(late, 0.5) * 1e3,
                    "timer p99 ms": percentile(late, 0.99) * 1e3,
                    "p99 ms, idle": percentile(late_without, 0.99) * 1e3,
                }
                results[name][HEADLESS.name].append(figures)
    except BenchError as error:
        raise BenchError(window.instance.why(error)) from None
    finally:
        window.process.stop()
