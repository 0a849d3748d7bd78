"""`python -m tests.bench [PART ...]`: compares wsgui with its peers in one run and prints medians, ratios, goals."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from tests.bench import gui, report
from tests.bench.cells import PARTS, QUICK, Scale, cells
from tests.bench.peers import PEERS, WSGUI, find
from tests.bench.run import Bench, Rounds, collect

DESCRIPTORS = 16_384
BUSY_LOAD = 0.7  # processes at work before the first cell


def parser() -> argparse.ArgumentParser:
    """The command line."""
    names = ", ".join(peer.name for peer in PEERS)
    result = argparse.ArgumentParser(prog="python -m tests.bench", description=sys.modules[__name__].__doc__)
    result.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when left out")
    result.add_argument("--rounds", type=int, help=f"rounds (default {Scale().rounds}, quick {QUICK.rounds})")
    result.add_argument("--quick", action="store_true", help="shorter cells, fewer rounds: under two minutes")
    result.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    result.add_argument("--peers", help=f"comma-separated, of {names}; wsgui is always in")
    result.add_argument("--only", choices=("ws", "wss"), help="only plain, or only TLS")
    result.add_argument(
        "--wsgui",
        default=WSGUI,
        metavar="COMMAND",
        help="how to start wsgui, to compare another one: {python}, {profile}, {port}, {target} are filled in",
    )
    return result


def version(peer: str) -> str:
    """What the program says of itself, in one line."""
    if peer in ("wsgui", "websockify"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(peer)
        return "from this folder" if peer == "wsgui" else "unknown"
    option = "--version" if peer == "websocat" else "-v"
    try:
        said = subprocess.run(
            [find(peer) or peer, option], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return said.splitlines()[0].split(" - ")[0] if said else "unknown"


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; 0 also when goals are short: they are no test."""
    command = parser()
    options = command.parse_args(arguments)
    parts = set(options.parts or PARTS)
    if unknown := parts - set(PARTS):
        command.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    chosen = set(options.peers.split(",")) if options.peers else {peer.name for peer in PEERS}
    if unknown := chosen - {peer.name for peer in PEERS}:
        command.error(f"there is no peer {', '.join(sorted(unknown))}")
    scale = QUICK if options.quick else Scale()
    if options.rounds:
        scale = dataclasses.replace(scale, rounds=options.rounds)
    peers = [peer for peer in PEERS if peer.name in chosen or peer.name == "wsgui"]
    for peer in peers:
        if reason := peer.missing(tls=options.only != "ws"):
            print(f"{peer.name} is left out where it needs this: {reason}")
    raise_descriptor_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    busy = os.getloadavg()[0]
    results: Rounds = {}
    interrupted = False
    try:
        with Bench(scale, wsgui=options.wsgui) as bench:
            rows = cells(parts, ws=options.only != "wss", wss=options.only != "ws")
            collect(bench, rows, peers, results)
            if "gui" in parts:
                gui.collect(bench, results)
    except KeyboardInterrupt:
        interrupted = True
    versions = {peer.name: version(peer.name) for peer in peers}
    print(", ".join(f"{name} {text}" for name, text in versions.items()))
    seconds = time.monotonic() - begin
    print(f"{scale.rounds} rounds, medians; ratios are wsgui's figure over the peer's; {seconds:.0f} s")
    if busy > BUSY_LOAD:
        print(f"The machine was busy with something else (load {busy:.1f}): only CPU figures mean much then.")
    print()
    for line in (*report.table(results, [peer.name for peer in peers]), "", *report.goals_table(results)):
        print(line)
    for line in report.failures(results):
        print(f"No figure: {line}")
    if options.json:
        settings = {
            **dataclasses.asdict(scale),
            "seconds_taken": seconds,
            "load_before": busy,
            "interrupted": interrupted,
        }
        options.json.write_text(json.dumps(report.document(results, versions, settings), indent=1) + "\n", "utf-8")
    return 130 if interrupted else 0


def raise_descriptor_limit() -> None:
    """A thousand connections need as many descriptors at each end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
