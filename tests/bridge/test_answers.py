"""Plain answers: head, body or file as bytes, and the page that says what this is."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from wsgui.access.visitor import Denied
from wsgui.bridge import answers
from wsgui.bridge.answers import Stalled, denial, respond, send, serialize, shaped_for, unchanged
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.ends import SocketEnd
from wsgui.bridge.request import Request, RequestParser
from wsgui.web.files import FileServer
from wsgui.web.pages import refusal, refusal_page
from wsgui.web.response import OpenFile, Response

MIB = 1 << 20


def asked(method: str = "GET", target: str = "/") -> Request:
    complete = RequestParser().feed(f"{method} {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n".encode())
    assert complete is not None
    return complete[0]


async def answer(files: FileServer | None, request: Request, *, page: bool = True, secure: bool = False) -> Response:
    return await respond(asyncio.get_running_loop(), files, request, page=page, secure=secure)


# As bytes


def test_a_connection_that_stays_open_is_not_said_to_close() -> None:
    answer = Response(200, (("Date", "y"),), b"body")
    assert serialize(answer, keep_alive=True) == b"HTTP/1.1 200 OK\r\nDate: y\r\n\r\nbody"


def test_every_answer_says_when_it_was_made() -> None:
    head = serialize(Response(304, ())).decode()
    said = re.search(r"^Date: (.*)\r$", head, re.MULTILINE)
    assert said is not None
    assert said[1].endswith(" GMT")
    assert abs(parsedate_to_datetime(said[1]).timestamp() - time.time()) < 60


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none_for_a_browser_either(status: int) -> None:
    answer = denial(Denied(status, "Not you.", rule="plugin", headers=(("X-Why", "so"),)))
    for shape in (unchanged, refusal_page):
        assert shape(answer).body == b""
        assert shape(answer).headers == (("X-Why", "so"),)


def test_a_status_that_only_a_plugin_knows_has_words_too() -> None:
    assert serialize(Response(499, ())).startswith(b"HTTP/1.1 499 Refused\r\n")


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb"])
def test_no_value_breaks_the_head_apart(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        serialize(Response(200, (("X", value),)), keep_alive=True)


@pytest.mark.parametrize(
    ("method", "accept", "kind", "empty"),
    [
        ("GET", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html", False),
        ("GET", "*/*", "text/plain", False),
        ("HEAD", "text/html", "text/plain", True),
        ("POST", "text/html", "text/plain", False),
    ],
)
def test_a_browser_gets_a_refusal_as_a_page_and_a_program_as_text(
    method: str, accept: str, kind: str, empty: bool
) -> None:
    complete = RequestParser().feed(f"{method} / HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
    assert complete is not None
    shaped = shaped_for(complete[0])(refusal(404, "No.", "Go."))
    assert str(shaped.header("Content-Type")).startswith(kind)
    assert (shaped.body == b"") == empty


# What is answered


@pytest.mark.parametrize("secure", [False, True])
async def test_without_a_web_root_there_is_a_page_that_says_what_this_is(secure: bool) -> None:
    page = await answer(None, asked(), secure=secure)
    assert page.status == 200
    assert b"This is a WebSocket tunnel" in page.body
    assert (b"accepts the tunnel's certificate" in page.body) == secure
    head = await answer(None, asked("HEAD"), secure=secure)
    assert (head.body, head.headers) == (b"", page.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_told_which_ones_there_are(method: str) -> None:
    refused = await answer(None, asked(method))
    assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_without_a_page_only_a_websocket_can_be_opened(method: str) -> None:
    refused = await answer(None, asked(method), page=False)
    assert (refused.status, refused.header("Allow")) == (405, "GET")
    assert (refused.body == b"") == (method == "HEAD")


async def test_a_web_root_is_asked_with_the_request_s_fields(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello")
    part = await answer(FileServer.of(str(tmp_path), ()), asked(target="/a"))
    assert (part.status, part.header("Content-Length")) == (206, "2")
    assert part.file is not None
    part.file.close()


async def test_a_file_that_is_opened_for_nobody_any_more_is_closed() -> None:
    import threading

    begun, go_on, closed = threading.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    class File(OpenFile):
        def close(self) -> None:
            loop.call_soon_threadsafe(closed.set)

    class Slow:
        def respond(self, *_: object) -> Response:
            begun.set()
            go_on.wait(20)
            return Response(200, (), file=File(-1, 1))

    task = asyncio.create_task(answer(Slow(), asked()))  # type: ignore[arg-type]
    await loop.run_in_executor(None, begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    async with asyncio.timeout(20):
        await closed.wait()


# On its way


def pair() -> tuple[SocketEnd, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return SocketEnd(asyncio.get_running_loop(), ours, ReadBuffer()), theirs


async def test_an_answer_that_does_not_fit_at_once_comes_whole() -> None:
    end, theirs = pair()
    loop = asyncio.get_running_loop()
    sending = loop.create_task(send(loop, end, Response(200, (("Date", "y"),), bytes(4 * MIB)), keep_alive=True))

    def read() -> int:
        total = 0
        while total < 4 * MIB + 28:
            total += len(theirs.recv(65536))
        return total

    assert await loop.run_in_executor(None, read) == 4 * MIB + 28
    await sending
    assert not end.closed
    end.close()
    theirs.close()


async def test_a_client_that_takes_nothing_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "STALL_SECONDS", 0.05)
    end, theirs = pair()
    with pytest.raises(Stalled):
        await send(asyncio.get_running_loop(), end, Response(200, (), bytes(4 * MIB)), keep_alive=True)
    end.close()
    theirs.close()


async def test_a_client_that_is_gone_ends_the_sending() -> None:
    end, theirs = pair()
    theirs.close()
    await send(asyncio.get_running_loop(), end, Response(200, (), bytes(4 * MIB)), keep_alive=True)
    assert end.closed
