"""Keeps tokens from outside a profile from leading where none may lead, judged by the address really connected."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from wsgui.access.destinations import Destinations, leads_back
from wsgui.errors import TargetError

_HINT = "Correct the source of the tokens, or [tokens] allow."
_Found = TypeVar("_Found", bound=tuple[object, object, object, object, Sequence[object]])


class Guard:
    """What a connector asks before and after it connects.

    Args:
        destinations: Which addresses may be connected.
        listeners: Host and port of every listener of this process, at that moment; of a unix socket its path and 0.
    """

    def __init__(self, destinations: Destinations, listeners: Callable[[], Collection[tuple[str, int]]]) -> None:
        self._destinations = destinations
        self._listeners = listeners

    def check(self, address: tuple[str, int] | str) -> None:
        """Raise TargetError when this numeric host and port, or this unix socket's path, may not be connected."""
        refusal = self._destinations.refusal(*address) if isinstance(address, tuple) else self._destinations.no_sockets
        if refusal is not None:
            raise TargetError(refusal, _HINT)

    def allowed(self, found: Sequence[_Found]) -> list[_Found]:
        """Return those of a name's addresses (as getaddrinfo has them) that may be connected.

        Raises:
            TargetError: None may.
        """
        kept: list[_Found] = []
        refusal: TargetError | None = None
        for each in found:
            try:
                self.check((str(each[4][0]), int(str(each[4][1]))))
            except TargetError as error:
                refusal = error
            else:
                kept.append(each)
        if refusal is not None and not kept:
            raise refusal
        return kept

    def check_connected(self, sock: socket.socket) -> None:
        """Raise TargetError when a connection that stands leads back to one of this process's own listeners."""
        peer, own = sock.getpeername(), sock.getsockname()
        if sock.family == socket.AF_UNIX:
            back = (os.fsdecode(peer), 0) in self._listeners()
        else:
            back = leads_back((peer[0], peer[1]), own[0], self._listeners())
        if back:
            raise TargetError("The token leads back to a tunnel of this program.", _HINT)
