"""Where a running tunnel can be reached, as addresses that a person can use, and by whom."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from wsgui.bridge.listener import Listener
from wsgui.engine.snapshot import Reach
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, UnixAddress
from wsgui.web.viewers import viewer_path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A listener as its clients see it; the URLs are empty for a unix socket."""

    page_url: str
    websocket_url: str
    path: str
    reach: Reach

    @property
    def addresses(self) -> tuple[str, ...]:
        """What a client can use: page and WebSocket URL, or the socket's path."""
        return (self.page_url, self.websocket_url) if self.page_url else (self.path,)

    def viewer_url(self, root: str, protocol: str) -> str:
        """Return the address of the page that shows what is spoken; `root` as in the profile's `[web]`."""
        return self.page_url and self.page_url + _viewer_path(root, protocol.partition(" ")[0])

    @classmethod
    def of(cls, listener: Listener, *, secure: bool) -> Self:
        """Return the endpoint of a listener that is bound; `secure` when it has a certificate."""
        endpoints = listener.endpoints
        if not endpoints:
            address = listener.address
            path = address.path if isinstance(address, UnixAddress) else _path(listener.sockets[0].getsockname())
            return cls("", "", path, Reach.SOCKET_FILE)
        host, port = endpoints[0]
        bound = TcpAddress(host, port)
        name = socket.gethostname() if bound.is_wildcard else host
        authority = f"[{name}]" if ":" in name else name
        if port != (443 if secure else 80):
            authority += f":{port}"
        page, websocket = ("https", "wss") if secure else ("http", "ws")
        local = all(TcpAddress(*endpoint).is_loopback for endpoint in endpoints)
        reach = Reach.THIS_COMPUTER if local else Reach.NETWORK
        return cls(f"{page}://{authority}/", f"{websocket}://{authority}/", "", reach)


@lru_cache(maxsize=64)  # every snapshot asks, and it looks at the disk
def _viewer_path(root: str, protocol: str) -> str:
    return viewer_path(root, protocol)


def _path(name: str | bytes) -> str:
    """Return a unix socket's name; one that is no file (Linux's abstract ones) as systemd writes it."""
    return name if isinstance(name, str) else "@" + name[1:].decode("utf-8", "backslashreplace")


def reach_of(address: TcpAddress | UnixAddress | InheritedAddress) -> Reach:
    """Return who could reach an address that is not listened on; for an inherited one the widest is assumed."""
    if isinstance(address, UnixAddress):
        return Reach.SOCKET_FILE
    if isinstance(address, TcpAddress) and address.is_loopback:
        return Reach.THIS_COMPUTER
    return Reach.NETWORK
