"""`wsgui --profile`: a real process, a real client through it to a real target, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.conftest import SECONDS, Process, RunWsgui, StartEcho, WriteProfile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and unix sockets")


async def say(client: ClientConnection, data: bytes) -> bytes:
    await client.send(data)
    answer = await asyncio.wait_for(client.recv(), SECONDS)
    assert isinstance(answer, bytes)
    return answer


async def closed(client: ClientConnection) -> int | None:
    """The code with which the connection ended."""
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(client.recv(), SECONDS)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


async def running(run_wsgui: RunWsgui, *arguments: str, name: str = "lab") -> tuple[Process, str]:
    process = await run_wsgui("--profile", name, *arguments)
    return process, await process.address(name)


async def test_the_address_is_printed_and_leads_to_the_target(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    echo = await start_echo(b">")
    write_profile("lab", target=f"127.0.0.1:{echo.port}")

    process, address = await running(run_wsgui)

    assert (await process.printed("→"))[0]
    assert process.out[0].endswith(f"→ 127.0.0.1:{echo.port}")
    async with connect(address) as client:
        assert await say(client, b"hello") == b">hello"


async def test_a_file_anywhere_can_be_run(run_wsgui: RunWsgui, start_echo: StartEcho, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(f'listen = "127.0.0.1:0"\ntarget = "127.0.0.1:{(await start_echo()).port}"\n')

    process = await run_wsgui("--profile", "./own.toml", cwd=tmp_path)

    async with connect(await process.address("own")) as client:
        assert await say(client, b"hello") == b"hello"


async def test_several_profiles_run_in_one_process(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    for tag in ("a", "b"):
        write_profile(tag, target=f"127.0.0.1:{(await start_echo(tag.encode())).port}")

    process = await run_wsgui("--profile", "a", "--profile", "b")

    for tag in ("a", "b"):
        async with connect(await process.address(tag)) as client:
            assert await say(client, b"!") == tag.encode() + b"!"


async def test_a_connection_leaves_one_line_at_its_start_and_one_at_its_end(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo(b'12')).port}")
    process, address = await running(run_wsgui)

    async with connect(address) as client:
        await say(client, b"hello")

    await process.logged(r"info +lab: connection 1 of 127\.0\.0\.1:\d+ → 127\.0\.0\.1")
    await process.logged(r"connection 1 of .* ended after .* s: 7 B to the client, 5 B to the target, code 1000")


async def test_json_lines_have_the_figures_for_programs(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo(b'12')).port}")
    process, address = await running(run_wsgui, "--log-format", "json")

    async with connect(f"{address}?token=hush") as client:
        await say(client, b"hello")

    await process.logged('"connection.closed"')
    entries = [json.loads(line) for line in process.err]
    closed_entry = next(entry for entry in entries if entry["event"] == "connection.closed")
    assert (closed_entry["tunnel"], closed_entry["to_client_bytes"], closed_entry["to_target_bytes"]) == ("lab", 7, 5)
    assert closed_entry["duration_seconds"] >= 0
    assert "hush" not in "".join(process.err)


async def test_the_log_level_holds(run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}")
    process, _ = await running(run_wsgui, "--log-level", "error")

    process.signal(signal.SIGTERM)

    assert await process.ended() == 0
    assert process.err == []


async def test_the_first_sigterm_lets_a_client_finish_and_nobody_new_in(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}")
    process, address = await running(run_wsgui, "--grace", "60")

    async with connect(address) as client:
        await say(client, b"before")
        process.signal(signal.SIGTERM)
        await process.logged("finishing")
        assert await say(client, b"after") == b"after"
        with pytest.raises(ConnectionRefusedError):
            await connect(address)

    assert await process.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_when_the_grace_is_over_clients_get_1001(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, number: signal.Signals
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}")
    process, address = await running(run_wsgui, "--grace", "0.3")

    async with connect(address) as client:
        await say(client, b"hello")
        process.signal(number)
        assert await closed(client) == 1001

    assert await process.ended() == 0


async def test_the_second_sigterm_ends_at_once(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}")
    process, address = await running(run_wsgui, "--grace", "600")

    async with connect(address) as client:
        await say(client, b"hello")
        process.signal(signal.SIGTERM)
        await process.logged("finishing")
        process.signal(signal.SIGTERM)
        assert await closed(client) == 1001

    assert await process.ended() == 0


async def test_sighup_gives_new_clients_the_new_target_and_keeps_the_old_ones(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    old, new = await start_echo(b"old "), await start_echo(b"new ")
    write_profile("lab", target=f"127.0.0.1:{old.port}")
    process, address = await running(run_wsgui)

    async with connect(address) as before:
        assert await say(before, b"1") == b"old 1"
        write_profile("lab", target=f"127.0.0.1:{new.port}")
        process.signal(signal.SIGHUP)
        await process.logged("Reloaded: lab")

        assert await say(before, b"2") == b"old 2"
        async with connect(address) as after:
            assert await say(after, b"3") == b"new 3"


async def test_sighup_with_another_listen_address_moves_the_tunnel_and_keeps_connections(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, free_port: int
) -> None:
    target = f"127.0.0.1:{(await start_echo()).port}"
    write_profile("lab", target=target)
    process, address = await running(run_wsgui)

    async with connect(address) as client:
        await say(client, b"hello")
        write_profile("lab", target=target, listen=f"127.0.0.1:{free_port}")
        process.signal(signal.SIGHUP)

        await process.printed(f"lab: http://127.0.0.1:{free_port}/")
        assert await say(client, b"still") == b"still"
        async with connect(f"ws://127.0.0.1:{free_port}/") as other:
            assert await say(other, b"here") == b"here"


async def test_sighup_with_a_broken_file_says_file_and_line_and_keeps_the_tunnel(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}")
    process, address = await running(run_wsgui)

    write_profile("lab", 'target = "demo:"\nlisten = "6080x"\n')
    process.signal(signal.SIGHUP)

    await process.logged(r'error +lab: .*lab\.toml:2: listen: "6080x" is not an address.*last valid settings are kept')
    async with connect(address) as client:
        assert await say(client, b"hello") == b"hello"


async def test_sighup_with_a_new_name_in_the_file_goes_on_under_that_name(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    target = f"127.0.0.1:{(await start_echo()).port}"
    file = write_profile("lab", target=target)
    process = await run_wsgui("--profile", str(file))
    await process.address("lab")

    write_profile("lab", target=target, name="Renamed")
    process.signal(signal.SIGHUP)

    async with connect(await process.address("Renamed")) as client:
        assert await say(client, b"hello") == b"hello"


async def test_a_port_that_is_taken_ends_with_1_and_names_profile_field_and_remedy(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        write_profile("lab", target="demo:", listen=f"127.0.0.1:{port}")
        process = await run_wsgui("--profile", "lab")

        assert await process.ended() == 1

    said = [line for line in process.err if line.startswith("wsgui: ")]
    assert len(said) == 1
    assert said[0].startswith(f'wsgui: Profile "lab": listen: Port {port} is used by ')
    assert process.out == []


async def test_with_wait_a_taken_port_is_waited_for(run_wsgui: RunWsgui, write_profile: WriteProfile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        write_profile("lab", target="demo:", listen=f"127.0.0.1:{other.getsockname()[1]}")
        process = await run_wsgui("--profile", "lab", "--wait")
        await process.logged(r"warning lab: waiting: Port \d+ is used")

    async with connect(await process.address("lab")):
        pass


async def test_a_signal_ends_the_waiting_for_a_port(run_wsgui: RunWsgui, write_profile: WriteProfile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        write_profile("lab", target="demo:", listen=f"127.0.0.1:{other.getsockname()[1]}")
        process = await run_wsgui("--profile", "lab", "--wait")
        await process.logged("waiting")
        process.signal(signal.SIGTERM)

        assert await process.ended() == 0


async def test_broken_profiles_end_with_2_and_every_problem_has_file_line_field_and_remedy(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    write_profile("one", 'listen = "6080x"\ntarget = "demo:"\n[limits]\nconnections = -1\n')
    write_profile("two", "targit = 1\n")

    process = await run_wsgui("--profile", "one", "--profile", "two", "--profile", "three")

    assert await process.ended() == 2
    said = "\n".join(process.err)
    assert 'one.toml:1: listen: "6080x" is not an address. Write host:port' in said
    assert "one.toml:4: limits.connections: " in said
    assert 'two.toml:1: targit: There is no field "targit" in a profile. Did you mean "target"?' in said
    assert 'There is no profile named "three"' in said


async def test_listen_replaces_the_profile_s_address(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, free_port: int
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}", listen="127.0.0.1:1")

    process, address = await running(run_wsgui, "--listen", f"127.0.0.1:{free_port}")

    assert address == f"ws://127.0.0.1:{free_port}/"
    process.signal(signal.SIGHUP)
    await process.logged("Reloaded")
    async with connect(address) as client:
        assert await say(client, b"hello") == b"hello"


@pytest.mark.parametrize("arguments", [("--demo",), ("--profile", "Demo"), ("--profile", "demo")])
async def test_the_demo_runs_and_says_how_to_reach_it_from_elsewhere(
    run_wsgui: RunWsgui, arguments: tuple[str, ...], free_port: int
) -> None:
    process = await run_wsgui(*arguments, "--listen", f"127.0.0.1:{free_port}")

    await process.printed(f"^Demo: http://127.0.0.1:{free_port}/ → demo:$")
    await process.printed(f"ssh -L {free_port}:127.0.0.1:{free_port} {socket.gethostname()}")


async def test_an_own_profile_called_demo_comes_before_the_built_in_one(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    echo = await start_echo()
    write_profile("mine", name="Demo", target=f"127.0.0.1:{echo.port}")

    process = await run_wsgui("--profile", "Demo")

    await process.printed(f"→ 127.0.0.1:{echo.port}$")


async def test_it_listens_on_a_unix_socket(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, tmp_path: Path
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}", listen=f"unix:{tmp_path}/s")
    process = await run_wsgui("--profile", "lab")
    await process.printed(f"^lab: unix:{tmp_path}/s → ")

    from websockets.asyncio.client import unix_connect

    async with unix_connect(f"{tmp_path}/s", "ws://localhost/") as client:
        assert await say(client, b"hello") == b"hello"


HAND_OVER = (
    "import os, sys\n"
    "os.dup2(int(sys.argv[1]), 3)\n"
    "os.set_inheritable(3, True)\n"
    "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


async def test_it_serves_a_listener_that_the_service_manager_hands_over(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}", listen="fd:3")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        prefix = [sys.executable, "-c", HAND_OVER, str(listener.fileno())]
        process = await run_wsgui("--profile", "lab", prefix=prefix, pass_fds=[listener.fileno()])
        port = listener.getsockname()[1]
        await process.printed("^lab: ")

        async with connect(f"ws://127.0.0.1:{port}/") as client:
            assert await say(client, b"hello") == b"hello"


async def test_a_handed_over_descriptor_that_no_profile_uses_is_mentioned(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    write_profile("lab", target="demo:")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        prefix = [sys.executable, "-c", HAND_OVER, str(listener.fileno())]
        process = await run_wsgui("--profile", "lab", prefix=prefix, pass_fds=[listener.fileno()])

        await process.logged(r'handed over fd:3, but no profile has listen = "fd:3"')


async def test_the_service_manager_hears_ready_reloading_and_stopping(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    write_profile("lab", target="demo:")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)

        async def heard() -> bytes:
            return await asyncio.wait_for(loop.sock_recv(manager, 4096), SECONDS)

        process = await run_wsgui("--profile", "lab", env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert await heard() == b"READY=1\nSTATUS=lab: running"
        process.signal(signal.SIGHUP)
        assert (await heard()).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert await heard() == b"READY=1\nSTATUS=lab: running"
        process.signal(signal.SIGTERM)
        assert await heard() == b"STOPPING=1"

    assert await process.ended() == 0


NO_QT = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "qasync"):
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocker())
from wsgui.cli.main import main
code = main(sys.argv[1:])
assert not any(name.startswith(("PySide6", "qasync", "wsgui.gui")) for name in sys.modules)
sys.exit(code)
"""


async def test_it_runs_without_qt(environment: dict[str, str], free_port: int) -> None:
    command = [sys.executable, "-c", NO_QT, "--demo", "--listen", f"127.0.0.1:{free_port}"]
    raw = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    process = Process(raw)
    async with connect(await process.address("Demo")):
        process.signal(signal.SIGTERM)
    assert await process.ended() == 0


@pytest.mark.parametrize("planted", ["a file", "a link", "open to all"])
async def test_without_a_safe_runtime_folder_it_says_so_once_and_runs(
    run_wsgui: RunWsgui, tmp_path: Path, free_port: int, planted: str
) -> None:
    runtime = tmp_path / "runtime"
    if planted == "a file":
        runtime.write_text("")
    elif planted == "a link":
        (tmp_path / "elsewhere").mkdir()
        runtime.symlink_to(tmp_path / "elsewhere")
    else:
        runtime.mkdir()
        runtime.chmod(0o777)

    process = await run_wsgui("--demo", "--listen", f"127.0.0.1:{free_port}")

    async with connect(await process.address("Demo")):
        pass
    await process.logged("warning There is no control channel: .*WSGUI_RUNTIME_DIR|chmod 700")
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    assert sum("control channel" in line for line in process.err) == 1
    assert not (tmp_path / "elsewhere").exists() or os.listdir(tmp_path / "elsewhere") == []


async def test_a_log_that_nobody_reads_holds_nothing_up(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, tmp_path: Path
) -> None:
    write_profile("lab", target=f"127.0.0.1:{(await start_echo()).port}", listen=f"unix:{tmp_path}/s")
    process = await run_wsgui("--profile", "lab", "--log-level", "debug")
    await process.printed("^lab: ")
    for task in process._reading:
        task.cancel()

    async def refused() -> bytes:
        reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/s")
        writer.write(b"GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), SECONDS)
        writer.close()
        return answer

    for _ in range(1500):
        assert await refused()
    process.signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.process.wait(), SECONDS) == 0
    process._reading.clear()


async def test_readers_that_have_gone_change_neither_the_tunnel_nor_the_exit_code(
    environment: dict[str, str], free_port: int, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "wsgui", "--demo", "--listen", f"127.0.0.1:{free_port}"],
            env=environment | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
        )
        os.close(writing)
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(manager, 4096), SECONDS)
    async with connect(f"ws://127.0.0.1:{free_port}/"):
        process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), SECONDS) == 0


async def test_when_one_of_two_cannot_start_neither_runs(
    run_wsgui: RunWsgui, write_profile: WriteProfile, start_echo: StartEcho, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        write_profile("lab", target="demo:", listen=f"unix:{tmp_path}/s")
        write_profile("desk", target="demo:", listen=f"127.0.0.1:{other.getsockname()[1]}")
        process = await run_wsgui("--profile", "lab", "--profile", "desk", "--grace", "600")

        assert await process.ended() == 1

    assert not (tmp_path / "s").exists()
