"""How a client of a port with a certificate speaks, told by its first byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificate, make_certificate
from tests.support.waiting import until
from wsgui.bridge.arrival import Arrival
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.transport_end import TransportEnd
from wsgui.certificates.port import PortContexts, Shown


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


class Door:
    """One client before an arrival, and what came of it."""

    def __init__(self, certificate: Certificate) -> None:
        self.client, self.sock = socket.socketpair()
        self.sock.setblocking(False)
        self.plain: list[socket.socket] = []
        self.secure: list[TransportEnd] = []
        self.failed: list[BaseException | None] = []
        self.arrival = Arrival(
            asyncio.get_running_loop(),
            ReadBuffer(),
            self.sock,
            PortContexts((Shown(certificate.server_context()),)),
            plain=self.plain.append,
            secure=self.secure.append,
            failed=self.failed.append,
        )

    @property
    def told(self) -> int:
        return len(self.plain) + len(self.secure) + len(self.failed)

    def close(self) -> None:
        self.client.close()
        for sock in self.plain:
            sock.close()
        for end in self.secure:
            end.close()


@pytest.fixture
async def door(certificate: Certificate) -> AsyncIterator[Door]:
    door = Door(certificate)
    yield door
    door.close()


@pytest.mark.parametrize("early", [True, False], ids=["there already", "later"])
async def test_a_client_that_speaks_plainly_is_handed_on_with_all_that_it_has_said(door: Door, early: bool) -> None:
    if early:
        door.client.send(b"GET / HTTP/1.1\r\n")
        door.arrival.begin()
    else:
        door.arrival.begin()
        assert door.told == 0
        door.client.send(b"GET / HTTP/1.1\r\n")
    await until("it is handed on", lambda: door.plain)
    assert door.plain[0].recv(100) == b"GET / HTTP/1.1\r\n"
    assert door.told == 1


async def test_a_client_that_speaks_tls_is_handed_on_encrypted(door: Door, certificate: Certificate) -> None:
    door.arrival.begin()
    assert not door.arrival.is_encrypting
    opening = asyncio.ensure_future(
        asyncio.open_connection(sock=door.client, ssl=certificate.client_context(), server_hostname="localhost")
    )
    await until("TLS has begun", lambda: door.arrival.is_encrypting or door.secure)
    _, writer = await opening
    await until("TLS stands", lambda: door.secure)
    assert not door.arrival.is_encrypting
    assert door.told == 1
    writer.transport.abort()


async def test_a_client_that_leaves_without_a_word_has_no_fault(door: Door) -> None:
    door.arrival.begin()
    door.client.close()
    await until("it is told", lambda: door.told)
    assert door.failed == [None]
    assert door.sock.fileno() == -1


async def test_what_is_no_tls_after_all_is_told_with_why(door: Door) -> None:
    door.client.send(b"\x16\x03\x01\x00\x05hello")
    door.arrival.begin()
    await until("it is told", lambda: door.told)
    assert isinstance(door.failed[0], ssl.SSLError)
    assert door.told == 1


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00"])
@pytest.mark.parametrize("turns", [0, 1, 20])
async def test_when_it_is_given_up_nobody_is_told_and_the_socket_is_closed(door: Door, said: bytes, turns: int) -> None:
    if said:
        door.client.send(said)
    door.arrival.begin()
    for _ in range(turns):
        await asyncio.sleep(0)
    door.arrival.close()
    door.client.setblocking(False)

    def ended() -> bool:
        try:
            return door.client.recv(100) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    await until("it is closed", ended)
    assert door.told == 0


async def test_a_client_that_resets_is_gone(certificate: Certificate) -> None:
    door = Door(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    accepted.setblocking(False)
    door.arrival._sock = accepted
    door.sock.close()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    door.arrival.begin()
    await until("it is told", lambda: door.told)
    assert door.failed == [None]
    door.close()
