"""A process a connection, for real: wsgui as an ordinary user, a program of the system behind each WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from tests.integration.conftest import SECONDS, Process, RunWsgui, StartEcho
from tests.support.programs import need
from tests.support.telnet import telnet
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pty, signals, users")

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(not AS_ROOT, reason="needs root to become another user")
USER = 65534
SOMEBODY = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups") if AS_ROOT else ()
"""Whom wsgui runs as here: as root it would start no such tunnel."""
LOGIN = {"Authorization": f"Basic {b64encode(b'ann:geheim').decode()}"}
TELNETD = "/usr/sbin/telnetd"
NAWS = b"\xff\xfa\x1f%b\xff\xf0"


@dataclass
class House:
    """A user's own folder, a wsgui that runs in it, and its one tunnel, called lab."""

    folder: Path
    run: Callable[..., Any]

    def write(self, run: tuple[str, ...], top: str = "", *, listen: str = "127.0.0.1:0", **command: Any) -> None:
        """Write the profile, with a password unless `top` says otherwise."""
        fields = {"run": list(run), "mode": "stdio"} | command
        lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
        top = top or '[access]\nbasic = "env:LOGIN"\n'
        file = self.folder / "lab.toml"
        file.write_text("\n".join([f'listen = "{listen}"', top, "[command]", *lines, ""]))
        self.give(file)

    def give(self, path: Path) -> None:
        """Make the user its owner."""
        if AS_ROOT:
            os.chown(path, USER, USER)

    async def wsgui(self, *arguments: str, prefix: tuple[str, ...] = SOMEBODY, **env: str) -> Process:
        variables = {f"WSGUI_{kind}_DIR": str(self.folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        variables |= {"LOGIN": "ann:geheim", "HOME": str(self.folder), "WSGUI_OURS": "geheim"}
        process: Process = await self.run(*arguments, prefix=prefix, env=variables | env, cwd=self.folder)
        return process

    async def start(self, run: tuple[str, ...], top: str = "", **command: Any) -> tuple[Process, str]:
        """Run the tunnel; returns its address too."""
        self.write(run, top, **command)
        process = await self.wsgui("--profile", str(self.folder / "lab.toml"), "--log-level", "debug", "--grace", "0")
        return process, await process.address("lab")


@pytest.fixture
def house(run_wsgui: RunWsgui) -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="wsgui-") as name:
        made = House(Path(name), run_wsgui)
        made.give(made.folder)
        yield made


@contextlib.asynccontextmanager
async def client_of(url: str, headers: dict[str, str] | None = None) -> AsyncIterator[ClientConnection]:
    async with connect(url, additional_headers=LOGIN | (headers or {}), compression=None) as client:
        yield client


async def told(client: ClientConnection, pattern: bytes) -> re.Match[bytes]:
    """Read on until what came matches."""
    data = b""
    async with asyncio.timeout(SECONDS):
        while (found := re.search(pattern, data)) is None:
            try:
                message = await client.recv()
            except ConnectionClosed as error:
                raise AssertionError(f"{pattern!r} never came: {data!r}, {error}") from None
            assert isinstance(message, bytes)
            data += message
    return found


async def closed(client: ClientConnection) -> tuple[int, str]:
    """Read until the end: code and reason."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await client.recv()
            except ConnectionClosed as error:
                return (1006, "") if error.rcvd is None else (error.rcvd.code, error.rcvd.reason)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def gone(*pids: int) -> None:
    await until(f"the end of {pids}", lambda: not any(is_alive(pid) for pid in pids))


def children(pid: int) -> list[str]:
    """Children of a process, dead ones that nobody has buried too."""
    return [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


# What becomes a tunnel


async def test_a_shell_on_a_terminal_is_typed_into_and_resized(house: House) -> None:
    environment = {"PS1": "ready> "}
    run = ("bash", "--norc", "--noediting")
    house.write(run, mode="terminal")
    with (house.folder / "lab.toml").open("a") as file:
        file.write(f"environment = {{ PS1 = {json.dumps(environment['PS1'])} }}\n")
    process = await house.wsgui("--profile", "./lab.toml")
    async with client_of(await process.address("lab")) as client:
        await told(client, rb"ready> ")
        await client.send(b"stty size; id -u\r")
        await told(client, b"24 80\r\n%d\r\n" % (USER if AS_ROOT else os.getuid()))
        await client.send(b"\xff\xfb\x1f" + NAWS % b"\x00\x84\x00\x2b")
        await client.send(b"stty size\r")
        await told(client, rb"43 132\r\n")
        await client.send(b"printf '\\033[31mred\\033[m\\n'\r")
        await told(client, rb"\x1b\[31mred\x1b\[m\r\n")
        await client.send(b"exit 7\r")
        assert await closed(client) == (1000, "The program ended with status 7")


async def test_ssh_leads_to_a_place_behind_its_server(house: House, start_echo: StartEcho, free_port: int) -> None:
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    need("ssh", "ssh-keygen", sshd)
    if not AS_ROOT:
        pytest.skip("sshd lets only root in others")
    echo = await start_echo(b">")
    keys = house.folder
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    house.give(keys / "user")
    (keys / "authorized").write_text((keys / "user.pub").read_text())
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    options = {
        "Port": free_port,
        "ListenAddress": "127.0.0.1",
        "HostKey": keys / "host",
        "AuthorizedKeysFile": keys / "authorized",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    server = await asyncio.create_subprocess_exec(
        sshd, "-D", "-e", "-f", "/dev/null", *words, stderr=subprocess.DEVNULL
    )
    try:
        ssh = ("ssh", "-F", "none", "-W", f"127.0.0.1:{echo.port}", "-i", str(keys / "user"), "-p", str(free_port))
        quiet = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes")
        _, address = await house.start((*ssh, *quiet, "-o", "ConnectionAttempts=20", "root@127.0.0.1"))
        async with client_of(address) as client:
            await client.send(b"through ssh")
            await told(client, rb"^>through ssh$")
    finally:
        server.terminate()
        await server.wait()


@pytest.mark.skipif(not os.path.exists(TELNETD), reason="not installed: inetutils-telnetd")
async def test_an_inetd_program_serves_each_client(house: House) -> None:
    _, address = await house.start((TELNETD, "-E", "/bin/sh"))
    for _ in range(2):
        async with telnet(address, additional_headers=LOGIN) as client:
            await client.shows(r"[$#] ")
            client.type("echo $((6 * 7)); tty")
            await client.shows("42\r?\n/dev/pts/")
            client.type("exit")
            await client.ended()


async def test_as_many_run_at_once_as_the_profile_says(house: House) -> None:
    process, address = await house.start(("cat",), at_once=2)
    async with client_of(address) as first, client_of(address) as second:
        for client in (first, second):
            await client.send(b"hello")
            await told(client, b"hello")
        async with client_of(address) as third:
            assert (await closed(third))[0] == 1011
        await process.logged("2 programs run already. Close one, or raise .command. at_once")
        await second.close()
        await until("a program that ended", lambda: len(children(process.pid)) == 1)
        async with client_of(address) as fourth:
            await fourth.send(b"hello")
            await told(fourth, b"hello")


async def test_what_it_says_to_stderr_is_logged_and_not_sent(house: House) -> None:
    process, address = await house.start(("sh", "-c", "echo careful >&2; echo hello; exit 4"))
    async with client_of(address) as client:
        await told(client, b"^hello\n$")
        assert await closed(client) == (1000, "The program ended with status 4")
    await process.logged(r"lab: sh\[\d+\]: careful$")
    await process.logged(r"lab: sh\[\d+\]: The program ended with status 4")


# Nobody is left behind

FAMILY = ("sh", "-c", "sleep 98 & echo family $$ $!; cat; sleep 97")
STUBBORN = ("sh", "-c", "trap '' TERM HUP INT; sleep 96 & echo family $$ $!; while :; do read line || sleep 1; done")


async def family_of(client: ClientConnection) -> tuple[int, int]:
    found = await told(client, rb"family (\d+) (\d+)")
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("mode", ["stdio", "terminal"])
@pytest.mark.parametrize("run", [FAMILY, STUBBORN], ids=["meek", "stubborn"])
async def test_all_of_it_ends_with_its_connection(house: House, mode: str, run: tuple[str, ...]) -> None:
    process, address = await house.start(run, mode=mode)
    async with client_of(address) as polite, client_of(address) as lost:
        families = [await family_of(client) for client in (polite, lost)]
        lost.transport.abort()
        await polite.close()
    await gone(*families[0], *families[1])
    await until("all of them buried", lambda: not children(process.pid))


@pytest.mark.parametrize("mode", ["stdio", "terminal"])
async def test_all_of_it_ends_with_the_tunnel(house: House, mode: str) -> None:
    _, address = await house.start(FAMILY, mode=mode)
    async with client_of(address) as client:
        family = await family_of(client)
        assert await (await house.wsgui("stop", "lab")).ended() == 0
        assert not any(is_alive(pid) for pid in family)
        assert (await closed(client))[0] == 1001


@pytest.mark.parametrize("run", [FAMILY, STUBBORN], ids=["meek", "stubborn"])
async def test_all_of_it_ends_with_wsgui(house: House, run: tuple[str, ...]) -> None:
    process, address = await house.start(run)
    async with client_of(address) as client:
        family = await family_of(client)
        process.signal(signal.SIGTERM)
        assert await process.ended() == 0
        assert not any(is_alive(pid) for pid in family)


async def test_when_wsgui_is_killed_a_program_reads_the_end_of_its_input(house: House) -> None:
    process, address = await house.start(("sh", "-c", "echo family $$ $$; exec cat"))
    async with client_of(address) as client:
        family = await family_of(client)
        process.signal(signal.SIGKILL)
        await process.process.wait()
        await gone(*family)


async def test_when_wsgui_is_killed_a_shell_and_its_jobs_are_hung_up_on(house: House) -> None:
    process, address = await house.start(("bash", "--norc"), mode="terminal")
    async with client_of(address) as client:
        await client.send(b"sleep 95 & echo fam''ily $$ $!\r")
        family = await family_of(client)
        process.signal(signal.SIGKILL)
        await process.process.wait()
        await gone(*family)


async def test_two_hundred_quick_connections_leave_nothing(house: House) -> None:
    process, address = await house.start(("echo", "hello"), at_once=300)
    folder = Path(f"/proc/{process.pid}/fd")

    async def quick() -> None:
        async with client_of(address) as client:
            assert await closed(client) == (1000, "The program ended with status 0")

    await quick()
    await until("the first one's end", lambda: not children(process.pid))
    before = len(os.listdir(folder))
    for _ in range(8):
        await asyncio.gather(*(quick() for _ in range(25)))

    await until("an end of all of them", lambda: not children(process.pid))
    await until("as many descriptors as before", lambda: len(os.listdir(folder)) <= before)


async def test_a_changed_profile_holds_for_those_who_come_after(house: House) -> None:
    process, address = await house.start(("sh", "-c", "echo old; exec cat"))
    port = address.rstrip("/").rpartition(":")[2]
    async with client_of(address) as client:
        await told(client, b"old")
        house.write(("sh", "-c", "echo new; exec cat"), listen=f"127.0.0.1:{port}", at_once=1)
        process.signal(signal.SIGHUP)
        await process.logged("Reloaded")

        await client.send(b"still here")
        await told(client, b"still here")
        async with client_of(address) as third:  # the one of before counts
            assert (await closed(third))[0] == 1011
    await until("its end", lambda: not children(process.pid))
    async with client_of(address) as client:
        await told(client, b"new")


# Who may start it


async def test_without_a_credential_nobody_is_let_at_a_program(house: House) -> None:
    house.write(("cat",), top='[access]\nhosts = ["*"]\n')
    process = await house.wsgui("--profile", "./lab.toml")

    assert await process.ended() == 2
    assert any("Anybody who reaches this tunnel could run the program. Ask for a password" in x for x in process.err)


KNOCK = """
import encodings.idna, os, socket, sys
if int(sys.argv[2]):
    os.setgroups([]); os.setgid(65533); os.setuid(65533)
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for login in (b"", b"Authorization: Basic YW5uOndyb25n\\r\\n"):
    client.sendall(b"GET /?token=x HTTP/1.1\\r\\nHost: 127.0.0.1:" + sys.argv[1].encode() + b"\\r\\n" + login
        + b"Upgrade: websocket\\r\\nConnection: Upgrade, keep-alive\\r\\nSec-WebSocket-Version: 13\\r\\n"
        + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
    answer = client.recv(65536)
    print(os.getuid(), answer.decode("latin-1").partition("\\r\\n")[0])
    client.close()
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
"""


async def test_another_user_of_the_computer_gets_401_and_starts_nothing(house: House) -> None:
    process, address = await house.start(("touch", str(house.folder / "started")))
    port = address.rstrip("/").rpartition(":")[2]

    knock = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KNOCK, port, str(int(AS_ROOT)), stdout=subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(knock.communicate(), SECONDS)

    lines = out.decode().splitlines()
    assert len(lines) == 2
    assert all(line.endswith(" HTTP/1.1 401 Unauthorized") for line in lines), lines
    assert not AS_ROOT or lines[0].startswith("65533 ")
    assert not any("Started touch" in line for line in process.err)
    async with client_of(address) as client:  # what was asked later has been answered later
        assert (await closed(client))[0] == 1000
    await process.logged("Started touch")
    assert sum("Started touch" in line for line in process.err) == 1


async def test_a_socket_in_a_folder_of_one_s_own_needs_no_password(house: House) -> None:
    house.folder.chmod(0o700)
    house.write(("cat",), top="[access]\n", listen=f"unix:{house.folder}/s")
    process = await house.wsgui("--profile", "./lab.toml")
    await process.printed("^lab: unix:")
    async with unix_connect(f"{house.folder}/s", "ws://localhost/") as client:
        await client.send(b"hello")
        await told(client, b"hello")


async def test_a_socket_in_a_folder_that_others_enter_is_refused(house: House) -> None:
    house.folder.chmod(0o755)
    house.write(("cat",), top="[access]\n", listen=f"unix:{house.folder}/s")
    process = await house.wsgui("--profile", "./lab.toml")

    assert await process.ended() == 1
    assert any(
        f"Other users can reach the socket {house.folder}/s, and so run the program. Run: chmod 700 {house.folder}" in x
        for x in process.err
    ), process.err
    assert not (house.folder / "s").exists()


@as_root
async def test_root_is_asked_whether_it_is_meant(house: House) -> None:
    house.write(("id", "-u"))
    process = await house.wsgui("--profile", "./lab.toml", prefix=())
    assert await process.ended() == 1
    assert any(
        "Whoever connects would run the program as root." in line and "anyone = true" in line for line in process.err
    )

    house.write(("id", "-u"), top="[access]\nanyone = true\n")
    process = await house.wsgui("--profile", "./lab.toml", prefix=())
    async with client_of(await process.address("lab")) as client:
        await told(client, b"^0\n$")


# What it sees


async def test_it_gets_nothing_of_its_client_and_no_secret_of_ours(house: House) -> None:
    script = "tr '\\\\0' '\\\\n' < /proc/$$/environ; tr '\\\\0' ' ' < /proc/$$/cmdline; ls -l /proc/$$/fd; echo end"
    house.write(("sh", "-c", script.replace("\\\\", "\\")))
    inherited = socket.socket()
    with inherited, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(house.folder / "notify"))
        os.chmod(house.folder / "notify", 0o666)
        process = await house.wsgui(
            "--profile",
            "./lab.toml",
            NOTIFY_SOCKET=str(house.folder / "notify"),
            CREDENTIALS_DIRECTORY=str(house.folder),
            LISTEN_FDNAMES="web",
            WATCHDOG_USEC="9000000",
        )
        address = await process.address("lab")
        hostile = {"X-Hostile": "client-said-this", "Cookie": "a=client-said-this", "User-Agent": "client-said-this"}
        async with client_of(f"{address}client-said-this?token=client-said-this", hostile) as client:
            seen = (await told(client, b"(?s).*\nend\n"))[0].decode()

    assert "PATH=" in seen
    assert "client-said-this" not in seen
    assert "geheim" not in seen
    assert not re.search("(?m)^(WSGUI_|NOTIFY_SOCKET|CREDENTIALS_|LISTEN_|WATCHDOG_|LOGIN)", seen)
    numbers = re.findall(r"(?m) (\d+) -> (\S+)$", seen)
    assert {number for number, what in numbers if not what.endswith(".sh")} == {"0", "1", "2"}, numbers
