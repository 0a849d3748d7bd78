"""What is measured: the cells of the table, each a short run of load generators against one instance of a peer."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.peers import Instance
from tests.bench.processes import BenchError, Speaker

PARTS = ("down", "up", "rtt", "connections", "idle", "gui")
MESSAGES = {"4K": 4096, "64K": 65_536, "1M": 1 << 20}
GRACE_SECONDS = 20.0  # a peer may be slow, but a cell has an end


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
TINY = Scale(
    rounds=1, seconds=0.05, round_trips=20, connections=8, idle=8, check_bytes=300_000, prepared_bytes=8 << 20
)

Figures = dict[str, float]
_streams = itertools.count(1)


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

    def run(self, instance: Instance, job: dict[str, object], count: int = 1) -> tuple[list[dict[str, Any]], float]:
        """Do one job on `count` connections at once; returns the answers and the CPU seconds of the peer.

        Raises:
            BenchError: A connection failed, or nothing came in time.
        """
        generators = self._generators[:count]
        job = {**job, "port": instance.port, "framed": instance.peer.framed, "tls": instance.tls}
        try:
            for generator in generators:
                generator.say(job)
            for generator in generators:
                self._answer(generator, 120.0 if job["do"] == "idle" else GRACE_SECONDS)
            before = instance.process.memory_kb() if job["do"] == "idle" else instance.process.cpu_seconds()
            for generator in generators:
                generator.say({"go": time.monotonic()})
            seconds = float(job.get("seconds", 10.0))  # type: ignore[arg-type]
            answers = [self._answer(generator, seconds + GRACE_SECONDS) for generator in generators]
            after = before if job["do"] == "idle" else instance.process.cpu_seconds() - before
        except BenchError:
            for generator in generators:
                generator.stop()
            self._generators = self._generators[count:]
            self._fill()
            raise
        return answers, after

    @staticmethod
    def _answer(generator: Speaker, deadline_seconds: float) -> dict[str, Any]:
        answer = generator.hear(deadline_seconds)
        if "failed" in answer:
            raise BenchError(str(answer["failed"]))
        return answer

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
    answers, _ = load.run(instance, {"do": "check", "bytes": scale.check_bytes})
    if not answers[0]["right"]:
        raise BenchError("bytes were changed on the way")


def down(connections: int) -> Callable[[Load, Instance, Scale], Figures]:
    """Target to client on several connections: MB/s of all together, CPU s/GB."""

    def measure(load: Load, instance: Instance, scale: Scale) -> Figures:
        answers, cpu = load.run(instance, {"do": "down", "seconds": scale.seconds}, connections)
        total = sum(answer["bytes"] for answer in answers)
        return {"MB/s": sum(answer["rate"] for answer in answers) / 1e6, "CPU s/GB": cpu / (total / 1e9)}

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
        _, cpu = load.run(instance, job)
        counted = load.counted(stream)
        if not counted["seconds"]:
            raise BenchError("nothing arrived")
        return {"MB/s": counted["bytes"] / counted["seconds"] / 1e6, "CPU s/GB": cpu / (counted["bytes"] / 1e9)}

    return measure


def round_trip(load: Load, instance: Instance, scale: Scale) -> Figures:
    """64 bytes there and back: median and 99th percentile in µs."""
    answers, _ = load.run(instance, {"do": "round_trip", "count": scale.round_trips, "seconds": scale.seconds * 2})
    times = sorted(answers[0]["times"])
    return {"p50 µs": statistics.median(times) * 1e6, "p99 µs": times[int(len(times) * 0.99)] * 1e6}


def connections(load: Load, instance: Instance, scale: Scale) -> Figures:
    """Connect, upgrade, one echo, close: so many a second, CPU ms each."""
    job = {"do": "connections", "count": scale.connections, "seconds": scale.seconds * 2, "batch": 8}
    answers, cpu = load.run(instance, job)
    count = answers[0]["count"]
    return {"conn/s": count / answers[0]["seconds"], "CPU ms/conn": cpu / count * 1e3}


def idle(load: Load, instance: Instance, scale: Scale) -> Figures:
    """Memory of connections that stand and are silent, in KB each."""
    count = min(scale.idle, instance.peer.idle_connections or scale.idle)
    before = instance.process.memory_kb()
    _, with_all = load.run(instance, {"do": "idle", "count": count})
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
