"""Processes of the benchmark: in a session of their own, spoken to with deadlines, measured with all children."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A cell that could not be measured; the text goes into its place in the table."""


class Process:
    """A child in a session of its own: Ctrl+C does not reach it, and `stop` ends whatever it forked as well."""

    def __init__(
        self,
        command: list[str],
        *,
        environment: dict[str, str] | None = None,
        log: Path | None = None,
        spoken_to: bool = False,
    ):
        self.log = log
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(log.open("wb")) if log else None
            self._child = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE if spoken_to else subprocess.DEVNULL,
                stdout=subprocess.PIPE if spoken_to else errors,
                stderr=errors,
                start_new_session=True,
            )
        self.pid = self._child.pid

    @property
    def ended(self) -> bool:
        """Whether the process itself is gone."""
        return self._child.poll() is not None

    def last_words(self) -> str:
        """The end of what it printed, for a message."""
        if self.log is None:
            return ""
        return self.log.read_text("utf-8", "replace").strip()[-300:]

    def cpu_seconds(self) -> float:
        """CPU time so far of the process, its living descendants, and the ended ones they have waited for."""
        total = 0.0
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory_kb(self) -> float:
        """Proportional set size in KB: what forked processes share is counted once (proc(5), smaps_rollup)."""
        total = 0
        for process in self._family():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return float(total)

    def _family(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise BenchError("its process ended") from None

    def stop(self) -> None:
        """End it: politely for half a second, then its whole session by force."""
        family: list[psutil.Process] = []
        with contextlib.suppress(BenchError):
            family = self._family()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(0.5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # psutil compares start times: no stranger is hit
                process.kill()
        self._child.wait()


class Speaker(Process):
    """One of our own modules as a process that speaks JSON lines on its standard streams."""

    def __init__(
        self, module: str, *arguments: str, environment: dict[str, str] | None = None, log: Path | None = None
    ) -> None:
        command = [sys.executable, "-m", module, *arguments]
        super().__init__(command, environment=environment, log=log, spoken_to=True)
        self._buffer = b""

    def say(self, line: dict[str, object]) -> None:
        """Send one line."""
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps(line).encode() + b"\n")
            self._child.stdin.flush()
        except OSError:
            raise BenchError("a load generator ended") from None

    def hear(self, deadline_seconds: float) -> dict[str, Any]:
        """The next line.

        Raises:
            BenchError: None came in time, or the process ended.
        """
        assert self._child.stdout
        descriptor = self._child.stdout.fileno()
        end = time.monotonic() + deadline_seconds
        while b"\n" not in self._buffer:
            if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BenchError(f"nothing for {deadline_seconds:.0f} s")
            data = os.read(descriptor, 1 << 20)
            if not data:
                raise BenchError("a load generator ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            result: dict[str, Any] = json.loads(line)
        except ValueError:
            raise BenchError(f"a load generator said {line[:80]!r}") from None
        return result
