"""Tokens in profiles, of every kind of source, through a running tunnel to real targets: known, unknown, hostile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from tests.support.arrivals import Refused, arriving, by_token, greeter, outcome, target, targets
from tests.support.certificates import make_certificate
from tests.support.engines import Running, running
from tests.support.raw import RawClient, tcp_target
from tests.support.redis import RedisServer, redis_server
from wsgui.access.visitor import AccessRule
from wsgui.engine.events import ClientRefused
from wsgui.profiles.model import Profile

PASSWORD = "kestrel-7712"
RSA = JWK.generate(kty="RSA", size=2048)
OTHER = JWK.generate(kty="RSA", size=2048)

PLUGIN = """
import threading
from websockify.token_plugins import BasePlugin

waiting, let_go = threading.Event(), threading.Event()

class Inventory(BasePlugin):
    def lookup(self, token):
        if token == "slow":
            waiting.set()
            let_go.wait(30)
        if token == "broken":
            raise KeyError(token)
        return self.source.rsplit(":", 1) if token in ("anna", "slow") else None

class Sockets(BasePlugin):
    def lookup(self, token):
        return ["unix_socket", self.source] if token == "anna" else None
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for files that may be being replaced, nor for who has tried the wrong thing."""
    monkeypatch.setattr("wsgui.access.delays.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("wsgui.access.tokens.table.GONE_SECONDS", 0.1)
    monkeypatch.setattr("wsgui.access.tokens.table.SETTLE_SECONDS", 0.05)
    monkeypatch.setattr("wsgui.access.tokens.file_per_token.SETTLE_SECONDS", 0.0)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), "--requirepass", PASSWORD) as server:
        server.log_in(PASSWORD)
        yield server


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with token plugins."""
    name = f"tokens_{secrets.token_hex(4)}"
    (tmp_path / "plugins").mkdir(mode=0o755)
    (tmp_path / "plugins" / f"{name}.py").write_text(PLUGIN)
    (tmp_path / "plugins" / f"{name}.py").chmod(0o644)
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    return name


def profile(**fields: Any) -> Profile:
    return Profile.model_validate({"name": "T", "listen": "127.0.0.1:0"} | fields)


def by_tokens(**fields: Any) -> Any:
    """A running tunnel whose clients' tokens say where they go."""
    return running(**{"target": None} | fields)


# Web servers that know one token


class Directory:
    """A web server that tells where a token leads; what it is asked stays in `asked`."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
                self.asked.append(path)
                answer = self.answers.get(unquote(path.removeprefix("/where/")))
                status, body = ("200 OK", answer) if answer is not None else ("404 Not Found", b"")
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def jws(key: JWK, algorithm: str, **claims: object) -> str:
    token = JWS(json.dumps(claims))
    token.add_signature(key, algorithm, json.dumps({"alg": algorithm}))
    return str(token.serialize(compact=True))


def jwe(key: JWK, algorithm: str, content: str) -> str:
    token = JWE(content, json.dumps({"alg": algorithm, "enc": "A256GCM"}))
    token.add_recipient(key)
    return str(token.serialize(compact=True))


def claims(address: str, **more: object) -> dict[str, object]:
    host, _, port = address.rpartition(":")
    return {"host": host, "port": int(port), "exp": int(time.time()) + 60} | more


KINDS = [
    *("inline", "file", "folder of files", "file per token", "http text", "http json", "https"),
    *("jwt secret", "jwt public key", "jwt encrypted", "redis", "redis json", "sockets", "plugin", "plugin's sockets"),
]


@asynccontextmanager
async def source_of(
    kind: str, address: str, folder: Path, redis: RedisServer, plugin: str, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[dict[str, Any], str]]:
    """Have a source that leads one token to `address`: the profile's fields for it, and that token."""
    async with contextlib.AsyncExitStack() as stack:
        match kind:
            case "inline":
                yield {"targets": {"anna": address}}, "anna"
            case "file":
                (folder / "tokens").write_text(f"# who goes where\nanna: {address}\nother: 127.0.0.1:9\n")
                yield {"tokens": {"source": f"file:{folder}/tokens"}}, "anna"
            case "folder of files":
                (folder / "folder").mkdir()
                (folder / "folder" / "one").write_text("other: 127.0.0.1:9\n")
                (folder / "folder" / "two").write_text(f"anna: {address}\n")
                yield {"tokens": {"source": f"file:{folder}/folder"}}, "anna"
            case "file per token":
                (folder / "each").mkdir()
                (folder / "each" / "anna").write_text(f"{address}\n")
                yield {"tokens": {"source": f"file-per-token:{folder}/each"}}, "anna"
            case "http text" | "http json" | "https":
                host, _, port = address.rpartition(":")
                body = json.dumps({"host": host, "port": int(port)}) if kind == "http json" else address
                directory = Directory({"anna": body.encode()})
                certificate = make_certificate(folder, name="directory") if kind == "https" else None
                if certificate is not None:
                    patch.setenv("SSL_CERT_FILE", str(certificate.certificate))
                at = await stack.enter_async_context(
                    tcp_target(directory.serve, tls=certificate.server_context() if certificate else None)
                )
                scheme = "https" if certificate else "http"
                yield {"tokens": {"source": f"{scheme}://localhost:{at}/where/%s"}}, "anna"
            case "jwt secret":
                secret = secrets.token_bytes(48)
                (folder / "key").write_bytes(secret.hex().encode())
                key = JWK.from_password(secret.hex())
                yield {"tokens": {"source": f"jwt:{folder}/key"}}, jws(key, "HS256", **claims(address))
            case "jwt public key":
                (folder / "key").write_bytes(RSA.export_to_pem())
                token = jws(RSA, "RS256", **claims(address, aud="lab"))
                yield {"tokens": {"source": f"jwt:{folder}/key", "audience": "lab"}}, token
            case "jwt encrypted":
                (folder / "key").write_bytes(RSA.export_to_pem(private_key=True, password=None))
                token = jwe(RSA, "RSA-OAEP", jws(RSA, "PS256", **claims(address)))
                yield {"tokens": {"source": f"jwt:{folder}/key"}}, token
            case "redis" | "redis json":
                value = json.dumps({"host": address}) if kind == "redis json" else address
                redis.run("SET", "vnc:anna", value, database=3)
                redis.run("SET", "anna", "127.0.0.1:9", database=3)
                redis.run("SET", "vnc:anna", "127.0.0.1:9")
                patch.setenv("REDIS_PASSWORD", PASSWORD)
                url = f"redis://{redis.address}/3?namespace=vnc"
                yield {"tokens": {"source": url, "password": "env:REDIS_PASSWORD"}}, "anna"
            case "sockets" | "plugin's sockets":
                (folder / "run").mkdir()
                server = await asyncio.start_unix_server(greeter("desk"), folder / "run" / "anna")
                stack.callback(server.close)
                if kind == "sockets":
                    yield {"tokens": {"source": f"unix-directory:{folder}/run"}}, "anna"
                else:
                    yield {"tokens": {"source": f"plugin:{plugin}.Sockets", "argument": f"{folder}/run/anna"}}, "anna"
            case "plugin":
                yield {"tokens": {"source": f"plugin:{plugin}.Inventory", "argument": address}}, "anna"


HOSTILE = [
    "../anna",
    "./anna",
    "anna/../anna",
    "../x?y#z",
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a" * 10_240,
    "../" * 3_000,
    "%2e%2e%2fanna",
    "anna\0",
    "\0",
    "anna\r\nX: y",
    "anna\r\nSET vnc:eve 127.0.0.1:9\r\n",
    "anna ",
    " anna",
    "ANNA",
    "anna:",
    "anna#",
    "anna%",
    "*",
    "a*",
    "vnc:anna",
    "other: 127.0.0.1",
    "# who goes where",
    "\u202eanna",
    "ａｎｎａ",  # full-width
    "anna\u0301",
    "\ud800",
    "{{7*7}}",
    "' OR 1=1 --",
    "a.b.c",
    "a.b.c.d.e",
    "eyJhbGciOiJub25lIn0.e30.",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_leads_to_its_target_and_no_other_anywhere(
    kind: str, tmp_path: Path, redis: RedisServer, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        target("desk") as address,
        source_of(kind, address, tmp_path, redis, plugin, monkeypatch) as (fields, token),
        by_tokens(**fields) as tunnel,
    ):
        assert await outcome(tunnel, by_token(token)) == "desk"
        assert await outcome(tunnel, f"/websockify?a=b&token={token}&b=c") == "desk"
        for path in ("/", "/?token=", "/?token", "/?Token=anna", "/?x=anna", "/anna", by_token("eve")):
            assert await outcome(tunnel, path) == 404, path
        assert await outcome(tunnel, by_token(token)) == "desk"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hostile_token_is_none_and_harms_nothing(
    kind: str, tmp_path: Path, redis: RedisServer, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        target("desk") as address,
        source_of(kind, address, tmp_path, redis, plugin, monkeypatch) as (fields, token),
        by_tokens(**fields) as tunnel,
        arriving(tunnel, by_token(token)) as session,
    ):
        answers = await asyncio.gather(*(outcome(tunnel, by_token(each)) for each in HOSTILE))
        assert dict(zip(HOSTILE, answers, strict=True)) == dict.fromkeys(HOSTILE, 404)
        assert session.greeting == "desk"
        assert await outcome(tunnel, by_token(token)) == "desk"
        assert tunnel.now.target_problem is None
    if "redis" in kind:
        assert redis.run("EXISTS", "vnc:eve", database=3) == b":0"


async def test_a_hostile_token_is_one_part_of_the_url_that_is_asked() -> None:
    directory = Directory({})
    async with tcp_target(directory.serve) as port:
        async with by_tokens(tokens={"source": f"http://127.0.0.1:{port}/where/%s"}) as tunnel:
            await asyncio.gather(*(outcome(tunnel, by_token(each)) for each in HOSTILE))
    assert "/where/..%2Fx%3Fy%23z" in directory.asked
    assert all(path.count("/") == 2 and not set("?#\\ ") & set(path) for path in directory.asked)
    assert all(path.removeprefix("/where/").strip(".") for path in directory.asked)


@pytest.mark.parametrize("second", ["anna", "eve", ""])
async def test_of_two_tokens_the_first_counts(second: str) -> None:
    async with targets("desk", "lab") as at, by_tokens(targets={"anna": at["desk"], "ben": at["lab"]}) as tunnel:
        assert await outcome(tunnel, f"/?token=anna&token={second}") == "desk"
        assert await outcome(tunnel, f"/?token=eve&token={second}") == 404


# Beside a source, a profile has targets of its own


async def test_a_profile_s_own_tokens_come_first_and_go_on_when_the_source_is_down() -> None:
    async with targets("own", "far") as at:
        directory = Directory({"anna": at["far"].encode(), "ben": at["far"].encode()})
        async with tcp_target(directory.serve) as port:
            fields = {"targets": {"anna": at["own"]}, "tokens": {"source": f"http://127.0.0.1:{port}/where/%s"}}
            async with by_tokens(**fields) as tunnel:
                assert await outcome(tunnel, "/?token=anna") == "own"
                assert await outcome(tunnel, "/?token=ben") == "far"
                assert directory.asked == ["/where/ben"]
        async with by_tokens(**fields) as tunnel:
            assert await outcome(tunnel, "/?token=ben") == 502
            assert await outcome(tunnel, "/?token=anna") == "own"


# By host


async def test_the_host_is_the_token_whatever_its_port_and_a_web_page_s_name_leads_nowhere() -> None:
    async with targets("desk", "lab") as at:
        fields = {"targets": {"desk.vnc.example": at["desk"], "::1": at["lab"]}, "tokens": {"by_host": True}}
        async with by_tokens(**fields) as tunnel:
            for host, arrives in (
                ("desk.vnc.example", "desk"),
                ("desk.vnc.example:443", "desk"),
                ("[::1]:80", "lab"),
                ("evil.example", 404),
                ("desk.vnc.example.evil.example", 404),
                ("localhost", 404),
                ("", 403),
                ("desk.vnc.example/x", 403),
                ("x@desk.vnc.example", 403),
            ):
                assert await outcome(tunnel, "/?token=desk.vnc.example", host=host) == arrives, host
            async with await RawClient.connect(tunnel.url) as client:
                client.send(client.head(drop=("host",)))
                assert (await client.answer()).status == 400


# Sources that fail


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with tcp_target(serve) as port:
        yield port


@asynccontextmanager
async def rubbish() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\xff\x00 this is no answer\r\n\r\n")
        writer.close()

    async with tcp_target(serve) as port:
        yield port


@asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    yield port


FAILING = [
    ("http://127.0.0.1:{port}/%s", nobody, 502, "cannot be reached"),
    ("http://127.0.0.1:{port}/%s", rubbish, 502, "did not answer as a web server"),
    ("http://127.0.0.1:{port}/%s", silence, 504, "longer than 0.2 s"),
    ("https://127.0.0.1:{port}/%s", rubbish, 502, "cannot be reached"),
    ("https://127.0.0.1:{port}/%s", silence, 504, "longer than 0.2 s"),
    ("redis://127.0.0.1:{port}", nobody, 502, "cannot be reached"),
    ("redis://127.0.0.1:{port}", rubbish, 502, "cannot be reached, or is none"),
    ("redis://127.0.0.1:{port}", silence, 504, "longer than 0.2 s"),
    ("plugin:{plugin}.Inventory?broken", nobody, 502, "KeyError in"),
    ("plugin:{plugin}.Inventory?slow", nobody, 504, "longer than 0.2 s"),
]


@pytest.mark.parametrize(("source", "server", "status", "says"), FAILING)
async def test_a_source_that_fails_is_answered_and_logged_once_and_harms_no_session(
    source: str, server: Any, status: int, says: str, plugin: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, _, token = source.partition("?") if source.startswith("plugin") else (source, "", "the-secret-one")
    async with server() as port, target("own") as address:
        tokens = {"source": source.format(port=port, plugin=plugin), "deadline_seconds": 0.2}
        async with by_tokens(targets={"anna": address}, tokens=tokens) as tunnel:
            async with arriving(tunnel, "/?token=anna") as session:
                for _ in range(2):
                    with pytest.raises(Refused) as caught:
                        async with arriving(tunnel, by_token(token)):
                            pass
                    assert caught.value.answer.status == status
                    assert token.encode() not in caught.value.answer.body
                await session.round_trip()
                assert await outcome(tunnel, "/?token=anna") == "own"
            refused = await tunnel.event(ClientRefused)
            rule: AccessRule = "lookup"
            assert (refused.refusal.status, refused.refusal.rule) == (status, rule)
    (line,) = [line for line in tunnel.log if "could not be looked up" in line.message]
    assert says in line.message
    assert line.level == logging.WARNING
    assert not any(token in line.message for line in tunnel.log)
    assert token not in caplog.text


async def test_a_certificate_that_is_not_trusted_is_never_told_the_token(tmp_path: Path) -> None:
    directory = Directory({"anna": b"127.0.0.1:9"})
    async with tcp_target(directory.serve, tls=make_certificate(tmp_path).server_context()) as port:
        async with by_tokens(tokens={"source": f"https://localhost:{port}/where/%s"}) as tunnel:
            assert await outcome(tunnel, "/?token=anna") == 502
    assert directory.asked == []
    assert any("is not trusted" in line.message for line in tunnel.log)


# Sources that block


async def test_a_plugin_that_blocks_holds_up_no_other_tunnel_and_no_other_client(plugin: str) -> None:
    async with target("desk") as address:
        async with (
            by_tokens(tokens={"source": f"plugin:{plugin}.Inventory", "argument": address}) as tunnel,
            running(target=address) as other,
        ):
            module = __import__(plugin)
            waits = asyncio.create_task(outcome(tunnel, "/?token=slow"))
            try:
                assert await asyncio.to_thread(module.waiting.wait, 20)
                async with arriving(other) as session:
                    for _ in range(50):
                        await session.round_trip()
                for _ in range(20):
                    assert await outcome(tunnel, "/?token=anna") == "desk"
                assert not waits.done()
            finally:
                module.let_go.set()
            assert await waits == "desk"


async def test_a_dead_pipe_among_the_token_files_holds_nothing_up(tmp_path: Path) -> None:
    async with target("desk") as address:
        (tmp_path / "each").mkdir()
        (tmp_path / "each" / "anna").write_text(address)
        os.mkfifo(tmp_path / "each" / "pipe")
        async with by_tokens(tokens={"source": f"file-per-token:{tmp_path}/each"}) as tunnel:
            answers = await asyncio.gather(*(outcome(tunnel, f"/?token={each}") for each in ["pipe"] * 20 + ["anna"]))
            assert answers == [404] * 20 + ["desk"]


# Redis comes and goes


async def test_redis_is_killed_and_comes_back_while_sessions_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    caplog.set_level(logging.INFO, "wsgui")
    with redis_server(tmp_path / "redis", "--requirepass", PASSWORD) as server:
        server.log_in(PASSWORD)
        async with target("desk") as address:
            fill = ("SET", "vnc:anna", address)
            await asyncio.to_thread(server.run, *fill)
            tokens = {"source": f"redis://{server.address}?namespace=vnc", "password": "env:REDIS_PASSWORD"}
            async with by_tokens(tokens=tokens) as tunnel, arriving(tunnel, "/?token=anna") as session:
                assert session.greeting == "desk"
                await asyncio.to_thread(server.stop, kill=True)
                assert await outcome(tunnel, "/?token=anna") == 502
                await session.round_trip()
                await asyncio.to_thread(server.start)
                assert await outcome(tunnel, "/?token=anna") == 404  # it keeps nothing
                await asyncio.to_thread(server.run, *fill)
                assert await outcome(tunnel, "/?token=anna") == "desk"
                await session.round_trip()
    assert any("answers again" in line.message for line in tunnel.log)
    assert not any(PASSWORD in line.message for line in tunnel.log)
    assert PASSWORD not in caplog.text


async def test_a_thousand_look_ups_given_up_at_a_slow_redis_lead_nobody_astray(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"desk{number}" for number in range(8)]
    dice = random.Random(7)
    arrived, given_up = 0, 0

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        while data := await reader.read(4096):
            if late and dice.random() < 0.4:
                await asyncio.sleep(0.15)
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", redis.port)
        await asyncio.gather(pass_on(reader, ours, late=False), pass_on(theirs, writer, late=True))

    async def client(tunnel: Running) -> None:
        nonlocal arrived, given_up
        while given_up < 1000:
            name = dice.choice(names)
            found = await outcome(tunnel, f"/?token={name}")
            assert found in (name, 504)
            arrived += found == name
            given_up += found == 504

    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    async with targets(*names) as at, tcp_target(serve) as port:
        for name, address in at.items():
            redis.run("SET", name, address)
        tokens = {"source": f"redis://127.0.0.1:{port}", "password": "env:REDIS_PASSWORD", "deadline_seconds": 0.1}
        async with by_tokens(tokens=tokens) as tunnel:
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                for _ in range(24):
                    group.create_task(client(tunnel))
            assert arrived > 50, "the deadline left no time for answers, so nothing was proved"


# Forgeries, end to end


async def test_no_forged_jwt_comes_in(tmp_path: Path) -> None:
    public = RSA.export_to_pem()
    (tmp_path / "key").write_bytes(public)
    as_secret = JWK(kty="oct", k=JWK.from_password(public.decode())["k"])
    async with target("desk") as address:
        good = claims(address)
        header, payload, signature = jws(RSA, "RS256", **good).split(".")
        forgeries = {
            "unsigned": f"eyJhbGciOiJub25lIn0.{payload}.",
            "signature cut off": f"{header}.{payload}.",
            "signed with the public key as a secret": jws(as_secret, "HS256", **good),
            "another key": jws(OTHER, "RS256", **good),
            "expired": jws(RSA, "RS256", **good | {"exp": int(time.time()) - 60}),
            "not yet": jws(RSA, "RS256", **good | {"nbf": int(time.time()) + 600}),
            "no expiry": jws(RSA, "RS256", host=good["host"], port=good["port"]),
            "encrypted with the public key": jwe(RSA, "RSA-OAEP", json.dumps(good)),
            "encrypted, signed by another": jwe(RSA, "RSA-OAEP", jws(OTHER, "RS256", **good)),
            "leads to a socket": jws(RSA, "RS256", **good | {"host": "unix:/run/x"}),
            "too long": jws(RSA, "RS256", **good, pad="x" * 8192),
            "two in one": f"{header}.{payload}.{signature}.{payload}.{signature}",
        }
        async with by_tokens(tokens={"source": f"jwt:{tmp_path}/key"}) as tunnel:
            assert await outcome(tunnel, f"/?token={header}.{payload}.{signature}") == "desk"
            for what, token in forgeries.items():
                assert await outcome(tunnel, by_token(token)) == 404, what
            (tmp_path / "key").write_bytes(OTHER.export_to_pem())
            assert await outcome(tunnel, f"/?token={header}.{payload}.{signature}") == 404
            assert await outcome(tunnel, by_token(jws(OTHER, "RS256", **good))) == "desk"
