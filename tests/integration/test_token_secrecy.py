"""No token gets into a log line, a snapshot, what `wsgui status` prints, an answer, or the reason of a close."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.integration.conftest import Process, RunWsgui, WriteProfile
from tests.support.arrivals import Ended, Refused, arriving, by_token, greeter, target
from tests.support.raw import RawClient, client_frame, tcp_target
from wsgui.access.keyed import LABEL_DIGITS

KNOWN = "Zx9-known-token"
UNKNOWN = "Qv7/unknown token"
PLUGIN = """
from websockify.auth_plugins import AuthenticationError
from websockify.token_plugins import BasePlugin

class Tokens(BasePlugin):
    def lookup(self, token):
        if "unknown" in token:
            raise KeyError(token)
        return self.source.split(":")
"""


def spellings(token: str) -> list[str]:
    """How a token could stand in some output."""
    return [
        token,
        quote(token),
        quote(token, safe=""),
        json.dumps(token)[1:-1],
        repr(token)[1:-1],
        base64.b64encode(token.encode()).decode().rstrip("="),
        token.encode().hex(),
    ]


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_token_in_any_output(
    log_format: str, run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(target("desk"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            dead = probe.getsockname()[1]

        async def knows_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            body = address.encode() if path.endswith(KNOWN) else path.encode() + b" is no host:port"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            writer.close()

        directory = await stack.enter_async_context(tcp_target(knows_it))
        (tmp_path / "file").write_text(f"{KNOWN}: {address}\nbad line {UNKNOWN}\n{UNKNOWN}: no address\n")
        (tmp_path / "each").mkdir()
        (tmp_path / "each" / KNOWN).write_text(address)
        (tmp_path / "run").mkdir()
        server = await asyncio.start_unix_server(greeter("desk"), tmp_path / "run" / KNOWN)
        stack.callback(server.close)
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(tmp_path / "run" / "gone-token"))
        (tmp_path / "key").write_text("k" * 48)
        (tmp_path / "plugins").mkdir(mode=0o755)
        (tmp_path / "plugins" / "theirs.py").write_text(PLUGIN)
        (tmp_path / "plugins" / "theirs.py").chmod(0o644)
        sources = {
            "inline": f'[targets]\n"{KNOWN}" = "{address}"',
            "file": f'[tokens]\nsource = "file:{tmp_path}/file"',
            "each": f'[tokens]\nsource = "file-per-token:{tmp_path}/each"',
            "sockets": f'[tokens]\nsource = "unix-directory:{tmp_path}/run"',
            "http": f'[tokens]\nsource = "http://127.0.0.1:{directory}/%s"',
            "deadhttp": f'[tokens]\nsource = "http://127.0.0.1:{dead}/?token=%s"',
            "redis": f'[tokens]\nsource = "redis://127.0.0.1:{dead}"',
            "jwt": f'[tokens]\nsource = "jwt:{tmp_path}/key"',
            "plugin": f'[tokens]\nsource = "plugin:theirs.Tokens"\nargument = "{address}"',
        }
        for name, text in sources.items():
            write_profile(name, f'listen = "127.0.0.1:0"\n{text}\n')
        arguments = [word for name in sources for word in ("--profile", name)]
        process = await run_wsgui(
            *arguments,
            *("--log-level", "debug", "--log-format", log_format),
            env={"PYTHONPATH": str(tmp_path / "plugins")},
        )

        living: list[RawClient] = []
        urls = [await process.address(name) for name in sources]
        tokens = (KNOWN, UNKNOWN, "gone-token")
        said = await asyncio.gather(*(told(stack, url, token, living) for url in urls for token in tokens))
        assert len(living) == 7, "inline, file, each, sockets, http, and both that the plugin knows"
        status = await run_wsgui("status", "--json")
        assert await status.ended() == 0
        snapshot = json.loads("\n".join(status.out))
        tunnels = {each["name"]: each for one in snapshot["processes"] for each in one["snapshot"]["tunnels"]}
        (connection,) = tunnels["file"]["connections"]
        assert connection["identity"].startswith("token ")
        assert len(connection["identity"]) == len("token ") + LABEL_DIGITS
        for client in living:
            client.send(client_frame(8, (1000).to_bytes(2, "big") + b"done"))
            said.append(str(await client.closed()))
        process.process.terminate()
        assert await process.ended() == 0

        output = "\n".join([*said, *status.out, *process.out, *process.err])
        for token in (KNOWN, UNKNOWN, "gone-token"):
            for spelled in spellings(token):
                assert spelled not in output, [line for line in output.split("\n") if spelled in line]
        assert "The token was not found." in output
        assert "could not be looked up" in output


async def told(stack: AsyncExitStack, url: str, token: str, living: list[RawClient]) -> str:
    """All that a client is told that comes with this token; one that is let in stays."""
    try:
        session = await stack.enter_async_context(arriving(url, by_token(token)))
    except Refused as refused:
        return str(refused.answer)
    except Ended as ended:
        return ended.reason
    living.append(session.client)
    return session.greeting


async def test_a_tunnel_whose_profile_is_wrong_does_not_repeat_the_tokens_in_it(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    write_profile("lab", f'listen = "127.0.0.1:0"\n[targets]\n"{KNOWN}" = "no address"\n"{UNKNOWN}" = "http://x"\n')
    process: Process = await run_wsgui("--profile", "lab", "--log-level", "debug")
    assert await process.ended() != 0
    output = "\n".join([*process.out, *process.err])
    assert "targets" in output
    for token in (KNOWN, UNKNOWN):
        assert not any(spelled in output for spelled in spellings(token)), output
