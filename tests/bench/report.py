"""Turns the figures into a table for people and a JSON document for programs."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psutil

from tests.bench.goals import SUBJECT, Results, Verdict, median, ratio, verdicts

WIDTH = 12


def number(value: float | None) -> str:
    """Three significant digits, without an exponent."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(results: Results, peers: Sequence[str]) -> Iterator[str]:
    """The medians, one line a cell and figure; wsgui's ratio to each other peer in brackets."""
    yield f"{'':16}{'':>14}" + "".join(f"{peer:>{WIDTH + (8 if peer != SUBJECT else 0)}}" for peer in peers)
    for cell, by_peer in results.items():
        figures: dict[str, None] = {}
        for rounds in by_peer.values():
            for entry in rounds:
                if not isinstance(entry, str):
                    figures.update(dict.fromkeys(entry))
        for position, figure in enumerate(figures):
            line = f"{cell if not position else '':16}{figure:>14}"
            for peer in peers:
                rounds = by_peer.get(peer, ())
                value = median(rounds, figure)
                shown = "failed" if value is None and rounds else number(value)
                line += f"{shown:>{WIDTH}}"
                if peer != SUBJECT:
                    against = ratio(results, cell, figure, peer)
                    line += f"{f' ({number(against)}x)' if against else '':<8}"
            yield line.rstrip()


def failures(results: Results) -> Iterator[str]:
    """Why a cell has no figure, or fewer than others; each reason once."""
    seen: set[str] = set()
    for cell, by_peer in results.items():
        for peer, rounds in by_peer.items():
            for entry in rounds:
                if isinstance(entry, str) and (line := f"{peer}, {cell}: {entry}") not in seen:
                    seen.add(line)
                    yield line


def goals_table(results: Results) -> Iterator[str]:
    """Each floor and aim with its ratio."""
    found = list(verdicts(results))
    for kind, heading in (("floor", "Floors"), ("aim", "Aims")):
        of_kind = [verdict for verdict in found if verdict.goal.kind == kind]
        if not of_kind:
            continue
        yield f"{heading}: {sum(verdict.met for verdict in of_kind)} of {len(of_kind)} met"
        yield from (verdict_line(verdict) for verdict in of_kind)


def verdict_line(verdict: Verdict) -> str:
    """One goal in one cell."""
    against = f"against {verdict.peer}" if verdict.peer else ""
    return (
        f"  {'met  ' if verdict.met else 'SHORT'} {verdict.cell:16}{verdict.goal.figure:>14}"
        f" {number(verdict.ratio):>8} {verdict.goal.bound:>8} {against}".rstrip()
    )


def document(results: Results, versions: Mapping[str, str], settings: Mapping[str, object]) -> dict[str, Any]:
    """All rounds, the medians and the verdicts, as JSON."""
    return {
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "processors": psutil.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
        },
        "settings": dict(settings),
        "peers": dict(versions),
        "cells": {
            cell: {
                peer: {
                    "rounds": list(rounds),
                    "median": {
                        figure: median(rounds, figure)
                        for entry in rounds
                        if not isinstance(entry, str)
                        for figure in entry
                    },
                }
                for peer, rounds in by_peer.items()
            }
            for cell, by_peer in results.items()
        },
        "goals": [
            {
                "kind": verdict.goal.kind,
                "cell": verdict.cell,
                "figure": verdict.goal.figure,
                "peer": verdict.peer,
                "ratio": verdict.ratio,
                "bound": verdict.goal.bound,
                "met": verdict.met,
            }
            for verdict in verdicts(results)
        ],
    }
