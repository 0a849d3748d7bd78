"""A ring of recent throughput: bytes each way in steps of 100 ms, for the last 90 s."""

from __future__ import annotations

from array import array
from typing import Final

STEP_SECONDS: Final = 0.1
STEPS: Final = 900
RATE_STEPS: Final = 10
"""A rate is the mean over the last second."""


class Throughput:
    """Bytes each way by step. Time is monotonic seconds; gaps between samples are filled evenly or with silence.

    Args:
        now: When it begins.
    """

    def __init__(self, now: float) -> None:
        self._to_client = array("d", bytes(8 * STEPS))
        self._to_target = array("d", bytes(8 * STEPS))
        self._step = int(now / STEP_SECONDS)
        self._seen = (0, 0)

    def sample(self, now: float, to_client_bytes: int, to_target_bytes: int) -> None:
        """Note the running totals at `now`; what came since the last sample is spread over the steps in between."""
        step = int(now / STEP_SECONDS)
        count = min(step - self._step, STEPS)
        if count <= 0:
            return
        down = (to_client_bytes - self._seen[0]) / count
        up = (to_target_bytes - self._seen[1]) / count
        self._seen = (to_client_bytes, to_target_bytes)
        for index in range(step - count + 1, step + 1):
            self._to_client[index % STEPS] = down
            self._to_target[index % STEPS] = up
        self._step = step

    def rates(self) -> tuple[float, float]:
        """Return bytes a second to clients and to the target, over the last second."""
        indices = [(self._step - back) % STEPS for back in range(RATE_STEPS)]
        seconds = RATE_STEPS * STEP_SECONDS
        return sum(self._to_client[i] for i in indices) / seconds, sum(self._to_target[i] for i in indices) / seconds

    def series(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return bytes a second for each step, oldest first: to clients, to the target."""
        first = (self._step + 1) % STEPS
        down = self._to_client[first:] + self._to_client[:first]
        up = self._to_target[first:] + self._to_target[:first]
        return tuple(value / STEP_SECONDS for value in down), tuple(value / STEP_SECONDS for value in up)

    def seconds(self, count: int) -> tuple[float, ...]:
        """Return bytes a second, both ways together, for each of the last `count` seconds, oldest first."""
        steps = round(1 / STEP_SECONDS)
        return tuple(
            sum(
                self._to_client[(self._step - back * steps - i) % STEPS]
                + self._to_target[(self._step - back * steps - i) % STEPS]
                for i in range(steps)
            )
            for back in range(count - 1, -1, -1)
        )
