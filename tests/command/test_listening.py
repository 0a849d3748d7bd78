"""wsgui/command/listening.py and free_port.py: whose socket it is, and where it is reached."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wsgui.command import listening
from wsgui.command.free_port import free_port
from wsgui.command.listening import Family, Listening, listening_on, ports_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="owners are told on Linux")

LISTEN = """
import socket, sys
family, host, port = sys.argv[1:]
sock = socket.socket(getattr(socket, family))
sock.bind((host, int(port))); sock.listen(); print("ready", flush=True); sys.stdin.read()
"""


@contextmanager
def listener(family: str, host: str, port: int, **variables: str) -> Iterator[int]:
    """A program in a session of its own that listens; its process."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, family, host, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **variables},
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdin is not None
        assert program.stdout.readline() == b"ready\n"
        yield program.pid
        program.stdin.close()


@pytest.mark.parametrize(
    ("family", "bound", "reached"),
    [
        ("AF_INET", "127.0.0.1", "127.0.0.1"),
        ("AF_INET", "0.0.0.0", "127.0.0.1"),
        ("AF_INET6", "::1", "::1"),
        ("AF_INET6", "::", "::1"),
        ("AF_INET6", "::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_program_s_socket_is_found_and_reached_in_its_family(family: str, bound: str, reached: str) -> None:
    port = free_port()
    with listener(family, bound, port) as pid:
        found = listening_on(port, Family(pid, "X=1"))

    assert found == (Listening(reached, bound.removeprefix("::ffff:"), port, pid), "")
    assert found[0] is not None
    assert found[0].is_everywhere == (bound in ("0.0.0.0", "::"))


def test_another_program_on_the_port_is_told_by_its_name() -> None:
    port = free_port()
    with listener("AF_INET", "127.0.0.1", port) as stranger:
        found = listening_on(port, Family(os.getpid(), "X=1"))

    assert found[0] is None
    assert found[1].endswith(f"(process {stranger})")


def test_the_program_s_own_socket_counts_though_another_program_has_the_port_in_the_other_family() -> None:
    port = free_port()
    with listener("AF_INET", "127.0.0.1", port), listener("AF_INET6", "::1", port) as own:
        found, stranger = listening_on(port, Family(own, "X=1"))

    assert found is not None
    assert (found.host, stranger) == ("::1", "")


def test_a_process_that_has_left_the_session_is_known_by_its_mark() -> None:
    port = free_port()
    with listener("AF_INET", "127.0.0.1", port, REBIND_NEW_PORT=str(port)) as pid:
        marked = listening_on(port, Family(2**22, f"REBIND_NEW_PORT={port}"))
        family = Family(2**22, f"REBIND_NEW_PORT={port}").members()

    assert marked[0] is not None
    assert marked[0].pid == pid
    assert family == (pid,)


def test_nobody_on_the_port_is_nobody() -> None:
    assert listening_on(free_port(), Family(os.getpid(), "X=1")) == (None, "")


def test_the_ports_of_a_program_are_told() -> None:
    port = free_port()
    with listener("AF_INET6", "::", port) as pid:
        assert ports_of(Family(pid, "X=1")) == (port,)


def test_a_member_that_lets_nobody_look_is_taken_by_the_socket_s_user(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with listener("AF_INET", "127.0.0.1", port) as pid:
        monkeypatch.setattr(listening, "holders_of", lambda inodes, among=None: {})
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        own = listening_on(port, Family(pid, "X=1"))
        monkeypatch.setattr(listening, "group_and_session", lambda pid: None)
        stranger = listening_on(port, Family(pid, "X=1"))

    assert own == (Listening("127.0.0.1", "127.0.0.1", port, None), "")
    assert stranger == (None, "another program")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_where_owners_are_not_told_a_port_in_use_is_taken_for_the_program_s(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "can_tell_owners", lambda: False)
    port = free_port()

    assert listening_on(port, Family(1, "X=1")) == (None, "")
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
        assert listening_on(port, Family(1, "X=1")) == (Listening(host, host, port, None), "")


def test_a_free_port_lies_above_those_that_the_system_gives_to_outgoing_connections() -> None:
    highest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])

    if 65535 - highest >= 1000:
        assert all(highest < free_port() <= 65535 for _ in range(50))


def test_a_free_port_is_free_in_both_families_and_not_the_one_to_avoid(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = [free_port(), free_port(), free_port(), free_port()]
    monkeypatch.setattr("wsgui.command.free_port._candidates", lambda: iter(taken))

    with socket.create_server(("127.0.0.1", taken[0])), socket.create_server(("::1", taken[1]), family=socket.AF_INET6):
        assert free_port(avoid=taken[2]) == taken[3]


def test_no_free_port_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsgui.command.free_port._candidates", lambda: iter(()))

    with pytest.raises(Exception, match="no free port"):
        free_port()
