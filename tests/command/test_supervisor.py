"""wsgui/command/supervisor.py with real programs: started, found where they listen, started again, and all ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import need
from tests.support.waiting import until
from wsgui.command import process, supervisor
from wsgui.command.pacing import BackOff, Pacing, Run
from wsgui.command.state import ProgramKind, ProgramState
from wsgui.command.supervisor import Supervisor
from wsgui.errors import TargetError, WsguiError
from wsgui.profiles.addresses import TcpAddress
from wsgui.profiles.sections import Command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs are wrapped on Linux")

SERVE = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); "
"""A program's first lines: it listens on the port of its first argument."""


class NoRest:
    """Starts a program again at once, so that tests wait for nothing."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def rest_seconds(self, run: Run) -> tuple[float, str]:
        self.runs.append(run)
        return 0.0, ""


@dataclass
class Told:
    """What a supervisor has said."""

    states: list[ProgramState] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def last(self, kind: ProgramKind) -> ProgramState | None:
        return next((state for state in reversed(self.states) if state.kind is kind), None)


Run_ = Callable[..., Any]


@pytest.fixture
def supervise(preload: Path, free_port: Callable[[], int]) -> Run_:
    """Starts a program under a supervisor, and stops it at the end: `async with supervise(…) as (supervisor, told)`."""

    @asynccontextmanager
    async def run(
        *arguments: str, mode: str = "rebind", when_it_ends: str = "stop", pacing: Pacing | None = None, **more: Any
    ) -> AsyncIterator[tuple[Supervisor, Told]]:
        told = Told()
        port = more.pop("port", None) or free_port()
        words = tuple(argument.replace("ASKED", str(port)) for argument in arguments)
        command = Command(run=words, mode=mode, when_it_ends=when_it_ends, environment=more.pop("environment", {}))
        supervised = Supervisor(
            command,
            port=port,
            say=lambda level, line: told.lines.append((level, line)),
            changed=told.states.append,
            pacing=pacing,
            library=preload,
            **more,
        )
        await supervised.start()
        try:
            yield supervised, told
        finally:
            await supervised.stop()

    return run


def python(lines: str, *arguments: str) -> tuple[str, ...]:
    # A profile has no line breaks in its arguments.
    return (sys.executable, "-u", "-c", f"exec({lines!r})", *arguments)


async def fetched(address: TcpAddress) -> int:
    host = f"[{address.host}]" if ":" in address.host else address.host

    def fetch() -> int:
        with urllib.request.urlopen(f"http://{host}:{address.port}/", timeout=30) as answer:
            return int(answer.status)

    return await asyncio.get_running_loop().run_in_executor(None, fetch)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_gone(pid: int) -> bool:
    """Whether the process is no more, not even as one that nobody has buried."""
    return not Path(f"/proc/{pid}").exists()


# Where it listens


@pytest.mark.parametrize(("bound", "host"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1")])
async def test_a_web_server_is_reached_where_its_port_was_moved(supervise: Run_, bound: str, host: str) -> None:
    serve = (sys.executable, "-m", "http.server", "--bind", bound, "ASKED")
    async with supervise(*serve) as (supervised, told):
        address = await asyncio.wait_for(supervised.reachable(), 30)

        assert address.host == host
        assert await fetched(address) == 200
        assert [state.kind for state in told.states] == [ProgramKind.STARTING, ProgramKind.RUNNING]
        assert f"is ready on {address}, where programs of this computer reach it" in told.text


async def test_the_tunnel_may_have_the_port_that_the_program_asks_for(supervise: Run_) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tunnel:
        port = tunnel.getsockname()[1]
        async with supervise(sys.executable, "-m", "http.server", "ASKED", port=port) as (supervised, _):
            assert (await supervised.reachable()).port != port


async def test_a_program_that_is_told_its_port_by_argument_and_variable_is_reached_there(supervise: Run_) -> None:
    lines = SERVE + "import os; print('told', os.environ['PORT'], flush=True); sys.stdin.read(); time.sleep(99)"
    async with supervise(*python(lines, "{port}"), mode="port") as (supervised, told):
        address = await asyncio.wait_for(supervised.reachable(), 30)

        await until("it has printed", lambda: f"told {address.port}" in told.text)
        assert "REBIND" not in Path(f"/proc/{supervised.state.pid}/environ").read_text()


async def test_a_program_that_listens_on_every_address_is_warned_about(supervise: Run_) -> None:
    serve = (sys.executable, "-m", "http.server", "--bind", "0.0.0.0", "{port}")
    async with supervise(*serve, mode="port") as (supervised, told):
        assert (await supervised.reachable()).host == "127.0.0.1"
        assert [level for level, line in told.lines if "of every address of this computer" in line] == [logging.WARNING]


async def test_it_counts_as_running_only_when_it_listens_itself(supervise: Run_, tmp_path: Path) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    async with supervise(*python(f"open({str(fifo)!r}).read();" + SERVE + "time.sleep(99)", "ASKED")) as (
        supervised,
        told,
    ):
        with open(fifo, "w"):  # blocks until the program has got so far
            assert supervised.state.kind is ProgramKind.STARTING
        await asyncio.wait_for(supervised.reachable(), 30)

        assert told.states[-1].kind is ProgramKind.RUNNING


async def test_another_program_on_the_port_is_not_taken_and_another_port_is_tried(
    supervise: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, strangers = supervisor.free_port, []

    def taken_first(*, avoid: int) -> int:
        port = real(avoid=avoid)
        if not strangers:
            stranger = python(SERVE + "print(); sys.stdin.read()", str(port))
            strangers.append(subprocess.Popen(stranger, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert strangers[0].stdout
            strangers[0].stdout.readline()
        return port

    monkeypatch.setattr(supervisor, "free_port", taken_first)
    # It would wait for the port for ever, as some do.
    lines = (
        "import socket, sys, time\n"
        "while True:\n"
        "    try:\n        s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); break\n"
        "    except OSError: time.sleep(0.1)\n"
        "time.sleep(99)"
    )
    async with supervise(*python(lines, "ASKED")) as (supervised, told):
        stranger = await until("the other program is told", lambda: strangers and "was taken by" in told.text)
        address = await asyncio.wait_for(supervised.reachable(), 30)

        assert stranger
        assert f"(process {strangers[0].pid}); nobody is connected to that" in told.text
        assert (address.host, is_alive(strangers[0].pid)) == ("127.0.0.1", True)
    with strangers[0]:
        strangers[0].kill()


async def test_nobody_is_sent_to_the_port_of_a_program_that_has_just_ended(supervise: Run_) -> None:
    # What it leaves holds its output, so that its last words are waited for.
    serve = "import subprocess; subprocess.Popen(['sleep', '9']); " + SERVE + "time.sleep(99)"
    async with supervise(*python(serve, "ASKED"), when_it_ends="ignore") as (supervised, _):
        await asyncio.wait_for(supervised.reachable(), 30)
        os.kill(supervised.state.pid, signal.SIGKILL)
        await asyncio.wait_for(asyncio.shield(supervised._process.ended), 30)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert supervised.state.kind is not ProgramKind.RUNNING
        with pytest.raises(TargetError, match="SIGKILL"):
            await supervised.reachable()


async def test_it_is_given_up_when_others_take_every_port(supervise: Run_, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "listening_on", lambda port, family: (None, "mallory (process 7)"))

    async with supervise(*python("import time; time.sleep(99)")) as (supervised, told):
        await until("it gives up", lambda: told.last(ProgramKind.GAVE_UP))

        assert "was taken by mallory (process 7)" in supervised.state.message
        with pytest.raises(TargetError, match="mallory"):
            await supervised.reachable()


async def test_a_program_that_listens_elsewhere_is_told_the_port_to_name(
    supervise: Run_, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LISTEN_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "_LATE_LOOK_SECONDS", 0.05)
    other, asked = free_port(), free_port()
    async with supervise(*python(SERVE + "time.sleep(99)", str(other)), port=asked) as (supervised, told):
        await until("it is told", lambda: f"listens on port {other}, but not on port {asked}" in told.text)

        assert f"[command] port = {other}" in supervised.state.hint
        assert supervised.state.kind is ProgramKind.STARTING


async def test_a_program_that_binds_its_port_past_the_library_is_told_the_way_that_works_everywhere(
    supervise: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LISTEN_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "_LATE_LOOK_SECONDS", 0.05)
    # What it starts in turn has none of our variables, as with sudo.
    cleared = ("env", "-i", *python(SERVE + "time.sleep(99)", "ASKED"))
    async with supervise(*cleared) as (supervised, _):
        await until("it is told", lambda: "itself, so its port could not be moved" in supervised.state.message)

        assert "{port}" in supervised.state.hint


async def test_a_program_that_never_listens_is_said_so_and_waited_for(
    supervise: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LISTEN_SECONDS", 0.05)
    async with supervise(*python("import time; time.sleep(99)")) as (supervised, told):
        state = await until("it is told", lambda: next((s for s in told.states if s.message), None))

        assert "does not listen on port" in state.message
        assert supervised.state.kind is ProgramKind.STARTING


# How it ends


async def test_a_program_that_crashes_at_once_is_told_with_its_status_and_last_words(supervise: Run_) -> None:
    crash = "import sys; print('starting'); sys.exit('the display :1 is taken')"
    async with supervise(*python(crash), when_it_ends="stop") as (_, told):
        state = await until("it has ended", lambda: told.last(ProgramKind.ENDED))

        name = Path(sys.executable).name
        assert state.message == f"The program {name} ended at once with status 1: the display :1 is taken."
        assert (state.status, state.ending) == (1, "with status 1")
        assert f"{name}: starting" in told.text


async def test_a_program_that_a_signal_ends_is_told_by_its_name(supervise: Run_) -> None:
    lines = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    async with supervise(*python(lines), when_it_ends="stop") as (_, told):
        state = await until("it has ended", lambda: told.last(ProgramKind.ENDED))

        assert state.status == -signal.SIGSEGV
        assert "ended at once by signal SIGSEGV (Segmentation fault)." in state.message


async def test_a_program_that_ends_well_without_listening_is_told_what_is_expected_of_it(supervise: Run_) -> None:
    async with supervise("true", port=5901, when_it_ends="stop") as (_, told):
        state = await until("it has ended", lambda: told.last(ProgramKind.ENDED))

        assert state.message == "The program true ended at once with status 0."
        assert state.hint == "It has to go on running and listen on port 5901."


async def test_a_program_that_is_not_there_is_refused_at_the_start(supervise: Run_) -> None:
    with pytest.raises(WsguiError, match="no-such-program was not found on PATH"):
        async with supervise("no-such-program"):
            pass


async def test_a_program_that_the_system_cannot_run_is_refused_at_the_start(supervise: Run_, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"\x01\x02\x03")
    odd.chmod(0o755)

    with pytest.raises(WsguiError, match="could not be started: Exec format error"):
        async with supervise(str(odd)):
            pass


async def test_a_static_program_is_refused_to_be_moved_and_runs_when_it_is_told_its_port(
    supervise: Run_, tmp_path: Path
) -> None:
    source, program = tmp_path / "serve.c", tmp_path / "serve"
    source.write_text(
        "#include <arpa/inet.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
        "int main(int n, char **words) {\n"
        "    struct sockaddr_in a = {.sin_family = AF_INET};\n"
        '    a.sin_port = htons(atoi(n > 1 ? words[1] : getenv("PORT")));\n'
        "    int s = socket(AF_INET, SOCK_STREAM, 0); a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
        "    if (bind(s, (void *)&a, sizeof a) || listen(s, 5)) return 1;\n"
        '    for (;;) { int c = accept(s, 0, 0); write(c, "hello", 5); close(c); }\n}\n'
    )
    subprocess.run([shutil.which("cc") or "gcc", "-static", "-o", program, source], check=True)

    with pytest.raises(WsguiError) as caught:
        async with supervise(str(program), "ASKED"):
            pass
    assert caught.value.message == "serve is statically linked, so no library can move the port that it binds."
    assert "{port}" in caught.value.hint

    for arguments in ((str(program), "{port}"), (str(program),)):
        async with supervise(*arguments, mode="port") as (supervised, _):
            address = await asyncio.wait_for(supervised.reachable(), 30)
            reader, writer = await asyncio.open_connection(address.host, address.port)
            assert await reader.read() == b"hello"
            writer.close()


async def test_on_windows_a_port_is_told_and_not_moved(supervise: Run_, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(run=(sys.executable,))
    supervised = Supervisor(command, port=1, say=lambda level, line: None, changed=lambda state: None)
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(WsguiError, match="Linux and macOS only"):
        supervised._plan()


# Started again


async def test_a_program_that_serves_one_client_is_there_again_for_the_next(supervise: Run_) -> None:
    socat = ("socat", "TCP-LISTEN:ASKED,reuseaddr", "EXEC:echo hello")
    async with supervise(*socat, when_it_ends="restart", pacing=BackOff()) as (supervised, told):
        pids = set()
        for turn in range(3):
            await until("it listens", lambda turn=turn: len([s for s in told.states if s.kind == "running"]) > turn)
            address = await supervised.reachable()
            pids.add(supervised.state.pid)
            reader, writer = await asyncio.open_connection(address.host, address.port)
            assert await reader.read() == b"hello\n"
            writer.close()

        assert len(pids) == 3
        assert all(not state.message for state in told.states)


@pytest.mark.skipif(not os.path.exists("/usr/sbin/telnetd"), reason="not installed: inetutils-telnetd")
async def test_a_telnet_daemon_is_there_again_after_each_session(supervise: Run_) -> None:
    telnetd = ("socat", "TCP-LISTEN:ASKED,reuseaddr", "EXEC:/usr/sbin/telnetd")
    async with supervise(*telnetd, when_it_ends="restart") as (supervised, told):
        for turn in range(2):
            await until("it listens", lambda turn=turn: len([s for s in told.states if s.kind == "running"]) > turn)
            address = await supervised.reachable()
            reader, writer = await asyncio.open_connection(address.host, address.port)
            assert (await reader.read(3))[:1] == b"\xff"  # IAC: it negotiates (RFC 854)
            writer.close()


async def test_a_vnc_server_started_by_its_script_is_found_in_the_background_and_ended(
    supervise: Run_, tmp_path: Path
) -> None:
    need("vncserver", "Xtigervnc", "xauth")
    display = random.randint(200, 900)
    session = tmp_path / "session"
    session.write_text("#!/bin/sh\necho $$ > $HOME/session.pid\nexec sleep 99\n")
    session.chmod(0o755)
    start = ("vncserver", f":{display}", "-localhost", "yes", "-SecurityTypes", "None", "-xstartup", str(session))
    home = {"HOME": str(tmp_path)}
    async with supervise(*start, port=5900 + display, when_it_ends="ignore", environment=home) as (supervised, _):
        address = await asyncio.wait_for(supervised.reachable(), 30)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        assert await reader.readexactly(4) == b"RFB "
        writer.close()
        server = supervised.state.pid
        await until("the session runs", lambda: (tmp_path / "session.pid").exists())
        assert Path(f"/proc/{server}/comm").read_text() == "Xtigervnc\n"

    assert not is_alive(server)
    os.kill(int((tmp_path / "session.pid").read_text()), signal.SIGKILL)


async def test_the_rest_before_the_next_start_grows_and_is_shown(supervise: Run_) -> None:
    class Hasty(BackOff):
        def rest_seconds(self, run: Run) -> tuple[float, str]:
            seconds, complaint = super().rest_seconds(run)
            shown.append(seconds)
            return seconds / 1000, complaint

    shown: list[float] = []
    async with supervise(*python("import sys; sys.exit('no')"), when_it_ends="restart", pacing=Hasty()) as (_, told):
        await until("it was tried four times", lambda: len(shown) >= 4)

        resting = [state for state in told.states if state.kind is ProgramKind.RESTARTING]
        assert shown[:4] == [1, 2, 4, 8]
        assert [state.restart_seconds for state in resting[:3]] == [0.001, 0.002, 0.004]
        assert "ended at once with status 1: no." in resting[0].message


async def test_a_program_that_vanished_is_waited_for(supervise: Run_, tmp_path: Path) -> None:
    program = tmp_path / "served"
    program.write_text(f"#!{sys.executable}\n{SERVE}\ntime.sleep(99)\n")
    program.chmod(0o755)
    async with supervise(str(program), "ASKED", when_it_ends="restart", pacing=NoRest()) as (supervised, told):
        await asyncio.wait_for(supervised.reachable(), 30)
        away = program.rename(tmp_path / "away")
        os.kill(supervised.state.pid, signal.SIGKILL)
        await until("it is missed", lambda: "does not exist" in told.text)
        assert supervised.state.kind is ProgramKind.RESTARTING

        away.rename(program)
        await asyncio.wait_for(supervised.reachable(), 30)


async def test_a_program_whose_end_does_not_matter_stays_ended(supervise: Run_) -> None:
    async with supervise(*python("print('bye')"), when_it_ends="ignore", pacing=NoRest()) as (supervised, told):
        await until("it has ended", lambda: told.last(ProgramKind.ENDED))

        assert "Started" in told.text
        with pytest.raises(TargetError, match="ended at once"):
            await supervised.reachable()


# Into the background


FORKS = SERVE + (
    "import os\nif os.fork(): os._exit(0)\n{leave}\nprint('background', os.getpid(), flush=True); time.sleep(99)"
)


@pytest.mark.parametrize("when_it_ends", ["ignore", "restart", "stop"])
async def test_a_program_that_goes_into_the_background_is_running_there(supervise: Run_, when_it_ends: str) -> None:
    async with supervise(*python(FORKS.format(leave=""), "ASKED"), when_it_ends=when_it_ends) as (supervised, told):
        await asyncio.wait_for(supervised.reachable(), 30)
        first = await until("it is there alone", lambda: "goes on in the background" in told.text and told.text)

        pid = int(first.partition("background (process ")[2].partition(")")[0])
        assert supervised.state.kind is ProgramKind.RUNNING
        assert is_alive(pid)
    assert not is_alive(pid)


async def test_the_end_of_a_program_in_the_background_is_noticed(supervise: Run_) -> None:
    async with supervise(*python(FORKS.format(leave="os.setsid()"), "ASKED"), when_it_ends="ignore") as (_, told):
        text = await until("it is in the background", lambda: "goes on in the background" in told.text and told.text)
        os.kill(int(text.partition("background (process ")[2].partition(")")[0]), signal.SIGKILL)

        await until("it has ended", lambda: told.last(ProgramKind.ENDED))


async def test_a_daemon_that_left_the_session_is_left_alone_and_told(supervise: Run_) -> None:
    async with supervise(*python(FORKS.format(leave="os.setsid()"), "ASKED"), when_it_ends="ignore") as (_, told):
        text = await until("it is in the background", lambda: "goes on in the background" in told.text and told.text)
        pid = int(text.partition("background (process ")[2].partition(")")[0])
    try:
        assert is_alive(pid)
        assert told.lines[-1][0] == logging.WARNING
        assert f"leaves a process behind ({pid})" in told.lines[-1][1]
    finally:
        os.kill(pid, signal.SIGKILL)


# Ended with the tunnel


async def test_a_program_that_hears_sigterm_is_ended_by_it(supervise: Run_) -> None:
    lines = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('good bye')));" + SERVE
    async with supervise(*python(lines + "time.sleep(99)", "ASKED")) as (supervised, told):
        await supervised.reachable()
        pid = supervised.state.pid

    assert "good bye" in told.text
    assert is_gone(pid)


async def test_a_program_that_ignores_sigterm_is_killed_with_all_its_children(
    supervise: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    lines = (
        "import os, signal, socket, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "is_child = any(os.fork() == 0 for _ in range(3))\n"
        "os.write(1, b'process %d\\n' % os.getpid())\n"
        "s = None if is_child else socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "time.sleep(99)"
    )
    async with supervise(*python(lines, "ASKED")) as (supervised, told):
        await supervised.reachable()
        await until("all are there", lambda: told.text.count(": process ") == 4)
        pids = [int(line.rpartition(" ")[2]) for line in told.text.splitlines() if ": process " in line]

    assert not any(is_alive(pid) for pid in pids)
    assert is_gone(supervised.state.pid)


async def test_children_in_other_groups_of_the_session_are_ended_too(supervise: Run_) -> None:
    lines = (
        "import os; pid = os.fork(); pid or os.setpgid(0, 0); os.write(1, b'process %d\\n' % os.getpid());"
        + SERVE.replace("s = ", "s = pid and ")
    )
    async with supervise(*python(lines + "time.sleep(99)", "ASKED")) as (supervised, told):
        await supervised.reachable()
        await until("both are there", lambda: told.text.count(": process ") == 2)
        pids = [int(line.rpartition(" ")[2]) for line in told.text.splitlines() if ": process " in line]

    assert not any(is_alive(pid) for pid in pids)


async def test_stopping_while_it_starts_leaves_nothing_behind(preload: Path, tmp_path: Path) -> None:
    marker = f"WRAPPED_TEST={tmp_path}"

    def left() -> list[str]:
        return [
            entry.name
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and marker.encode() in _environ(entry) and is_alive(int(entry.name))
        ]

    command = Command(run=python("import time; time.sleep(99)"), environment={"WRAPPED_TEST": str(tmp_path)})
    for turns in range(12):
        supervised = Supervisor(
            command, port=1, say=lambda level, line: None, changed=lambda state: None, library=preload
        )
        starting = asyncio.ensure_future(supervised.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait((starting,))
        await supervised.stop()

    assert left() == []


def _environ(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


async def test_stopping_twice_or_before_the_start_is_fine(supervise: Run_) -> None:
    async with supervise("sleep", "99") as (supervised, _):
        await supervised.stop()
        await supervised.stop()
    await Supervisor(
        Command(run=("sleep", "1")), port=1, say=lambda level, line: None, changed=lambda state: None
    ).stop()


async def test_nothing_is_said_once_it_is_stopped(supervise: Run_) -> None:
    async with supervise(*python("while True: print('x' * 1000)")) as (supervised, told):
        await until("it prints", lambda: "xxx" in told.text)
        await supervised.stop()
        lines, states = len(told.lines), len(told.states)
        for _ in range(100):
            await asyncio.sleep(0)

    assert (len(told.lines), len(told.states)) == (lines, states)


# What it gets of ours


async def test_it_gets_no_secret_no_descriptor_and_no_terminal_of_ours(
    supervise: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = {
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "WSGUI_TOKEN": "s3cret",
        "NOTIFY_SOCKET": "/run/n",
        "LISTEN_FDS": "1",
        "CREDENTIALS_DIRECTORY": "/run/c",
        "PASSWORD": "s3cret",
    }
    look = (
        "import json, os; print(json.dumps([dict(os.environ), sorted(os.listdir('/proc/self/fd')), "
        "os.readlink('/proc/self/fd/0'), os.getsid(0) == os.getpid()]))"
    )
    read, write = os.pipe()
    os.set_inheritable(read, True)
    try:
        async with supervise(
            *python(look), base=base, hidden={"PASSWORD"}, environment={"DISPLAY": ":1"}, mode="port"
        ) as (supervised, told):
            await until("it has ended", lambda: told.last(ProgramKind.ENDED))
    finally:
        os.close(read)
        os.close(write)

    line = next(line for _, line in told.lines if "[{" in line)
    variables, descriptors, standard_input, leads_session = json.loads(line.partition(": ")[2])
    variables.pop("LC_CTYPE", None)  # Python's own
    port = variables.pop("PORT")
    assert supervised.address is not None
    assert port == str(supervised.address.port)
    assert variables == {"PATH": base["PATH"], "HOME": "/root", "DISPLAY": ":1"}
    assert descriptors == ["0", "1", "2", "3"]  # 3 is the folder it looks at
    assert (standard_input, leads_session) == ("/dev/null", True)


async def test_our_own_environment_stays_as_it_was(supervise: Run_) -> None:
    before = dict(os.environ)
    async with supervise(*python(SERVE + "time.sleep(99)", "ASKED")) as (supervised, _):
        await supervised.reachable()

        assert dict(os.environ) == before


async def test_nothing_of_the_library_is_left_in_what_a_server_runs_for_its_clients(supervise: Run_) -> None:
    socat = ("socat", "TCP-LISTEN:ASKED,reuseaddr", "EXEC:env")
    async with supervise(*socat) as (supervised, _):
        address = await supervised.reachable()
        reader, writer = await asyncio.open_connection(address.host, address.port)
        variables = (await reader.read()).decode()
        writer.close()

    assert "PATH=" in variables
    assert "LD_PRELOAD" not in variables
    assert "REBIND" not in variables
