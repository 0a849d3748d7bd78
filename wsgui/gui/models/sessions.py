"""What each tunnel's last session was, remembered from the snapshots that passed by."""

from __future__ import annotations

from dataclasses import dataclass

from wsgui.engine.snapshot import EngineSnapshot
from wsgui.gui.wording import SERVING


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a tunnel. Times are Unix times, bytes are both ways together."""

    started: float
    ended: float
    served: int
    transferred_bytes: int


class LastSessions:
    """Keeps the last session of each tunnel of this run of the program."""

    def __init__(self) -> None:
        self._running: dict[str, Session] = {}
        self._ended: dict[str, Session] = {}

    def update(self, snapshot: EngineSnapshot) -> None:
        """Take note of `snapshot`."""
        for tunnel in snapshot.tunnels:
            if tunnel.state in SERVING and tunnel.running_since is not None:
                transferred = tunnel.to_client_bytes + tunnel.to_target_bytes
                self._running[tunnel.name] = Session(tunnel.running_since, snapshot.time, tunnel.served, transferred)
            elif tunnel.name in self._running:
                self._ended[tunnel.name] = self._running.pop(tunnel.name)
        names = {tunnel.name for tunnel in snapshot.tunnels}
        for kept in (self._running, self._ended):
            for name in kept.keys() - names:
                del kept[name]

    def last(self, name: str) -> Session | None:
        """The last session of `name` that has ended; None when there was none since the program started."""
        return self._ended.get(name)
