"""Admission: authentication and tokens together, in their order, with deadlines and delays."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import pytest

from tests.support.waiting import until
from wsgui.access import delays
from wsgui.access.admission import Admission
from wsgui.access.delays import FIRST_SECONDS
from wsgui.access.tokens.source import LookupFailed
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress

OFFICE = TcpAddress("office", 5901)
MEMBER = Visitor("127.0.0.1", "/?token=s3cret", {"member": "yes"})
STRANGER = Visitor("127.0.0.1", "/?token=s3cret", {})


class Source:
    """A source of tokens that notes what happens to it."""

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = 16

    def __init__(self, targets: dict[str, TargetAddress], *, fault: BaseException | None = None) -> None:
        self.targets = targets
        self.fault = fault
        self.asked: list[str] = []
        self.opened = 0
        self.closed = 0

    async def open(self) -> None:
        self.opened += 1
        if isinstance(self.fault, WsguiError) and not isinstance(self.fault, LookupFailed):
            raise self.fault

    async def look_up(self, token: str) -> TargetAddress | None:
        self.asked.append(token)
        if self.fault:
            raise self.fault
        return self.targets.get(token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        if self.fault:
            raise self.fault
        return self.targets.get(token) == target

    async def close(self) -> None:
        self.closed += 1


class Hanging(Source):
    async def look_up(self, token: str) -> TargetAddress | None:
        self.asked.append(token)
        await asyncio.Event().wait()
        return None

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        await asyncio.Event().wait()
        return False


class Members:
    """Lets in who says that they are a member."""

    needs_credential = True
    guards_files = True
    grants: Final = "user"

    def __init__(self) -> None:
        self.members = {"anna"}
        self.told: list[TargetAddress | None] = []
        self.opened = 0
        self.closed = 0

    async def open(self) -> None:
        self.opened += 1

    async def authenticate(self, visitor: Visitor, target: TargetAddress | None) -> Grant | None:
        self.told.append(target)
        if "member" not in visitor.fields:
            raise Denied(401, "Members only.", rule="credential", delay_key=visitor.fields.get("wrong", ""))
        return Grant("user", "anna")

    async def holds(self, grant: Grant) -> bool:
        return grant.kind != "user" or grant.name in self.members

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def source() -> Source:
    return Source({"s3cret": OFFICE, "vnc.lab": OFFICE, "::1": OFFICE})


@pytest.fixture
def members() -> Members:
    return Members()


def admission(*authenticators: Members, tokens: Source | None = None, **more: bool) -> Admission:
    return Admission(authenticators, tokens, deadline_seconds=5.0, **more)


async def denied(deciding: Awaitable[object]) -> Denied:
    with pytest.raises(Denied) as caught:
        await deciding
    assert "s3cret" not in f"{caught.value!r} {caught.value.message} {caught.value.hint}"
    return caught.value


# Tokens


async def test_a_token_leads_somewhere(source: Source) -> None:
    permit = await admission(tokens=source).admit(STRANGER)
    assert permit.target == OFFICE
    assert permit.from_outside
    assert permit.grants == (Grant("token", "s3cret", OFFICE),)


async def test_its_name_is_six_digits_of_a_hash_and_the_same_each_time(source: Source) -> None:
    names = {(await admission(tokens=source).admit(STRANGER)).identity for _ in range(2)}
    (name,) = names
    assert name.startswith("token ")
    assert len(name) == 12
    assert "s3cret" not in name


async def test_newlines_after_a_token_do_not_count(source: Source) -> None:
    await admission(tokens=source).admit(Visitor("", "/?token=s3cret%0A%0A", {}))
    assert source.asked == ["s3cret"]


@pytest.mark.parametrize("target", ["/", "/?token=", "/?token=%0a", "/?TOKEN=s3cret", "/token=s3cret"])
async def test_a_missing_token_is_404_and_not_delayed(target: str, source: Source) -> None:
    answer = await denied(admission(tokens=source).admit(Visitor("", target, {})))
    assert (answer.status, answer.message, answer.rule) == (404, "Token not present.", "token")
    assert not source.asked


async def test_an_unknown_token_is_404_and_delayed(source: Source) -> None:
    began = time.monotonic()
    answer = await denied(admission(tokens=source).admit(Visitor("", "/?token=other", {})))
    assert (answer.status, answer.rule) == (404, "token")
    assert time.monotonic() - began >= FIRST_SECONDS * 0.9


async def test_a_token_that_is_too_long_is_unknown_and_not_looked_up(source: Source) -> None:
    long = Visitor("", "/?token=" + "é" * 9, {})
    assert (await denied(admission(tokens=source).admit(long))).status == 404
    assert not source.asked
    await denied(admission(tokens=source, token_first=True).admit(long))
    assert source.asked == ["é" * 9]


async def test_too_many_parameters_are_a_bad_request(source: Source) -> None:
    many = Visitor("", "/?" + "&".join(f"a{n}=b" for n in range(200)), {})
    assert (await denied(admission(tokens=source).admit(many))).status == 400


@pytest.mark.parametrize(
    ("host", "token"),
    [("vnc.lab", "vnc.lab"), ("vnc.lab:443", "vnc.lab"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("a:b:c", "a")],
)
async def test_the_host_without_its_port_may_be_the_token(host: str, token: str, source: Source) -> None:
    source.targets["a"] = OFFICE
    permit = await admission(tokens=source, by_host=True).admit(Visitor("", "/?token=x", {"host": host}))
    assert source.asked == [token]
    assert permit.identity == ""


@pytest.mark.parametrize("host", ["", ":80", "[]:80"])
async def test_no_host_is_no_token(host: str, source: Source) -> None:
    answer = await denied(admission(tokens=source, by_host=True).admit(Visitor("", "/", {"host": host})))
    assert answer.message == "Token not present."


# Look-ups that fail


async def test_a_source_that_hangs_is_given_up() -> None:
    answer = await denied(Admission((), Hanging({}), deadline_seconds=0.05).admit(STRANGER))
    assert (answer.status, answer.rule) == (504, "lookup")


@pytest.mark.parametrize("status", [502, 504])
async def test_a_source_that_fails_is_said_so_and_logged_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    source = Source({"s3cret": OFFICE}, fault=LookupFailed("Redis at r.lab is down.", status=status))
    deciding = admission(tokens=source)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            answer = await denied(deciding.admit(STRANGER))
            assert (answer.status, answer.rule, answer.delay_key) == (status, "lookup", "")
            assert "r.lab" not in answer.message
        source.fault = None
        await deciding.admit(STRANGER)
    assert [record.message for record in caplog.records] == [
        "A token could not be looked up: Redis at r.lab is down.",
        "The source of tokens answers again.",
    ]


# Authentication


async def test_who_is_let_in_has_a_name(members: Members) -> None:
    permit = await admission(members).admit(MEMBER)
    assert (permit.identity, permit.target, permit.from_outside) == ("anna", None, False)
    assert permit.grants == (Grant("user", "anna"),)


async def test_a_name_is_fit_to_be_shown() -> None:
    class Odd(Members):
        async def authenticate(self, visitor: Visitor, target: TargetAddress | None) -> Grant | None:
            return Grant("certificate", "a\x1b[2J\u202e" + "x" * 300)

    identity = (await admission(Odd()).admit(MEMBER)).identity
    assert identity.startswith("CN a\\x1b[2J\\u202exx")
    assert len(identity) <= 70


async def test_a_stranger_cannot_try_tokens(members: Members, source: Source) -> None:
    assert (await denied(admission(members, tokens=source).admit(STRANGER))).status == 401
    assert not source.asked
    assert members.told == [None]


async def test_on_websockify_s_line_the_token_comes_first_and_plugins_are_told_where_it_leads(
    members: Members, source: Source
) -> None:
    deciding = admission(members, tokens=source, token_first=True)
    assert (await denied(deciding.admit(STRANGER))).status == 401
    assert members.told == [OFFICE]
    permit = await deciding.admit(MEMBER)
    assert [grant.kind for grant in permit.grants] == ["user", "token"]


async def test_files_ask_for_passwords_and_never_for_tokens(members: Members, source: Source) -> None:
    assert (await denied(admission(members, tokens=source).admit_to_files(STRANGER))).status == 401
    await admission(members, tokens=source).admit_to_files(Visitor("", "/", {"member": "yes"}))
    await admission(members, files_need_access=False).admit_to_files(STRANGER)
    members.guards_files = False
    await admission(members).admit_to_files(STRANGER)
    assert not source.asked


async def test_only_what_is_secret_is_a_credential(members: Members, source: Source) -> None:
    assert not admission().needs_credential
    assert admission(members).needs_credential
    assert admission(tokens=source).needs_credential
    assert not admission(tokens=source, by_host=True).needs_credential
    members.needs_credential = False
    assert not admission(members).needs_credential


# Delays


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays, "FIRST_SECONDS", 3600.0)
    monkeypatch.setattr(delays, "LONGEST_SECONDS", 3600.0)


@pytest.mark.usefixtures("slow")
async def test_during_an_attack_a_right_credential_passes_at_once(members: Members) -> None:
    deciding = admission(members)
    wrong = Visitor("127.0.0.1", "/", {"wrong": "anna"})
    attempts: list[Callable[[Visitor], Awaitable[object]]] = [deciding.admit, deciding.admit_to_files]
    attack = [asyncio.ensure_future(attempt(wrong)) for attempt in attempts * 3]
    await until("all are held", lambda: deciding._delays.waiting == 6)
    async with asyncio.timeout(10):
        await deciding.admit(MEMBER)
    for each in attack:
        each.cancel()
    await asyncio.gather(*attack, return_exceptions=True)
    assert not deciding._delays.waiting


@pytest.mark.usefixtures("slow")
async def test_who_shows_nothing_is_not_held(members: Members) -> None:
    async with asyncio.timeout(10):
        for _ in range(20):
            await denied(admission(members).admit(STRANGER))


# Opening and closing


async def test_everything_is_opened_and_closed(members: Members, source: Source) -> None:
    deciding = admission(members, tokens=source)
    await deciding.open()
    assert (members.opened, source.opened) == (1, 1)
    await deciding.close()
    assert (members.closed, source.closed) == (1, 1)


async def test_when_one_fails_to_open_the_others_are_closed(members: Members) -> None:
    fault = WsguiError("The file of tokens is missing.", field="tokens.source")
    deciding = admission(members, tokens=Source({}, fault=fault))
    with pytest.raises(WsguiError) as caught:
        await deciding.open()
    assert caught.value is fault
    assert (members.opened, members.closed) == (1, 1)


# What is taken back


async def test_grants_that_do_not_hold_any_more(members: Members, source: Source) -> None:
    deciding = admission(members, tokens=source)
    user, token = Grant("user", "anna"), Grant("token", "s3cret", OFFICE)
    elsewhere, certificate = Grant("token", "s3cret", TcpAddress("other", 1)), Grant("certificate", "x")
    grants = (user, token, elsewhere, certificate)
    assert await deciding.withdrawn(grants) == {elsewhere}
    members.members.clear()
    source.targets.clear()
    assert await deciding.withdrawn(grants) == {user, token, elsewhere}
    assert await deciding.withdrawn(()) == frozenset()


async def test_without_tokens_every_token_is_taken_back(members: Members) -> None:
    token = Grant("token", "s3cret", OFFICE)
    assert await admission(members).withdrawn([token, Grant("user", "anna")]) == {token}


def test_a_session_rests_on_something_that_is_still_asked_for(members: Members, source: Source) -> None:
    user, token, certificate = Grant("user", "anna"), Grant("token", "s3cret", OFFICE), Grant("certificate", "x")
    assert admission(members).asks_for_others([certificate])
    assert admission(tokens=source).asks_for_others([user])
    assert not admission(members).asks_for_others([certificate, user])
    assert not admission(members, tokens=source).asks_for_others([token])
    assert not admission(members).asks_for_others([])
    assert not admission().asks_for_others([user])


async def test_what_cannot_be_found_out_holds() -> None:
    token = Grant("token", "s3cret", OFFICE)
    failing = Source({}, fault=LookupFailed("Redis is down."))
    assert not await admission(tokens=failing).withdrawn([token])
    assert not await Admission((), Hanging({}), deadline_seconds=0.05).withdrawn([token])
