"""The opening handshake with programs that other people wrote: curl and the websockets library."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.support.certificates import make_certificate
from tests.support.engines import running
from tests.support.programs import need
from tests.support.raw import ACCEPT, KEY, tcp_target


async def curl(*arguments: str) -> str:
    need("curl")
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--include", "--http1.1", "--max-time", "20", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode("latin-1")


async def test_curl_gets_the_upgrade() -> None:
    async with tcp_target(lambda _, writer: _say_and_close(writer)) as port, running(target=f"127.0.0.1:{port}") as t:
        answer = await curl(
            *("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"),
            *("-H", f"Sec-WebSocket-Key: {KEY}", "-H", "Sec-WebSocket-Protocol: chat, binary"),
            t.url.replace("ws", "http"),
        )
    head, _, frames = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 101 ")
    assert f"Sec-WebSocket-Accept: {ACCEPT}" in head
    assert "Sec-WebSocket-Protocol: binary" in head
    assert frames.startswith("\x82\x05hello\x88")


async def _say_and_close(writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "arguments", [(), ("--head",), ("--http2",), ("--http1.0",)], ids=lambda a: " ".join(a) or "GET"
)
async def test_curl_gets_the_page(arguments: tuple[str, ...]) -> None:
    async with running(web={"root": "demo"}) as tunnel:
        answer = await curl(*arguments, tunnel.now.page_url)
        assert answer.split("\r\n", 1)[0].rstrip() == "HTTP/1.1 200 OK"
        assert ("<title>wsgui</title>" in answer) is ("--head" not in arguments)


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_the_websockets_library_s_client_talks_to_the_target(
    tmp_path: Path, secure: bool, compression: str | None
) -> None:
    certificate = make_certificate(tmp_path)
    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)} if secure else {}
    context: ssl.SSLContext | None = certificate.client_context() if secure else None
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", tls=tls) as tunnel:
        async with connect(tunnel.url, ssl=context, subprotocols=["binary"], compression=compression) as client:  # type: ignore[list-item]
            assert client.subprotocol == "binary"
            for message in (b"x", bytes(70_000), "text is bytes too"):
                await client.send(message)
                sent = message.encode() if isinstance(message, str) else message
                got = b""
                while len(got) < len(sent):
                    data = await asyncio.wait_for(client.recv(), 20)
                    assert isinstance(data, bytes)
                    got += data
                assert got == sent
            await asyncio.wait_for(await client.ping(), 20)
        assert client.close_code == 1000
