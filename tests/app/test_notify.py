"""sd_notify over a real datagram socket, and descriptors handed over as systemd does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgui.app.notify import Notifier, take_inherited


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(5)
        yield receiver


def test_states_reach_the_manager_and_the_variable_is_taken(manager: socket.socket, tmp_path: Path) -> None:
    manager.bind(str(tmp_path / "notify"))
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PATH": "/bin"}

    notifier = Notifier(environment)
    notifier.ready("Running\nDemo")
    notifier.reloading()
    notifier.stopping()

    assert environment == {"PATH": "/bin"}
    assert manager.recv(4096) == b"READY=1\nSTATUS=Running Demo"
    assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert manager.recv(4096) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_works_too(manager: socket.socket) -> None:
    manager.bind(f"\0wsgui-test-{os.getpid()}")

    Notifier({"NOTIFY_SOCKET": f"@wsgui-test-{os.getpid()}"}).ready()

    assert manager.recv(4096) == b"READY=1"


def test_without_a_manager_nothing_happens() -> None:
    assert not Notifier({}).wanted
    Notifier({}).ready()


def test_a_manager_that_is_gone_harms_nobody(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_a_manager_that_reads_nothing_does_not_hold_us_up(manager: socket.socket, tmp_path: Path) -> None:
    manager.bind(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})

    for _ in range(1000):
        notifier.status("x" * 1000)


HAND_OVER = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
environment = {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
os.execve(sys.executable, [sys.executable, "-c", '''
import os
from wsgui.app.notify import take_inherited
print(take_inherited(), os.get_inheritable(3), sorted(name for name in os.environ if name.startswith("LISTEN")))
'''], environment)
"""


def test_descriptors_for_this_process_are_taken_and_kept_from_children() -> None:
    done = subprocess.run([sys.executable, "-c", HAND_OVER], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "(3,) False []"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "one"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "²"},
        {"LISTEN_PID": str(os.getpid())},
    ],
)
def test_descriptors_for_somebody_else_are_left_alone_but_the_variables_go(environment: dict[str, str]) -> None:
    assert take_inherited(environment) == ()
    assert environment == {}
