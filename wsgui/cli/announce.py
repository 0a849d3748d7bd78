"""Prints each tunnel's address when it begins to run, and how the demo is reached from another computer."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Set
from urllib.parse import urlsplit

from wsgui.app.logging import without_secrets
from wsgui.display import display
from wsgui.engine.engine import Engine
from wsgui.engine.events import Event, StateChanged
from wsgui.engine.snapshot import TunnelSnapshot, TunnelState


class Announcer:
    """A subscriber of engine events that prints ``NAME: ADDRESS → TARGET`` lines, each only when it is new.

    Args:
        engine: Whose tunnels; asked on its own loop.
        put: Takes a line.
        with_way_in: Tunnels of which is also said how to reach them from another computer.
    """

    def __init__(self, engine: Engine, put: Callable[[str], None], *, with_way_in: Set[str] = frozenset()) -> None:
        self._engine = engine
        self._put = put
        self._with_way_in = with_way_in
        self._said: dict[str, tuple[str, ...]] = {}

    def __call__(self, events: tuple[Event, ...], _left_out: int) -> None:
        names = {event.tunnel for event in events if isinstance(event, StateChanged)}
        for tunnel in self._engine.snapshot().tunnels if names else ():
            if tunnel.name not in names or tunnel.state is not TunnelState.RUNNING:
                continue
            lines = self._lines(tunnel)
            if self._said.get(tunnel.name) != lines:
                self._said[tunnel.name] = lines
                for line in lines:
                    self._put(line)

    def _lines(self, tunnel: TunnelSnapshot) -> tuple[str, ...]:
        address = tunnel.page_url or tunnel.websocket_url or tunnel.listen
        target = without_secrets(tunnel.target)
        line = f"{display(tunnel.name)}: {display(address)}{f' → {display(target)}' if target else ''}"
        way_in = way_in_from_elsewhere(tunnel.page_url) if tunnel.name in self._with_way_in else ""
        return (line, way_in) if way_in else (line,)


def way_in_from_elsewhere(page_url: str) -> str:
    """How to open a page on a loopback address from another computer, through SSH; empty for other addresses."""
    parts = urlsplit(page_url)
    host, port = parts.hostname or "", parts.port
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback or port is None:
        return ""
    inside = f"[{host}]" if ":" in host else host
    machine = display(socket.gethostname())
    return f"From another computer: ssh -L {port}:{inside}:{port} {machine}, then open {page_url} there."
