"""Tokens asked of real web servers."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.certificates import make_certificate
from tests.support.waiting import until
from wsgui.access.tokens import http
from wsgui.access.tokens.http import KEPT, HttpTokens
from wsgui.access.tokens.source import LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress, UnixAddress

OFFICE = TcpAddress("office", 5901)


class Server:
    """A web server that answers each request target with what `answer` says: status line, fields and body."""

    def __init__(self) -> None:
        self.answer: Callable[[str], bytes | Awaitable[bytes]] = lambda target: ok(b"office:5901")
        self.requests: list[str] = []
        self.heads: list[str] = []
        self.connections = 0
        self.open = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                target = head.split(" ")[1]
                self.requests.append(target)
                answer = self.answer(target)
                writer.write(answer if isinstance(answer, bytes) else await answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.open -= 1
            writer.close()


def ok(body: bytes, fields: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await until("the end of all connections", lambda: server.open == 0)


@asynccontextmanager
async def asking(url: str, *, lenient: bool = False) -> AsyncIterator[HttpTokens]:
    tokens = HttpTokens(url, lenient=lenient)
    await tokens.open()
    try:
        yield tokens
    finally:
        await tokens.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def tokens(server: Server) -> AsyncIterator[HttpTokens]:
    async with asking(f"http://127.0.0.1:{server.port}/where?token=%s") as tokens:
        yield tokens


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (b"office:5901", OFFICE),
        (b" office:5901\r\n", OFFICE),
        (b"::1:5901", TcpAddress("::1", 5901)),
        (b'{"host": "office", "port": 5901}', OFFICE),
        (b'{"host": "office", "port": "5901"}', OFFICE),
        (b'\xef\xbb\xbf {"port": 5901, "host": "office", "more": [1]}', OFFICE),
        (b'{"host": "::1", "port": 5901}', TcpAddress("::1", 5901)),
        (b'{"host": "[::1]", "port": 5901}', TcpAddress("::1", 5901)),
    ],
)
async def test_an_answer_leads_somewhere(server: Server, tokens: HttpTokens, body: bytes, target: TcpAddress) -> None:
    server.answer = lambda _: ok(body)
    assert await tokens.look_up("a") == target


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"office",
        b"<html>office:5901</html>",
        b"unix:/run/x",
        b"unix_socket:/run/x",
        b"\xff\xfe",
        b"{",
        b"{}",
        b'{"host": "office"}',
        b'{"host": "office", "port": true}',
        b'{"host": "office", "port": 5901.5}',
        b'{"host": "office", "port": 0}',
        b'{"host": "office:22", "port": 5901}',
        b'{"host": ["office"], "port": 5901}',
        b'{"host": "a/b", "port": 5901}',
        b"[" * 4096,
        b'{"a":' * 800,
        b"x" * 5000,
    ],
)
async def test_an_answer_that_is_no_address_is_a_failure(server: Server, tokens: HttpTokens, body: bytes) -> None:
    server.answer = lambda _: ok(body)
    with pytest.raises(LookupFailed) as caught:
        await tokens.look_up("hunter2")
    assert caught.value.status == 502
    assert "hunter2" not in str(caught.value)
    assert "where" not in str(caught.value)


async def test_an_answer_without_end_is_cut_off(server: Server, tokens: HttpTokens) -> None:
    async def endless() -> bytes:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 0x400 + b"\r\n" * 100

    server.answer = lambda _: endless()
    with pytest.raises(LookupFailed):
        await tokens.look_up("a")


async def test_a_compressed_answer_is_not_inflated(server: Server, tokens: HttpTokens) -> None:
    server.answer = lambda _: ok(gzip.compress(b"office:5901"), "Content-Encoding: gzip\r\n")
    with pytest.raises(LookupFailed):
        await tokens.look_up("a")
    assert "accept-encoding: identity" in server.heads[0].lower()


@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad", "401 No", "403 No", "410 Gone"])
@pytest.mark.parametrize("lenient", [False, True])
async def test_a_refusal_means_that_there_is_no_such_token(server: Server, status: str, lenient: bool) -> None:
    server.answer = lambda _: ok(b"office:5901" * 1000, status=status)
    async with asking(f"http://127.0.0.1:{server.port}/%s", lenient=lenient) as tokens:
        assert await tokens.look_up("a") is None


@pytest.mark.parametrize("status", ["500 Broken", "503 Busy", "429 Slow down", "302 Found", "304 Not Modified"])
async def test_a_server_s_trouble_says_nothing_of_the_token(server: Server, tokens: HttpTokens, status: str) -> None:
    server.answer = lambda _: ok(b"", status=status, fields="Location: /elsewhere\r\n")
    with pytest.raises(LookupFailed) as caught:
        await tokens.look_up("a")
    assert caught.value.status == 502
    assert server.requests == ["/where?token=a"]


async def test_websockify_s_line_follows_redirects_and_takes_any_trouble_for_a_refusal(server: Server) -> None:
    moved = ok(b"", "Location: /there\r\n", "302 Found")
    answers = {"/a": moved, "/there": ok(b"office:5901"), "/b": ok(b"", status="500 Broken")}
    server.answer = lambda target: answers[target]
    async with asking(f"http://127.0.0.1:{server.port}/%s", lenient=True) as tokens:
        assert await tokens.look_up("a") == OFFICE
        assert await tokens.look_up("b") is None


async def test_websockify_s_line_also_leads_to_unix_sockets(server: Server) -> None:
    server.answer = lambda _: ok(b"unix_socket:/run/x")
    async with asking(f"http://127.0.0.1:{server.port}/%s", lenient=True) as tokens:
        assert await tokens.look_up("x" * 4000) == UnixAddress("/run/x")


@pytest.mark.parametrize(
    "token",
    [
        "a",
        "../x?y#z",
        "a&token=b",
        "a/b",
        "a%2Fb",
        "%2e%2e",
        "a b+c",
        "\0",
        "a\r\nX: y",
        "ключ",
        "😀",
        "a;b=c",
        ".a.",
        "%s",
    ],
)
@pytest.mark.parametrize("url", ["/where/%s/end", "/where?token=%s&x=1"])
async def test_a_token_is_one_part_of_the_url_whatever_is_in_it(server: Server, url: str, token: str) -> None:
    async with asking(f"http://127.0.0.1:{server.port}{url}") as tokens:
        assert await tokens.look_up(token) == OFFICE
    before, after = url.split("%s")
    sent = server.requests[0]
    assert sent.startswith(before)
    assert sent.endswith(after)
    part = sent[len(before) : len(sent) - len(after)]
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", part)
    assert unquote(part) == token


@pytest.mark.parametrize("token", ["", ".", "..", "...", "x" * 513, "é" * 257, "\udcff", "x" * 10_000])
async def test_a_token_that_cannot_be_one_is_not_asked_for(server: Server, tokens: HttpTokens, token: str) -> None:
    assert await tokens.look_up(token) is None
    assert server.requests == []


async def test_percent_signs_are_written_twice_or_as_they_are(server: Server) -> None:
    async with asking(f"http://127.0.0.1:{server.port}/a%20b%%20c/%s/%s") as tokens:
        await tokens.look_up("x")
    assert server.requests == ["/a%20b%20c/x/x"]


async def test_one_connection_serves_one_look_up_after_the_other(server: Server, tokens: HttpTokens) -> None:
    for _ in range(20):
        await tokens.look_up("a")
    assert server.connections == 1


async def test_look_ups_at_once_leave_no_more_connections_than_are_kept(server: Server, tokens: HttpTokens) -> None:
    assert set(await asyncio.gather(*(tokens.look_up("a") for _ in range(50)))) == {OFFICE}
    await until("closed connections", lambda: server.open <= KEPT)
    await tokens.look_up("a")
    assert server.open <= KEPT


async def test_a_kept_connection_that_the_server_has_closed_is_replaced(server: Server, tokens: HttpTokens) -> None:
    server.answer = lambda _: ok(b"office:5901", "Connection: close\r\n")
    for _ in range(3):
        assert await tokens.look_up("a") == OFFICE
    assert server.connections >= 1


async def test_a_cookie_of_one_look_up_does_not_go_with_the_next(server: Server, tokens: HttpTokens) -> None:
    server.answer = lambda _: ok(b"office:5901", "Set-Cookie: session=anna; Path=/\r\n")
    await tokens.look_up("a")
    await tokens.look_up("b")
    assert "cookie" not in "".join(server.heads).lower()


async def test_a_thousand_cancelled_look_ups_leave_no_wrong_target_and_no_connection(server: Server) -> None:
    chance = random.Random(7)

    async def slowly(target: str) -> bytes:
        # In pieces, so that cancels also come between head and body.
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003]))
        return ok(f"host{target.rpartition('/')[2]}:5901".encode())

    server.answer = slowly
    wrong = []

    async def look_up(tokens: HttpTokens, number: int) -> None:
        found = await tokens.look_up(str(number))
        if found != TcpAddress(f"host{number}", 5901):
            wrong.append((number, found))

    async with asking(f"http://127.0.0.1:{server.port}/%s") as tokens:
        running: set[asyncio.Task[None]] = set()
        cancelled = 0
        for number in range(3500):
            task = asyncio.create_task(look_up(tokens, number))
            running.add(task)
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            if len(running) >= 8 or chance.random() < 0.5:
                victim = chance.choice(sorted(running, key=id))
                if not victim.done() and chance.random() < 0.8:
                    victim.cancel()
                    cancelled += 1
            running = {each for each in running if not each.done()}
        await asyncio.gather(*running, return_exceptions=True)
        assert cancelled >= 1000
        assert wrong == []
        assert await tokens.look_up("last") == TcpAddress("hostlast", 5901)
        await until("closed connections", lambda: server.open <= KEPT)
        assert server.open <= KEPT
    await until("no connection", lambda: server.open == 0)


async def test_cancelled_look_ups_at_a_server_that_says_nothing_leave_nothing_open(tmp_path: Path) -> None:
    silent: set[asyncio.StreamWriter] = set()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.add(writer)
        await reader.read(100_000)
        await reader.read()
        silent.discard(writer)
        writer.close()

    listener = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    before = len(os.listdir("/proc/self/fd"))
    for scheme in ("http", "https"):
        async with asking(f"{scheme}://127.0.0.1:{port}/%s") as tokens:
            for number in range(100):
                task = asyncio.create_task(tokens.look_up("a"))
                await asyncio.sleep(0.001 * (number % 4))
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
    await until("closed descriptors", lambda: len(os.listdir("/proc/self/fd")) <= before)
    listener.close()


async def test_tls_is_verified_against_the_system_s_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    async with serving(certificate.server_context()) as server:
        url = f"https://localhost:{server.port}/%s"
        async with asking(url) as tokens:
            with pytest.raises(LookupFailed) as caught:
                await tokens.look_up("a")
        assert "certificate" in caught.value.message
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        async with asking(url) as tokens:
            assert await tokens.look_up("a") == OFFICE
            assert await tokens.look_up("b") == OFFICE
        assert server.connections == 1


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    async with serving(certificate.server_context()) as server:
        async with asking(f"https://127.0.0.2:{server.port}/%s") as tokens:
            with pytest.raises(LookupFailed):
                await tokens.look_up("a")


@pytest.mark.parametrize("lenient", [False, True])
async def test_only_websockify_s_line_goes_through_the_environment_s_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch, lenient: bool
) -> None:
    async with serving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with asking(f"http://127.0.0.1:{server.port}/%s", lenient=lenient) as tokens:
            await tokens.look_up("a")
        assert (len(proxy.requests), len(server.requests)) == ((1, 0) if lenient else (0, 1))


async def test_a_dead_server_is_a_failure(unused_tcp_port: int) -> None:
    async with asking(f"http://127.0.0.1:{unused_tcp_port}/%s") as tokens:
        with pytest.raises(LookupFailed) as caught:
            await tokens.look_up("a")
    assert f"127.0.0.1:{unused_tcp_port}" in caught.value.message


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\noffice:5901", b"\0" * 200_000]
)
async def test_a_server_that_does_not_speak_http_is_a_failure(answer: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with asking(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/%s") as tokens:
        with pytest.raises(LookupFailed):
            await tokens.look_up("a")
    listener.close()


async def test_no_token_gets_into_the_log(server: Server, tokens: HttpTokens, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await tokens.look_up("hunter2")
    server.answer = lambda _: ok(b"", status="500 Broken")
    with pytest.raises(LookupFailed):
        await tokens.look_up("hunter2")
    assert "hunter2" in server.requests[0]
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["", "host/%s", "https://host/", "https://host/%%s", "https://%s/", "https:///%s", "ftp://h/%s", "https://h:x/%s"],
)
def test_what_is_no_url_with_a_place_for_the_token_is_refused(url: str) -> None:
    with pytest.raises(WsguiError) as caught:
        HttpTokens(url, lenient=True)
    assert caught.value.field == "tokens.source"


async def test_a_password_in_the_url_of_websockify_s_line_is_sent_and_never_shown(server: Server) -> None:
    server.answer = lambda _: ok(b"nonsense")
    async with asking(f"http://anna:hunter2@127.0.0.1:{server.port}/%s", lenient=True) as tokens:
        with pytest.raises(LookupFailed) as caught:
            await tokens.look_up("a")
    assert "authorization: basic" in server.heads[0].lower()
    assert "hunter2" not in str(caught.value)


async def test_a_session_is_not_ended_by_a_server_that_knows_each_token_once(tokens: HttpTokens) -> None:
    assert await tokens.still_leads("a", OFFICE)


async def test_no_more_than_so_many_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "AT_ONCE", 3)
    asked = most = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked, most
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        most = max(most, asked)
        await asyncio.sleep(0.01)
        asked -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\noffice:5901")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        tokens = HttpTokens(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/%s")
        await tokens.open()
        found = await asyncio.gather(*(tokens.look_up(f"t{number}") for number in range(20)))
        await tokens.close()
    assert {str(each) for each in found} == {"office:5901"}
    assert most == 3
