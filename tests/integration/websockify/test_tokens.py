"""Tokens and where they lead, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path

import pytest
from jwcrypto import jwk, jwt

from tests.integration.websockify.client import knock, knock_all, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side
from tests.support.raw import tcp_target
from tests.support.redis import redis_server


async def test_token_file(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "tokens").write_text(
            f"# comment\n\nnode:  127.0.0.1:{echo}\nwith space: 127.0.0.1:{echo}\nno separator\n"
            f"tab:\t127.0.0.1:{echo}\nv6: [::1]:{echo}\nnoport: localhost\nunder_score-1.2: localhost:{echo}\n"
        )

    async def script(side: Side) -> Seen:
        tokens = ("node", "with%20space", "tab", "under_score-1.2", "node%0A", "NODE", "none", "", "#", "no")
        seen = await knock_all(side, tokens)
        seen["echo"] = await works(side, "/websockify?x=y&token=node")
        seen["no token"] = await knock(side)
        seen["two tokens"] = await knock(side, "/?token=node&token=none")
        seen["a plain GET"] = await knock(side, "/?token=node", drop=("upgrade",))
        with (side.here / "tokens").open("a") as file:
            file.write(f"later: 127.0.0.1:{echo}\n")
        seen["added later"] = await knock(side, "/?token=later")
        (side.here / "tokens").unlink()
        seen["when the file is gone"] = await knock(side, "/?token=none")
        return seen

    await compare(("127.0.0.1:PORT", "--token-plugin=TokenFile", "--token-source=tokens"), script, prepare=prepare)


async def test_read_only_token_file(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "tokens").mkdir()
        (folder / "tokens" / "one").write_text(f"a: 127.0.0.1:{echo}\n")
        (folder / "tokens" / "two").write_text(f"b: 127.0.0.1:{echo}\n")

    async def script(side: Side) -> Seen:
        seen: Seen = {token: await knock(side, f"/?token={token}") for token in ("a", "b", "c")}
        (side.here / "tokens" / "three").write_text(f"c: 127.0.0.1:{echo}\n")
        seen["added later"] = await knock(side, "/?token=c")
        return seen

    line = ("127.0.0.1:PORT", "--token-plugin=ReadOnlyTokenFile", "--token-source=tokens")
    await compare(line, script, prepare=prepare)


async def test_a_file_that_is_not_there(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        before = await knock(side, "/?token=a")
        (side.here / "tokens").write_text(f"a: 127.0.0.1:{echo}\n")
        return {"before": before, "after": await knock(side, "/?token=a")}

    await compare(("127.0.0.1:PORT", "--token-plugin=TokenFile", "--token-source=tokens"), script)


async def test_token_file_name(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "tokens").mkdir()
        (folder / "tokens" / "node").write_text(f"127.0.0.1:{echo}\n")
        (folder / "tokens" / "bad").write_text("nonsense")
        (folder / "outside").write_text(f"127.0.0.1:{echo}")

    async def script(side: Side) -> Seen:
        return await knock_all(side, ("node", "none", "bad", "x/node", "../outside", ".."))

    line = ("127.0.0.1:PORT", "--token-plugin=TokenFileName", "--token-source=tokens")
    await compare(line, script, prepare=prepare)


async def test_socket_folder(compare: Compare, tmp_path: Path) -> None:
    def prepare(folder: Path) -> None:
        (folder / "sockets").mkdir()
        (folder / "sockets" / "node").symlink_to(tmp_path / "target")
        (folder / "sockets" / "file").write_text("")
        (folder / "sockets-private").mkdir()
        (folder / "sockets-private" / "node").symlink_to(tmp_path / "target")

    async def echo_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def script(side: Side) -> Seen:
        tokens = ("none", "file", ".", "../none", "../sockets-private/node")
        return {"echo": await works(side, "/?token=node")} | await knock_all(side, tokens)

    server = await asyncio.start_unix_server(echo_back, tmp_path / "target")
    async with server:
        line = ("127.0.0.1:PORT", "--token-plugin=UnixDomainSocketDirectory", "--token-source=sockets")
        await compare(line, script, prepare=prepare)


@pytest.mark.parametrize("plugin", ["BaseTokenAPI", "JSONTokenApi"])
async def test_api(compare: Compare, echo: int, plugin: str) -> None:
    asked: list[str] = []

    async def api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        asked.append(path)
        body = f"127.0.0.1:{echo}" if plugin == "BaseTokenAPI" else json.dumps({"host": "127.0.0.1", "port": echo})
        status = "200 OK" if path == "/t/node" else "404 Not Found"
        body = "nonsense" if path == "/t/nonsense" else body
        status = "200 OK" if path == "/t/nonsense" else status
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()

    async def script(side: Side) -> Seen:
        return {
            "echo": await works(side, "/?token=node"),
            "none": await knock(side, "/?token=none"),
            "nonsense": await knock(side, "/?token=nonsense"),
        }

    async with tcp_target(api) as port:
        source = f"http://127.0.0.1:{port}/t/%s"
        await compare(("127.0.0.1:PORT", f"--token-plugin={plugin}", f"--token-source={source}"), script)
    assert sorted(asked) == sorted(["/t/node", "/t/none", "/t/nonsense"] * 2)


SECRET = base64.urlsafe_b64encode(bytes(range(64))).decode()


def signed(claims: dict[str, object], secret: str = SECRET, algorithm: str = "HS256") -> str:
    key = jwk.JWK()
    key.import_key(k=secret, kty="oct")
    token = jwt.JWT(header={"alg": algorithm}, claims=claims)
    token.make_signed_token(key)
    return str(token.serialize())


async def test_jwt(compare: Compare, echo: int) -> None:
    now = int(time.time())
    leads = {"host": "127.0.0.1", "port": echo}

    async def script(side: Side) -> Seen:
        tokens = {
            "valid": signed(leads),
            "with times": signed(leads | {"nbf": now - 10, "exp": now + 600}),
            "a port as text": signed(leads | {"port": str(echo)}),
            "expired": signed(leads | {"exp": now - 600}),
            "not yet": signed(leads | {"nbf": now + 600}),
            "another key": signed(leads, SECRET[::-1][2:] + "AA"),
            "no port": signed({"host": "127.0.0.1"}),
            "HS512": signed(leads, algorithm="HS512"),
            "rubbish": "rubbish",
            "none": "eyJhbGciOiJub25lIn0.e30.",
        }
        answers = await knock_all(side, tokens.values())
        return {name: answers[token] for name, token in tokens.items()}

    def prepare(folder: Path) -> None:
        (folder / "key").write_text(SECRET)

    line = ("127.0.0.1:PORT", "--token-plugin=JWTTokenApi", "--token-source=key")
    await compare(line, script, prepare=prepare)


async def test_redis(compare: Compare, echo: int, tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis", "--requirepass", "pass:word") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        values = {
            "text": f"127.0.0.1:{echo}",
            "json": json.dumps({"host": f"127.0.0.1:{echo}"}),
            "spaces": f"  127.0.0.1:{echo}\n",
            "bad": "nonsense",
        }
        commands = ["AUTH pass:word", "SELECT 1"]
        commands += [f"SET ns:{name} {json.dumps(value)}" for name, value in values.items()]
        for command in commands:
            writer.write(f"{command}\r\n".encode())
            assert await reader.readline() == b"+OK\r\n"
        writer.close()

        async def script(side: Side) -> Seen:
            return await knock_all(side, (*values, "missing"))

        source = f'127.0.0.1:{server.port}:1:"pass:word":ns'
        await compare(("127.0.0.1:PORT", "--token-plugin=TokenRedis", f"--token-source={source}"), script)


async def test_host_token(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "tokens").write_text(f"node.example: 127.0.0.1:{echo}\nnode: 127.0.0.1:{echo}\n")

    async def script(side: Side) -> Seen:
        return {
            "a name": await knock(side, host="node.example"),
            "with a port": await knock(side, host="node.example:443"),
            "in capitals": await knock(side, host="NODE.example"),
            "a token beside it": await knock(side, "/?token=node", host="other.example"),
            "no Host": await knock(side, drop=("host",)),
        }

    line = ("127.0.0.1:PORT", "--token-plugin=TokenFile", "--token-source=tokens", "--host-token")
    await compare(line, script, prepare=prepare)


PLUGIN = """
from websockify.token_plugins import BasePlugin

class Listed(BasePlugin):
    def lookup(self, token):
        if token == "boom":
            raise ValueError(token)
        return ["127.0.0.1", self.source] if token == "node" else None

class Numbered(Listed):
    def lookup(self, token):
        found = super().lookup(token)
        return found and (found[0], int(found[1]))
"""


@pytest.mark.parametrize("name", ["Listed", "Numbered"])
async def test_a_plugin_s_tokens(compare: Compare, echo: int, name: str) -> None:
    def prepare(folder: Path) -> None:
        (folder / "site_tokens.py").write_text(PLUGIN)

    async def script(side: Side) -> Seen:
        return {
            "echo": await works(side, "/?token=node"),
            "none": await knock(side, "/?token=none"),
            "it raises": await knock(side, "/?token=boom"),
            "after that": await knock(side, "/?token=node"),
            "started": side.line_with("proxying"),
        }

    line = ("127.0.0.1:PORT", f"--token-plugin=site_tokens.{name}", f"--token-source={echo}")
    await compare(line, script, prepare=prepare)


async def test_tokens_in_the_log(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "tokens").write_text(f"secret-node: 127.0.0.1:{echo}\n")

    async def script(side: Side) -> Seen:
        await works(side, "/path?token=secret-node")
        await side.said("connecting to")
        await knock(side, "/path?token=secret-other")
        await knock(side, "/path")
        await side.until("oken not present", lambda: b"oken not present" in side.err or b"no token" in side.err)
        said = "\n".join(side.lines)
        return {
            "of a known one": "secret-node" in said,
            "of an unknown one": "secret-other" in said,
            "the path": "Path:" in said,
        }

    line = ("127.0.0.1:PORT", "--token-plugin=TokenFile", "--token-source=tokens", "--verbose")
    await compare(line, script, prepare=prepare)
