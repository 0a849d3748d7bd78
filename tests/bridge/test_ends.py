"""The two kinds of end over real sockets: what is sent arrives, endings are told once, nothing stays open."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiofastnet
import pytest

from tests.support.certificates import make_certificate
from tests.support.waiting import until
from wsgui.bridge import ends
from wsgui.bridge.buffer import START, ReadBuffer
from wsgui.bridge.ends import SocketEnd
from wsgui.bridge.transport_end import TransportEnd

MIB = 1 << 20


class Pair:
    """An end, and the blocking socket on its other side; what the end told."""

    def __init__(self, ours: socket.socket, peer: socket.socket) -> None:
        self.buffer = ReadBuffer(64 * 1024)
        self.peer = peer
        ours.setblocking(False)
        self.end = SocketEnd(asyncio.get_running_loop(), ours, self.buffer)
        self.told: list[str] = []
        self.data = b""
        self.end.on_data = self._data
        self.end.on_end = lambda error: self.told.append(f"end {type(error).__name__}" if error else "end")
        self.end.on_drained = lambda: self.told.append("drained")

    def _data(self, stop: int) -> None:
        self.data += bytes(self.buffer.view[START:stop])

    def on_closed(self) -> None:
        self.told.append("closed")

    async def received(self) -> bytes:
        """All that the peer gets until the end of the stream."""
        return await asyncio.to_thread(lambda: b"".join(iter(lambda: self.peer.recv(MIB), b"")))

    def reset(self) -> None:
        """Let the peer break off, by a TCP reset."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    for sock in (ours, peer):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, peer


@pytest.fixture(params=["tcp", "unix"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    ours, peer = tcp_pair() if request.param == "tcp" else socket.socketpair()
    peer.settimeout(20)
    made = Pair(ours, peer)
    yield made
    made.end.close()
    peer.close()


@pytest.fixture
async def tcp() -> AsyncIterator[Pair]:
    made = Pair(*tcp_pair())
    made.peer.settimeout(20)
    yield made
    made.end.close()
    made.peer.close()


# Reading


async def test_nothing_is_read_before_it_is_asked_for(pair: Pair) -> None:
    pair.peer.sendall(b"hello")
    await asyncio.sleep(0.02)
    assert pair.data == b""
    pair.end.resume()
    await until("hello", lambda: pair.data == b"hello")


async def test_a_pause_holds_the_peer_back(pair: Pair) -> None:
    pair.end.resume()
    pair.end.pause()
    pair.end.pause()
    pair.peer.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            pair.peer.send(bytes(MIB))
    await asyncio.sleep(0.02)
    assert pair.data == b""


async def test_what_is_there_already_can_be_read_at_once(pair: Pair) -> None:
    pair.end.read_now()
    assert pair.data == b""
    pair.peer.sendall(b"hello")
    pair.end.read_now()
    assert pair.data == b"hello"


async def test_the_peer_s_end_is_told_once_after_its_last_bytes(pair: Pair) -> None:
    pair.peer.sendall(b"bye")
    pair.peer.shutdown(socket.SHUT_WR)
    pair.end.resume()
    await until("the end", lambda: pair.told)
    await asyncio.sleep(0.02)
    assert (pair.data, pair.told) == (b"bye", ["end"])
    assert not pair.end.closed


async def test_a_reset_is_told_as_what_it_is(tcp: Pair) -> None:
    tcp.end.resume()
    tcp.reset()
    await until("the end", lambda: tcp.told)
    assert tcp.told == ["end ConnectionResetError"]


async def test_a_probe_finds_a_reset_that_nobody_told(tcp: Pair) -> None:
    tcp.end.resume()
    tcp.reset()
    tcp.end.probe()
    assert tcp.told == ["end ConnectionResetError"]


async def test_a_probe_of_an_end_that_does_not_read_tells_nothing(tcp: Pair) -> None:
    tcp.reset()
    tcp.end.probe()
    assert tcp.told == []


async def test_a_probe_of_a_client_tells_its_reset_even_if_it_is_not_read(tcp: Pair) -> None:
    tcp.reset()
    tcp.end.probe(even_paused=True)
    assert tcp.told == ["end ConnectionResetError"]


async def test_a_fault_of_our_own_costs_the_connection_and_is_told(tcp: Pair) -> None:
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context["exception"])))

    def fail(_end: int) -> None:
        raise ZeroDivisionError("ours")

    tcp.end.on_data = fail
    tcp.end.resume()
    tcp.peer.send(b"x")
    async with asyncio.timeout(20):
        while not tcp.end.closed:
            await asyncio.sleep(0)
    assert faults == ["ours"]
    assert tcp.told == ["end OSError"]


# Sending


async def test_what_fits_is_sent_at_once(pair: Pair) -> None:
    assert pair.end.send(b"hello")
    assert pair.end.pending == 0
    assert pair.peer.recv(100) == b"hello"
    assert pair.told == []


async def test_what_does_not_fit_waits_and_all_of_it_arrives_in_order(pair: Pair) -> None:
    pieces = [bytes((n,)) * MIB for n in range(8)]
    results = [pair.end.send(piece) for piece in pieces]
    assert results[-1] is False
    assert pair.end.pending > 0
    pair.end.finish()
    assert await pair.received() == b"".join(pieces)
    assert pair.end.pending == 0
    assert pair.told == ["drained"]


async def test_what_was_given_may_be_overwritten_at_once(pair: Pair) -> None:
    data = bytearray(b"x" * (8 * MIB))
    pair.end.send(memoryview(data))
    data[:] = b"y" * len(data)
    pair.end.finish()
    assert await pair.received() == b"x" * len(data)


async def test_a_peer_that_is_gone_takes_nothing_and_its_end_is_told_by_reading(tcp: Pair) -> None:
    tcp.end.resume()
    tcp.end.pause()
    tcp.reset()
    assert not tcp.end.send(b"x")
    assert not tcp.end.send(b"y")
    tcp.end.resume()
    await until("the end", lambda: tcp.told)
    assert tcp.told[0].startswith("end")


async def test_a_peer_that_goes_while_bytes_wait_ends_the_waiting(tcp: Pair) -> None:
    assert not tcp.end.send(bytes(8 * MIB))
    tcp.end.resume()
    tcp.reset()
    await until("the end", lambda: any(word.startswith("end") for word in tcp.told))
    tcp.end.close()
    assert tcp.end.pending == 0


# Ending


async def test_finish_lets_the_peer_still_speak(pair: Pair) -> None:
    pair.end.resume()
    pair.end.finish()
    pair.end.finish()
    assert pair.peer.recv(10) == b""
    pair.peer.sendall(b"still here")
    await until("its words", lambda: pair.data == b"still here")


async def test_close_tells_nothing_any_more(pair: Pair) -> None:
    pair.end.resume()
    pair.end.send(bytes(8 * MIB))
    pair.peer.sendall(b"late")
    pair.end.close()
    pair.end.close()
    await asyncio.sleep(0.02)
    assert pair.told == []
    assert pair.data == b""
    assert pair.end.closed
    assert pair.end.pending == 0
    assert pair.end.sock.fileno() == -1


async def test_after_close_nothing_does_harm(pair: Pair) -> None:
    pair.end.close()
    pair.end.resume()
    pair.end.pause()
    pair.end.probe()
    pair.end.finish()
    pair.end.linger(pair.on_closed)
    assert pair.told == ["closed"]


async def test_an_end_may_be_closed_by_what_it_tells(pair: Pair) -> None:
    pair.end.on_data = lambda _: pair.end.close()
    pair.end.resume()
    pair.peer.sendall(b"x")
    await until("it closed", lambda: pair.end.closed)


async def test_lingering_closes_once_the_peer_has(pair: Pair) -> None:
    pair.end.send(b"bye")
    pair.end.linger(pair.on_closed)
    assert await pair.received() == b"bye"
    assert not pair.end.closed
    pair.peer.close()
    await until("closed", lambda: pair.told)
    assert pair.told == ["closed"]


async def test_lingering_drops_what_still_comes_so_that_no_reset_destroys_the_last_words(tcp: Pair) -> None:
    tcp.end.send(b"last words")
    tcp.end.linger(tcp.on_closed)
    await asyncio.to_thread(tcp.peer.sendall, bytes(4 * MIB))
    assert await tcp.received() == b"last words"
    assert tcp.data == b""
    tcp.peer.close()
    await until("closed", lambda: tcp.told)


async def test_lingering_flushes_first(pair: Pair) -> None:
    pair.end.send(b"x" * (8 * MIB))
    pair.end.linger(pair.on_closed)
    assert len(await pair.received()) == 8 * MIB
    pair.peer.close()
    await until("closed", lambda: pair.told)
    assert pair.told == ["closed"]


async def test_lingering_flushes_also_to_who_has_said_all(pair: Pair) -> None:
    pair.end.send(b"x" * (8 * MIB))
    pair.end.linger(pair.on_closed)
    pair.peer.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.02)
    assert len(await pair.received()) == 8 * MIB


async def test_lingering_has_an_end_with_a_peer_that_never_closes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LINGER_SECONDS", 0.05)
    pair.end.linger(pair.on_closed)
    await until("closed", lambda: pair.told)
    assert pair.end.closed


async def test_that_end_counts_from_when_all_was_taken(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LINGER_SECONDS", 0.03)
    pair.end.send(b"x" * (8 * MIB))
    pair.end.linger(pair.on_closed)
    await asyncio.sleep(0.08)
    assert not pair.end.closed
    assert len(await pair.received()) == 8 * MIB
    await until("closed", lambda: pair.told)


async def test_lingering_with_a_peer_that_is_done_closes_at_once(pair: Pair) -> None:
    pair.end.send(b"bye")
    pair.end.linger(pair.on_closed, peer_is_done=True)
    assert pair.told == ["closed"]
    assert await pair.received() == b"bye"


async def test_lingering_with_a_peer_that_resets_closes(tcp: Pair) -> None:
    tcp.end.send(bytes(8 * MIB))
    tcp.end.linger(tcp.on_closed)
    tcp.reset()
    await until("closed", lambda: tcp.told)
    assert tcp.told == ["closed"]


async def test_an_end_that_has_finished_can_still_linger(pair: Pair) -> None:
    pair.end.finish()
    pair.end.linger(pair.on_closed)
    pair.peer.close()
    await until("closed", lambda: pair.told)


async def test_lingering_after_the_peer_s_end_was_told_closes_soon(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LINGER_SECONDS", 0.05)
    pair.end.resume()
    pair.peer.shutdown(socket.SHUT_WR)
    await until("the end", lambda: pair.told)
    pair.end.linger(pair.on_closed)
    await until("closed", lambda: "closed" in pair.told)


# TLS: the same promises by a transport


class TlsPair:
    """A TLS end, and an asyncio client on its other side."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data = b""
        self.end: TransportEnd
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    def on_closed(self) -> None:
        self.told.append("closed")

    async def made(self, folder: Path) -> None:
        certificate = make_certificate(folder)
        loop, buffer = asyncio.get_running_loop(), ReadBuffer()
        ours, theirs = tcp_pair()
        ours.setblocking(False)

        def on_made(end: TransportEnd) -> None:
            self.end = end
            end.on_data = lambda stop: setattr(self, "data", self.data + bytes(buffer.view[START:stop]))
            end.on_end = lambda error: self.told.append("end")
            end.on_drained = lambda: self.told.append("drained")

        accepting = aiofastnet.connect_accepted_socket(
            loop, lambda: TransportEnd(loop, on_made, buffer), ours, ssl=certificate.server_context()
        )
        connecting = asyncio.open_connection(
            sock=theirs, ssl=certificate.client_context(), server_hostname="localhost", limit=MIB
        )
        _, (self.reader, self.writer) = await asyncio.gather(accepting, connecting)


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[TlsPair]:
    made = TlsPair()
    await made.made(tmp_path)
    yield made
    made.end.close()
    made.writer.transport.abort()
    await asyncio.sleep(0)


async def test_tls_nothing_is_read_before_it_is_asked_for(tls: TlsPair) -> None:
    tls.writer.write(b"hello")
    await asyncio.sleep(0.02)
    assert tls.data == b""
    tls.end.resume()
    await until("hello", lambda: tls.data == b"hello")


async def test_tls_what_does_not_fit_waits_and_arrives(tls: TlsPair) -> None:
    sent = [tls.end.send(bytes((n,)) * MIB) for n in range(16)]
    assert sent[-1] is False
    assert tls.end.pending > 0
    assert await tls.reader.readexactly(16 * MIB) == b"".join(bytes((n,)) * MIB for n in range(16))
    await until("drained", lambda: "drained" in tls.told)
    assert tls.end.pending == 0
    assert tls.end.send(b"more")


async def test_tls_the_peer_s_end_is_told(tls: TlsPair) -> None:
    tls.end.resume()
    tls.writer.close()
    await until("the end", lambda: "end" in tls.told)


async def test_tls_lingering_flushes_then_closes(tls: TlsPair) -> None:
    tls.end.send(b"x" * (8 * MIB))
    tls.end.linger(tls.on_closed)
    assert len(await tls.reader.read(-1)) == 8 * MIB
    tls.writer.close()
    await until("closed", lambda: "closed" in tls.told)
    assert tls.end.closed


async def test_tls_close_tells_nothing_any_more(tls: TlsPair) -> None:
    tls.end.resume()
    tls.end.send(bytes(8 * MIB))
    tls.end.close()
    tls.end.close()
    await asyncio.sleep(0.02)
    assert tls.told == []
    assert tls.end.closed
    assert tls.end.pending == 0
    tls.end.resume()
    tls.end.pause()
    tls.end.finish()
    tls.end.linger(tls.on_closed)
    assert tls.told == ["closed"]


async def test_tls_a_peer_that_breaks_off_is_told(tls: TlsPair) -> None:
    tls.end.resume()
    tls.writer.transport.abort()
    await until("the end", lambda: "end" in tls.told)
