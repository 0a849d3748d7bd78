"""Passwords and certificates, asked of a visitor: who comes in, and what the others are told."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import bcrypt
import pytest

from tests.support.certificates import make_certificate
from tests.support.waiting import until
from wsgui.access import passwords
from wsgui.access.authentication import Authenticator, authenticators_of, websockify_authenticator
from wsgui.access.basic import BasicAuthentication
from wsgui.access.client_certificates import ClientCertificates
from wsgui.access.plugins import PluginAuthenticator
from wsgui.access.visitor import Denied, Grant, Visitor
from wsgui.errors import CertificateError, SecretError, UsageError
from wsgui.profiles.access import Access, Tls


def visitor(
    credentials: str | bytes | None = None, *, cn: str | None = None, secure: bool = True, **fields: str
) -> Visitor:
    if credentials is not None:
        raw = credentials.encode() if isinstance(credentials, str) else credentials
        fields["authorization"] = "Basic " + base64.b64encode(raw).decode()
    return Visitor("192.0.2.1", "/", fields, secure, cn)


async def denied(authenticator: Authenticator, who: Visitor) -> Denied:
    with pytest.raises(Denied) as caught:
        await authenticator.authenticate(who, None)
    assert "s3cret" not in repr(caught.value)
    return caught.value


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users"
    path.write_text("anna:one\nberta:ü:x\n")
    path.chmod(0o600)
    return path


@pytest.fixture
async def basic(users: Path) -> AsyncIterator[BasicAuthentication]:
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    yield authentication
    await authentication.close()


# Basic


async def test_a_user_with_the_password_comes_in(basic: BasicAuthentication) -> None:
    grant = await basic.authenticate(visitor("anna:one"), None)
    assert grant is not None
    assert (grant.kind, grant.name) == ("user", "anna")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_password_comes_as_utf_8_or_latin_1(encoding: str, basic: BasicAuthentication) -> None:
    assert await basic.authenticate(visitor("berta:ü:x".encode(encoding)), None)


async def test_who_shows_none_is_asked_and_not_delayed(basic: BasicAuthentication) -> None:
    answer = await denied(basic, visitor())
    assert (answer.status, answer.rule, answer.delay_key) == (401, "credential", "")
    assert dict(answer.headers) == {"WWW-Authenticate": 'Basic realm="wsgui", charset="UTF-8"'}


@pytest.mark.parametrize("shown", ["anna:s3cret", "nobody:one", "anna:", ":one", "anna:one\0", "ANNA:one"])
async def test_a_wrong_one_is_asked_again_and_delayed(shown: str, basic: BasicAuthentication) -> None:
    answer = await denied(basic, visitor(shown))
    assert (answer.status, answer.delay_key) == (401, f"user {shown.partition(':')[0]}")


@pytest.mark.parametrize("field", ["Basic", "Basic ", "Basic !", "Basic YW5uYQ==", "basic YW5uYTpvbmU= YW5uYTpvbmU="])
async def test_a_malformed_one_is_a_bad_request(field: str, basic: BasicAuthentication) -> None:
    answer = await denied(basic, visitor(authorization=field))
    assert (answer.status, answer.delay_key) == (400, "")


async def test_another_scheme_is_asked_for_this_one(basic: BasicAuthentication) -> None:
    assert (await denied(basic, visitor(authorization="Bearer s3cret"))).status == 401


async def test_the_scheme_s_name_is_of_any_case(basic: BasicAuthentication) -> None:
    assert await basic.authenticate(visitor(authorization="bAsIc YW5uYTpvbmU="), None)


async def test_a_secret_may_lie_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUI_TEST_USERS", "anna:one")
    authentication = BasicAuthentication("env:WSGUI_TEST_USERS")
    await authentication.open()
    monkeypatch.delenv("WSGUI_TEST_USERS")
    assert await authentication.authenticate(visitor("anna:one"), None)


@pytest.mark.parametrize("state", ["missing", "empty", "malformed", "folder", "writable"])
async def test_a_list_that_is_none_opens_nothing(state: str, users: Path) -> None:
    if state == "missing":
        users.unlink()
    elif state == "folder":
        users = users.parent
    elif state == "writable":
        users.chmod(0o622)
    else:
        users.write_text({"empty": "", "malformed": "s3cret"}[state])
    with pytest.raises(SecretError) as caught:
        await BasicAuthentication(f"file:{users}").open()
    assert caught.value.field == "access.basic"
    assert "s3cret" not in str(caught.value)


# A list that changes


async def test_a_changed_file_counts_at_once(basic: BasicAuthentication, users: Path) -> None:
    users.write_text("clara:three\n")
    assert await basic.authenticate(visitor("clara:three"), None)
    assert (await denied(basic, visitor("anna:one"))).status == 401


@pytest.mark.parametrize("state", ["missing", "empty", "malformed"])
async def test_while_a_file_is_broken_the_old_list_holds_and_the_log_says_so_once(
    state: str, basic: BasicAuthentication, users: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if state == "missing":
        users.unlink()
    else:
        users.write_text({"empty": "", "malformed": "s3cret"}[state])
    for _ in range(3):
        assert await basic.authenticate(visitor("anna:one"), None)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "s3cret" not in caplog.text
    users.write_text("clara:three\n")
    users.chmod(0o600)
    assert await basic.authenticate(visitor("clara:three"), None)


async def test_a_grant_holds_until_the_user_is_gone_or_has_another_password(
    basic: BasicAuthentication, users: Path
) -> None:
    anna = await basic.authenticate(visitor("anna:one"), None)
    berta = await basic.authenticate(visitor("berta:ü:x"), None)
    assert anna is not None
    assert berta is not None
    assert await basic.holds(anna)
    users.write_text("berta:ü:x\nanna:two")
    assert not await basic.holds(anna)
    assert await basic.holds(berta)
    users.write_text("anna:one\n")
    assert not await basic.holds(berta)
    assert await basic.holds(Grant("token", "x"))


# Slow hashes


async def test_a_password_that_was_right_is_not_checked_again_during_an_attack(
    users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.write_text(f"anna:{bcrypt.hashpw(b'one', bcrypt.gensalt(4)).decode()}\n")
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    assert await authentication.authenticate(visitor("anna:one"), None)
    gate = threading.Event()
    real = passwords.Password.matches

    def stuck(self: passwords.Password, password: bytes) -> bool:
        gate.wait()
        return real(self, password)

    monkeypatch.setattr(passwords.Password, "matches", stuck)
    attack = [asyncio.ensure_future(authentication.authenticate(visitor(f"anna:{n}"), None)) for n in range(50)]
    try:
        async with asyncio.timeout(10):
            assert await authentication.authenticate(visitor("anna:one"), None)
    finally:
        gate.set()
        failed = await asyncio.gather(*attack, return_exceptions=True)
    assert all(isinstance(each, Denied) for each in failed)


async def test_one_address_has_one_password_checked_at_a_time(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users.write_text(f"anna:{bcrypt.hashpw(b'one', bcrypt.gensalt(4)).decode()}\n")
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    gate = threading.Event()
    real = passwords.Password.matches

    def stuck(self: passwords.Password, password: bytes) -> bool:
        if password != b"one":
            gate.wait()
        return real(self, password)

    monkeypatch.setattr(passwords.Password, "matches", stuck)
    attack = [asyncio.ensure_future(authentication.authenticate(visitor(f"anna:{n}"), None)) for n in range(50)]
    try:
        async with asyncio.timeout(10):
            theirs = Visitor("198.51.100.1", "/", visitor("anna:one").fields)
            assert await authentication.authenticate(theirs, None)
    finally:
        gate.set()
        await asyncio.gather(*attack, return_exceptions=True)


async def test_who_goes_away_keeps_its_address_s_turn_until_its_check_is_over(
    users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.write_text(f"anna:{bcrypt.hashpw(b'one', bcrypt.gensalt(4)).decode()}\n")
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    gate = threading.Event()
    checked: list[bytes] = []

    def stuck(self: passwords.Password, password: bytes) -> bool:
        checked.append(password)
        return not gate.wait(30)

    monkeypatch.setattr(passwords.Password, "matches", stuck)
    gone = asyncio.ensure_future(authentication.authenticate(visitor("anna:1"), None))
    await until("the check runs", lambda: checked == [b"1"])
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    theirs = Visitor("198.51.100.1", "/", visitor("anna:3").fields)
    attempts = [visitor("anna:2"), theirs]
    waiting = [asyncio.ensure_future(authentication.authenticate(each, None)) for each in attempts]
    await until("another address is checked", lambda: len(checked) == 2)
    assert checked == [b"1", b"3"]
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert checked == [b"1", b"3", b"2"]


async def test_a_removed_user_s_remembered_password_is_worth_nothing(users: Path) -> None:
    users.write_text(f"anna:{bcrypt.hashpw(b'one', bcrypt.gensalt(4)).decode()}\n")
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    assert await authentication.authenticate(visitor("anna:one"), None)
    users.write_text(f"anna:{bcrypt.hashpw(b'two', bcrypt.gensalt(4)).decode()}\n")
    assert (await denied(authentication, visitor("anna:one"))).status == 401


# Client certificates


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return make_certificate(tmp_path, name="authority").certificate


async def certificates(authority: Path | None, names: tuple[str, ...] | None) -> ClientCertificates:
    authentication = ClientCertificates(None if authority is None else str(authority), names)
    await authentication.open()
    return authentication


async def test_a_listed_name_comes_in_and_another_does_not(authority: Path) -> None:
    authentication = await certificates(authority, ("anna", "berta"))
    grant = await authentication.authenticate(visitor(cn="anna"), None)
    assert grant is not None
    assert (grant.kind, grant.name) == ("certificate", "anna")
    for name in ("clara", "", "Anna", None):
        assert (await denied(authentication, visitor(cn=name))).status == 403


async def test_without_a_list_any_certificate_comes_in_but_none_does_not(authority: Path) -> None:
    authentication = await certificates(authority, None)
    for name in ("anna", ""):
        assert await authentication.authenticate(visitor(cn=name), None)
    assert (await denied(authentication, visitor(cn=None))).rule == "certificate"


async def test_an_empty_list_is_nobody(authority: Path) -> None:
    authentication = await certificates(authority, ())
    for name in ("anna", "", None):
        assert (await denied(authentication, visitor(cn=name))).status == 403


async def test_over_a_plain_connection_nobody_comes_in(authority: Path) -> None:
    authentication = await certificates(authority, None)
    assert (await denied(authentication, visitor(cn=None, secure=False))).status == 403


@pytest.mark.parametrize("state", ["missing", "empty", "junk", "none"])
async def test_an_authority_that_is_none_opens_nothing(state: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if state in ("empty", "junk"):
        path.write_bytes(b"" if state == "empty" else b"\xff" * 9)
    with pytest.raises(CertificateError):
        await certificates(None if state == "none" else path, ("anna",))


async def test_a_certificate_s_grant_ends_with_its_name_or_an_authority(authority: Path, tmp_path: Path) -> None:
    grant = await (await certificates(authority, ("anna",))).authenticate(visitor(cn="anna"), None)
    assert grant is not None
    assert await (await certificates(authority, None)).holds(grant)
    assert not await (await certificates(authority, ("berta",))).holds(grant)
    other = make_certificate(tmp_path, name="other").certificate
    assert not await (await certificates(other, ("anna",))).holds(grant)
    with authority.open("ab") as file:
        file.write(other.read_bytes())
    assert await (await certificates(authority, ("anna",))).holds(grant)


# What a profile asks for


def test_a_profile_without_rules_asks_for_nothing() -> None:
    assert authenticators_of(Access(), Tls()) == ()


def test_a_profile_asks_for_all_that_it_names() -> None:
    access = Access(basic="env:USERS", plugin="package.module.Class", client_names=("anna",))
    asked = authenticators_of(access, Tls(certificate_file="x", client_authority="/x"))
    assert [type(each) for each in asked] == [ClientCertificates, BasicAuthentication, PluginAuthenticator]
    assert [each.guards_files for each in asked] == [True, True, False]


@pytest.mark.parametrize("names", [(), ("anna",)])
async def test_names_without_an_authority_let_nobody_in(names: tuple[str, ...]) -> None:
    (asked,) = authenticators_of(Access(client_names=names), Tls())
    with pytest.raises(CertificateError):
        await asked.open()


# websockify's line


@pytest.mark.parametrize("name", ["BasicHTTPAuth", "websockify.auth_plugins.BasicHTTPAuth"])
async def test_websockify_s_basic_authentication(name: str) -> None:
    basic = websockify_authenticator(name, "anna:a:b")
    assert basic.needs_credential
    assert await basic.authenticate(visitor("anna:a:b"), None) == Grant("user", "anna")
    for who in (visitor(), visitor("anna:s3cret"), visitor("anna:a"), visitor("anna:a:b:")):
        answer = await denied(basic, who)
        assert answer.status == 401
        assert dict(answer.headers) == {"WWW-Authenticate": 'Basic realm="Websockify"'}
    for field in ("Bearer x", "Basic", "Basic YW5uYQ==", "Basic ==="):
        assert (await denied(basic, visitor(authorization=field))).status == 403


async def test_websockify_s_basic_authentication_takes_latin_1() -> None:
    basic = websockify_authenticator("BasicHTTPAuth", "anna:ü")
    for spelled in ("latin-1", "utf-8"):
        assert await basic.authenticate(visitor("anna:ü".encode(spelled)), None)
    beyond = websockify_authenticator("BasicHTTPAuth", "anna:€")
    assert (await denied(beyond, visitor("anna:?"))).status == 401


@pytest.mark.parametrize("source", [None, "", "anna"])
async def test_websockify_s_basic_authentication_without_a_password_lets_nobody_in(source: str | None) -> None:
    basic = websockify_authenticator("BasicHTTPAuth", source)
    for shown in (":", "anna:", source or "x:"):
        assert (await denied(basic, visitor(shown + ":"))).status in (401, 403)


async def test_websockify_s_origins() -> None:
    origins = websockify_authenticator("ExpectOrigin", "https://one\thttps://two")
    for origin in ("https://one", "https://two"):
        await origins.authenticate(visitor(origin=origin), None)
    for who in (visitor(), visitor(origin="https://three"), visitor(origin="")):
        answer = await denied(origins, who)
        assert (answer.status, answer.message) == (403, "Invalid Origin")
    assert (await denied(websockify_authenticator("ExpectOrigin", None), visitor())).status == 403


async def test_websockify_s_common_names() -> None:
    names = websockify_authenticator("ClientCertCNAuth", "anna berta")
    assert await names.authenticate(visitor(cn="berta"), None) == Grant("certificate", "berta")
    for name in (None, "", "clara"):
        assert (await denied(names, visitor(cn=name))).status == 403
    assert (await denied(websockify_authenticator("ClientCertCNAuth", None), visitor(cn=""))).status == 403


def test_a_name_that_websockify_does_not_have() -> None:
    with pytest.raises(UsageError, match="There is no authentication plugin SecretAuth"):
        websockify_authenticator("SecretAuth", None)


async def test_a_dead_pipe_as_a_list_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SecretError):
        await BasicAuthentication(f"file:{tmp_path}/pipe").open()


async def test_the_loop_goes_on_while_a_password_is_checked(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users.write_text(f"anna:{bcrypt.hashpw(b'one', bcrypt.gensalt(4)).decode()}\n")
    authentication = BasicAuthentication(f"file:{users}")
    await authentication.open()
    gate = threading.Event()
    inside = threading.Event()

    def stuck(self: passwords.Password, _password: bytes) -> bool:
        inside.set()
        return gate.wait(30)

    monkeypatch.setattr(passwords.Password, "matches", stuck)
    check = asyncio.ensure_future(authentication.authenticate(visitor("anna:one"), None))
    await until("the check runs", inside.is_set)
    gate.set()
    assert await check
