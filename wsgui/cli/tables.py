"""Readable tables of what a running wsgui says about itself, safe for any terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wsgui.app.logging import without_secrets
from wsgui.display import display
from wsgui.units import duration, size

_COLUMNS: Final = ("TUNNEL", "STATE", "ADDRESS", "TARGET", "CLIENTS", "TO CLIENTS", "TO TARGET")
_TO_THE_RIGHT: Final = frozenset({"CLIENTS", "TO CLIENTS", "TO TARGET"})
_GAP: Final = "  "


def status_lines(answer: Mapping[str, Any]) -> list[str]:
    """One process's answer to ``status`` as lines: its name, a row a tunnel, and what stands in a tunnel's way."""
    process, snapshot = answer["process"], answer["snapshot"]
    lines = [display(f"{process['name']} ({process['role']}, pid {process['pid']})")]
    rows: list[Sequence[str]] = []
    below: dict[int, list[str]] = {}
    for tunnel in snapshot["tunnels"]:
        rows.append(_row(tunnel, float(snapshot["time"])))
        below[len(rows)] = [
            display(f"{what['message']} {what['hint']}".rstrip(), limit=1000)
            for what in (tunnel["reason"], tunnel["target_problem"])
            if what
        ]
    for index, line in enumerate(table(_COLUMNS, rows, to_the_right=_TO_THE_RIGHT)):
        lines.append(f"  {line}")
        lines += [f"    {text}" for text in below.get(index, ())]
    lines += [f"  {display(line, limit=1000)}" for problem in answer["problems"] for line in str(problem).split("\n")]
    return lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, to_the_right: frozenset[str]) -> list[str]:
    """Lines of equal columns, the first one `head`; cells must have gone through `display()`."""
    everything = [head, *rows]
    widths = [max(width(row[column]) for row in everything) for column in range(len(head))]
    lines: list[str] = []
    for row in everything:
        cells = []
        for title, cell, wide in zip(head, row, widths, strict=True):
            padding = " " * (wide - width(cell))
            cells.append(padding + cell if title in to_the_right else cell + padding)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def width(text: str) -> int:
    """How many columns of a terminal `text` takes (East Asian wide letters take two, combining marks none)."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _row(tunnel: Mapping[str, Any], now: float) -> tuple[str, ...]:
    since = tunnel["running_since"]
    state = f"{tunnel['state']} {duration(now - since)}" if since is not None else tunnel["state"]
    address = tunnel["page_url"] or tunnel["websocket_url"] or tunnel["listen"]
    values = (
        tunnel["name"],
        state,
        address,
        without_secrets(tunnel["target"]),
        str(len(tunnel["connections"])),
        size(tunnel["to_client_bytes"]),
        size(tunnel["to_target_bytes"]),
    )
    return tuple(display(str(value), limit=80) for value in values)
