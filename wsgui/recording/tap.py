"""Where a session's bytes are seen beside their way: recordings, the traffic symbols on a terminal."""

from __future__ import annotations

from typing import Protocol


class Tap(Protocol):
    """Sees one session, on the engine's loop; every method returns at once and never raises.

    The views are of the loop's shared buffer: whoever keeps bytes copies them.
    """

    def from_client(self, data: memoryview, *, whole: bool) -> None:
        """The client's payload on its way to the target; `whole`: the kernel took all of it at once."""

    def from_target(self, data: memoryview, *, whole: bool) -> None:
        """The target's bytes on their way to the client; `whole`: the kernel took all of it at once."""

    def drained(self, *, to_client: bool) -> None:
        """What the kernel had not taken at once has gone, to the client or to the target."""

    def close(self) -> None:
        """The session is over; called once."""
