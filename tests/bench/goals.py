"""Floors and aims, as ratios within one run: printed as met or short beside each ratio, never asserted."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SUBJECT = "wsgui"
WEBSOCKET_PEERS = ("websockify", "lighttpd", "websocat")
ALL_PEERS = (*WEBSOCKET_PEERS, "haproxy")
DOWN = ("down 1", "down 4", "down 8")
UP = ("up 4K", "up 64K", "up 1M")
PLAIN = tuple(f"ws {cell}" for cell in (*DOWN, *UP))
SECURE = tuple(f"wss {cell}" for cell in (*DOWN, *UP))

# cell -> peer -> one figure set a round, or the sentence that says why there is none
Results = Mapping[str, Mapping[str, Sequence[Mapping[str, float] | str]]]


@dataclass(frozen=True)
class Goal:
    """wsgui's figure against each of the peers' (or against 1 when none is named): at least or at most a factor."""

    kind: str  # "floor" or "aim"
    cells: tuple[str, ...]
    figure: str
    peers: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None

    def met(self, ratio: float) -> bool:
        """Whether this ratio is good enough."""
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)

    @property
    def bound(self) -> str:
        """The bound as it is printed."""
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


GOALS = (
    Goal("floor", ("ws down 1",), "MB/s", WEBSOCKET_PEERS, at_least=1.3),
    Goal("floor", ("ws down 4",), "MB/s", WEBSOCKET_PEERS, at_least=1.15),
    Goal("floor", ("ws up 4K",), "MB/s", ("websockify",), at_least=8),
    Goal("floor", ("ws up 64K",), "MB/s", ("websockify",), at_least=5),
    Goal("floor", ("ws up 4K",), "MB/s", ("haproxy",), at_least=1.2),
    Goal("floor", PLAIN + SECURE, "CPU s/GB", WEBSOCKET_PEERS, at_most=0.8),
    Goal("floor", PLAIN + SECURE, "CPU s/GB", ("haproxy",), at_most=0.9),
    Goal("floor", ("ws connections",), "conn/s", ("websockify",), at_least=5),
    Goal("floor", ("ws connections",), "conn/s", ("websocat",), at_least=0.8),
    Goal("floor", ("ws idle",), "KB/conn", (), at_most=8),
    Goal("floor", ("ws round trip",), "p50 µs", ("websockify",), at_most=1),
    Goal("floor", ("ws round trip",), "p50 µs", ("haproxy",), at_most=1.4),
    Goal("floor", tuple(f"wss {cell}" for cell in DOWN), "MB/s", ("websockify",), at_least=2),
    Goal("floor", tuple(f"wss {cell}" for cell in UP), "MB/s", ("websockify",), at_least=3),
    Goal("floor", ("gui down 1", "gui up 64K"), "of headless", (), at_least=0.8),
    Goal("floor", ("gui down 1", "gui up 64K"), "timer p99 ms", (), at_most=10),
    Goal("aim", PLAIN + SECURE, "MB/s", ALL_PEERS, at_least=1.5),
    Goal("aim", PLAIN + SECURE, "CPU s/GB", ("haproxy",), at_most=0.5),
    Goal("aim", ("ws round trip",), "p50 µs", ("haproxy",), at_most=1.2),
    Goal("aim", ("ws connections",), "conn/s", ("websocat",), at_least=1),
)


@dataclass(frozen=True)
class Verdict:
    """One goal looked at in one cell against one peer ("" = the figure itself)."""

    goal: Goal
    cell: str
    peer: str
    ratio: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.goal.met(self.ratio)


def median(rounds: Sequence[Mapping[str, float] | str], figure: str) -> float | None:
    """The median of a figure over the rounds that have it."""
    values = [entry[figure] for entry in rounds if not isinstance(entry, str) and figure in entry]
    return statistics.median(values) if values else None


def ratio(results: Results, cell: str, figure: str, peer: str) -> float | None:
    """wsgui's figure over a peer's: the median of the ratios of each round, as its two runs lie side by side."""
    ours, theirs = results.get(cell, {}).get(SUBJECT, ()), results.get(cell, {}).get(peer, ())
    values = [
        our[figure] / their[figure]
        for our, their in zip(ours, theirs, strict=False)
        if not isinstance(our, str) and not isinstance(their, str) and their.get(figure) and figure in our
    ]
    return statistics.median(values) if values else None


def verdicts(results: Results) -> Iterator[Verdict]:
    """Every goal for which there are figures; an aim against several peers is looked at against each."""
    for goal in GOALS:
        for cell in goal.cells:
            if cell not in results:
                continue
            for peer in goal.peers or ("",):
                value = ratio(results, cell, goal.figure, peer) if peer else _own(results, cell, goal.figure)
                if value is not None:
                    yield Verdict(goal, cell, peer, value)


def _own(results: Results, cell: str, figure: str) -> float | None:
    return median(results[cell].get(SUBJECT, ()), figure)
