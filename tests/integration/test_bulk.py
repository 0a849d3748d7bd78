"""Bulk through a real process: nothing lost or garbled either way, and its memory stays flat."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.integration.conftest import RunWsgui
from tests.support.bulk import MIB, RESTS, exchange, open_websocket
from tests.support.certificates import make_certificate

SIZE = 1024 * MIB
"""Each way."""
MOST_GROWTH = 32 * MIB
LOOK_SECONDS = 0.02


class Memory:
    """The most memory that a process has had while it was watched."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.before = self.most = self._process.memory_info().rss
        self._over = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, self._process.memory_info().rss)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_bulk_goes_both_ways_at_once_unharmed_and_memory_stays_flat(
    run_wsgui: RunWsgui, tmp_path: Path, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        lines = ['listen = "127.0.0.1:0"', f'target = "127.0.0.1:{listening.getsockname()[1]}"']
        context = None
        if scheme == "wss":
            certificate = make_certificate(tmp_path)
            lines += ["[tls]", f"certificate_file = {json.dumps(str(certificate.certificate))}"]
            lines += [f"key_file = {json.dumps(str(certificate.key))}"]
            context = certificate.client_context()
        (tmp_path / "bulk.toml").write_text("\n".join(lines) + "\n")
        process = await run_wsgui("--profile", str(tmp_path / "bulk.toml"), "--log-format", "json")
        port = urlsplit(await process.address("bulk")).port or 0

        def connect() -> socket.socket:
            return open_websocket("127.0.0.1", port, context)

        await asyncio.to_thread(exchange, listening, connect, 4 * MIB, 1)  # what is set up once, is
        memory = Memory(process.pid)
        with memory.watched():
            result = await asyncio.to_thread(exchange, listening, connect, SIZE, 2)

    assert result.to_client[0] == result.to_client[1]
    assert result.to_target[0] == result.to_target[1]
    assert result.closed == 1000
    assert result.rests == 2 * len(RESTS)
    await process.logged('"connection.closed".*"connection": 2')
    assert memory.most - memory.before < MOST_GROWTH
    entries = [json.loads(line) for line in process.err if '"connection": 2' in line and "connection.closed" in line]
    assert [(entry["to_client_bytes"], entry["to_target_bytes"]) for entry in entries] == [(SIZE, SIZE)]
