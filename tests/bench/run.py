"""Runs the cells: round after round, in each all peers side by side; a failed one is noted and started afresh."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from tests.bench.cells import Cell, Figures, Load, Scale, check
from tests.bench.peers import WSGUI, Instance, Peer, Setup, free_port, write_certificates
from tests.bench.processes import BenchError

Rounds = dict[str, dict[str, list[Figures | str]]]


class Bench:
    """Target, load generators and one instance of each peer for each kind of cell; all ended with the block."""

    def __init__(self, scale: Scale, *, wsgui: str = WSGUI) -> None:
        self.scale = scale
        self._wsgui = wsgui
        self._stack = contextlib.ExitStack()
        self._instances: dict[tuple[str, bool, bool], Instance] = {}
        self._hopeless: dict[tuple[str, bool, bool], str] = {}

    def __enter__(self) -> Bench:
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wsgui-bench-")))
            self.certificates = self.folder / "certificates"
            self.certificates.mkdir(mode=0o700)
            write_certificates(self.certificates)
            self.load = Load(connections=8)
            stack.callback(self.load.stop)
            stack.callback(self._stop_instances)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl+C would leave processes behind
        try:
            self._stack.close()
        finally:
            signal.signal(signal.SIGINT, before)

    def _stop_instances(self) -> None:
        while self._instances:
            self._instances.popitem()[1].process.stop()

    def setup(self, *, tls: bool, echo: bool) -> Setup:
        """A fresh folder and port for one start."""
        return Setup(
            folder=Path(tempfile.mkdtemp(dir=self.folder)),
            port=free_port(),
            target=self.load.echo_port if echo else self.load.bulk_port,
            tls=tls,
            certificates=self.certificates,
            wsgui=self._wsgui,
        )

    def instance(self, peer: Peer, *, tls: bool, echo: bool) -> Instance:
        """The running peer for this kind of cell; started when first asked for, and bytes checked through it.

        Raises:
            BenchError: It does not start, or garbles bytes; asked again it is not tried again.
        """
        key = (peer.name, tls, echo)
        if reason := self._hopeless.get(key) or peer.missing(tls=tls):
            raise BenchError(reason)
        if key not in self._instances:
            try:
                self._instances[key] = Instance(peer, self.setup(tls=tls, echo=echo))
                if not echo:
                    check(self.load, self._instances[key], self.scale)
            except BenchError as error:
                self._hopeless[key] = str(error)
                self._drop(key)
                raise
        return self._instances[key]

    def _drop(self, key: tuple[str, bool, bool]) -> None:
        if instance := self._instances.pop(key, None):
            instance.process.stop()

    def figure(self, cell: Cell, peer: Peer) -> Figures | str:
        """One figure of one cell, or why there is none; a peer that failed is started afresh next time."""
        key = (peer.name, cell.tls, cell.echo)
        try:
            return cell.measure(self.load, self.instance(peer, tls=cell.tls, echo=cell.echo), self.scale)
        except BenchError as error:
            reason = self._instances[key].why(error) if key in self._instances else str(error)
            self._drop(key)
            return reason

    def rounds(self, rows: Sequence[Cell], peers: Sequence[Peer]) -> Iterator[tuple[int, Cell, Peer, Figures | str]]:
        """Every figure as it comes. Idle memory comes first and once: freed memory used again would flatter it."""
        for cell in (cell for cell in rows if cell.part == "idle"):
            for peer in peers:
                yield 0, cell, peer, self.figure(cell, peer)
        for number in range(self.scale.rounds):
            for cell in (cell for cell in rows if cell.part != "idle"):
                for peer in peers:
                    yield number, cell, peer, self.figure(cell, peer)


def collect(bench: Bench, rows: Sequence[Cell], peers: Sequence[Peer], results: Rounds) -> None:
    """Fill `results` round by round, so that what was measured survives an interruption; progress goes to stderr."""
    for cell in rows:
        results.setdefault(cell.name, {peer.name: [] for peer in peers})
    on_a_terminal = sys.stderr.isatty()
    said = -1
    for number, cell, peer, figure in bench.rounds(rows, peers):
        results[cell.name][peer.name].append(figure)
        line = f"round {number + 1} of {bench.scale.rounds}: {cell.name}, {peer.name}"
        if on_a_terminal:
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
        elif said != number:
            said = number
            print(line, file=sys.stderr, flush=True)
    if on_a_terminal:
        print("\r\x1b[K", end="", file=sys.stderr)
