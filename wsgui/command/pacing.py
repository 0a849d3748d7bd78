"""When a program that has ended is started again: at once, later, ever later."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 60.0
WELL_SECONDS: Final = 10.0
"""A program that has run so long has run well, however it ended."""
_SHORTEST_SECONDS: Final = 0.2
"""Between the starts of a program that serves one client and ends, so that a port scan makes no storm of it."""

_WEBSOCKIFY_STARTS: Final = 3
_WEBSOCKIFY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a program.

    Args:
        started: When, on a monotonic clock in seconds.
        ended: When.
        served: Whether it ever listened.
        status: As in `subprocess.Popen.returncode`; None when it could not even be started.
    """

    started: float
    ended: float
    served: bool
    status: int | None


class Pacing(Protocol):
    """Decides how long a program rests between two lives."""

    def rest_seconds(self, run: Run) -> tuple[float, str]:
        """Return the rest after `run`, and a sentence when it is longer because of too many starts, else ''."""


class BackOff:
    """A profile's: twice as long after each life that went badly, up to a minute; at once after one that went well."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def rest_seconds(self, run: Run) -> tuple[float, str]:
        """See Pacing."""
        lived = run.ended - run.started
        if run.served and (run.status == 0 or lived >= WELL_SECONDS):
            self._next = FIRST_SECONDS
            return max(0.0, _SHORTEST_SECONDS - lived), ""
        rest, self._next = self._next, min(LONGEST_SECONDS, 2 * self._next)
        return rest, ""


class AsWebsockify:
    """websockify's: at once, but when the last three starts lie within 10 s, not before they no longer do."""

    TOO_FAST: Final = "Command respawning too fast"

    def __init__(self) -> None:
        self._starts: deque[float] = deque(maxlen=_WEBSOCKIFY_STARTS)

    def rest_seconds(self, run: Run) -> tuple[float, str]:
        """See Pacing. The three starts are judged by their mean, as there."""
        self._starts.append(run.started)
        if len(self._starts) < _WEBSOCKIFY_STARTS:
            return 0.0, ""
        rest = max(0.0, sum(self._starts) / _WEBSOCKIFY_STARTS + _WEBSOCKIFY_SECONDS - run.ended)
        return rest, self.TOO_FAST if rest else ""
