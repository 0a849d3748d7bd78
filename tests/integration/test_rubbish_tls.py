"""Clients that speak rubbish instead of TLS, or leave: each is one line of the log, and nothing else is said."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import ssl
import struct
from pathlib import Path

import pytest

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.certificates import make_certificate

HEADER = b"\x16\x03\x01"


def client_hello() -> bytes:
    """What a client says first."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(to_client, to_server, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return to_server.read()


def say(port: int, data: bytes, *, reset: bool = False) -> None:
    """Say something and leave."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(data)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def distrust(port: int) -> None:
    """Come with TLS, but trust nobody."""
    with socket.create_connection(("127.0.0.1", port)) as sock, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")


def break_off_later(port: int, *, reset: bool) -> None:
    """Open a session, then break TLS: by a reset, or by rubbish in the middle of it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as secure:
        secure.sendall(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert secure.recv(12) == b"HTTP/1.1 101"
        with socket.socket(fileno=secure.detach()) as sock:
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                sock.sendall(b"\x17\x03\x03\x00\x20" + b"rubbish " * 4)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_each_leaves_one_line_and_no_trace(
    loop: str, run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path)
    write_profile(
        "lab",
        f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[tls]\ncertificate_file = "{certificate.certificate}"\n'
        f'key_file = "{certificate.key}"\n',
    )
    environment = {}
    if loop == "asyncio":
        (tmp_path / "without").mkdir()
        (tmp_path / "without" / "uvloop.py").write_text("raise ImportError\n")
        environment["PYTHONPATH"] = str(tmp_path / "without")
    process = await run_wsgui("--profile", "lab", env=environment)
    port = int((await process.address("lab")).rstrip("/").rpartition(":")[2])
    hello = client_hello()
    refused = 0
    for rubbish in (HEADER[:1], HEADER + b"\x02\x00", HEADER + b"\x00\x05hello", b"\x80\x2e\x01\x00\x02", hello[:99]):
        for reset in (False, True):
            await asyncio.to_thread(say, port, rubbish, reset=reset)
            refused += not reset  # a reset may come before the first byte was looked at
    await asyncio.to_thread(say, port, hello)
    await asyncio.to_thread(distrust, port)
    for reset in (False, True):
        await asyncio.to_thread(break_off_later, port, reset=reset)
    await process.logged("connection 2 .* ended")
    await process.logged("does not trust")
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0

    told = [line for line in process.err if " was refused: " in line]
    assert len(told) >= refused + 2
    one_line = re.compile(
        r"\S+ (info|warning) +lab: (starting|running|finishing|stopped|\S+ was refused: |connection \d )"
    )
    assert [line for line in process.err if not one_line.match(line)] == []
