"""Whose password is checked next: of each address one at a time, and first those who have failed least of late."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from wsgui.access.keyed import digest

MAX_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    address: str
    marks: tuple[bytes, bytes]
    granted: asyncio.Future[None]


class Turns:
    """A queue in which a user who comes while somebody else tries passwords does not stand behind all of those.

    Of those who have failed equally often the last to come is first: an attacker's first tries, with a name each, are
    all there already. Every second turn goes to whoever waits longest, so that nobody waits for ever.

    Args:
        at_once: Turns at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._running: set[str] = set()
        self._waiting: dict[_Waiting, None] = {}
        self._failures: OrderedDict[bytes, int] = OrderedDict()
        self._longest_is_next = False

    async def take(self, address: str, user: str) -> None:
        """Wait for a turn, which `give_back` ends; one that is cancelled meanwhile has none."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(address, _marks(address, user), granted)
        self._waiting[waiting] = None
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._waiting.pop(waiting, None)
            else:
                self.give_back(address)
            raise

    def give_back(self, address: str) -> None:
        """End the turn of `address`."""
        self._running.discard(address)
        self._grant()

    def note(self, address: str, user: str, *, right: bool) -> None:
        """Remember how a turn went, for those to come."""
        for mark in _marks(address, user):
            count = self._failures.pop(mark, 0)
            if not right:
                self._failures[mark] = count + 1
                if len(self._failures) > MAX_REMEMBERED:
                    self._failures.popitem(last=False)

    def _grant(self) -> None:
        while len(self._running) < self._at_once:
            able = [each for each in self._waiting if each.address not in self._running]
            if not able:
                return
            chosen = able[0] if self._longest_is_next else min(reversed(able), key=self._failed)
            self._longest_is_next ^= len(able) > 1
            del self._waiting[chosen]
            if not chosen.granted.done():  # else it is being cancelled
                self._running.add(chosen.address)
                chosen.granted.set_result(None)

    def _failed(self, waiting: _Waiting) -> tuple[int, int]:
        address, user = waiting.marks
        return self._failures.get(address, 0), self._failures.get(user, 0)


def _marks(address: str, user: str) -> tuple[bytes, bytes]:
    """What failures are counted by; of one length, whatever a client sends."""
    return digest(b"address", address.encode()), digest(b"user", user.encode("utf-8", "surrogatepass"))
