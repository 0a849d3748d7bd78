"""Which requests open a WebSocket, and what the others get, beside websockify 0.13."""

from __future__ import annotations

import asyncio

from tests.integration.websockify.client import knock, read_reply, request
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side
from tests.support.raw import KEY

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET")
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": KEY,
}


async def test_the_opening_request(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        return {
            "usual": await knock(side),
            "any path": await knock(side, "/websockify?token=x#y"),
            "an absolute address": await knock(side, "http://localhost/x"),
            "any page": await knock(side, origin="https://evil.example"),
            "any name": await knock(side, host="evil.example"),
            "Upgrade: WebSocket": await knock(side, upgrade="WebSocket"),
            "Connection: keep-alive, Upgrade": await knock(side, connection="keep-alive, Upgrade"),
            "compression is offered": await knock(side, sec_websocket_extensions="permessage-deflate"),
            "a field of 40 KiB": await knock(side, cookie="x" * 40_000),
            "90 fields": await knock(side, **{f"x_{number}": "x" for number in range(85)}),
            "110 fields": await knock(side, **{f"x_{number}": "x" for number in range(105)}),
            "a field of 70 KiB": await knock(side, cookie="x" * 70_000),
            "binary": await knock(side, sec_websocket_protocol="binary"),
            "binary, base64": await knock(side, sec_websocket_protocol="binary, base64"),
            "base64, binary": await knock(side, sec_websocket_protocol="base64, binary"),
            "chat": await knock(side, sec_websocket_protocol="chat"),
            "version 8": await knock(side, sec_websocket_version="8"),
            "version 14": await knock(side, sec_websocket_version="14"),
            "no version": await knock(side, drop=("sec-websocket-version",)),
            "no key": await knock(side, drop=("sec-websocket-key",)),
            "a short key": await knock(side, sec_websocket_key="c2hvcnQ="),
            "no Connection": await knock(side, drop=("connection",)),
            "no Host": await knock(side, drop=("host",)),
            "Upgrade: h2c": await knock(side, upgrade="h2c"),
        }

    await compare(LINE, script, words={"TARGET": str(echo)})


async def test_without_a_web_root(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            async with side.client() as client:
                client.send(request(method, "/"))
                reply = await read_reply(client, head_only=method == "HEAD")
                seen[method] = reply.status
        async with side.client() as client:
            client.send(request("POST", "/", **UPGRADE))
            seen["POST for a WebSocket"] = (await read_reply(client)).status
        for name, said in {"rubbish": b"\x00\x01\x02\r\n\r\n", "an empty line": b"\r\n" + request("GET", "/")}.items():
            async with side.client() as client:
                client.send(said)
                client.writer.write_eof()
                seen[name] = (await read_reply(client)).status
        async with side.client() as client:
            client.send(b"\x16\x03\x01\x00\x05hello")
            client.writer.write_eof()
            try:
                seen["TLS"] = "an alert" if (await client.eof()).startswith(b"\x15") else "closed"
            except ConnectionError:
                seen["TLS"] = "closed"
        return seen

    await compare(LINE, script, words={"TARGET": str(echo)})


async def test_a_client_that_says_nothing(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async def silent() -> object:
            began = asyncio.get_running_loop().time()
            async with side.client() as client:
                said = await client.eof()
                return said[:12].decode(), 2 < asyncio.get_running_loop().time() - began < 9

        async def slow() -> str:
            async with side.client() as client:
                client.send(b"GET / HTTP/1.1\r\n")
                await asyncio.sleep(3.5)  # longer than the first byte may take; nothing to wait for is ever said
                client.send(client.head().partition(b"\r\n")[2])
                return str((await read_reply(client)).status)

        said, head = await asyncio.gather(silent(), slow())
        return {"nothing at all": said, "a head that takes 3.5 s": head}

    await compare(LINE, script, words={"TARGET": str(echo)})
