"""Who listens on a port, as far as the system tells."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wsgui.bridge.port_owner import PortOwner, port_owner

LISTEN = """
import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
sock.bind((sys.argv[1], 0))
sock.listen()
open("/proc/self/comm", "w").write(sys.argv[2])
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listening_program(host: str, name: str) -> Iterator[tuple[int, int]]:
    """A program that listens; its pid and port."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, host, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.stdin.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_another_program_is_named_whatever_address_it_listens_on(host: str) -> None:
    with listening_program(host, "viewer") as (pid, port):
        assert port_owner(port) == PortOwner("viewer", pid)


def test_a_program_s_name_is_made_safe_to_show() -> None:
    with listening_program("127.0.0.1", "a\x1b[31m") as (pid, port):
        assert port_owner(port) == PortOwner("a\\x1b[31m", pid)


def test_a_free_port_has_no_owner() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert port_owner(sock.getsockname()[1]) is None


def test_a_connection_from_a_port_does_not_own_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert port_owner(client.getsockname()[1]) is None
        owner = port_owner(server.getsockname()[1])
        assert owner is not None
        assert owner.pid == os.getpid()


def test_where_the_system_does_not_tell_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> str:
        raise FileNotFoundError

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(Path, "read_text", nothing)
        assert port_owner(server.getsockname()[1]) is None


def test_another_user_s_program_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.listdir

    def forbidden(path: object) -> list[str]:
        if str(path).endswith("/fd"):
            raise PermissionError
        return real(str(path))

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(os, "listdir", forbidden)
        assert port_owner(server.getsockname()[1]) is None
