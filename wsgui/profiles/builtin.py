"""The built-in profile: a demo that needs nothing else."""

from __future__ import annotations

import socket
import sys
from typing import Final

from wsgui.profiles.addresses import DEFAULT_LISTEN_HOST, MAX_PORT, DemoAddress, ListenAddress, TcpAddress
from wsgui.profiles.model import DEFAULT_PORT, Profile, Web

DEMO_NAME: Final = "Demo"


def demo_profile(listen: ListenAddress | None = None) -> Profile:
    """The demo: the target inside the program, and the page that shows it.

    Args:
        listen: Where; None is 127.0.0.1 on the first free port from 6080.
    """
    return Profile(
        name=DEMO_NAME,
        listen=first_free(DEFAULT_LISTEN_HOST, DEFAULT_PORT) if listen is None else listen,
        target=DemoAddress(),
        web=Web(root="demo"),
    )


def first_free(host: str, port: int) -> TcpAddress:
    """The first port from `port` on that nobody listens on at the IPv4 address `host`; `port` itself if all are taken.

    Another program may take it before it is listened on; whoever listens copes with that.
    """
    for candidate in range(port, MAX_PORT + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if sys.platform == "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Connections just ended do not count.
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return TcpAddress(host, candidate)
    return TcpAddress(host, port)
