"""Who is let in: asked before the upgrade, while the client waits, leaves, talks on, or the rules change."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridges import Standing, standing
from tests.support.certificates import Certificate, make_certificate
from tests.support.gates import NO, Book, Gate, admission_of
from tests.support.raw import RawClient, client_frame, tcp_target
from tests.support.waiting import until
from wsgui.access.origins import OriginRules
from wsgui.access.visitor import Denied, Grant
from wsgui.bridge import bridge as bridge_module
from wsgui.bridge.targets import Connector
from wsgui.profiles.addresses import DemoAddress, TcpAddress
from wsgui.web.files import FileServer

ELSEWHERE = "192.0.2.1"


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "TICK_SECONDS", 0.02)


@pytest.fixture
def faults() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    asyncio.get_event_loop().set_exception_handler(lambda _, context: told.append(context))
    return told


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


async def asked(gate: Gate, times: int = 1) -> None:
    await until("the gate asked", lambda: len(gate.asked) >= times)


def reloaded(door: Standing, **fields: Any) -> None:
    """As a reload does it, with further fields of its settings."""
    door.bridge.settings = replace(door.bridge.settings, **fields)


# Yes and no


async def test_one_who_may_come_in_is_shown_the_way_with_a_name_and_what_it_rests_on(gate: Gate) -> None:
    gate.grant = Grant("user", "anna")
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        client.send(client.head("/path?a=b", cookie="x"))
        assert (await client.answer()).status == 101
        (visitor,) = gate.asked
        assert (visitor.host, visitor.target, visitor.secure) == ("127.0.0.1", "/path?a=b", False)
        assert visitor.fields["cookie"] == "x"
        (relay,) = door.bridge.relays.values()
        assert (relay.identity, relay.grants) == ("anna", (gate.grant,))


async def test_one_who_may_not_gets_status_headers_and_words_and_no_session(gate: Gate) -> None:
    gate.error = NO
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        client.send(client.head() + client_frame(2, b"let me in"))
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["x-why"], answer.fields["connection"]) == (403, "because", "close")
        assert answer.body == b"Not you.\nBe somebody else.\n"
        assert await client.eof() == b""
        assert not door.told.begun
        (refused,) = door.told.refusals
        assert (refused.status, refused.message, refused.rule) == (403, "Not you.", "plugin")


async def test_a_fault_in_who_decides_is_a_500_and_told_to_the_loop(gate: Gate, faults: list[dict[str, Any]]) -> None:
    gate.error = ZeroDivisionError("a secret")
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        client.send(client.head())
        answer = await client.answer(body=True)
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert await client.eof() == b""
        await until("told", lambda: faults)
        assert faults[0]["exception"] is gate.error
        assert door.told.refusals[0].status == 500
        assert not door.told.begun


async def test_who_decides_being_cancelled_lets_nobody_in(gate: Gate) -> None:
    gate.error = asyncio.CancelledError()
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        client.send(client.head())
        assert await client.eof() == b""
        assert not door.told.begun


async def test_a_token_leads_to_its_target(gate: Gate) -> None:
    async with tcp_target() as port:
        book = Book({"a": TcpAddress("127.0.0.1", port)})
        heard: list[tuple[object, bool]] = []

        def connector_to(address: Any, from_outside: bool) -> Connector:
            heard.append((address, from_outside))
            return Connector(asyncio.get_running_loop(), address, door.bridge.buffer, 0)

        also = {"connector": None, "connector_to": connector_to, "admission": await admission_of(gate, book)}
        async with standing(also=also) as door:
            client = await door.client()
            client.send(client.head("/?token=a") + client_frame(2, b"hello"))
            assert (await client.answer()).status == 101
            assert await client.data(5) == b"hello"
            assert heard == [(TcpAddress("127.0.0.1", port), True)]
            (relay,) = door.bridge.relays.values()
            assert relay.target_name == f"127.0.0.1:{port}"
            client = await door.client()
            client.send(client.head("/?token=b"))
            assert (await client.answer()).status == 404


# While it is decided


@pytest.mark.parametrize("secure", [False, True])
async def test_what_a_client_says_meanwhile_is_not_lost(secure: bool, gate: Gate, certificate: Certificate) -> None:
    also = {"admission": await admission_of(gate), "tls": certificate.server_context()}
    data = os.urandom(3 << 20)
    async with tcp_target() as port, standing(target=TcpAddress("127.0.0.1", port), also=also) as door:
        gate.go_on.clear()
        client = await door.client(tls=certificate.client_context() if secure else None)
        client.send(client.head() + client_frame(2, data[:10]))
        await asked(gate)
        client.send(client_frame(2, data[10 : 2 << 20]) + client_frame(2, data[2 << 20 :]))
        gate.go_on.set()
        assert (await client.answer()).status == 101
        assert await client.data(len(data)) == data


@pytest.mark.usefixtures("quick_clock")
async def test_the_deadline_of_requests_does_not_count_meanwhile(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}, handshake_seconds=0.05) as door:
        gate.go_on.clear()
        client = await door.client()
        client.send(client.head())
        await asked(gate)
        late = await door.client()
        late.send(b"GET / HT")
        assert (await late.answer()).status == 408
        gate.go_on.set()
        assert (await client.answer()).status == 101


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client_that_breaks_off_meanwhile_gets_no_session(
    secure: bool, gate: Gate, certificate: Certificate
) -> None:
    also = {"admission": await admission_of(gate), "tls": certificate.server_context()}
    async with tcp_target() as port, standing(target=TcpAddress("127.0.0.1", port), also=also) as door:
        gate.go_on.clear()
        client = await door.client(tls=certificate.client_context() if secure else None)
        client.send(client.head())
        await asked(gate)
        client.writer.transport.abort()
        gate.go_on.set()
        await until("it is over", lambda: len(door.told.begun) == len(door.told.over) and not door.bridge.relays)
        await until("its place given back", lambda: door.bridge.full("") is None)


@pytest.mark.parametrize("secure", [False, True])
async def test_nobody_works_for_a_client_that_has_gone(secure: bool, gate: Gate, certificate: Certificate) -> None:
    also = {"admission": await admission_of(gate), "tls": certificate.server_context()}
    async with standing(also=also) as door:
        gate.go_on.clear()
        client = await door.client(tls=certificate.client_context() if secure else None)
        client.send(client.head() + client_frame(2, b"early bird"))
        await asked(gate)
        client.writer.close()
        await until("it is given up", lambda: not door.bridge._handshakes and not door.bridge.permissions._tasks)
        assert not door.told.begun
        assert not door.told.refusals


async def test_limits_are_looked_at_again_after_it(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}, per_address=1) as door:
        gate.go_on.clear()
        clients = [await door.client(ELSEWHERE) for _ in range(2)]
        for number, client in enumerate(clients, 1):
            client.send(client.head())
            await asked(gate, number)
        gate.go_on.set()
        assert sorted([(await client.answer()).status for client in clients]) == [101, 429]


async def test_those_being_decided_on_count_as_handshakes(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}, handshakes_per_address=1) as door:
        gate.go_on.clear()
        first = await door.client(ELSEWHERE)
        first.send(first.head())
        await asked(gate)
        assert await (await door.client(ELSEWHERE)).eof() == b""
        gate.go_on.set()
        assert (await first.answer()).status == 101


async def test_closing_the_bridge_meanwhile_drops_the_client_and_closes_who_decides(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        gate.go_on.clear()
        client = await door.client()
        client.send(client.head())
        await asked(gate)
        await door.bridge.close("The test is over")
        assert gate.closed == 1
        assert await client.eof() == b""
        assert not door.told.begun


# Rules that change meanwhile


async def test_one_let_in_by_rules_that_no_longer_count_is_asked_anew(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        gate.go_on.clear()
        client = await door.client()
        client.send(client.head() + client_frame(2, b"x"))
        await asked(gate)
        stricter = Gate()
        stricter.error = Denied(401, "Who are you?", rule="credential")
        reloaded(door, admission=await admission_of(stricter))
        assert gate.closed == 0
        gate.go_on.set()
        assert (await client.answer()).status == 401
        assert len(stricter.asked) == 1
        await until("the old one closed", lambda: gate.closed)
        assert not door.told.begun


async def test_a_stricter_rule_about_origins_holds_for_who_is_being_decided_on(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}, origins=("*",)) as door:
        gate.go_on.clear()
        client = await door.client()
        client.send(client.head(origin="https://evil.example"))
        await asked(gate)
        reloaded(door, rules=OriginRules(("same-host",)))
        gate.go_on.set()
        assert (await client.answer()).status == 403


async def test_nothing_is_asked_any_more_of_who_is_being_decided_on(gate: Gate) -> None:
    async with tcp_target() as port:
        async with standing(target=TcpAddress("127.0.0.1", port), also={"admission": await admission_of(gate)}) as door:
            gate.go_on.clear()
            client = await door.client()
            client.send(client.head() + client_frame(2, b"hello"))
            await asked(gate)
            reloaded(door, admission=None)
            gate.go_on.set()
            assert (await client.answer()).status == 101
            assert await client.data(5) == b"hello"
            await until("the old one closed", lambda: gate.closed)


async def test_tokens_that_are_asked_for_since_are_asked_for(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        gate.go_on.clear()
        client = await door.client()
        client.send(client.head())
        await asked(gate)
        reloaded(door, connector=None, admission=await admission_of(None, Book({"a": DemoAddress()})))
        gate.go_on.set()
        assert (await client.answer()).status == 404


@pytest.mark.parametrize("to", ["another", "none"])
async def test_a_change_before_it_was_even_asked_is_the_new_one_s(to: str, gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        other = Gate()
        decide = type(door.bridge.permissions).spawn

        def spawn(permissions: Any, work: Any) -> Any:
            task = decide(permissions, work)
            if not work.__qualname__.endswith("_admit") or door.bridge.settings.admission is not before:
                return task
            reloaded(door, admission=new)  # in the same turn of the loop: the task has not begun
            return task

        before = door.bridge.settings.admission
        new = await admission_of(other) if to == "another" else None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(door.bridge.permissions), "spawn", spawn)
            client = await door.client()
            client.send(client.head())
            assert (await client.answer()).status == 101
        assert not gate.asked
        assert len(other.asked) == (to == "another")


# Files


def get(client: RawClient, method: str = "GET") -> bytes:
    return f"{method} /a?token=secret HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode()


async def test_a_plain_request_is_asked_too_and_may_try_again_on_the_same_connection(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        gate.error = Denied(
            401, "Who are you?", rule="credential", headers=(("WWW-Authenticate", 'Basic realm="wsgui"'),)
        )
        client.send(get(client))
        answer = await client.answer(body=True)
        assert (answer.status, answer.fields["www-authenticate"]) == (401, 'Basic realm="wsgui"')
        assert not door.told.refusals  # every browser asks first without a password
        client.send(get(client, "HEAD"))
        answer = await client.answer()
        assert answer.status == 401
        assert int(answer.fields["content-length"]) > 0
        gate.error = None
        client.send(get(client))
        assert (await client.answer(body=True)).status == 200
        await client.upgrade()


@pytest.mark.parametrize("limit", [{"per_address": 2}, {"connections": 2}])
async def test_plain_requests_that_wait_keep_nobody_out(limit: dict[str, Any], gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}, handshakes_per_address=0, **limit) as door:
        gate.go_on.clear()
        strangers = [await door.client(ELSEWHERE) for _ in range(2)]
        for number, stranger in enumerate(strangers, 1):
            stranger.send(get(stranger))
            await asked(gate, number)
        viewer, page = await door.client(ELSEWHERE), await door.client(ELSEWHERE)
        viewer.send(viewer.head())
        await asked(gate, 3)
        page.send(get(page))
        await asked(gate, 4)
        assert await strangers[0].eof() == b""
        gate.go_on.set()
        assert (await viewer.answer()).status == 101
        assert (await page.answer(body=True)).status == 200
        assert (await strangers[1].answer(body=True)).status == 200


async def test_answers_that_are_on_their_way_are_not_given_up_for_others(tmp_path: Path, gate: Gate) -> None:
    (tmp_path / "a").write_bytes(bytes(16 << 20))
    also = {"admission": await admission_of(gate), "files": FileServer.of(str(tmp_path))}
    async with standing(also=also, connections=1, handshakes_per_address=0) as door:
        first = await door.client(ELSEWHERE)
        first.send(get(first))
        assert (await first.answer()).status == 200
        second = await door.client(ELSEWHERE)
        second.send(get(second))
        assert (await second.answer()).status == 503
        assert len(await first.reader.readexactly(16 << 20)) == 16 << 20


async def test_a_fault_while_a_plain_request_is_decided_on_is_a_500(gate: Gate, faults: list[dict[str, Any]]) -> None:
    gate.error = ZeroDivisionError("a secret")
    async with standing(also={"admission": await admission_of(gate)}) as door:
        client = await door.client()
        client.send(get(client))
        assert (await client.answer(body=True)).status == 500
        assert faults[0]["exception"] is gate.error


@pytest.mark.parametrize("secure", [False, True])
async def test_closing_while_a_plain_request_is_decided_on_drops_the_client(
    secure: bool, gate: Gate, certificate: Certificate
) -> None:
    also = {"admission": await admission_of(gate), "tls": certificate.server_context()}
    async with standing(also=also) as door:
        gate.go_on.clear()
        client = await door.client(tls=certificate.client_context() if secure else None)
        client.send(get(client))
        await asked(gate)
        await door.bridge.close("The test is over")
        assert gate.closed == 1
        assert await client.eof() == b""


async def test_a_request_that_has_not_begun_when_the_bridge_closes_leaves_nothing_open(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate)}) as door:
        answering = door.bridge.answering

        def and_close(*args: Any) -> None:
            answering(*args)
            for task in tuple(door.bridge._answers):
                task.cancel()  # in the same turn of the loop: it has not begun

        door.bridge.answering = and_close  # type: ignore[method-assign]
        client = await door.client()
        client.send(get(client))
        assert await client.eof() == b""


async def test_the_log_of_requests_has_no_query(gate: Gate) -> None:
    async with standing(also={"admission": await admission_of(gate), "log_requests": True}) as door:
        client = await door.client()
        client.send(get(client))
        await client.answer(body=True)
        await until("told", lambda: door.told.answers)
        assert door.told.answers == [("GET", "/a", 200)]


async def test_requests_are_not_told_unless_that_is_wanted(gate: Gate) -> None:
    async with standing() as door:
        client = await door.client()
        for _ in range(2):  # the second answer comes after the first was, or was not, told
            client.send(get(client))
            await client.answer(body=True)
        assert not door.told.answers


async def test_a_request_as_of_a_proxy_is_logged_without_who_asked() -> None:
    async with standing(also={"log_requests": True}) as door:
        client = await door.client()
        client.send(f"GET http://anna:secret@{client.host}/a?token=x HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
        await client.answer(body=True)
        await until("it is told", lambda: door.told.answers)
        assert door.told.answers == [("GET", "/a", 200)]
