"""One client before it is let in: TLS or plain, its deadline, its one answer, and files up to their last byte."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.certificates import Certificate, make_certificate
from tests.support.engines import NAME, Running, running
from tests.support.raw import RawClient, client_frame, tcp_target
from tests.support.waiting import until
from wsgui.bridge import answers
from wsgui.bridge import bridge as bridge_module
from wsgui.bridge.answers import serialize
from wsgui.bridge.tls_problem import tls_problem
from wsgui.engine.events import ClientRefused
from wsgui.profiles.model import Profile
from wsgui.web.files import FileServer
from wsgui.web.response import Response

MIB = 1 << 20
WEB_FOLDER = "served"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.02)


def tls(certificate: Certificate, **more: object) -> dict[str, object]:
    return {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)} | more


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / WEB_FOLDER
    folder.mkdir()
    (folder / "small.txt").write_text("hello\n")
    block = os.urandom(64 * 1024)
    (folder / "big.bin").write_bytes(block * (8 * MIB // len(block)))
    return folder


def descriptors() -> int:
    """How many sockets and web files this process has open."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            link = os.readlink(f"/proc/self/fd/{descriptor}")
            count += link.startswith("socket:") or f"/{WEB_FOLDER}/" in link
    return count


@asynccontextmanager
async def slow(tunnel: Running) -> AsyncIterator[RawClient]:
    """A client in front of which bytes pile up early: small buffers, and it reads when it likes."""
    port = int(tunnel.url.rstrip("/").rpartition(":")[2])
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    async with RawClient(reader, writer, f"127.0.0.1:{port}") as client:
        yield client


def get(client: RawClient, path: str = "/", *, method: str = "GET", host: str = "", more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host or client.host}\r\n{more}\r\n".encode("latin-1")


# The first byte


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("byte", [b"\x80", b"\xfe"])
async def test_a_later_piece_may_begin_with_any_byte(byte: bytes, secure: bool, certificate: Certificate) -> None:
    async with running(tls=tls(certificate) if secure else {}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(client.head()[:-2] + b"X-Name: ")
            await asyncio.sleep(0.02)
            client.send(byte + b"\r\n\r\n")
            assert (await client.answer()).status == 101


async def test_plain_and_encrypted_clients_share_a_port(certificate: Certificate) -> None:
    async with running(tls=tls(certificate)) as tunnel:
        async with await RawClient.connect(tunnel.url, tls=certificate.client_context()) as client:
            await client.upgrade()
            assert tunnel.now.connections[0].secure
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            assert not tunnel.now.connections[-1].secure


@pytest.mark.usefixtures("quick_clock")
async def test_a_client_that_says_nothing_is_let_go_also_where_tls_is_spoken(certificate: Certificate) -> None:
    async with running(tls=tls(certificate), limits={"handshake_seconds": 0.1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            assert await client.eof() == b""


@pytest.mark.usefixtures("quick_clock")
async def test_tls_that_never_ends_is_given_up(certificate: Certificate) -> None:
    async with running(tls=tls(certificate), limits={"handshake_seconds": 0.1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(b"\x16\x03\x01\x02\x00")
            await client.eof()
            refusal = (await tunnel.event(ClientRefused)).refusal
            assert (refusal.rule, refusal.message) == ("tls", "A client did not complete TLS in time.")


@pytest.mark.usefixtures("quick_clock")
async def test_without_a_deadline_tls_has_none_either(certificate: Certificate) -> None:
    async with running(tls=tls(certificate), limits={"handshake_seconds": 0}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(b"\x16\x03\x01\x02\x00")
            await asyncio.sleep(0.08)
            assert not client.reader.at_eof()
            assert tunnel.now.refused == 0


async def test_clients_that_leave_during_tls_leave_no_descriptor_behind(certificate: Certificate) -> None:
    async with running(tls=tls(certificate)) as tunnel:
        before = descriptors()
        for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00", b"\x16\x03\x01\x00\x05rubbi", b"\x80"):
            for _ in range(4):
                async with await RawClient.connect(tunnel.url) as client:
                    client.send(sent)
                    await asyncio.sleep(0)
        await until("all given back", lambda: descriptors() <= before)
        async with await RawClient.connect(tunnel.url, tls=certificate.client_context()) as client:
            await client.upgrade()


async def test_a_client_that_says_goodbye_during_tls_is_told_and_forgotten(certificate: Certificate) -> None:
    async with running(tls=tls(certificate), limits={"handshake_seconds": 0}) as tunnel:
        told, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            certificate.client_context().wrap_bio(told, sent, server_hostname="localhost").do_handshake()
        async with await RawClient.connect(tunnel.url) as client:
            client.send(sent.read())
            await client.reader.readexactly(5)
            client.send(bytes((0x15, 3, 3, 0, 2, 1, 0)))  # an alert: warning, close_notify
            refusal = (await tunnel.event(ClientRefused)).refusal
            assert refusal.rule == "tls"


async def test_stopping_during_tls_leaves_no_descriptor_behind(certificate: Certificate) -> None:
    async with running(tls=tls(certificate)) as tunnel:
        before = descriptors()
        clients = [await RawClient.connect(tunnel.url) for _ in range(5)]
        for client in clients:
            client.send(b"\x16\x03\x01\x02\x00")
        await tunnel.engine.stop(NAME)
        for client in clients:
            with contextlib.suppress(ConnectionResetError):
                assert await client.eof() == b""
            client.writer.close()
        await until("all given back", lambda: descriptors() < before)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TimeoutError(), "in time"),
        (ConnectionResetError(), "broke off"),
    ],
)
def test_a_tls_failure_has_words(error: BaseException, says: str) -> None:
    message, hint = tls_problem(error)
    assert says in message
    assert hint.endswith(".")


# One head, one answer


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, 300), max_size=6))
def test_any_split_of_an_upgrade_and_its_frames_is_the_same_session(cuts: list[int]) -> None:
    async def session() -> None:
        async with tcp_target() as port, running(target=f"127.0.0.1:{port}") as tunnel:
            async with await RawClient.connect(tunnel.url) as client:
                sent = client.head() + client_frame(2, b"early bird")
                edges = [0, *sorted({cut % len(sent) for cut in cuts}), len(sent)]
                for start, stop in pairwise(edges):
                    client.send(sent[start:stop])
                    await asyncio.sleep(0.001)
                assert (await client.answer()).status == 101
                assert await client.data(10) == b"early bird"

    asyncio.run(session())


@pytest.mark.parametrize(
    "field", ["Sec-WebSocket-Version: 7", "Origin: https://evil.example", "Content-Length: 30", "Host: evil.example"]
)
async def test_a_request_smuggled_behind_a_refused_upgrade_gets_no_answer(field: str) -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        name = field.partition(":")[0].lower()
        head = client.head(drop=(name,))[:-2] + field.encode() + b"\r\n\r\n"
        client.send(head + get(client) + client.head())
        answer = await client.answer(body=True)
        assert 400 <= answer.status < 500
        assert answer.fields["connection"] == "close"
        assert await client.eof() == b""
        assert tunnel.now.served == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_a_second_request_behind_a_plain_one_gets_no_answer(method: str) -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(get(client, method=method) + client.head())
        answer = await client.answer(body=method != "HEAD")
        assert answer.status == (200 if method in ("GET", "HEAD") else 405)
        assert answer.fields["connection"] == "close"
        assert await client.eof() == b""
        assert tunnel.now.served == 0


async def test_one_that_follows_the_answer_is_answered_too_also_a_websocket() -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        for _ in range(3):
            client.send(get(client))
            answer = await client.answer(body=True)
            assert answer.status == 200
            assert "connection" not in answer.fields
        await client.upgrade()
        assert tunnel.now.served == 1


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("1.0", ""),
        ("1.0", "Connection: keep-alive\r\n"),
        ("1.1", "Connection: close\r\n"),
        ("1.1", "Connection: Keep-Alive, Close\r\n"),
        ("1.1", "Upgrade: h2c\r\n"),
    ],
)
async def test_the_connection_ends_where_the_client_asks_for_it(version: str, more: str) -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(f"GET / HTTP/{version}\r\nHost: {client.host}\r\n{more}\r\n".encode())
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["connection"]) == (200, "close")
        assert await client.eof() == b""


@pytest.mark.parametrize("body", ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
async def test_a_request_with_a_body_is_the_last(body: str) -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: {client.host}\r\n{body}".encode())
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["connection"]) == (405, "close")
        assert await client.eof() == b""


@pytest.mark.parametrize(
    "head",
    [
        "HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
async def test_head_gets_no_body_also_when_it_is_refused(head: str) -> None:
    async with running() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(head.encode())
        answer = await client.answer()
        assert int(answer.fields["content-length"]) > 0
        client.writer.write_eof()
        assert await client.eof() == b""


async def test_a_client_that_leaves_amid_its_head_is_forgotten() -> None:
    async with running(limits={"connections": 1}) as tunnel:
        before = descriptors()
        async with await RawClient.connect(tunnel.url) as client:
            client.send(b"GET / HT")
            await asyncio.sleep(0)
        await until("it is forgotten", lambda: descriptors() <= before)
        assert tunnel.now.refused == 0


# Deadlines and encryption


@pytest.mark.usefixtures("quick_clock")
@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come_in_time_gets_408(sent: bytes) -> None:
    async with running(limits={"handshake_seconds": 0.1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(sent)
            answer = await client.answer(body=True)
            assert answer.status == 408
            assert answer.body.startswith(b"The request was not complete within 0.1 s.\n")
            assert await client.eof() == b""
            assert (await tunnel.event(ClientRefused)).refusal.status == 408


@pytest.mark.usefixtures("quick_clock")
async def test_a_drip_of_bytes_does_not_move_the_deadline() -> None:
    async with running(limits={"handshake_seconds": 0.1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:

            async def drip() -> None:
                client.send(b"GET / HTTP/1.1\r\nX: ")
                while True:
                    client.send(b"y")
                    await asyncio.sleep(0.01)

            dripping = asyncio.create_task(drip())
            try:
                assert (await client.answer()).status == 408
            finally:
                dripping.cancel()


@pytest.mark.usefixtures("quick_clock")
async def test_a_session_that_was_let_in_has_no_deadline() -> None:
    async with running(limits={"handshake_seconds": 0.05}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await asyncio.sleep(0.09)
            client.send(client_frame(9, b"x"))
            while (frame := await client.frame())[0] != 10:
                assert frame[0] in (2, 9)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", "/"),
        ("/a/b?c=d%20e", "/a/b?c=d%20e"),
        ("//evil.example/", "//evil.example/"),
        ("http://evil.example/", "/"),
        ("*", "/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_308_leads_to_the_same_host_and_path(
    method: str, target: str, location: str, certificate: Certificate
) -> None:
    async with running(tls=tls(certificate, only=True)) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(get(client, target, method=method))
            answer = await client.answer()
            assert (answer.status, answer.fields["location"]) == (308, f"https://{client.host}{location}")
            assert await client.eof() == b""
        assert tunnel.now.refused == 0


async def test_another_method_is_not_led_anywhere(certificate: Certificate) -> None:
    async with running(tls=tls(certificate, only=True)) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(get(client, method="POST", more="Content-Length: 0\r\n"))
            assert (await client.answer()).status == 403


async def test_a_foreign_host_is_refused_before_it_could_be_led_astray(certificate: Certificate) -> None:
    async with running(tls=tls(certificate, only=True)) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(get(client, host="evil.example"))
            answer = await client.answer()
            assert answer.status == 403
            assert "location" not in answer.fields


async def test_an_encrypted_client_is_let_in_where_only_those_are(certificate: Certificate) -> None:
    async with running(tls=tls(certificate, only=True)) as tunnel:
        async with await RawClient.connect(tunnel.url, tls=certificate.client_context()) as client:
            await client.upgrade()


# Files


async def test_a_file_comes_whole_and_another_on_the_same_connection(root: Path) -> None:
    async with running(web={"root": str(root)}) as tunnel, await RawClient.connect(tunnel.url) as client:
        for _ in range(3):
            client.send(get(client, "/small.txt"))
            answer = await client.answer(body=True)
            assert (answer.status, answer.body) == (200, b"hello\n")
            client.send(get(client, "/none.txt"))
            assert (await client.answer(body=True)).status == 404


async def test_head_of_a_file_has_its_length_and_no_body(root: Path) -> None:
    async with running(web={"root": str(root)}) as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(get(client, "/big.bin", method="HEAD"))
        answer = await client.answer()
        assert (answer.status, answer.fields["content-length"]) == (200, str(8 * MIB))
        client.send(get(client, "/small.txt"))
        assert (await client.answer(body=True)).body == b"hello\n"


@pytest.mark.parametrize("secure", [False, True])
async def test_a_big_file_comes_whole_to_a_slow_reader(secure: bool, root: Path, certificate: Certificate) -> None:
    async with running(web={"root": str(root)}, tls=tls(certificate) if secure else {}) as tunnel:
        context = certificate.client_context() if secure else None
        async with await RawClient.connect(tunnel.url, tls=context, limit=4096) as client:
            before = descriptors()
            client.send(get(client, "/big.bin", more="Connection: close\r\n"))
            assert (await client.answer()).status == 200
            data = bytearray()
            while piece := await client.reader.read(256 * 1024):
                data += piece
                await asyncio.sleep(0.001)
            assert data == (root / "big.bin").read_bytes()
        await until("the file closed", lambda: descriptors() <= before)


async def test_a_client_that_has_said_all_still_gets_its_big_file(root: Path) -> None:
    async with running(web={"root": str(root)}) as tunnel, slow(tunnel) as client:
        client.send(get(client, "/big.bin"))
        client.writer.write_eof()
        answer = await client.answer()
        assert len(await client.reader.readexactly(int(answer.fields["content-length"]))) == 8 * MIB
        assert await client.eof() == b""


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client_that_leaves_amid_a_file_leaves_nothing_behind(
    secure: bool, root: Path, certificate: Certificate
) -> None:
    tunnel_tls = tls(certificate) if secure else {}
    async with running(web={"root": str(root)}, tls=tunnel_tls, limits={"connections": 1}) as tunnel:
        context = certificate.client_context() if secure else None
        before = descriptors()
        for _ in range(3):
            async with await RawClient.connect(tunnel.url, tls=context, limit=4096) as client:
                client.send(get(client, "/big.bin"))
                assert (await client.answer()).status == 200
            await until("the file closed", lambda: descriptors() <= before)


async def test_a_client_that_takes_nothing_is_cut_off(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "STALL_SECONDS", 0.05)
    async with running(web={"root": str(root)}) as tunnel, slow(tunnel) as client:
        before = descriptors()
        client.send(get(client, "/big.bin"))
        await until("the file and the socket closed", lambda: descriptors() < before)


async def test_a_file_that_shrinks_while_it_is_sent_is_seen_to_be_short(root: Path) -> None:
    async with running(web={"root": str(root)}) as tunnel, slow(tunnel) as client:
        before = descriptors()
        client.send(get(client, "/big.bin"))
        answer = await client.answer()
        os.truncate(root / "big.bin", MIB)
        data = await client.eof()
        assert len(data) < int(answer.fields["content-length"]) == 8 * MIB
        await until("the file closed", lambda: descriptors() < before)


async def test_a_file_that_grows_while_it_is_sent_keeps_its_announced_length(root: Path) -> None:
    async with running(web={"root": str(root)}) as tunnel, slow(tunnel) as client:
        client.send(get(client, "/big.bin", more="Connection: close\r\n"))
        await client.answer()
        with (root / "big.bin").open("ab") as file:
            file.write(b"more")
        assert len(await client.eof()) == 8 * MIB


@pytest.mark.parametrize("secure", [False, True])
async def test_stopping_while_a_file_is_looked_up_leaves_nothing_open(
    secure: bool, root: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    real = FileServer.respond

    def respond(self: FileServer, *request: object) -> Response:
        asked.set()
        go_on.wait(20)
        return real(self, *request)  # type: ignore[arg-type]

    monkeypatch.setattr(FileServer, "respond", respond)
    async with running(web={"root": str(root)}, tls=tls(certificate) if secure else {}) as tunnel:
        before = descriptors()
        context = certificate.client_context() if secure else None
        client = await RawClient.connect(tunnel.url, tls=context)
        client.send(get(client, "/big.bin"))
        await until("it was asked for", asked.is_set)
        await tunnel.engine.stop(NAME)
        try:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await client.answer()
        finally:
            go_on.set()
        client.writer.close()
        await until("all closed", lambda: descriptors() < before)


async def test_a_new_web_root_holds_for_the_next_request(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "small.txt").write_text("other\n")
    async with running(web={"root": str(root)}) as tunnel:
        fields = {"name": NAME, "listen": "127.0.0.1:0", "target": "demo:", "web": {"root": str(other)}}
        async with await RawClient.connect(tunnel.url) as client:
            await tunnel.engine.configure(Profile.model_validate(fields))
            client.send(get(client, "/small.txt"))
            assert (await client.answer(body=True)).body == b"other\n"


# As bytes


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb"])
def test_a_line_break_in_a_field_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        serialize(Response(200, (("X", value),)))


def test_every_answer_has_its_words_and_closes() -> None:
    for status in (200, 206, 304, 307, 308, 400, 403, 404, 405, 408, 416, 426, 429, 431, 500, 503):
        first, *rest = serialize(Response(status, (("Date", "y"),), b"body")).decode().split("\r\n")
        assert first.startswith(f"HTTP/1.1 {status} ")
        assert first[13:].istitle() or first[13:] == "OK"
        assert rest == ["Date: y", "Connection: close", "", "body"]
