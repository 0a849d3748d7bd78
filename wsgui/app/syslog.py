"""Syslog: log lines as datagrams to a unix socket or a UDP port, in RFC 5424's form or the old BSD one."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from wsgui.app.background_writer import BackgroundWriter
from wsgui.display import display
from wsgui.errors import UsageError

Facility = Literal["user", "daemon"]
FACILITIES: Final[dict[Facility, int]] = {"user": 1, "daemon": 3}
"""RFC 5424, table 1."""

MAX_BYTES: Final = 2048
"""What every receiver should take (RFC 5424, 6.1)."""
MAX_LEGACY_BYTES: Final = 1024
"""What a packet may have at most (RFC 3164, 4.1)."""
_MAX_HOST_CHARACTERS: Final = 255
_MAX_NAME_CHARACTERS: Final = 24
"""RFC 5424 allows 48, but older daemons do not."""
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7
_BOM: Final = "\ufeff"
_NOT_IN_HEADER: Final = re.compile(r"[^!-~]")

_SEND_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 5.0
"""How long a line waits for a daemon that is being restarted; after that each has one attempt."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    """Where syslog is: a unix socket at `path`, or UDP `port` of `host`."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> SyslogAddress:
        """Return the address that `text` says: ``host:port`` (split at its last colon), else the path of a socket.

        A relative path is taken from the working directory of now.

        Raises:
            UsageError: It is neither.
        """
        hint = "Write the path of its socket, such as /dev/log, or host:port, such as loghost:514."
        if not text or "\0" in text:
            raise UsageError("No syslog server is named.", hint)
        if ":" not in text or text.startswith(("/", "./", "../")):
            if not hasattr(socket, "AF_UNIX"):
                raise UsageError("This system has no unix sockets.", "Name the syslog server as host:port.")
            return cls(path=os.path.abspath(text))
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not port.isascii() or not port.isdigit() or len(port) > 5 or not 1 <= int(port) <= 65535:
            raise UsageError(f'"{display(port)}" is not the port of a syslog server.', hint)
        return cls(host=host or "localhost", port=int(port))


class Syslog:
    """A LogSink: frames lines at once and sends them from a thread; nothing ever waits for the daemon.

    A daemon that is away or restarted gets the lines once it is back; those that waited too long are counted and
    that is said, to it and (through the logging module) wherever else the program logs.

    Args:
        address: Where to.
        facility: What kind of program this is.
        name: What the lines begin with in the daemon's files.
        legacy: The BSD form, ``<pri>name[pid]: text``, which local daemons complete themselves.
    """

    def __init__(
        self, address: SyslogAddress, *, facility: Facility = "user", name: str = "wsgui", legacy: bool = False
    ) -> None:
        self._facility = FACILITIES[facility]
        self._name = _NOT_IN_HEADER.sub("", name)[:_MAX_NAME_CHARACTERS] or "-"
        self._host = _NOT_IN_HEADER.sub("", socket.gethostname())[:_MAX_HOST_CHARACTERS] or "-"
        self._pid = os.getpid()
        self._legacy = legacy
        self._sender = _Sender(address, self._lost)
        self._writer = BackgroundWriter(self._sender, self._left_out)

    def put(self, moment: float, level: int, message: str) -> None:
        """Take one line; see LogSink."""
        self._writer.put(self._frame(moment, level, message))

    def close(self) -> None:
        """Send what waits, for at most two seconds."""
        self._sender.hurry()
        self._writer.close()
        self._sender.close()

    def _frame(self, moment: float, level: int, message: str) -> str:
        message = display(message, limit=MAX_BYTES)
        severity = next((number for least, number in _SEVERITIES if level >= least), _DEBUG)
        priority = f"<{self._facility * 8 + severity}>"
        if self._legacy:
            head = f"{priority}{self._name}[{self._pid}]: "
            longest = MAX_LEGACY_BYTES
        else:
            when = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            head = f"{priority}1 {when} {self._host} {self._name} {self._pid} - - "
            longest = MAX_BYTES
            if not message.isascii():
                head += _BOM
        text = head + message
        data = text.encode("utf-8", "backslashreplace")
        return text if len(data) <= longest else data[: longest - 3].decode("utf-8", "ignore") + "..."

    def _lost(self, count: int) -> str:
        lines = "1 line was" if count == 1 else f"{count} lines were"
        return self._frame(time.time(), logging.WARNING, f"{lines} lost here, as syslog could not be reached.")

    def _left_out(self, count: int) -> str:
        message = f"{count} lines were left out here, as too much happened at once."
        return self._frame(time.time(), logging.WARNING, message)


class _Sender(io.TextIOBase):
    """The stream below the BackgroundWriter, used by its thread alone: each line becomes one message."""

    def __init__(self, address: SyslogAddress, lost_line: Callable[[int], str]) -> None:
        self._address = address
        self._lost_line = lost_line
        self._sock: socket.socket | None = None
        self._datagrams = True
        self._away = False
        self._lost = 0
        self._hurry = threading.Event()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for line in text.split("\n"):
            if line:
                self._deliver(line.encode("utf-8", "backslashreplace"))
        return len(text)

    def hurry(self) -> None:
        """Wait for nothing any more; from any thread."""
        self._hurry.set()

    def _deliver(self, message: bytes) -> None:
        patience = 0.0 if self._away else _PATIENCE_SECONDS
        deadline = time.monotonic() + patience
        while (problem := self._attempt(message)) is not None:
            if problem.errno == errno.EMSGSIZE:
                self._lost += 1
                return
            if time.monotonic() >= deadline or self._hurry.is_set():
                self._lost += 1
                self._say_away(problem)
                return
            self._hurry.wait(_AGAIN_SECONDS)
        self._away = False

    def _attempt(self, message: bytes) -> OSError | None:
        """Send one message; a connection that has broken, as by a restart of the daemon, is made anew once."""
        problem: OSError | None = None
        for _ in range(2):
            try:
                sock = self._sock or self._connect()
                self._sock = sock
                if self._lost:
                    self._send(sock, self._lost_line(self._lost).encode())
                    self._lost = 0
                self._send(sock, message)
            except OSError as error:
                problem = error
                self._drop()
            else:
                return None
        return problem

    def _send(self, sock: socket.socket, message: bytes) -> None:
        if self._datagrams:
            sock.send(message)
        else:
            sock.sendall(message + b"\n")

    def _connect(self) -> socket.socket:
        address = self._address
        if address.path:
            try:
                return self._connected(socket.AF_UNIX, socket.SOCK_DGRAM, address.path)
            except OSError as error:
                if error.errno != errno.EPROTOTYPE:
                    raise
                return self._connected(socket.AF_UNIX, socket.SOCK_STREAM, address.path)
        problem: OSError | None = None
        for family, kind, _, _, place in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM):
            try:
                return self._connected(family, kind, place)
            except OSError as error:
                problem = error
        raise problem or OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    def _connected(self, family: int, kind: int, place: object) -> socket.socket:
        sock = socket.socket(family, kind)
        try:
            sock.settimeout(_SEND_SECONDS)
            sock.connect(place)  # type: ignore[arg-type]  # what getaddrinfo says, or a path
        except BaseException:
            sock.close()
            raise
        self._datagrams = kind == socket.SOCK_DGRAM
        return sock

    def _drop(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _say_away(self, problem: OSError) -> None:
        if not self._away:
            self._away = True
            _log.warning(
                "Syslog at %s cannot be reached: %s. Start it, or name another one with --syslog.",
                self._address,
                problem.strerror or problem,
            )

    def close(self) -> None:
        """Close the connection."""
        self._drop()
        super().close()
