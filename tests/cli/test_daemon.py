"""-D as scripts see it: the command ends when the daemon listens, or fails as if it had stayed in front."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

PROGRAM = """
import os, signal, socket, sys, time
from wsgui.cli.daemon import detach

port = int(sys.argv[1])
print("before")
detached = detach()
print("settings", flush=True)
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    sock.bind(("127.0.0.1", port))
except OSError:
    detached.failed(f"Port {port} is used.", 7)
    sys.exit(7)
sock.listen()
detached.ready()
print("to nobody", flush=True)
print("to nobody", file=sys.stderr, flush=True)
open("made", "w").close()
with open("facts.new", "w") as facts:
    print(os.getpid(), os.getppid(), os.getsid(0), os.getpgid(0), os.getcwd(), file=facts)
os.rename("facts.new", "facts")
signal.pause()
"""


@pytest.fixture(autouse=True)
def ended(tmp_path: Path) -> Iterator[None]:
    yield
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if process.info["cwd"] == str(tmp_path):
            process.kill()


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def run(
    folder: Path, *arguments: object, program: str = PROGRAM, **settings: object
) -> subprocess.CompletedProcess[str]:
    # Output is read until its end: a daemon that held on to it would keep this from returning.
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        **settings,
    )


def facts(folder: Path) -> list[str]:
    wait_until("the daemon's facts", (folder / "facts").exists)
    return (folder / "facts").read_text().split()


def test_the_command_ends_when_the_daemon_listens(tmp_path: Path, port: int) -> None:
    done = run(tmp_path, port)

    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nsettings\n", "")
    with socket.create_connection(("127.0.0.1", port), 10):
        pass


def test_the_daemon_has_a_session_and_a_terminal_of_nobody_s(tmp_path: Path, port: int) -> None:
    run(tmp_path, port)
    pid, _, session, group, working_directory = facts(tmp_path)

    assert session != str(os.getsid(0))
    assert session == group != pid  # no leader: it can get no terminal by opening one
    assert working_directory == str(tmp_path)
    assert not psutil.pid_exists(int(session))  # nor has anybody between been left, dead or alive
    assert psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_it_holds_nothing_of_the_caller_s(tmp_path: Path, port: int) -> None:
    reading, writing = os.pipe()
    run(tmp_path, port, pass_fds=(writing,))
    os.close(writing)
    pid = facts(tmp_path)[0]
    held = {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}

    assert [held.pop(number) for number in "012"] == ["/dev/null"] * 3
    assert [place.partition(":")[0] for place in held.values()] == ["socket"]
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_what_it_makes_is_for_its_user_alone(tmp_path: Path, port: int) -> None:
    run(tmp_path, port, umask=0)
    facts(tmp_path)

    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_a_port_that_is_taken_fails_the_command(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(tmp_path, port)

    assert (done.returncode, done.stdout, done.stderr) == (7, "before\nsettings\n", f"Port {port} is used.\n")


CRASHES = "from wsgui.cli.daemon import detach\ndetached = detach()\n"


def test_a_daemon_that_dies_before_it_is_ready_fails_the_command(tmp_path: Path) -> None:
    done = run(tmp_path, program=CRASHES + "raise KeyError('why')")

    assert done.returncode == 1
    assert "KeyError: 'why'" in done.stderr
    assert done.stderr.endswith("The background process ended before it was ready.\n")


def test_a_killed_daemon_fails_the_command(tmp_path: Path) -> None:
    done = run(tmp_path, program=CRASHES + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The background process ended before it was ready.\n"


def test_nothing_around_the_call_runs_in_the_command(tmp_path: Path, port: int) -> None:
    program = (
        f"import atexit\natexit.register(print, 'left')\ntry:\n{indented(PROGRAM)}\nfinally:\n    print('unwound')"
    )

    assert run(tmp_path, port, program=program).stdout == "before\nsettings\n"


def indented(program: str) -> str:
    return "\n".join("    " + line for line in program.splitlines())


SLOW = """
import signal
from wsgui.cli.daemon import detach

for number in (signal.SIGINT, signal.SIGHUP):  # whoever runs the tests may have them ignored
    signal.signal(number, signal.SIG_DFL)
detached = detach()
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
print("waiting", flush=True)
signal.sigwait((signal.SIGTERM,))
open("told", "w").close()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_ends_the_waiting_command_ends_the_daemon(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW], cwd=tmp_path, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"waiting\n"
        command.send_signal(number)
        assert command.wait(30) == 128 + number
    wait_until("the daemon was told", (tmp_path / "told").exists)


def test_a_caller_that_was_killed_is_not_missed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    program = SLOW.replace("signal.sigwait((signal.SIGTERM,))", 'open("go").read()\ndetached.ready()')
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"waiting\n"
        command.kill()
        command.wait(30)
        (tmp_path / "go").write_text("")
        wait_until("it went on", (tmp_path / "told").exists)


def test_it_works_for_a_caller_without_stdio(tmp_path: Path, port: int) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", PROGRAM, str(port)],
        cwd=tmp_path,
        timeout=60,
    )

    assert done.returncode == 0
    with socket.create_connection(("127.0.0.1", port), 10):
        pass


def test_the_command_waits_as_long_as_it_takes(tmp_path: Path, port: int) -> None:
    program = PROGRAM.replace("sock = socket", "time.sleep(0.3)\nsock = socket")
    began = time.monotonic()

    assert run(tmp_path, port, program=program).returncode == 0
    assert time.monotonic() - began > 0.3


KEEPS = """
import os, socket, sys
from wsgui.cli.daemon import detach
from wsgui.cli.inetd import take_listener

taken = take_listener()
detached = detach(keep=(taken,))
sock = socket.socket(fileno=taken)
detached.ready()
peer, _ = sock.accept()
peer.sendall(b"hello")
"""


def test_a_listener_of_inetd_s_is_kept(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = subprocess.run([sys.executable, "-c", KEEPS], cwd=tmp_path, stdin=listener, timeout=60)
        with socket.create_connection(listener.getsockname(), 10) as client:
            assert command.returncode == 0
            assert client.recv(5) == b"hello"
