"""What goes through an open WebSocket, and how it ends, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.integration.websockify.client import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    came_to,
    echoed,
    ending,
    leave,
    session,
    works,
)
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side
from tests.support.raw import client_frame, tcp_target

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET")


async def test_data(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        async with session(side) as client:
            seen["binary"] = await echoed(client)
            client.send(client_frame(BINARY))
            seen["after an empty frame"] = await echoed(client)
            client.send(client_frame(PING, b"are you there"))
            seen["ping"] = await client.frame()
            client.send(client_frame(PONG, b"nobody asked"))
            seen["after a pong"] = await echoed(client)
            client.send(client_frame(BINARY, b"one ", fin=False) + client_frame(0, b"two ", fin=False))
            client.send(client_frame(PING, b"between") + client_frame(0, b"three"))
            first, second = await client.frame(), await client.frame()
            seen["a ping between fragments"] = sorted((first, second))
            many = b"".join(client_frame(BINARY, bytes((number,))) for number in range(200))
            client.send(many)
            seen["many small frames"] = await client.data(200) == bytes(range(200))
            data = bytes(range(256)) * 4096
            client.send(client_frame(BINARY, data))
            seen["a mebibyte"] = hashlib.sha256(await client.data(len(data))).hexdigest()
        for name, frame in FRAMES.items():
            async with session(side) as client:
                client.send(frame)
                came = await came_to(client)
                seen[name] = came if isinstance(came, int) else came[:8]
        return seen

    await compare(LINE, script, words={"TARGET": str(echo)})


FRAMES = {
    "text": client_frame(TEXT, b"text"),
    "text in fragments": client_frame(TEXT, b"hel", fin=False) + client_frame(0, b"lo"),
    "empty first fragment": client_frame(BINARY, b"", fin=False) + client_frame(0, b"hello"),
    "a frame that is not masked": b"\x82\x05hello",
    "a continuation of nothing": client_frame(0, b"x"),
    "a new frame between fragments": client_frame(BINARY, b"x", fin=False) + client_frame(BINARY, b"y"),
    "opcode 3": client_frame(3, b"x"),
    "opcode 11": client_frame(11, b"x"),
    "a ping in fragments": client_frame(PING, b"x", fin=False),
    "a long ping": client_frame(PING, b"x" * 126),
    "a reserved bit": b"\xc2" + client_frame(BINARY, b"x")[1:],
    "a reason that is no text": client_frame(CLOSE, b"\x03\xe8\xff\xff"),
}


async def test_the_client_s_close(compare: Compare) -> None:
    gone: asyncio.Queue[bytes] = asyncio.Queue()

    async def until_gone(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        data = b""
        try:
            while piece := await reader.read(65536):
                data += piece
        except ConnectionError:
            data += b" (reset)"
        await gone.put(data)

    closes = {
        "1000": b"\x03\xe8",
        "4000 and a reason": b"\x0f\xa0bye",
        "without a code": b"",
        "a code that may not be sent": b"\x03\xed",
        "one byte": b"\x03",
    }

    async def script(side: Side) -> Seen:
        seen: Seen = {}
        for name, payload in closes.items():
            async with session(side) as client:
                client.send(client_frame(BINARY, b"last words") + client_frame(CLOSE, payload))
                seen[name] = await ending(client)
                seen[f"{name}: what follows"] = await client.eof()
        return seen

    async with tcp_target(until_gone) as target:
        await compare(LINE, script, words={"TARGET": str(target)})
        async with asyncio.timeout(20):
            assert [await gone.get() for _ in range(2 * len(closes))] == [b"last words"] * (2 * len(closes))


async def test_a_client_that_vanishes(compare: Compare) -> None:
    gone: asyncio.Queue[bytes] = asyncio.Queue()

    async def until_gone(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await gone.put(await reader.readexactly(3))
        await gone.put(await reader.read(1))

    async def script(side: Side) -> Seen:
        async with session(side) as client:
            client.send(client_frame(BINARY, b"abc"))
            return {"the target gets": await gone.get(), "then": await _vanish(client.writer, gone)}

    async with tcp_target(until_gone) as target:
        line = ("127.0.0.1:PORT", f"127.0.0.1:{target}")
        await compare(line, script)


async def _vanish(writer: asyncio.StreamWriter, gone: asyncio.Queue[bytes]) -> bytes:
    writer.transport.abort()
    async with asyncio.timeout(20):
        return await gone.get()


async def test_the_target_s_end(compare: Compare, tmp_path: Path) -> None:
    async def says_and_goes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 300_000)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def ends_its_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(2))
        writer.write_eof()
        await reader.read(-1)

    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    tokens: dict[str, int] = {}

    def prepare(folder: Path) -> None:
        (folder / "tokens").write_text("".join(f"{name}: 127.0.0.1:{port}\n" for name, port in tokens.items()))

    async def script(side: Side) -> Seen:
        seen: Seen = {}
        async with session(side, "/?token=says") as client:
            seen["all it said"] = len(await client.data(300_000))
            seen["then"] = await ending(client)
        async with session(side, "/?token=half") as client:
            client.send(client_frame(BINARY, b"ab"))
            seen["its last word"] = await client.data(2)
            seen["it ended its half"] = await ending(client)
        async with session(side, "/?token=reset") as client:
            client.send(client_frame(BINARY, b"a"))
            seen["it reset"] = await ending(client)
        async with session(side, "/?token=nobody") as client:
            seen["it refused"] = await ending(client)
            seen["what follows"] = await client.eof()
        return seen

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with tcp_target(says_and_goes) as says, tcp_target(ends_its_half) as half, tcp_target(resets) as reset:
            tokens |= {"says": says, "half": half, "reset": reset, "nobody": nobody.getsockname()[1]}
            line = ("127.0.0.1:PORT", "--token-plugin", "TokenFile", "--token-source", "tokens")
            await compare(line, script, prepare=prepare)


async def test_the_websockets_library(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        async with connect(f"ws://127.0.0.1:{side.port}/websockify", subprotocols=["binary"]) as client:  # type: ignore[list-item]
            seen["subprotocol"] = client.subprotocol
            seen["extensions"] = client.response and client.response.headers.get("Sec-WebSocket-Extensions")
            await client.send(b"bytes")
            seen["bytes"] = await client.recv()
            await client.send([b"in ", b"pieces"])
            seen["pieces"] = await client.recv()
            seen["its ping is answered"] = await (await client.ping()) >= 0
            await client.close(4001, "enough")
            seen["close"] = client.close_code, client.close_reason
        async with connect(f"ws://127.0.0.1:{side.port}/", compression=None) as client:
            await client.send("text")
            try:
                seen["text"] = await client.recv()
            except ConnectionClosed as closed:
                seen["text"] = closed.rcvd and closed.rcvd.code
        return seen

    await compare(LINE, script, words={"TARGET": str(echo)})


async def test_heartbeat(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side) as client, session(side) as deaf:
            pings = []
            for _ in range(2):
                opcode, payload = await client.frame()
                pings.append(opcode)
                client.send(client_frame(PONG, payload))
            seen: Seen = {"frames": pings, "echo": await echoed(client), "close": await leave(client)}
            await deaf.frame()
            try:
                seen["a ping is not answered"] = await deaf.frame() and "another one"
            except asyncio.IncompleteReadError:
                seen["a ping is not answered"] = "the end"
            return seen

    await compare((*LINE, "--heartbeat=1"), script, words={"TARGET": str(echo)})


async def test_unix_target(compare: Compare, tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(_echo_back, tmp_path / "target")

    async def script(side: Side) -> Seen:
        seen: Seen = {"echo": await works(side)}
        await side.said("connecting to")
        return seen | {"started": side.line_with("proxying"), "said": side.line_with("connecting to")}

    async with server:
        words = {"TARGET": str(tmp_path / "target")}
        await compare(("--unix-target", "TARGET", "127.0.0.1:PORT"), script, words=words)


async def _echo_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def test_a_target_of_ipv6(compare: Compare) -> None:
    server = await asyncio.start_server(_echo_back, "::1", 0)
    port = server.sockets[0].getsockname()[1]

    async def script(side: Side) -> Seen:
        seen: Seen = {"echo": await works(side)}
        await side.said("connecting to")
        return seen | {"started": side.line_with("proxying"), "said": side.line_with("connecting to")}

    async with server:
        await compare(("127.0.0.1:PORT", "[::1]:TARGET"), script, words={"TARGET": str(port)})


async def test_a_name_whose_first_address_refuses(compare: Compare) -> None:
    server = await asyncio.start_server(_echo_back, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    found = {entry[4][0] for entry in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
    if found != {"127.0.0.1", "::1"}:
        server.close()
        pytest.skip("localhost has not two addresses here")

    async def script(side: Side) -> Seen:
        async with session(side) as client:
            client.send(client_frame(BINARY, b"hello"))
            return {"at ::1 only": await came_to(client)}

    async with server:
        await compare(("127.0.0.1:PORT", "localhost:TARGET"), script, words={"TARGET": str(port)})
