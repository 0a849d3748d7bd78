"""A connection that stays open for another request: until when, for which, and what changed meanwhile."""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridges import Standing, standing
from tests.support.certificates import Certificate, make_certificate
from tests.support.raw import RawClient, client_frame
from tests.support.waiting import until
from wsgui.bridge import bridge as bridge_module
from wsgui.bridge import handshake
from wsgui.bridge.handshake import Handshake
from wsgui.certificates.port import PortContexts, Shown
from wsgui.web.files import FileServer
from wsgui.web.response import Response

ELSEWHERE = "192.0.2.1"


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.02)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def get(client: RawClient, *more: str, host: str = "") -> bytes:
    return "\r\n".join(["GET / HTTP/1.1", f"Host: {host or client.host}", *more, "", ""]).encode()


async def answered(client: RawClient) -> None:
    """Have one request answered; the connection stays open."""
    client.send(get(client))
    answer = await client.answer(body=True)
    assert answer.status == 200
    assert "connection" not in answer.fields


def context(certificate: Certificate, secure: bool) -> ssl.SSLContext | None:
    return certificate.client_context() if secure else None


async def waiting(door: Standing) -> None:
    """The bridge waits for another request."""
    await until("it waits", lambda: any(each.is_idle for each in door.bridge._handshakes))


# Another request


@pytest.mark.parametrize("secure", [False, True])
async def test_many_requests_and_then_a_websocket_on_one_connection(secure: bool, certificate: Certificate) -> None:
    async with standing(also={"tls": certificate.server_context()}) as door:
        client = await door.client(tls=context(certificate, secure))
        for _ in range(20):
            await answered(client)
        await client.upgrade()
        client.send(client_frame(9, b"x"))
        while (await client.frame()) != (10, b"x"):
            pass
        assert len(door.told.begun) == 1


async def test_a_request_in_pieces_behind_another_is_understood() -> None:
    async with standing() as door:
        client = await door.client()
        await answered(client)
        for byte in get(client):
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await client.answer(body=True)).status == 200


async def test_a_bad_request_behind_a_head_gets_its_words_and_is_the_last() -> None:
    async with standing() as door:
        client = await door.client()
        client.send(f"HEAD / HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
        await client.answer()
        client.send(b"rubbish\r\n\r\n")
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["connection"]) == (400, "close")
        assert answer.body.startswith(b"This is not an HTTP request.")
        assert await client.eof() == b""


async def test_rules_hold_for_every_request() -> None:
    async with standing() as door:
        client = await door.client()
        await answered(client)
        client.send(get(client, host="evil.example"))
        assert (await client.answer(body=True)).status == 403
        assert await client.eof() == b""


async def test_what_comes_while_an_answer_is_made_is_not_answered_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(bytes(8 << 20))
    files = FileServer.of(str(tmp_path), ())
    kept: list[int] = []
    received = Handshake._received

    def measured(self: Handshake, stop: int) -> None:
        received(self, stop)
        kept.append(len(self._early))

    monkeypatch.setattr(Handshake, "_received", measured)
    async with standing(also={"files": files}) as door:
        client = await door.client()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(f"GET /a HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
        await until("it is sent", lambda: door.bridge._answers)
        client.send(get(client) * 1000)
        await until("more was read", lambda: len(kept) > 1)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        answer = await client.answer()
        assert answer.status == 200
        await client.reader.readexactly(8 << 20)
        assert await client.eof() == b""
        assert not any(kept)


# Until when


@pytest.mark.usefixtures("quick_clock")
@pytest.mark.parametrize("limit", [0, 10])
async def test_who_asks_for_nothing_more_is_closed_without_a_word(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "KEEP_ALIVE_SECONDS", 0.05)
    async with standing(handshake_seconds=limit) as door:
        client = await door.client()
        await answered(client)
        assert await client.eof() == b""
        assert not door.told.refusals


@pytest.mark.usefixtures("quick_clock")
async def test_a_next_request_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "KEEP_ALIVE_SECONDS", 1000)
    async with standing(handshake_seconds=0.1) as door:
        client = await door.client()
        await answered(client)
        client.send(b"GET / HT")
        answer = await client.answer(body=True)
        assert answer.status == 408
        assert answer.body.startswith(b"The request was not complete within 0.1 s.")


@pytest.mark.usefixtures("quick_clock")
async def test_a_request_that_began_in_time_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "KEEP_ALIVE_SECONDS", 0.2)
    async with standing() as door:
        client, other = await door.client(), await door.client()
        await answered(client)
        client.send(b"GET / HT")
        await answered(other)
        assert await other.eof() == b""  # by the time that the one who waited longer is closed
        client.send(b"TP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await client.answer(body=True)).status == 200


async def test_one_that_waits_counts_as_a_handshake_and_goes_when_too_many_come() -> None:
    async with standing(connections=1, handshakes_per_address=1) as door:
        client = await door.client(ELSEWHERE)
        await answered(client)
        await waiting(door)
        assert await (await door.client(ELSEWHERE)).eof() == b""
        assert "connecting at once" in door.told.refusals[0].message
        second = await door.client("192.0.2.2")
        await second.upgrade()
        assert await client.eof() == b""


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with standing() as door:
        client = await door.client()
        await answered(client)
        client.writer.close()
        await until("it is forgotten", lambda: not door.bridge._handshakes)


async def test_a_client_that_has_said_all_is_answered_and_closed() -> None:
    async with standing() as door:
        client = await door.client()
        client.send(get(client))
        client.writer.write_eof()
        assert (await client.answer(body=True)).status == 200
        assert await client.eof() == b""


@pytest.mark.parametrize("secure", [False, True])
async def test_those_that_wait_are_closed_when_nobody_is_accepted_any_more(
    secure: bool, certificate: Certificate
) -> None:
    async with standing(also={"tls": certificate.server_context()}) as door:
        client = await door.client(tls=context(certificate, secure))
        await answered(client)
        await waiting(door)
        door.bridge.listen(None)
        assert await client.eof() == b""


async def test_a_request_that_is_being_answered_then_is_the_last() -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow:
        def respond(self, method: str, target: str, headers: object) -> Response:
            asked.set()
            go_on.wait(20)
            return Response(200, (("Content-Length", "2"),), b"ok")

    async with standing(also={"files": Slow()}) as door:
        client = await door.client()
        client.send(get(client))
        await until("asked", asked.is_set)
        door.bridge.listen(None)
        go_on.set()
        answer = await client.answer(body=True)
        assert (answer.body, answer.fields["connection"]) == (b"ok", "close")
        assert await client.eof() == b""


# What changes meanwhile


async def test_an_encrypted_client_comes_anew_when_the_certificates_have_changed(certificate: Certificate) -> None:
    async with standing(also={"tls": certificate.server_context()}) as door:
        client = await door.client(tls=certificate.client_context())
        plain = await door.client()
        await answered(client)
        await answered(plain)
        door.bridge.settings = replace(door.bridge.settings, tls=PortContexts([Shown(certificate.server_context())]))
        client.send(client.head())
        answer = await client.answer(body=True)
        assert (answer.status, answer.body) == (
            421,
            b"The tunnel's certificate settings have changed.\nConnect again.\n",
        )
        assert await client.eof() == b""
        await answered(plain)


async def test_a_plain_one_is_led_to_tls_when_that_is_asked_for_since(certificate: Certificate) -> None:
    async with standing(also={"tls": certificate.server_context()}) as door:
        client = await door.client()
        await answered(client)
        door.bridge.settings = replace(door.bridge.settings, tls_only=True)
        client.send(get(client))
        assert (await client.answer()).status == 308


async def test_a_change_in_the_same_turn_as_the_request_holds_for_it(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("new")
    async with standing() as door:
        answering = door.bridge.answering
        changes = 0

        def and_change(*args: Any) -> None:
            nonlocal changes
            answering(*args)
            changes += 1
            if changes == 1:
                door.bridge.settings = replace(door.bridge.settings, files=FileServer.of(str(tmp_path), ()))

        door.bridge.answering = and_change  # type: ignore[method-assign]
        client = await door.client()
        client.send(get(client))
        assert (await client.answer(body=True)).body == b"new"
        assert changes == 2
        await client.upgrade()
