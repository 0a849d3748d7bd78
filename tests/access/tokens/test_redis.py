"""Tokens in a real Redis: found, not found, and never mixed up, whatever Redis does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockify.token_plugins import TokenRedis

from tests.support.certificates import make_certificate
from tests.support.redis import RedisServer, redis_server
from tests.support.waiting import until
from wsgui.access.tokens.redis import RedisSettings, RedisTokens
from wsgui.access.tokens.source import MAX_ANSWER_BYTES, LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress, TlsAddress

TARGET = TcpAddress("office", 5901)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(shared: RedisServer) -> RedisServer:
    """A Redis with nothing in it."""
    shared.run("FLUSHALL")
    return shared


@asynccontextmanager
async def opened(settings: RedisSettings) -> AsyncIterator[RedisTokens]:
    tokens = RedisTokens(settings)
    await tokens.open()
    try:
        yield tokens
    finally:
        await tokens.close()


async def failure(tokens: RedisTokens, token: str = "a") -> LookupFailed:
    with pytest.raises(LookupFailed) as caught:
        await tokens.look_up(token)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("office:5901", TARGET),
        (" office:5901 \n", TARGET),
        ('{"host": "office:5901"}', TARGET),
        ('\n{"host": "office:5901", "more": [1]}\n', TARGET),
        ("[::1]:22", TcpAddress("::1", 22)),
        ("tls://office:5901", TlsAddress("office", 5901)),
    ],
)
async def test_a_token_leads_to_what_its_key_says(redis: RedisServer, value: str, target: object) -> None:
    redis.run("SET", "a", value)
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        assert await tokens.look_up("a") == target


async def test_a_token_without_a_key_leads_nowhere(redis: RedisServer) -> None:
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        for token in ("a", "", "\x00\r\nFLUSHALL\r\n", "ü\ud800", "*"):
            assert await tokens.look_up(token) is None


@pytest.mark.parametrize(
    "value",
    [
        "office",
        ":5901",
        "office:x",
        "office:5901 or so",
        "unix:/run/docker.sock",
        '{"host": "office"}',
        '{"host": 7}',
        '{"port": "office:5901"}',
        '{"host": "office:5901"',
        "{" * 2000,
        b"\xff:5901",
        "office:5901" + " " * MAX_ANSWER_BYTES,
        '{"host":' + "[" * 4000,
    ],
)
async def test_a_value_that_is_no_destination_leads_nowhere_and_is_logged_without_it(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, value: str | bytes
) -> None:
    redis.run("SET", "secret-token", value)
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        assert await tokens.look_up("secret-token") is None
    assert redis.address in caplog.text
    assert "secret-token" not in caplog.text


async def test_database_and_namespace_are_kept_apart(redis: RedisServer) -> None:
    redis.run("SET", "a", "zero:1")
    redis.run("SET", "a", "two:1", database=2)
    redis.run("SET", "vnc:lab:a", "lab:1", database=2)
    for url, host in (("", "zero"), ("/2", "two"), ("/2?namespace=vnc%3Alab", "lab")):
        async with opened(RedisSettings.of_url(f"redis://{redis.address}{url}")) as tokens:
            assert await tokens.look_up("a") == TcpAddress(host, 1)


async def test_a_password_lets_in_and_a_wrong_one_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path, "--requirepass", "hunter2") as server:
        server.log_in("hunter2")
        server.run("SET", "a", "office:5901")
        url = f"redis://{server.address}/0"
        monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
        async with opened(RedisSettings.of_url(url, "env:REDIS_PASSWORD")) as tokens:
            assert await tokens.look_up("a") == TARGET
        monkeypatch.setenv("REDIS_PASSWORD", "hunter3")
        for settings in (RedisSettings.of_url(url), RedisSettings.of_url(url, "env:REDIS_PASSWORD")):
            async with opened(settings) as tokens:
                error = await failure(tokens)
                assert error.status == 502
                assert "refused" in error.message
                assert "hunter" not in f"{error} {error!r} {tokens!r} {vars(error)}"


async def test_a_changed_password_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "old")
    with redis_server(tmp_path, "--requirepass", "new") as server:
        server.log_in("new")
        server.run("SET", "a", "office:5901")
        async with opened(RedisSettings.of_url(f"redis://{server.address}", "env:REDIS_PASSWORD")) as tokens:
            await failure(tokens)
            monkeypatch.delenv("REDIS_PASSWORD")
            assert "REDIS_PASSWORD" in (await failure(tokens)).message
            monkeypatch.setenv("REDIS_PASSWORD", "new")
            assert await tokens.look_up("a") == TARGET


async def test_a_missing_password_keeps_the_tunnel_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    with pytest.raises(WsguiError) as caught:
        await RedisTokens(RedisSettings.of_url("redis://127.0.0.1", "env:REDIS_PASSWORD")).open()
    assert caught.value.field == "tokens.password"


async def test_a_user_may_be_allowed_no_more_than_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
    with redis_server(tmp_path) as server:
        server.run("ACL", "SETUSER", "anna", "on", ">hunter2", "~vnc:*", "+get")
        server.run("SET", "vnc:a", "office:5901")
        server.run("SET", "vnc:b", "other:5901")
        server.run("SET", "a", "wrong:1")
        url = f"redis://anna@{server.address}"
        async with opened(RedisSettings.of_url(f"{url}?namespace=vnc", "env:REDIS_PASSWORD")) as tokens:
            assert await tokens.look_up("a") == TARGET
            assert await tokens.look_up("b") == TcpAddress("other", 5901)
            assert await tokens.look_up("c") is None
        async with opened(RedisSettings.of_url(url, "env:REDIS_PASSWORD")) as tokens:
            assert "does not allow" in (await failure(tokens)).message


async def test_what_is_no_string_fails_with_redis_own_code(redis: RedisServer) -> None:
    redis.run("LPUSH", "a", "office:5901")
    redis.run("SET", "b", "office:5901")
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        assert "WRONGTYPE" in (await failure(tokens)).message
        assert await tokens.look_up("b") == TARGET


async def test_a_database_that_is_none_fails(redis: RedisServer) -> None:
    async with opened(RedisSettings.of_url(f"redis://{redis.address}/9999")) as tokens:
        assert redis.address in (await failure(tokens)).message


async def test_a_dead_redis_fails_with_its_address_and_nothing_else(redis: RedisServer) -> None:
    free = redis.port - 1 if redis.port > 2000 else redis.port + 1
    source = f"127.0.0.1:{free}::hunter2:secret-namespace"
    async with opened(RedisSettings.of_websockify(source)) as tokens:
        error = await failure(tokens, "secret-token")
    assert error.status == 502
    assert f"127.0.0.1:{free}" in error.message
    assert "hunter2" not in str(error)
    assert "secret" not in str(error)


async def test_what_is_no_redis_fails() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    async with server, opened(RedisSettings("127.0.0.1", server.sockets[0].getsockname()[1])) as tokens:
        assert (await failure(tokens)).status == 502


async def test_redis_may_start_after_the_tunnel_die_and_come_back(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        server.run("SET", "a", "office:5901")
        async with opened(RedisSettings.of_url(f"redis://{server.address}")) as tokens:
            assert await asyncio.gather(*(tokens.look_up("a") for _ in range(10))) == [TARGET] * 10
            server.stop(kill=True)
            await failure(tokens)
            server.start()
            server.run("SET", "a", "office:5902")
            assert await tokens.look_up("a") == TcpAddress("office", 5902)
            server.stop()
            server.start()
            assert await tokens.look_up("a") is None


async def test_one_connection_serves_one_look_up_after_another(redis: RedisServer) -> None:
    def received() -> int:
        return int(redis.run("INFO", "stats").partition(b"connections_received:")[2].split()[0])

    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        before = received()
        for _ in range(50):
            await tokens.look_up("a")
        assert received() == before + 2  # that of the look-ups, and that of this question


async def test_a_closed_source_leaves_no_connection(redis: RedisServer) -> None:
    def clients() -> int:
        return redis.run("CLIENT", "LIST").count(b"id=")

    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        await asyncio.gather(*(tokens.look_up("a") for _ in range(20)))
        assert clients() > 1
    await until("the connections to go", lambda: clients() == 1)


@asynccontextmanager
async def slowed(redis: RedisServer, dice: random.Random) -> AsyncIterator[int]:
    """A port that leads to Redis, whose answers are late by up to some milliseconds and come in pieces."""
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if slow:
                    await asyncio.sleep(dice.random() * 0.004)
                    half = dice.randrange(len(data) + 1)
                    writer.write(data[:half])
                    await asyncio.sleep(dice.random() * 0.002)
                    data = data[half:]
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", redis.port)
        for each in (pump(reader, upstream_writer, False), pump(upstream_reader, writer, True)):
            task = asyncio.create_task(each)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_look_up_never_answers_another(redis: RedisServer) -> None:
    dice = random.Random(4)
    for number in range(100):
        redis.run("SET", f"t{number}", f"host{number}:{number + 1}")
    right, cancelled = 0, 0

    async def client(tokens: RedisTokens) -> None:
        nonlocal right, cancelled
        while cancelled < 1000:
            number = dice.randrange(100)
            try:
                async with asyncio.timeout(dice.random() * 0.01 if dice.random() < 0.7 else 30):
                    target = await tokens.look_up(f"t{number}")
            except TimeoutError:
                cancelled += 1
            else:
                assert target == TcpAddress(f"host{number}", number + 1)
                right += 1

    async with slowed(redis, dice) as port, opened(RedisSettings("127.0.0.1", port)) as tokens:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(16):
                group.create_task(client(tokens))
        for number in range(100):
            assert await tokens.look_up(f"t{number}") == TcpAddress(f"host{number}", number + 1)
    assert cancelled >= 1000
    assert right > 100, "the deadlines left no time for answers, so nothing was proved"


async def test_a_stuck_redis_holds_up_nobody_but_the_one_who_asks(redis: RedisServer) -> None:
    redis.run("SET", "a", "office:5901")
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        assert await tokens.look_up("a") == TARGET
        stuck = asyncio.create_task(asyncio.to_thread(redis.run, "DEBUG", "SLEEP", "0.5"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while not stuck.done():
                    await tokens.look_up("a")
        assert not stuck.done()
        await stuck
        assert await tokens.look_up("a") == TARGET


async def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    with redis_server(tmp_path, tls=certificate) as server:
        server.run("SET", "a", "office:5901")
        async with opened(RedisSettings.of_url(f"rediss://{server.address}")) as tokens:
            assert "certificate" in (await failure(tokens)).message
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        for host in ("127.0.0.1", "localhost"):
            async with opened(RedisSettings.of_url(f"rediss://{host}:{server.port}")) as tokens:
                assert await tokens.look_up("a") == TARGET


async def test_a_password_that_goes_out_in_clear_is_said_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with opened(RedisSettings.of_websockify("192.0.2.1:::hunter2")):
        assert "without encryption" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("value", ["office:5901", '{"host": "office:5901"}', "office", '{"port": 1}', None])
async def test_websockifys_plugin_leads_to_the_same_place(redis: RedisServer, value: str | None) -> None:
    if value is not None:
        redis.run("SET", "vnc:lab:a", value, database=1)
    source = f'127.0.0.1:{redis.port}:1::"vnc:lab"'
    theirs = await asyncio.to_thread(TokenRedis(source).lookup, "a")
    async with opened(RedisSettings.of_websockify(source)) as tokens:
        assert await tokens.look_up("a") == (None if theirs is None else TcpAddress(theirs[0], int(theirs[1])))


async def test_a_session_may_last_longer_than_its_key(redis: RedisServer) -> None:
    async with opened(RedisSettings.of_url(f"redis://{redis.address}")) as tokens:
        assert await tokens.still_leads("a", TARGET)
