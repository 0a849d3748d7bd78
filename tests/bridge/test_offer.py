"""Who gets what is offered, by the address that the kernel says a client has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.support.bridges import Standing, standing
from tests.support.raw import Answer
from wsgui.bridge.offer import Offer
from wsgui.web.authority_page import Certificate

CERTIFICATE = Certificate(b"not looked at here", "lab authority", ":".join(["AB"] * 32))


@dataclass
class Offering:
    door: Standing
    offer: Offer
    taken_by: list[str]

    @property
    def file(self) -> str:
        return f"{self.offer.path}/{CERTIFICATE.file_name}"

    async def get(self, path: str, visitor: str, *fields: str) -> Answer:
        client = await self.door.client(visitor)
        client.send("\r\n".join((f"GET {path} HTTP/1.1", "Host: 192.168.1.5:6080", *fields, "", "")).encode())
        return await client.answer(body=True)


@asynccontextmanager
async def offering() -> AsyncIterator[Offering]:
    async with standing() as door:
        taken_by: list[str] = []
        door.bridge.offer = Offer(CERTIFICATE, 600, taken_by.append)
        yield Offering(door, door.bridge.offer, taken_by)


@pytest.mark.parametrize("visitor", ["192.168.1.7", "10.1.2.3", "169.254.1.2", "fd00::7", "fe80::7%eth0", "127.0.0.1"])
async def test_a_visitor_of_the_same_network_gets_it(visitor: str) -> None:
    async with offering() as here:
        answer = await here.get(here.file, visitor)
        assert (answer.status, answer.body) == (200, CERTIFICATE.der)
        assert here.taken_by == [visitor]


@pytest.mark.parametrize("visitor", ["8.8.8.8", "192.0.2.7", "100.64.0.1", "2001:db8::7", ""])
async def test_a_visitor_from_elsewhere_gets_nothing_and_takes_nothing(visitor: str) -> None:
    async with offering() as here:
        for path in (here.offer.path, here.file):
            assert (await here.get(path, visitor)).status == 404
        assert here.taken_by == []
        assert (await here.get(here.file, "192.168.1.7")).status == 200


async def test_whatever_is_wrong_the_answer_is_the_same() -> None:
    async with offering() as here:
        answers = [
            await here.get("/.wsgui/authority/" + "0" * 32, "192.168.1.7"),
            await here.get(here.file, "8.8.8.8"),
            await here.get(here.file, "192.168.1.7", "X-Forwarded-For: 10.0.0.1"),
            await here.get(here.offer.path + "/other.crt", "192.168.1.7"),
        ]
        assert (await here.get(here.file, "192.168.1.7")).status == 200
        answers.append(await here.get(here.file, "192.168.1.8"))
        seen = [(a.status, a.body, {**a.fields, "date": ""}) for a in answers]
        assert seen == [seen[0]] * len(seen)
        assert seen[0][0] == 404


async def test_a_refused_visitor_is_no_refusal_of_the_tunnel_and_no_request_in_its_log() -> None:
    async with offering() as here:
        await here.get(here.file, "8.8.8.8")
        await here.get(here.file, "192.168.1.7")
        assert here.door.told.refusals == []
        assert here.door.told.answers == []


async def test_a_websocket_at_its_path_is_a_websocket() -> None:
    async with offering() as here:
        client = await here.door.client("192.168.1.7")
        client.send(client.head(here.file))
        assert (await client.answer()).status == 101
        assert here.taken_by == []


async def test_two_who_ask_at_once_do_not_both_get_it() -> None:
    async with offering() as here:
        clients = [await here.door.client(visitor) for visitor in ("192.168.1.7", "192.168.1.8")]
        for client in clients:
            client.send(f"GET {here.file} HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n".encode())
        assert sorted([(await client.answer()).status for client in clients]) == [200, 404]
        assert len(here.taken_by) == 1


async def test_it_goes_with_the_listener() -> None:
    async with offering() as here:
        here.door.bridge.listen(None)
        assert here.door.bridge.offer is None


def test_its_path_is_128_bits_that_nobody_can_guess() -> None:
    paths = {Offer(CERTIFICATE, 600, print).path for _ in range(100)}
    assert len(paths) == 100
    assert {len(bytes.fromhex(path.rpartition("/")[2])) for path in paths} == {16}
    assert all(path.rpartition("/")[2] not in repr(Offer(CERTIFICATE, 600, print)) for path in paths)
