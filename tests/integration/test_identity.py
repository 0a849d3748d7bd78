"""Who is connected, and to what: in `wsgui status --json` and in the log, without what the session rests on."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.integration.conftest import Process, RunWsgui, StartEcho

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
TOKEN = "the-token-of-seat-one"
PASSWORD = "hush-hush"


def basic(user: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{PASSWORD}'.encode()).decode()}"}


async def tunnel_of(run_wsgui: RunWsgui) -> dict[str, Any]:
    """The one tunnel that runs, as `wsgui status --json` has it; what it prints holds no secret."""
    status = await run_wsgui("status", "--json")
    assert await status.ended() == 0
    text = "\n".join(status.out)
    assert TOKEN not in text
    assert PASSWORD not in text
    tunnel: dict[str, Any] = json.loads(text)["processes"][0]["snapshot"]["tunnels"][0]
    return tunnel


async def started(run_wsgui: RunWsgui, folder: Path, *lines: str) -> tuple[Process, str]:
    profile = folder / "room.toml"
    profile.write_text("\n".join(('name = "Room"', 'listen = "127.0.0.1:0"', *lines)) + "\n")
    process = await run_wsgui("--profile", str(profile))
    return process, await process.address("Room")


async def test_users_and_tokens_are_named_with_where_each_token_leads(
    run_wsgui: RunWsgui, start_echo: StartEcho, tmp_path: Path
) -> None:
    one, two = await start_echo(), await start_echo()
    users = tmp_path / "users"
    users.write_text(f"anna:{PASSWORD}\nlee:{PASSWORD}\n")
    users.chmod(0o600)
    process, url = await started(
        run_wsgui,
        tmp_path,
        "[access]",
        f"basic = {json.dumps(f'file:{users}')}",
        "[targets]",
        f'{TOKEN} = "127.0.0.1:{one.port}"',
        f'second = "127.0.0.1:{two.port}"',
    )
    async with (
        connect(f"{url}?token={TOKEN}", additional_headers=basic("anna")),
        connect(f"{url}?token=second", additional_headers=basic("lee")),
    ):
        tunnel = await tunnel_of(run_wsgui)

    assert tunnel["target"] == "by token"
    first, second = tunnel["connections"]
    assert re.fullmatch(r"anna, token [0-9a-f]{6}", first["identity"])
    assert re.fullmatch(r"lee, token [0-9a-f]{6}", second["identity"])
    assert first["identity"][-6:] != second["identity"][-6:]
    assert (first["target"], second["target"]) == (f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}")
    await process.logged(rf"connection 1 of 127\.0\.0\.1:\d+ \({first['identity']}\) → 127\.0\.0\.1:{one.port}$")
    assert not [line for line in process.err if TOKEN in line or PASSWORD in line]


async def test_who_is_not_asked_for_has_no_identity(run_wsgui: RunWsgui, start_echo: StartEcho, tmp_path: Path) -> None:
    echo = await start_echo()
    process, url = await started(run_wsgui, tmp_path, f'target = "127.0.0.1:{echo.port}"')
    async with connect(url):
        tunnel = await tunnel_of(run_wsgui)
    assert [connection["identity"] for connection in tunnel["connections"]] == [""]
    await process.logged(r"connection 1 of 127\.0\.0\.1:\d+ → ")


async def test_a_program_is_named_as_the_target_of_its_connections(run_wsgui: RunWsgui, tmp_path: Path) -> None:
    lines = ("[command]", 'run = ["cat", "-u"]', 'mode = "stdio"', "[access]", "anyone = true")
    _, url = await started(run_wsgui, tmp_path, *lines)
    async with connect(url) as client:
        await client.send(b"here")
        assert await client.recv() == b"here"
        tunnel = await tunnel_of(run_wsgui)
    assert tunnel["target"] == "cat -u"
    assert [connection["target"] for connection in tunnel["connections"]] == ["cat"]
