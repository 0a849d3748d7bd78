"""Started as inetd starts a "wait" service: the listening socket on all three standard descriptors."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

SERVES = """
import os, socket, sys
from wsgui.cli.inetd import take_listener

number = take_listener()
print("nobody hears this", flush=True)
print("nor this", file=sys.stderr, flush=True)
with socket.socket(fileno=number) as listener:
    peer, _ = listener.accept()
    said = " ".join([str(number > 2), str(os.get_inheritable(number)), str(sys.stdin.read() == "")])
    peer.sendall(said.encode())
    peer.close()
"""


def test_the_socket_is_taken_and_the_standard_streams_are_usable() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with subprocess.Popen(
            [sys.executable, "-c", SERVES], stdin=listener, stdout=listener, stderr=listener
        ) as process:
            with socket.create_connection(listener.getsockname(), 30) as client, client.makefile() as answer:
                assert answer.read() == "True False True"
            assert process.wait(30) == 0


def test_output_that_leads_elsewhere_is_left_alone() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        program = "from wsgui.cli.inetd import take_listener\nprint(take_listener() > 2)"
        done = subprocess.run([sys.executable, "-c", program], stdin=listener, capture_output=True, timeout=60)

    assert done.stdout == b"True\n"


@pytest.mark.parametrize("kind", ["file", "connection", "nothing"])
def test_a_stdin_that_is_no_listener_is_said(tmp_path: Path, kind: str) -> None:
    program = (
        "import sys\nfrom wsgui.cli.inetd import take_listener\nfrom wsgui.errors import UsageError\n"
        "try: take_listener()\nexcept UsageError as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    ours, theirs = socket.socketpair()
    with ours, theirs, (tmp_path / "file").open("w+") as file:
        if kind == "nothing":
            command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
        stdin = {"file": file, "connection": theirs, "nothing": None}[kind]
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=60)

    assert done.stdout.startswith("--inetd was given, but stdin is no listening socket.")
