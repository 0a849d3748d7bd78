"""Who comes in by a password, a certificate or somebody's class: as a user, and as who has none of them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.arrivals import Refused, Session, arriving, outcome, target
from tests.support.certificates import ClientAuthority
from tests.support.engines import NAME, Running, running
from tests.support.houses import House, basic, status
from tests.support.programs import need
from tests.support.raw import RawClient
from tests.support.waiting import until
from wsgui.engine.engine import Engine
from wsgui.engine.events import ClientRefused
from wsgui.engine.terms import Terms
from wsgui.errors import TunnelError
from wsgui.profiles.model import Profile

PLAIN = ("upgrade", "connection", "sec-websocket-key", "sec-websocket-version")
TAKEN_BACK = (1008, "What let you in has been taken back")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path)
    monkeypatch.syspath_prepend(house.plugin.parent)
    return house


@pytest.fixture
async def desk() -> AsyncIterator[str]:
    async with target("desk") as address:
        yield address


@pytest.fixture
def undelayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for having tried the wrong thing."""
    monkeypatch.setattr("wsgui.access.delays.FIRST_SECONDS", 0.0)


def profile(**fields: Any) -> Profile:
    return Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0"} | fields)


async def page(tunnel: Running, path: str = "/", **fields: str) -> int:
    """Ask for a page; the answer's status."""
    async with await RawClient.connect(tunnel.url) as client:
        client.send(client.head(path, drop=PLAIN, **fields))
        return (await client.answer()).status


# Passwords


async def test_users_of_a_list_that_htpasswd_made_come_in_and_others_are_asked(
    tmp_path: Path, desk: str, undelayed: None
) -> None:
    need("htpasswd")
    users = tmp_path / "users"
    made = (("anna", "one", "-B", "-C4"), ("ben", "zwei:drei", "-m"), ("cleo", "tröis", "-s"))
    for number, (user, password, *how) in enumerate(made):
        create = ["-c"] if not number else []
        subprocess.run(["htpasswd", "-b", *create, *how, str(users), user, password], check=True, capture_output=True)
    users.chmod(0o600)
    async with running(target=desk, access={"basic": f"file:{users}"}) as tunnel:
        for user, password, *_ in made:
            assert await outcome(tunnel, authorization=basic(user, password).encode().decode("latin-1")) == "desk"
        for fields in (
            {},
            {"authorization": basic("anna", "zwei:drei")},
            {"authorization": basic("anna", "")},
            {"authorization": basic("anna", users.read_text().split("\n")[0].partition(":")[2])},
            {"authorization": basic("eve", "one")},
            {"authorization": basic("", "")},
            {"authorization": "Bearer one"},
            {"authorization": "Digest username=anna"},
            {"proxy_authorization": basic("anna", "one")},
        ):
            with pytest.raises(Refused) as caught:
                async with arriving(tunnel, **fields):
                    pass
            answer = caught.value.answer
            assert answer.status == 401, fields
            assert answer.fields["www-authenticate"] == 'Basic realm="wsgui", charset="UTF-8"'
            assert answer.fields["connection"] == "close"
        connected = [each.identity for each in tunnel.now.connections]
        assert connected == [], "all have gone"


@pytest.mark.parametrize("shown", ["Basic", "Basic !!!", "Basic YW5uYQ==", "Basic YW5uYTpvbmU=, Basic YW5uYTpvbmU="])
async def test_what_is_no_basic_authentication_is_a_bad_request(shown: str, house: House, desk: str) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        assert await outcome(tunnel, authorization=shown) in (400, 401)


async def test_two_authorization_fields_are_a_bad_request(house: House, desk: str) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            head = client.head(authorization=basic("eve", "x"))
            client.send(head[:-2] + f"Authorization: {basic('anna', 'one')}\r\n\r\n".encode())
            assert (await client.answer()).status == 400


async def test_a_session_has_its_user_s_name_where_its_owner_sees_it_and_no_password_anywhere(
    house: House, desk: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house.users.write_text("anna:hunter2-long\n")
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        async with arriving(tunnel, authorization=basic("anna", "hunter2-long")):
            (connection,) = tunnel.now.connections
            assert connection.identity == "anna"
            assert await outcome(tunnel, authorization=basic("anna", "hunter3-long")) == 401
            refused = await tunnel.event(ClientRefused)
        everything = f"{tunnel.now} {tunnel.events} {caplog.text} {refused}"
    for secret in ("hunter2-long", "hunter3-long", basic("anna", "hunter2-long"), basic("anna", "hunter3-long")):
        assert secret not in everything


async def test_pages_are_asked_too_unless_that_is_switched_off(house: House) -> None:
    (house.folder / "web").mkdir()
    (house.folder / "web" / "a.txt").write_text("a")
    right = basic("anna", "one")
    access = {"basic": f"file:{house.users}"}
    for require in (True, False):
        web = {"root": str(house.folder / "web"), "require_access": require}
        async with running(access=access, web=web) as tunnel:
            for path, there in (("/a.txt", 200), ("/none.txt", 404), ("/../users", 404)):
                assert await page(tunnel, path, authorization=right) in (there, 400, 403)
                assert await page(tunnel, path) == 401 if require else await page(tunnel, path) != 401
            assert await page(tunnel, "/a.txt", authorization=right) == 200
            assert await page(tunnel, "/a.txt") == (401 if require else 200)
            assert await status(tunnel) == 401


async def test_pages_need_no_token(desk: str) -> None:
    async with running(target=None, targets={"anna": desk}, web={"root": "demo"}) as tunnel:
        assert await page(tunnel, "/") == 200
        assert await outcome(tunnel) == 404


async def test_while_somebody_guesses_a_user_comes_in_at_once_and_the_guesser_waits(house: House, desk: str) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        begun = time.monotonic()
        guesses = [
            asyncio.create_task(outcome(tunnel, authorization=basic(user, f"guess{number}")))
            for user in ("anna", "eve")
            for number in range(4)
        ]
        answered, _ = await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        assert time.monotonic() - begun >= 0.2, "even the first one is not answered at once"
        assert len(answered) < len(guesses), "the next ones wait longer"
        for _ in range(20):
            assert await outcome(tunnel, authorization=basic("anna", "one")) == "desk"
        assert not all(each.done() for each in guesses)
        for each in guesses:
            each.cancel()
        await asyncio.gather(*guesses, return_exceptions=True)
        assert await outcome(tunnel, authorization=basic("anna", "one")) == "desk", "nobody is banned"


async def test_who_shows_nothing_or_is_a_foreign_page_waits_for_nothing(house: House, desk: str) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        begun = time.monotonic()
        for _ in range(30):
            assert await status(tunnel) == 401
            assert await status(tunnel, origin="https://evil.example") == 403
        assert time.monotonic() - begun < 3


# With a credential the Host may be any name


async def test_a_name_of_nobody_s_needs_a_credential(house: House, desk: str) -> None:
    name = {"host": "tunnel.example:80"}
    async with running(target=desk) as tunnel:
        assert await outcome(tunnel, **name) == 403
        assert await page(tunnel, **name) == 403
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        assert await outcome(tunnel, **name) == 401
        assert await outcome(tunnel, **name, authorization=basic("anna", "one")) == "desk"
        assert await outcome(tunnel, authorization=basic("anna", "one"), origin="https://evil.example") == 403
        await tunnel.engine.configure(profile(target=desk))
        assert await outcome(tunnel, **name, authorization=basic("anna", "one")) == 403
    async with running(target=None, targets={"anna": desk}) as tunnel:
        assert await outcome(tunnel, "/?token=anna", **name) == "desk"
        assert await outcome(tunnel, "/", **name) == 404


# Client certificates


def presenting(house: House, certificate: Path | None, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = house.shown(certificate)
    context.check_hostname = False
    if newest is not None:
        context.maximum_version = newest
    return context


def blocking_upgrade(
    tunnel: Running, context: ssl.SSLContext, *, name: str | None, session: ssl.SSLSession | None = None
) -> tuple[int, ssl.SSLSession | None]:
    """Ask for the upgrade with SNI `name`; the status (0: TLS has failed), and the TLS session."""
    parts = urlsplit(tunnel.url)
    try:
        with (
            socket.create_connection((parts.hostname, parts.port), timeout=20) as raw,
            context.wrap_socket(raw, server_hostname=name, session=session) as sock,
        ):
            head = (
                f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            sock.sendall(head.encode())
            answer = sock.recv(4096)
            return int(answer.split(b" ")[1]) if answer else 0, sock.session
    except (ssl.SSLError, ConnectionError):
        return 0, None


NEWEST = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def asking(house: House, **access: Any) -> dict[str, Any]:
    return {"tls": house.tls | {"client_authority": str(house.authority.path)}, "access": access}


@pytest.mark.parametrize("newest", NEWEST)
@pytest.mark.parametrize("name", [None, "localhost", "127.0.0.1", "other.example", "x" * 63, "xn--nxasmq6b"])
async def test_by_no_server_name_does_anybody_come_in_without_a_certificate(
    name: str | None, newest: ssl.TLSVersion, house: House, desk: str
) -> None:
    stranger = ClientAuthority(house.folder, "other").sign("anna")
    async with running(target=desk, **asking(house)) as tunnel:
        for shown, answer in ((None, 0), (stranger, 0), (house.anna, 101)):
            got, _ = await asyncio.to_thread(blocking_upgrade, tunnel, presenting(house, shown, newest), name=name)
            assert got == answer


@pytest.mark.parametrize("newest", NEWEST)
async def test_a_tls_session_from_before_certificates_were_asked_for_does_not_come_in(
    newest: ssl.TLSVersion, house: House, desk: str
) -> None:
    context = presenting(house, None, newest)
    async with running(target=desk, tls=house.tls) as tunnel:
        got, session = await asyncio.to_thread(blocking_upgrade, tunnel, context, name="localhost")
        assert got == 101
        assert session is not None
        await tunnel.engine.configure(profile(target=desk, **asking(house)))
        for _ in range(3):
            got, _ = await asyncio.to_thread(blocking_upgrade, tunnel, context, name="localhost", session=session)
            assert got == 0


@pytest.mark.parametrize("newest", NEWEST)
async def test_a_tls_session_of_an_authority_that_is_gone_does_not_come_in(
    newest: ssl.TLSVersion, house: House, desk: str
) -> None:
    context = presenting(house, house.anna, newest)
    async with running(target=desk, **asking(house)) as tunnel:
        got, session = await asyncio.to_thread(blocking_upgrade, tunnel, context, name="localhost")
        assert got == 101
        shutil.copy(ClientAuthority(house.folder, "other").path, house.authority.path)
        await tunnel.engine.configure(profile(target=desk, **asking(house)))
        got, _ = await asyncio.to_thread(blocking_upgrade, tunnel, context, name="localhost", session=session)
        assert got == 0


async def test_a_connection_kept_from_before_a_reload_has_to_come_anew(house: House, desk: str) -> None:
    async with running(target=desk, tls=house.tls) as tunnel:
        async with await RawClient.connect(tunnel.url, tls=house.trust) as client:
            client.send(client.head(drop=PLAIN))
            assert (await client.answer(body=True)).status == 200
            await tunnel.engine.configure(profile(target=desk, **asking(house)))
            client.send(client.head())
            answer = await client.answer(body=True)
            assert (answer.status, answer.fields["connection"]) == (421, "close")
            assert await client.eof() == b""


async def test_an_unused_connection_from_before_a_reload_has_to_come_anew(house: House, desk: str) -> None:
    async with running(target=desk, tls=house.tls) as tunnel:
        async with await RawClient.connect(tunnel.url, tls=house.trust) as client:
            await tunnel.engine.configure(profile(target=desk, **asking(house)))
            client.send(client.head())
            assert (await client.answer()).status == 421


async def test_only_listed_common_names_come_in(house: House, desk: str) -> None:
    async with running(target=desk, **asking(house, client_names=["anna", "ben"])) as tunnel:
        for names, arrives in (
            (("anna",), "desk"),
            (("ben",), "desk"),
            (("cleo",), 403),
            (("Anna",), 403),
            (("anna ",), 403),
            (("anna\0.example",), 403),
            (("cleo", "anna"), "desk"),
            (("anna", "cleo"), 403),
            ((), 403),
        ):
            shown = house.shown(house.authority.sign(*names))
            assert await outcome(tunnel, tls=shown) == arrives, names
        async with arriving(tunnel, tls=house.shown(house.anna), ssl_client_s_dn_cn="ben"):
            (connection,) = tunnel.now.connections
            assert connection.identity == "CN anna"


async def test_a_certificate_and_a_password_are_both_needed_where_both_are_asked(house: House, desk: str) -> None:
    right = {"authorization": basic("anna", "one")}
    async with running(target=desk, **asking(house, basic=f"file:{house.users}")) as tunnel:
        assert await outcome(tunnel, tls=house.shown(house.anna), **right) == "desk"
        assert await outcome(tunnel, tls=house.shown(house.anna)) == 401
        assert await status(tunnel, tls=house.trust, **right) == 0
        assert await status(tunnel, **right) == 403


# What let somebody in is taken back


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what was taken back at each tick."""
    monkeypatch.setattr("wsgui.bridge.permissions.REVIEW_SECONDS", 0.0)
    monkeypatch.setattr("wsgui.bridge.bridge.TICK_SECONDS", 0.05)
    monkeypatch.setattr("wsgui.access.tokens.table.GONE_SECONDS", 0.1)
    monkeypatch.setattr("wsgui.access.tokens.table.SETTLE_SECONDS", 0.05)
    monkeypatch.setattr("wsgui.access.tokens.file_per_token.SETTLE_SECONDS", 0.05)


async def closed(session: Session) -> tuple[int, str]:
    return await session.client.closed()


async def test_a_token_that_is_taken_from_the_profile_ends_its_sessions_and_no_others(desk: str, soon: None) -> None:
    async with running(target=None, targets={"anna": desk, "ben": desk}) as tunnel:
        async with arriving(tunnel, "/?token=anna") as anna, arriving(tunnel, "/?token=ben") as ben:
            await tunnel.engine.configure(profile(targets={"ben": desk}))
            assert await closed(anna) == TAKEN_BACK
            await ben.round_trip()
            await tunnel.engine.configure(profile(targets={"ben": "127.0.0.1:9"}))
            assert await closed(ben) == TAKEN_BACK, "it leads elsewhere now"


@pytest.mark.parametrize("how", ["line", "file", "elsewhere", "per token"])
async def test_a_token_that_is_taken_from_a_file_ends_its_sessions_by_itself(
    how: str, tmp_path: Path, desk: str, soon: None
) -> None:
    file = tmp_path / ("folder/anna" if how == "per token" else "tokens")
    file.parent.mkdir(exist_ok=True)
    file.write_text(desk if how == "per token" else f"anna: {desk}\nben: {desk}\n")
    if how == "per token":
        (tmp_path / "folder" / "ben").write_text(desk)
    source = f"file-per-token:{tmp_path}/folder" if how == "per token" else f"file:{file}"
    async with running(target=None, tokens={"source": source}) as tunnel:
        async with arriving(tunnel, "/?token=anna") as anna, arriving(tunnel, "/?token=ben") as ben:
            match how:
                case "line":
                    file.write_text(f"ben: {desk}\n")
                case "elsewhere":
                    file.write_text(f"anna: 127.0.0.1:9\nben: {desk}\n")
                case _:
                    file.unlink()
            assert await closed(anna) == TAKEN_BACK
            if how == "file":
                assert await closed(ben) == TAKEN_BACK
            else:
                await ben.round_trip()


@pytest.mark.parametrize("left", ["ben:two\n", "anna:another\nben:two\n"])
async def test_a_user_who_is_gone_or_has_another_password_is_sent_away(
    left: str, house: House, desk: str, soon: None
) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        async with (
            arriving(tunnel, authorization=basic("anna", "one")) as anna,
            arriving(tunnel, authorization=basic("ben", "two")) as ben,
        ):
            house.users.write_text(left)
            assert await closed(anna) == TAKEN_BACK
            await ben.round_trip()


async def test_while_the_list_of_users_is_missing_or_broken_nobody_is_sent_away(
    house: House, desk: str, soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        async with arriving(tunnel, authorization=basic("anna", "one")) as anna:
            house.users.unlink()
            await until("the log line", lambda: "cannot be read" in caplog.text)
            house.users.write_text("")
            house.users.chmod(0o600)
            await until("the log line", lambda: "is empty" in caplog.text)
            await anna.round_trip()
            assert await outcome(tunnel, authorization=basic("anna", "one")) == "desk"
            assert await outcome(tunnel, authorization=basic("anna", "two")) == 401
            house.users.write_text("ben:two\n")
            assert await closed(anna) == TAKEN_BACK


async def test_a_common_name_or_an_authority_that_is_gone_ends_its_sessions(
    house: House, desk: str, soon: None
) -> None:
    ben = house.authority.sign("ben")
    async with running(target=desk, **asking(house, client_names=["anna", "ben"])) as tunnel:
        async with (
            arriving(tunnel, tls=house.shown(house.anna)) as first,
            arriving(tunnel, tls=house.shown(ben)) as second,
        ):
            await tunnel.engine.configure(profile(target=desk, **asking(house, client_names=["ben"])))
            assert await closed(first) == TAKEN_BACK
            await second.round_trip()
            shutil.copy(ClientAuthority(house.folder, "other").path, house.authority.path)
            await tunnel.engine.configure(profile(target=desk, **asking(house, client_names=["ben"])))
            assert await closed(second) == TAKEN_BACK


async def test_an_authority_beside_the_old_one_ends_nobody_s_session(house: House, desk: str, soon: None) -> None:
    other = ClientAuthority(house.folder, "other")
    async with running(target=desk, **asking(house)) as tunnel:
        async with arriving(tunnel, tls=house.shown(house.anna)) as anna:
            with house.authority.path.open("ab") as file:
                file.write(other.path.read_bytes())
            await tunnel.engine.configure(profile(target=desk, **asking(house)))
            await anna.round_trip()
            assert await outcome(tunnel, tls=house.shown(other.sign("ben"))) == "desk"


async def test_a_password_that_is_replaced_by_certificates_lets_its_users_stay_no_longer(
    house: House, desk: str, soon: None
) -> None:
    tls = {"tls": house.tls | {"only": False}}
    async with running(target=desk, **tls, access={"basic": f"file:{house.users}"}) as tunnel:
        async with arriving(tunnel, authorization=basic("anna", "one")) as anna:
            await tunnel.engine.configure(profile(target=desk, **asking(house)))
            assert await closed(anna) == TAKEN_BACK


async def test_what_is_asked_no_longer_keeps_nobody_out(house: House, desk: str, soon: None) -> None:
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel:
        async with arriving(tunnel, authorization=basic("anna", "one")) as anna:
            await tunnel.engine.configure(profile(target=desk))
            assert await outcome(tunnel) == "desk"
            await anna.round_trip()


async def test_on_websockify_s_line_nobody_is_sent_away(tmp_path: Path, desk: str, soon: None, undelayed: None) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"anna: {desk}\nben: {desk}\n")
    terms = Terms(websockify=True, token_plugin=("TokenFile", str(file)))
    engine = Engine()
    tunnel = Running(engine)
    await engine.configure(profile(tokens={"source": f"file:{file}"}), terms)
    await engine.start(NAME, wait=False)
    async with arriving(tunnel, "/?token=anna") as anna:
        file.write_text(f"ben: {desk}\n")
        assert await outcome(tunnel, "/?token=anna") == 404
        for _ in range(10):
            await anna.round_trip()
            await outcome(tunnel, "/?token=anna")  # each waits for a look at the file
        await anna.round_trip()
    await engine.close()


# Classes of other people's, in a profile


async def test_a_class_in_a_folder_that_others_can_write_starts_nothing(house: House, desk: str) -> None:
    house.plugin.parent.chmod(0o777)
    for fields in (
        {"target": desk, "access": {"plugin": f"{house.module}.Access"}},
        {"target": None, "tokens": {"source": f"plugin:{house.module}.Tokens", "argument": desk}},
    ):
        with pytest.raises(TunnelError, match="Others can write"):
            async with running(**fields):
                pass


async def test_a_class_says_no_with_its_own_answer(house: House, desk: str) -> None:
    with house.plugin.open("a") as file:
        file.write(
            "\nclass Portal(Access):\n"
            "    def authenticate(self, headers, target_host, target_port):\n"
            "        if 'session' not in (headers.get('cookie') or ''):\n"
            "            raise auth_plugins.AuthenticationError(\n"
            "                log_msg='no session', response_code=302, response_msg='Log in first',\n"
            "                response_headers={'Location': 'https://login.lab/', 'X-Why': 'none'})\n"
        )
    async with running(target=desk, access={"plugin": f"{house.module}.Portal"}) as tunnel:
        with pytest.raises(Refused) as caught:
            async with arriving(tunnel):
                pass
        answer = caught.value.answer
        assert answer.status == 302
        assert (answer.fields["location"], answer.fields["x-why"]) == ("https://login.lab/", "none")
        assert b"Log in first" in answer.body
        assert await outcome(tunnel, cookie="session=1") == "desk"
