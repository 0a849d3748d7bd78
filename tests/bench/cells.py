"""What is measured: the cells of the table, each a short run of load generators against one instance of a peer."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.peers import Instance
from tests.bench.processes import BenchError, Speaker

PARTS = ("down", "up", "rtt", "connections", "idle", "gui")
MESSAGES = {"4K": 4096, "64K": 65_536, "1M": 1 << 20}
GRACE_SECONDS = 20.0  # a peer may be slow, but a cell has an end
IDLE_DEADLINE_SECONDS = 120.0
WARM_UP_SECONDS = 0.1


@dataclass(frozen=True)
class Scale:
    """How much is tried in one cell of one round."""

    rounds: int = 5
    seconds: float = 0.5
    round_trips: int = 3000
    connections: int = 3000
    idle: int = 1000
    check_bytes: int = 3_000_000
    prepared_bytes: int = 256 << 20


QUICK = Scale(rounds=2, seconds=0.2, round_trips=800, connections=1000, idle=300, prepared_bytes=128 << 20)
TINY = Scale(rounds=1, seconds=0.05, round_trips=20, connections=8, idle=8, check_bytes=300_000, prepared_bytes=8 << 20)

Figures = dict[str, float]
_streams = itertools.count(1)


class Run:
    """One job on several connections at once, ready to start."""

    def __init__(self, generators: list[Speaker]) -> None:
        self._generators = generators

    def go(self) -> float:
        """Start the clock; returns its time."""
        now = time.monotonic()
        for generator in self._generators:
            generator.say({"go": now})
        return now

    def answers(self, deadline_seconds: float = GRACE_SECONDS) -> list[dict[str, Any]]:
        """What each generator answers next."""
        answers = [generator.hear(deadline_seconds) for generator in self._generators]
        for answer in answers:
            if "failed" in answer:
                raise BenchError(str(answer["failed"]))
        return answers


class Load:
    """The load generators and the target, kept over all cells; broken ones are replaced."""

    def __init__(self, connections: int) -> None:
        self._generators: list[Speaker] = []
        self._size = connections
        self.target = Speaker("tests.bench.target", str(connections))
        try:
            ports = self.target.hear(20)
            self.bulk_port, self.echo_port = int(ports["bulk"]), int(ports["echo"])
            self._fill()
        except BaseException:
            self.stop()
            raise

    def _fill(self) -> None:
        while len(self._generators) < self._size:
            self._generators.append(Speaker("tests.bench.load"))

    @contextlib.contextmanager
    def prepared(self, instance: Instance, job: dict[str, object], count: int = 1) -> Iterator[Run]:
        """Connections that stand, with all they send prepared; generators that fail are replaced.

        Raises:
            BenchError: A connection failed, or nothing came in time; also out of the block.
        """
        generators = self._generators[:count]
        job = {**job, "port": instance.port, "framed": instance.peer.framed, "tls": instance.tls}
        try:
            for generator in generators:
                generator.say(job)
            run = Run(generators)
            run.answers(IDLE_DEADLINE_SECONDS if job["do"] == "idle" else GRACE_SECONDS)
            yield run
        except BenchError:
            for generator in generators:
                generator.stop()
            self._generators = self._generators[count:]
            self._fill()
            raise

    def counted(self, stream: int) -> dict[str, Any]:
        """The target's count of one stream; those of streams that failed before are passed over."""
        while True:
            line = self.target.hear(GRACE_SECONDS)
            if line.get("stream") == stream:
                return line

    def stop(self) -> None:
        """End all."""
        for process in (*self._generators, self.target):
            process.stop()


@dataclass(frozen=True)
class Cell:
    """One row: its name, its part, the target it needs, and how one figure of it comes about."""

    name: str
    part: str
    tls: bool
    echo: bool
    measure: Callable[[Load, Instance, Scale], Figures]


def check(load: Load, instance: Instance, scale: Scale) -> None:
    """Raise BenchError unless bytes come through unchanged both ways."""
    with load.prepared(instance, {"do": "check", "bytes": scale.check_bytes}) as run:
        run.go()
        if not run.answers()[0]["right"]:
            raise BenchError("bytes were changed on the way")


def sleep_until(then: float) -> None:
    """Wait for a time of the monotonic clock."""
    time.sleep(max(0.0, then - time.monotonic()))


def down(connections: int) -> Callable[[Load, Instance, Scale], Figures]:
    """Target to client on several connections: MB/s of all together and CPU s/GB, in one window of flowing bytes."""

    def measure(load: Load, instance: Instance, scale: Scale) -> Figures:
        job = {"do": "down", "seconds": scale.seconds, "warm_up_seconds": WARM_UP_SECONDS}
        with load.prepared(instance, job, connections) as run:
            window = run.go() + WARM_UP_SECONDS
            sleep_until(window)
            before = instance.process.cpu_seconds()
            sleep_until(window + scale.seconds)
            cpu = instance.process.cpu_seconds() - before
            total = sum(answer["bytes"] for answer in run.answers())
        if not total:
            raise BenchError("nothing arrived")
        return {"MB/s": total / scale.seconds / 1e6, "CPU s/GB": cpu / (total / 1e9)}

    return measure


def up(message_bytes: int) -> Callable[[Load, Instance, Scale], Figures]:
    """Client to target in messages of one size: MB/s as the target counts them, CPU s/GB."""

    def measure(load: Load, instance: Instance, scale: Scale) -> Figures:
        stream = next(_streams)
        job = {
            "do": "up",
            "stream": stream,
            "seconds": scale.seconds,
            "message_bytes": message_bytes,
            "prepared_bytes": scale.prepared_bytes,
        }
        with load.prepared(instance, job) as run:
            before = instance.process.cpu_seconds()
            run.go()
            run.answers()
            counted = load.counted(stream)
            cpu = instance.process.cpu_seconds() - before
        if not counted["seconds"]:
            raise BenchError("nothing arrived")
        return {"MB/s": counted["bytes"] / counted["seconds"] / 1e6, "CPU s/GB": cpu / (counted["bytes"] / 1e9)}

    return measure


def round_trip(load: Load, instance: Instance, scale: Scale) -> Figures:
    """64 bytes there and back: median and 99th percentile in µs, CPU µs of each."""
    job = {"do": "round_trip", "count": scale.round_trips, "seconds": scale.seconds * 2}
    with load.prepared(instance, job) as run:
        before = instance.process.cpu_seconds()
        run.go()
        times = sorted(run.answers()[0]["times"])
        cpu = instance.process.cpu_seconds() - before
    return {
        "p50 µs": statistics.median(times) * 1e6,
        "p99 µs": times[int(len(times) * 0.99)] * 1e6,
        "CPU µs": cpu / len(times) * 1e6,
    }


def connections(load: Load, instance: Instance, scale: Scale) -> Figures:
    """Connect, upgrade, one echo, close: so many a second, CPU ms each."""
    job = {"do": "connections", "count": scale.connections, "seconds": scale.seconds * 2, "batch": 8}
    with load.prepared(instance, job) as run:
        before = instance.process.cpu_seconds()
        run.go()
        answer = run.answers()[0]
        cpu = instance.process.cpu_seconds() - before
    return {"conn/s": answer["count"] / answer["seconds"], "CPU ms/conn": cpu / answer["count"] * 1e3}


def idle(load: Load, instance: Instance, scale: Scale) -> Figures:
    """Memory of connections that stand and are silent, in KB each."""
    count = min(scale.idle, instance.peer.idle_connections or scale.idle)
    before = instance.process.memory_kb()
    with load.prepared(instance, {"do": "idle", "count": count}) as run:
        with_all = instance.process.memory_kb()
        run.go()
        run.answers()
    return {"KB/conn": (with_all - before) / count}


def cells(parts: set[str], *, ws: bool, wss: bool) -> list[Cell]:
    """The cells of these parts, plain and over TLS."""
    rows: list[Cell] = []
    for tls in [False] * ws + [True] * wss:
        scheme = "wss" if tls else "ws"
        rows += [Cell(f"{scheme} down {number}", "down", tls, False, down(number)) for number in (1, 4, 8)]
        rows += [Cell(f"{scheme} up {name}", "up", tls, False, up(size)) for name, size in MESSAGES.items()]
        rows += [
            Cell(f"{scheme} round trip", "rtt", tls, True, round_trip),
            Cell(f"{scheme} connections", "connections", tls, True, connections),
            Cell(f"{scheme} idle", "idle", tls, True, idle),
        ]
    return [row for row in rows if row.part in parts]
