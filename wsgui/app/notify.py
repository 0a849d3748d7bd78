"""What a service manager and wsgui tell each other: sd_notify(3) states, sd_listen_fds(3) descriptors."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

_log = logging.getLogger(__name__)
FIRST_DESCRIPTOR: Final = 3
"""SD_LISTEN_FDS_START."""
_MOST_INHERITED: Final = 1024


class Notifier:
    """Sends states to the service manager that asked for them; does nothing when none did.

    The variable is taken out of `environment`, so that no program started later can speak for this one.
    Source: sd_notify(3).
    """

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        address = given.pop("NOTIFY_SOCKET", "")
        self._address: str | None = None
        if address.startswith("/"):
            self._address = address
        elif address.startswith("@"):
            self._address = "\0" + address[1:]
        elif address:
            _log.warning("NOTIFY_SOCKET names no unix socket; the service manager is told nothing.")

    @property
    def wanted(self) -> bool:
        return self._address is not None

    def ready(self, status: str = "") -> None:
        self._send("READY=1", *_status(status))

    def reloading(self) -> None:
        # systemd wants the moment, to tell this reload's READY=1 from an earlier one.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> None:
        self._send("STOPPING=1", *_status(status))

    def status(self, status: str) -> None:
        self._send(*_status(status))

    def _send(self, *lines: str) -> None:
        if self._address is None or not lines:
            return
        message = "\n".join(lines).encode()
        # A manager that is gone or busy must not hold up a tunnel.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.connect(self._address)
            sender.send(message)


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def take_inherited(environment: MutableMapping[str, str] | None = None) -> tuple[int, ...]:
    """The descriptors that the service manager handed over for ``fd:N`` listeners, kept from children from now on.

    LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are taken out of `environment` (default: the process's).
    Source: sd_listen_fds(3).
    """
    given = os.environ if environment is None else environment
    process, count = given.pop("LISTEN_PID", ""), given.pop("LISTEN_FDS", "")
    given.pop("LISTEN_FDNAMES", None)
    given.pop("LISTEN_PIDFDID", None)
    if process != str(os.getpid()) or not count.isascii() or not count.isdigit():
        return ()
    found: list[int] = []
    for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + min(int(count), _MOST_INHERITED)):
        try:
            os.set_inheritable(descriptor, False)
        except OSError:
            _log.warning("LISTEN_FDS promises descriptor %d, but there is none.", descriptor)
            continue
        found.append(descriptor)
    return tuple(found)
