"""Takes a running bridge's listener elsewhere, or leaves it where it was."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterable

from wsgui.bridge.bridge import Bridge
from wsgui.bridge.listener import ListenAddress, Listener, ListenError, open_listeners
from wsgui.profiles.addresses import TcpAddress, UnixAddress


async def move(bridge: Bridge, address: ListenAddress, starved: Callable[[], None], *, unix_mode: int | None) -> None:
    """Listen at `address` instead; when that cannot be, go on where it was.

    Args:
        starved: For the new listener, see `Listener`.
        unix_mode: For a unix socket, see `open_listeners`.

    Raises:
        ListenError: Why not. The bridge has no listener any more when its port had to be given back for the attempt,
            and somebody else was quicker.
    """
    loop, before = bridge.loop, bridge.listener
    assert before is not None
    bound = {port for _, port in before.endpoints}
    try:
        sockets = await open_listeners(loop, address, unix_mode=unix_mode)
    except ListenError:
        if not isinstance(address, TcpAddress) or address.port not in bound:
            raise
        # The port is our own, as from 127.0.0.1:6080 to *:6080: give it back first.
        bridge.listen(None)
        try:
            sockets = await open_listeners(loop, address)
        except ListenError:
            back = before.address
            if isinstance(back, TcpAddress):
                back = TcpAddress(back.host, address.port)
            again = await open_listeners(loop, back)
            bridge.listen(Listener(loop, back, again, bridge.accepted, starved))
            raise
    bridge.listen(Listener(loop, address, sockets, bridge.accepted, starved))


def give_back(address: ListenAddress, sockets: Iterable[socket.socket]) -> None:
    """Close what was opened at `address` for a listener that is not to be."""
    for sock in sockets:
        sock.close()
    if isinstance(address, UnixAddress):
        with contextlib.suppress(OSError):
            os.unlink(address.path)
