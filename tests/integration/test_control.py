"""`wsgui status`, `start`, `stop` and `reload` against real processes, friendly ones and hostile surroundings."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.integration.conftest import SECONDS, Process, RunWsgui, StartEcho, WriteProfile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
as_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
SOMEBODY = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")


async def ask(run_wsgui: RunWsgui, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Exit code, stdout and stderr of one `wsgui …` that ends by itself."""
    process = await run_wsgui(*arguments)
    return await process.ended(), process.out, process.err


@pytest.fixture
async def two(run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho) -> tuple[Process, Process]:
    """Two running processes: one with the tunnels "lab" and "desk", one with "gate"."""
    for name in ("lab", "desk", "gate"):
        write_profile(name, target=f"127.0.0.1:{(await start_echo()).port}")
    first = await run_wsgui("--profile", "lab", "--profile", "desk")
    second = await run_wsgui("--profile", "gate")
    await asyncio.gather(first.address("lab"), first.address("desk"), second.address("gate"))
    return first, second


async def test_status_shows_every_process_and_tunnel(run_wsgui: RunWsgui, two: tuple[Process, Process]) -> None:
    async with connect(await two[1].address("gate")) as client:
        await client.send(b"12345")
        await client.recv()
        code, out, _ = await ask(run_wsgui, "status")

    text = "\n".join(out)
    assert code == 0
    assert f"lab (headless, pid {two[0].pid})" in text
    assert f"gate (headless, pid {two[1].pid})" in text
    row = next(line for line in out if line.split()[0] == "gate" and "running" in line)
    assert row.split()[-5:] == ["1", "5", "B", "5", "B"]


async def test_status_as_json_has_the_whole_snapshot(run_wsgui: RunWsgui, two: tuple[Process, Process]) -> None:
    async with connect(await two[0].address("desk"), origin=None):
        code, out, _ = await ask(run_wsgui, "status", "--json")

    processes = json.loads("\n".join(out))["processes"]
    tunnels = {tunnel["name"]: tunnel for process in processes for tunnel in process["snapshot"]["tunnels"]}
    assert code == 0
    assert [process["process"]["pid"] for process in processes] == [two[1].pid, two[0].pid]
    assert {name: tunnel["state"] for name, tunnel in tunnels.items()} == dict.fromkeys(
        ("gate", "lab", "desk"), "running"
    )
    assert len(tunnels["desk"]["connections"]) == 1


async def test_a_tunnel_is_stopped_and_started_by_its_name_alone(
    run_wsgui: RunWsgui, two: tuple[Process, Process]
) -> None:
    async with connect(await two[0].address("desk")) as client:
        code, out, _ = await ask(run_wsgui, "stop", "desk")
        assert (code, out) == (0, ["desk is stopped."])
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(client.recv(), SECONDS)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001

    code, out, _ = await ask(run_wsgui, "start", "desk")

    assert code == 0
    assert out[0].startswith("desk is running: http://127.0.0.1:")
    assert two[0].process.returncode is None


async def test_stop_with_a_grace_waits_for_the_client(run_wsgui: RunWsgui, two: tuple[Process, Process]) -> None:
    async with connect(await two[1].address("gate")) as client:
        stopping = await run_wsgui("stop", "gate", "--grace", "60")
        await two[1].logged("finishing")
        await client.send(b"still")
        assert await client.recv() == b"still"

    assert await stopping.ended() == 0


async def test_a_name_in_two_processes_needs_to(run_wsgui: RunWsgui, two: tuple[Process, Process]) -> None:
    third = await run_wsgui("--profile", "gate", "--name", "Spare")
    await third.address("gate")

    code, _, err = await ask(run_wsgui, "stop", "gate")
    assert code == 1
    assert err == ['wsgui: More than one running wsgui has a tunnel called "gate". Say which: --to gate or --to Spare.']

    for process in ("spare", str(two[1].pid)):
        assert (await ask(run_wsgui, "stop", "gate", "--to", process))[0] == 0
    await third.logged("gate: stopped")
    await two[1].logged("gate: stopped")


async def test_reload_reaches_every_process_or_the_one_named(
    run_wsgui: RunWsgui, two: tuple[Process, Process], write_profile: WriteProfile
) -> None:
    code, out, _ = await ask(run_wsgui, "reload")
    assert (code, sorted(out)) == (0, ["gate: reloaded gate.", "lab: reloaded lab, desk."])

    write_profile("gate", 'listen = "6080x"\ntarget = "demo:"\n')
    code, out, err = await ask(run_wsgui, "reload", "--to", "gate")
    assert (code, out) == (1, ["gate: reloaded nothing."])
    assert 'gate.toml:1: listen: "6080x" is not an address' in err[0]


async def test_names_that_are_not_there_are_answered_with_those_that_are(
    run_wsgui: RunWsgui, two: tuple[Process, Process]
) -> None:
    code, _, err = await ask(run_wsgui, "start", "offcie")
    assert code == 1
    assert err == ['wsgui: No running wsgui has a tunnel called "offcie". There are: gate, lab, desk.']

    code, _, err = await ask(run_wsgui, "reload", "--to", "nobody")
    assert (code, err) == (1, ['wsgui: No wsgui process called "nobody" is running. There are: gate, lab.'])


async def test_a_tunnel_that_cannot_start_says_why(
    run_wsgui: RunWsgui, write_profile: WriteProfile, free_port: int
) -> None:
    write_profile("lab", target="demo:", listen=f"127.0.0.1:{free_port}")
    process = await run_wsgui("--profile", "lab")
    await process.address("lab")
    await ask(run_wsgui, "stop", "lab")

    with socket.create_server(("127.0.0.1", free_port)):
        code, _, err = await ask(run_wsgui, "start", "lab")

    assert code == 1
    assert f"Port {free_port} is used by" in err[0]
    code, out, _ = await ask(run_wsgui, "status")
    assert any("failed" in line for line in out)
    assert any(f"Port {free_port} is used by" in line for line in out)


async def test_with_nobody_running_status_says_so(run_wsgui: RunWsgui) -> None:
    assert await ask(run_wsgui, "status") == (
        1,
        [],
        ["wsgui: No wsgui is running. Start one: wsgui, or wsgui --profile NAME."],
    )
    code, out, _ = await ask(run_wsgui, "status", "--json")
    assert (code, json.loads("".join(out))) == (1, {"processes": []})


async def test_a_killed_process_is_forgotten_and_its_place_taken_over(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    write_profile("lab", target="demo:")
    killed = await run_wsgui("--profile", "lab")
    await killed.address("lab")
    killed.signal(signal.SIGKILL)
    await killed.ended()
    assert (tmp_path / "runtime" / "lab.sock").exists()

    again = await run_wsgui("--profile", "lab")
    await again.address("lab")

    code, out, _ = await ask(run_wsgui, "status")
    assert code == 0
    assert [line for line in out if "pid" in line] == [f"lab (headless, pid {again.pid})"]


async def test_a_process_that_hangs_does_not_keep_status_from_the_others(
    run_wsgui: RunWsgui, two: tuple[Process, Process]
) -> None:
    two[0].signal(signal.SIGSTOP)
    try:
        code, out, err = await ask(run_wsgui, "status")
    finally:
        two[0].signal(signal.SIGCONT)

    assert code == 0
    assert len(err) == 1
    assert "lab.sock does not answer. Look at its log" in err[0]
    assert any(line.startswith("gate (headless") for line in out)


async def test_a_name_that_looks_like_markup_is_shown_as_it_is(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    write_profile("lab", 'name = "x%s{0}<b>& --to"\nlisten = "127.0.0.1:0"\ntarget = "demo:"\n')
    process = await run_wsgui("--profile", "x%s{0}<b>& --to")
    await process.printed("→")

    code, out, _ = await ask(run_wsgui, "status")

    assert code == 0
    assert any("x%s{0}<b>& --to" in line for line in out)


@as_root
async def test_another_user_gets_nothing_from_a_running_process(
    run_wsgui: RunWsgui, two: tuple[Process, Process], tmp_path: Path
) -> None:
    stranger = await run_wsgui("status", prefix=SOMEBODY)

    assert await stranger.ended() == 1
    assert stranger.out == []
    assert not any("gate" in line for line in stranger.err)


@as_root
async def test_root_sees_what_runs_in_another_user_s_folder(
    run_wsgui: RunWsgui, tmp_path: Path, free_port: int
) -> None:
    for folder in ("config", "data", "runtime"):
        (tmp_path / folder).mkdir(mode=0o700)
        os.chown(tmp_path / folder, 65533, 65533)
    # The folders above are the test runner's own, closed to everybody else.
    opened = [path for path in (tmp_path, *tmp_path.parents) if path.stat().st_uid == 0 and not path.stat().st_mode & 1]
    for path in opened:
        path.chmod(path.stat().st_mode | 0o011)
    service = await run_wsgui("--demo", "--listen", f"127.0.0.1:{free_port}", prefix=SOMEBODY)
    await service.address("Demo")

    code, out, _ = await ask(run_wsgui, "status")

    for path in opened:
        path.chmod(path.stat().st_mode & ~0o011)
    assert code == 0
    assert any(line.startswith("Demo (headless") for line in out)


async def test_a_planted_link_or_a_folder_open_to_all_is_not_trusted(run_wsgui: RunWsgui, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "runtime").symlink_to(tmp_path / "elsewhere")
    code, _, err = await ask(run_wsgui, "status")
    assert code == 1
    assert "is a link" in err[0]

    (tmp_path / "runtime").unlink()
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime").chmod(0o777)
    code, _, err = await ask(run_wsgui, "status")
    assert code == 1
    assert "Other users can write" in err[0]


async def test_a_planted_socket_that_never_answers_does_not_hold_status_up(
    run_wsgui: RunWsgui, two: tuple[Process, Process], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(tmp_path / "runtime" / "aaa.sock"))
        planted.listen()

        code, out, _ = await ask(run_wsgui, "status")

    assert code == 0
    assert sum("pid" in line for line in out) == 2
