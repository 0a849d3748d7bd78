"""Debian's redis-server on a free loopback port, which can be killed and started again where it was."""

from __future__ import annotations

import contextlib
import functools
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.certificates import Certificate
from tests.support.programs import end, need
from tests.support.waiting import DEADLINE_SECONDS, wait_until

_ATTEMPTS = 5


@dataclass
class RedisServer:
    """A Redis without persistence.

    Args:
        tls: Speak TLS only, with this certificate.
        options: Further arguments of redis-server, such as ``--requirepass``.
    """

    folder: Path
    options: tuple[str, ...] = ()
    tls: Certificate | None = None
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _login: list[tuple[bytes, ...]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, at the port it had before if it had one."""
        need("redis-server")
        for _ in range(1 if self.port else _ATTEMPTS):
            port = self.port or _free_port()
            process = self._process = subprocess.Popen(
                ["redis-server", *self._arguments(port)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self.folder,
            )
            wait_until("redis-server", functools.partial(self._begun, process, port))
            if process.poll() is None:
                self.port = port
                return
        raise AssertionError("redis-server did not start")

    def stop(self, *, kill: bool = False) -> None:
        """End it; `kill`: at once, as a crash would."""
        if self._process is not None:
            if kill:
                self._process.kill()
            end(self._process)
            self._process = None

    def log_in(self, password: str, user: str = "default") -> None:
        """Have `run` say this first."""
        self._login = [(b"AUTH", user.encode(), password.encode())]

    def run(self, *command: str | bytes, database: int = 0) -> bytes:
        """Have Redis carry out a command on a connection of its own; the string or the line it answers with."""
        words = tuple(word.encode() if isinstance(word, str) else word for word in command)
        commands = [*self._login, (b"SELECT", str(database).encode()), words]
        with self._connection(self.port) as client, client.makefile("rb") as answers:
            for each in commands:
                client.sendall(b"*%d\r\n" % len(each) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in each))
                answer = answers.readline().rstrip(b"\r\n")
                assert not answer.startswith(b"-"), answer.decode()
            if answer.startswith(b"$"):
                answer = answers.read(max(int(answer[1:]), 0))
        return answer

    def _arguments(self, port: int) -> list[str]:
        common = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "local"]
        if self.tls is None:
            return ["--port", str(port), *common, *self.options]
        files = ["--tls-cert-file", str(self.tls.certificate), "--tls-key-file", str(self.tls.key)]
        return [
            *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
            *("--tls-ca-cert-file", str(self.tls.certificate), *files, *common, *self.options),
        ]

    def _connection(self, port: int) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
        if self.tls is None:
            return client
        return self.tls.client_context().wrap_socket(client, server_hostname="127.0.0.1")

    def _begun(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Return whether it answers, or has ended because somebody else took the port."""
        if process.poll() is not None:
            return True
        with contextlib.suppress(OSError), self._connection(port) as client:
            client.sendall(b"PING\r\n")
            return client.recv(1) in (b"+", b"-")
        return False


@contextmanager
def redis_server(folder: Path, *options: str, tls: Certificate | None = None) -> Iterator[RedisServer]:
    """Run a Redis; `options` are further arguments of redis-server."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder, options, tls)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
