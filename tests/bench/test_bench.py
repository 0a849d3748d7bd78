"""The benchmark itself: that figures come out, that bytes are looked at, and that a broken peer is a failed cell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.bench import goals, report
from tests.bench.cells import TINY, cells
from tests.bench.peers import PEERS, Peer, Setup
from tests.bench.processes import ROOT
from tests.bench.run import Bench, Rounds, collect
from tests.bench.wire import masked_frame, pattern, split_frame

PARTS = {"down", "up", "rtt", "connections", "idle"}

GARBLING_RELAY = """
import asyncio, sys
async def accepted(reader, writer):
    target_reader, target_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    async def copy(source, sink, change):
        while data := await source.read(65536):
            sink.write(data.replace(b"\\x07", b"\\x08") if change else data)
            await sink.drain()
    await asyncio.gather(copy(reader, target_writer, False), copy(target_reader, writer, True))
async def main():
    await (await asyncio.start_server(accepted, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
"""


def garbling(setup: Setup) -> list[str]:
    return [sys.executable, "-c", GARBLING_RELAY, str(setup.port), str(setup.target)]


def failing(_: Setup) -> list[str]:
    return [sys.executable, "-c", "import sys; sys.exit('no such thing')"]


def run_one(peer: Peer, cell: str) -> dict[str, float] | str:
    with Bench(TINY) as bench:
        row = next(row for row in cells(PARTS, ws=True, wss=True) if row.name == cell)
        return bench.figure(row, peer)


def test_a_tiny_run_yields_a_figure_for_every_cell_of_wsgui() -> None:
    results: Rounds = {}
    rows = cells(PARTS, ws=True, wss=True)
    with Bench(TINY) as bench:
        collect(bench, rows, [PEERS[0]], results)
    assert list(results) == [row.name for row in rows]
    assert not list(report.failures(results))
    for name, by_peer in results.items():
        (figures,) = by_peer["wsgui"]
        assert not isinstance(figures, str)
        first = next(iter(figures.values()))
        assert first > 0 or name.endswith("idle"), name
    json.dumps(report.document(results, {"wsgui": "x"}, {}))


def test_a_peer_that_changes_bytes_has_no_figure() -> None:
    assert run_one(Peer("garbling", garbling, framed=False), "ws down 1") == "bytes were changed on the way"


def test_a_peer_that_ends_at_its_start_is_a_failed_cell_with_its_last_words() -> None:
    figure = run_one(Peer("failing", failing), "ws down 1")
    assert figure == "it ended at its start: no such thing"


def test_a_program_that_is_not_installed_is_reported_by_name() -> None:
    assert run_one(Peer("x", failing, program="no-such-bridge"), "ws up 4K") == "no-such-bridge is not installed."


def test_a_masked_frame_carries_its_payload() -> None:
    for size in (0, 125, 126, 65_535, 65_536):
        frame = masked_frame(pattern(size))
        head = len(frame) - size - 4
        mask = frame[head : head + 4]
        unmasked = bytes(byte ^ mask[index & 3] for index, byte in enumerate(frame[head + 4 :]))
        assert frame[1] & 0x80
        assert split_frame(bytes((frame[0], frame[1] & 0x7F)) + frame[2:head] + unmasked) == (2, pattern(size), b"")


def test_a_ratio_is_the_median_of_the_ratios_of_single_rounds() -> None:
    results: Rounds = {
        "ws down 1": {
            "wsgui": [{"MB/s": 10.0}, {"MB/s": 300.0}, "it hung"],
            "websocat": [{"MB/s": 5.0}, {"MB/s": 100.0}, {"MB/s": 7.0}],
        }
    }
    assert goals.ratio(results, "ws down 1", "MB/s", "websocat") == pytest.approx(2.5)
    found = {(verdict.goal.kind, verdict.peer): verdict.met for verdict in goals.verdicts(results)}
    assert found == {("floor", "websocat"): True, ("aim", "websocat"): True}
    assert any("2.50x" in line for line in report.table(results, ["wsgui", "websocat"]))
    assert list(report.failures(results)) == ["wsgui, ws down 1: it hung"]


def test_an_interrupted_run_prints_what_it_has_and_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "idle", "rtt", "--only", "ws", "--peers", "wsgui", "--rounds", "50"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr
        assert run.stderr.readline().startswith("round 1 of 50")  # the first figure is there
        children = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "ws idle" in said
    assert children
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not list(tmp_path.iterdir())
