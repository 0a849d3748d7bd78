"""Programs wrapped for real: their port moved or told, watched, started again, and ended with the tunnel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.conftest import SECONDS, Process, RunWsgui, WriteProfile
from tests.support.programs import need
from tests.support.telnet import telnet
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="preloading, signals")

TELNETD = "/usr/sbin/telnetd"
with_telnetd = pytest.mark.skipif(not os.path.exists(TELNETD), reason="not installed: inetutils-telnetd")

ECHO = """
import os, socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("echo", os.getpid(), "asked for", server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    while data := client.recv(65536):
        client.sendall(sys.argv[3].encode() + data)
"""
"""Serves one client after the other on HOST PORT, with TAG before what it sends back."""


def python(lines: str, *arguments: str) -> tuple[str, ...]:
    """A command; no argument of a profile may have a line break in it."""
    return (sys.executable, "-u", "-c", f"exec({lines!r})", *arguments)


def profile(
    write: WriteProfile, run: tuple[str, ...], *, port: int | None = None, listen: str = "127.0.0.1:0", **fields: Any
) -> Path:
    """Write the profile "lab" with a [command]; what is no field of that goes before it, as `top`."""
    top = fields.pop("top", "")
    own = {"run": list(run)} | ({} if port is None else {"port": port}) | fields
    lines = [f"{name} = {json.dumps(value)}" for name, value in own.items() if name != "environment"]
    lines += [f"environment.{name} = {json.dumps(value)}" for name, value in own.get("environment", {}).items()]
    return write("lab", "\n".join([f'listen = "{listen}"', top, "[command]", *lines, ""]))


async def websockify(run_wsgui: RunWsgui, port: int, *words: str, mode: str = "exit", **more: Any) -> Process:
    """Run `wsgui websockify PORT --wrap-mode=MODE -- COMMAND` until it listens."""
    process = await run_wsgui("websockify", str(port), f"--wrap-mode={mode}", "--", *words, **more)
    await process.logged("proxying from")
    return process


async def say(client: ClientConnection, data: bytes) -> bytes:
    await client.send(data)
    answer = await asyncio.wait_for(client.recv(), SECONDS)
    assert isinstance(answer, bytes)
    return answer


async def fetched(url: str) -> bytes:
    """What a web server behind a WebSocket answers to GET /."""
    async with connect(url) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await asyncio.wait_for(client.recv(), SECONDS)
                assert isinstance(data, bytes)
                answer += data
        return answer


async def tunnel_of(run_wsgui: RunWsgui, name: str = "lab") -> dict[str, Any]:
    """The tunnel, as `wsgui status --json` has it."""
    process = await run_wsgui("status", "--json")
    assert await process.ended() == 0
    processes = json.loads("\n".join(process.out))["processes"]
    return next(t for p in processes for t in p["snapshot"]["tunnels"] if t["name"] == name)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def gone(*pids: int) -> None:
    await until(f"the end of {pids}", lambda: not any(is_alive(pid) for pid in pids))


# Programs of the field


@with_telnetd
async def test_a_telnet_daemon_is_used_again_and_again(run_wsgui: RunWsgui, free_port: int) -> None:
    need("socat")
    process = await websockify(
        run_wsgui, free_port, "socat", f"TCP-LISTEN:{free_port},reuseaddr", f"EXEC:{TELNETD} -E /bin/sh", mode="respawn"
    )
    for _ in range(2):
        async with telnet(f"ws://127.0.0.1:{free_port}/") as client:
            await client.shows(r"[$#] ")
            client.type("echo $((6 * 7))")
            await client.shows("42\r?\n")
            client.type("exit")
            await client.ended()

    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    assert sum("Started socat" in line for line in process.err) >= 2


@with_telnetd
async def test_a_telnet_daemon_asks_who_comes(run_wsgui: RunWsgui, free_port: int) -> None:
    need("socat")
    await websockify(
        run_wsgui, free_port, "socat", f"TCP-LISTEN:{free_port},reuseaddr", f"EXEC:{TELNETD}", mode="respawn"
    )
    for _ in range(2):
        async with telnet(f"ws://127.0.0.1:{free_port}/") as client:
            await client.shows("login: ")
            client.type("nobody")
            await client.shows("Password: ")


async def test_a_vnc_server_that_goes_into_the_background_is_reached_and_told_of(
    run_wsgui: RunWsgui, tmp_path: Path
) -> None:
    need("vncserver", "Xtigervnc", "xauth")
    number = random.randint(200, 900)
    session = tmp_path / "session"
    session.write_text("#!/bin/sh\nexec sleep 99\n")
    session.chmod(0o755)
    script = ("vncserver", f":{number}", "-localhost", "yes", "-SecurityTypes", "None", "-xstartup", str(session))

    process = await websockify(run_wsgui, 5900 + number, *script, mode="ignore", env={"HOME": str(tmp_path)})
    server = int((await process.logged(r"goes on in the background \(process (\d+)\)"))[1])
    async with connect(f"ws://127.0.0.1:{5900 + number}/") as client:
        greeting = await asyncio.wait_for(client.recv(), SECONDS)
        assert greeting == b"RFB 003.008\n"
        assert await say(client, b"RFB 003.008\n") == b"\x01\x01"  # one security type, None

    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    # It is in a session of its own, as daemons are: the desktop's programs may have something open.
    left = [int(pid) for pid in (await process.logged(r"leaves processes behind \(([\d, ]+)\)"))[1].split(", ")]
    assert server in left
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    await gone(*left)


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
async def test_python_s_web_server_is_moved_and_reached(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path, bound: str
) -> None:
    (tmp_path / "page.txt").write_text("")
    process = await websockify(
        run_wsgui, free_port, sys.executable, "-m", "http.server", "--bind", bound, str(free_port), cwd=tmp_path
    )

    assert b"page.txt" in await fetched(f"ws://127.0.0.1:{free_port}/")

    where = await process.logged(r"is ready on (\S+):(\d+), where")
    assert where[1] == {"0.0.0.0": "127.0.0.1", "::": "[::1]"}[bound]
    assert int(where[2]) != free_port


SERVE_IN_C = """
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(count > 1 ? words[1] : getenv("PORT")))};
    socklen_t length = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 5) || getsockname(s, (void *)&a, &length)) return 1;
    char text[99];
    int n = snprintf(text, sizeof text, "I am on port %d", ntohs(a.sin_port));
    for (;;) { int c = accept(s, 0, 0); if (write(c, text, n) < n) return 1; close(c); }
}
"""


def compiled(folder: Path, source: str, *options: str, name: str = "serve") -> Path:
    (folder / f"{name}.c").write_text(source)
    subprocess.run([shutil.which("cc") or "gcc", *options, "-o", folder / name, folder / f"{name}.c"], check=True)
    return folder / name


async def heard(url: str) -> bytes:
    """All that comes."""
    async with connect(url) as client:
        answer = b""
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await asyncio.wait_for(client.recv(), SECONDS)
                assert isinstance(data, bytes)
                answer += data
        return answer


async def test_a_static_program_is_refused_with_the_way_that_works_and_that_works(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path
) -> None:
    program = str(compiled(tmp_path, SERVE_IN_C, "-static"))

    process = await run_wsgui("websockify", str(free_port), "--", program, str(free_port))
    assert await process.ended() == 1
    assert any("serve is statically linked" in line and "{port}" in line for line in process.err), process.err

    process = await websockify(run_wsgui, free_port, program, "{port}")
    told = await heard(f"ws://127.0.0.1:{free_port}/")
    assert re.fullmatch(rb"I am on port \d+", told)
    assert told != b"I am on port %d" % free_port
    await process.logged("can be reached without the rules of this tunnel. Let it listen on 127.0.0.1 only.")


@pytest.mark.parametrize("words", [("{port}",), ()])
async def test_a_profile_tells_a_static_program_its_port_by_argument_or_variable(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path, words: tuple[str, ...]
) -> None:
    program = str(compiled(tmp_path, SERVE_IN_C, "-static"))
    profile(write_profile, (program, *words), port=5901, mode="port")
    process = await run_wsgui("--profile", "lab")

    assert (await heard(await process.address("lab"))).startswith(b"I am on port ")


async def test_a_moved_program_is_told_the_port_that_it_asked_for(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path
) -> None:
    await websockify(run_wsgui, free_port, str(compiled(tmp_path, SERVE_IN_C)), str(free_port))

    assert await heard(f"ws://127.0.0.1:{free_port}/") == b"I am on port %d" % free_port


async def test_a_set_user_id_program_is_refused_with_the_way_that_works(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path
) -> None:
    program = Path(shutil.which("su") or "/bin/su")
    if os.geteuid() == 0:  # it has to be somebody else's
        program = Path(shutil.copy(shutil.which("sleep") or "", tmp_path / "su"))
        os.chown(program, 65534, 65534)
        program.chmod(0o4755)

    process = await run_wsgui("websockify", str(free_port), "--", str(program), "60")

    assert await process.ended() == 1
    assert any("su is set-user-ID" in line and "{port}" in line for line in process.err), process.err


async def test_another_preloaded_library_goes_on_working(run_wsgui: RunWsgui, free_port: int, tmp_path: Path) -> None:
    source = (
        '#include <unistd.h>\n__attribute__((constructor)) void hi(void) { (void)!write(2, "preloaded\\n", 10); }\n'
    )
    other = compiled(tmp_path, source, "-shared", "-fPIC", name="other.so")
    words = python(ECHO, "127.0.0.1", str(free_port), ">")

    process = await websockify(run_wsgui, free_port, *words, env={"LD_PRELOAD": str(other)})

    await process.logged(": preloaded$")
    async with connect(f"ws://127.0.0.1:{free_port}/") as client:
        assert await say(client, b"hello") == b">hello"


# When it ends


async def test_a_program_that_crashes_at_once_is_tried_ever_later_and_that_is_shown(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, ("sh", "-c", "echo no screen >&2; exit 3"), port=5901)
    process = await run_wsgui("--profile", "lab")
    await process.address("lab")

    await process.logged(r"lab: sh: no screen$")
    await process.logged(r"The program sh ended at once with status 3: no screen\.")
    await process.logged("It is started again in 1 s")
    await process.logged("It is started again in 2 s")
    tunnel = await tunnel_of(run_wsgui)
    assert tunnel["state"] == "running"
    assert tunnel["reason"]["kind"] == "program"
    assert "The program sh ended at once with status 3: no screen." in tunnel["reason"]["message"]
    assert re.search(r"It is started again in [24] s\.", tunnel["reason"]["message"])
    assert tunnel["reason"]["exit_status"] == 3


async def test_a_client_of_a_program_that_has_crashed_is_told_so(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, ("sh", "-c", "exit 3"), port=5901, when_it_ends="ignore")
    process = await run_wsgui("--profile", "lab")
    address = await process.address("lab")
    await process.logged("ended at once with status 3")

    async with connect(address) as client:
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(client.recv(), SECONDS)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1011
    await process.logged("warning lab: The program sh ended at once with status 3.")


@pytest.mark.parametrize(("status", "state"), [(0, "stopped"), (3, "failed")])
async def test_in_stop_mode_the_tunnel_ends_with_its_program_and_says_why(
    run_wsgui: RunWsgui, write_profile: WriteProfile, status: int, state: str
) -> None:
    serve_once = f"{ECHO.replace('while True:', 'if True:')}sys.exit({status})"
    profile(write_profile, python(serve_once, "127.0.0.1", "5901", ">"), port=5901, when_it_ends="stop")
    process = await run_wsgui("--profile", "lab")
    async with connect(await process.address("lab")) as client:
        assert await say(client, b"hello") == b">hello"

    await process.logged(f"lab: {state}")
    tunnel = await tunnel_of(run_wsgui)
    assert tunnel["state"] == state
    assert process.process.returncode is None
    if status:
        assert re.match(rf"The program \S+ has ended with status {status}: ", tunnel["reason"]["message"])
    else:
        assert tunnel["reason"] is None


async def test_a_program_that_is_over_before_the_tunnel_is_up_ends_it_all_the_same(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, ("false",), port=5901, when_it_ends="stop")
    process = await run_wsgui("--profile", "lab")

    await process.logged("lab: failed: The program false ended at once with status 1")


@pytest.mark.parametrize("status", [0, 3])
async def test_in_exit_mode_websockify_ends_with_the_program_s_status(
    run_wsgui: RunWsgui, free_port: int, status: int
) -> None:
    process = await run_wsgui("websockify", str(free_port), "--", "sh", "-c", f"exit {status}")

    assert await process.ended() == status


async def test_in_exit_mode_a_program_that_a_signal_ends_gives_the_status_that_shells_give(
    run_wsgui: RunWsgui, free_port: int
) -> None:
    process = await run_wsgui("websockify", str(free_port), "--", "sh", "-c", "kill -KILL $$")

    assert await process.ended() == 128 + signal.SIGKILL


async def test_websockify_s_respawn_rests_when_it_is_too_fast(run_wsgui: RunWsgui, free_port: int) -> None:
    process = await websockify(run_wsgui, free_port, "false", mode="respawn")

    await process.logged("Command respawning too fast")
    assert sum("Started false" in line for line in process.err) == 3
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0


STUBBORN = """
import os, signal, socket, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
children = [
    subprocess.Popen(["sh", "-c", "trap '' TERM HUP; sleep 99 & echo stays $$ $!; wait"]),
    subprocess.Popen(["sleep", "99"], process_group=0),
]
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.write(1, b"stays %d %d\\n" % (os.getpid(), children[1].pid))
while True:
    time.sleep(99)
"""


async def test_what_ignores_sigterm_is_killed_with_all_that_it_started(run_wsgui: RunWsgui, free_port: int) -> None:
    process = await websockify(run_wsgui, free_port, *python(STUBBORN, str(free_port)))
    await process.logged("is ready on")
    await until("all of them", lambda: sum(": stays " in line for line in process.err) == 2)
    pids = [int(pid) for line in process.err if ": stays " in line for pid in line.split()[-2:]]
    assert len(pids) == 4
    assert all(is_alive(pid) for pid in pids)

    process.signal(signal.SIGTERM)
    process.signal(signal.SIGTERM)  # somebody hurries
    process.signal(signal.SIGINT)

    assert await process.ended() == 0
    assert not any(is_alive(pid) for pid in pids)


async def test_what_a_killed_wsgui_has_left_is_not_in_the_way_of_the_next(run_wsgui: RunWsgui, free_port: int) -> None:
    words = python(ECHO, "127.0.0.1", str(free_port), ">")
    process = await websockify(run_wsgui, free_port, *words)
    left = int((await process.logged(r"echo (\d+) asked"))[1])
    try:
        process.signal(signal.SIGKILL)
        await process.process.wait()

        await websockify(run_wsgui, free_port, *words)
        async with connect(f"ws://127.0.0.1:{free_port}/") as client:
            assert await say(client, b"hello") == b">hello"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)


# When the profile changes


async def test_a_changed_command_is_run_instead_of_the_old_one(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, python(ECHO, "127.0.0.1", "5901", "old "), port=5901)
    process = await run_wsgui("--profile", "lab")
    address = await process.address("lab")
    async with connect(address) as client:
        assert await say(client, b"hello") == b"old hello"
    old = int((await process.logged(r"echo (\d+) asked"))[1])

    profile(write_profile, python(ECHO, "127.0.0.1", "5901", "new "), port=5901)
    process.signal(signal.SIGHUP)
    await process.logged("Reloaded")

    async with connect(address) as client:
        assert await say(client, b"hello") == b"new hello"
    await gone(old)


async def test_another_change_leaves_the_program_and_its_sessions_alone(
    run_wsgui: RunWsgui, write_profile: WriteProfile, free_port: int
) -> None:
    echo = python(ECHO, "127.0.0.1", "5901", ">")
    profile(write_profile, echo, port=5901)
    process = await run_wsgui("--profile", "lab")
    async with connect(await process.address("lab")) as client:
        assert await say(client, b"hello") == b">hello"

        profile(write_profile, echo, port=5901, listen=f"127.0.0.1:{free_port}", top="[limits]\nidle_seconds = 99\n")
        process.signal(signal.SIGHUP)
        await process.printed(f"^lab: http://127.0.0.1:{free_port}/")

        assert await say(client, b"again") == b">again"
    async with connect(f"ws://127.0.0.1:{free_port}/") as client:
        assert await say(client, b"hello") == b">hello"
    assert sum("Started python" in line for line in process.err) == 1


async def test_a_new_command_that_cannot_be_started_leaves_the_old_one(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, python(ECHO, "127.0.0.1", "5901", ">"), port=5901)
    process = await run_wsgui("--profile", "lab")
    address = await process.address("lab")
    async with connect(address) as client:
        assert await say(client, b"hello") == b">hello"

    profile(write_profile, ("no-such-program",), port=5901)
    process.signal(signal.SIGHUP)
    await process.logged("no-such-program was not found on PATH")

    async with connect(address) as client:
        assert await say(client, b"hello") == b">hello"


async def test_a_tunnel_that_is_stopped_and_started_runs_its_program_anew(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    profile(write_profile, python(ECHO, "127.0.0.1", "5901", ">"), port=5901)
    process = await run_wsgui("--profile", "lab")
    await process.address("lab")
    pid = int((await process.logged(r"echo (\d+) asked"))[1])

    assert await (await run_wsgui("stop", "lab")).ended() == 0
    assert not is_alive(pid)
    assert await (await run_wsgui("start", "lab")).ended() == 0
    await until("it runs again", lambda: sum(" asked for " in line for line in process.err) == 2)


async def test_where_the_port_is_taken_no_program_is_left_running(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        profile(write_profile, ("sh", "-c", "echo mine $$; exec sleep 99"), port=5901, listen=listen)
        process = await run_wsgui("--profile", "lab")
        assert await process.ended() == 1

    pids = [int(found[1]) for line in process.err if (found := re.search(r"mine (\d+)$", line))]
    assert not any(is_alive(pid) for pid in pids)


# What it sees, and who else is there

LOOK = """
import json, os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
numbers = [number for number in os.listdir("/proc/self/fd") if int(number) != server.fileno()]
seen = {
    "environment": dict(os.environ),
    "descriptors": {n: os.readlink(f"/proc/self/fd/{n}") for n in numbers if os.path.exists(f"/proc/self/fd/{n}")},
    "leads its session and group": os.getsid(0) == os.getpgid(0) == os.getpid(),
}
with open(sys.argv[2], "w") as file:
    json.dump(seen, file)
print("seen", flush=True)
server.accept()
"""


@contextlib.contextmanager
def service_manager(folder: Path) -> Iterator[dict[str, str]]:
    """The variables that a service manager and a careful user give us."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        (folder / "credentials").mkdir()
        yield {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "9000000",
            "LISTEN_FDNAMES": "web",
            "CREDENTIALS_DIRECTORY": str(folder / "credentials"),
            "WSGUI_SECRET": "ann:geheim",
            "VNC_LOGIN": "ann:geheim",
            "HARMLESS": "kept",
        }


async def test_a_program_gets_nothing_of_ours(run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path) -> None:
    profile(
        write_profile,
        python(LOOK, "5901", str(tmp_path / "seen.json")),
        port=5901,
        top='[access]\nbasic = "env:VNC_LOGIN"\n',
        environment={"OWN": "mine"},
    )
    extra = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(extra, True)
    with service_manager(tmp_path) as variables:
        process = await run_wsgui("--profile", "lab", env=variables, pass_fds=[extra])
        os.close(extra)
        await process.logged(": seen$")
    seen = json.loads((tmp_path / "seen.json").read_text())
    environment, own = seen["environment"], seen["descriptors"]

    ours = re.compile("WSGUI_|NOTIFY_SOCKET|WATCHDOG_|LISTEN_|CREDENTIALS_|VNC_LOGIN")
    assert not [name for name in environment if ours.match(name)]
    assert "geheim" not in json.dumps(environment)
    assert (environment["HARMLESS"], environment["OWN"]) == ("kept", "mine")
    assert set(own) == {"0", "1", "2"}
    assert own["0"] == os.devnull
    assert seen["leads its session and group"]


TAKEN = """
import os, sys, time
print("port", sys.argv[1], flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
exec(sys.argv[3])
"""


async def test_another_program_on_its_port_is_not_connected_to(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    serve = "sys.argv[1:] = ['127.0.0.1', sys.argv[1], '>']\n" + ECHO
    profile(write_profile, python(TAKEN, "{port}", str(go), f"exec({serve!r})"), port=5901, mode="port")
    process = await run_wsgui("--profile", "lab")
    address = await process.address("lab")
    port = int((await process.logged(r": port (\d+)$"))[1])
    with socket.create_server(("127.0.0.1", port)) as stranger:
        stranger.setblocking(False)
        connecting = asyncio.create_task(connect(address).__aenter__())
        await process.logged(rf"Port {port}, which .* was to have, was taken by .*nobody is connected to that")
        go.touch()
        client = await connecting
        assert await say(client, b"hello") == b">hello"
        await client.close()

        with pytest.raises(BlockingIOError):
            stranger.accept()
