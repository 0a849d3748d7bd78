"""A real Secret Service: gnome-keyring-daemon on a session bus and in a home of its own, never the user's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.support.bus import BUS
from tests.support.waiting import wait_until

State = Literal["unlocked", "locked", "empty", "absent", "no-bus"]
"""`empty`: the service runs and has no keyring yet; `absent`: a bus without the service."""

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "login password"
PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon", "secret-tool")
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

_LOCK = """
import contextlib, secretstorage
with contextlib.closing(secretstorage.dbus_init()) as bus:
    collection = secretstorage.Collection(bus)
    collection.lock()
    assert collection.is_locked()
"""


@dataclass
class SecretService:
    """`environment` is the whole one for programs that shall see this service, and nothing of the user's."""

    environment: dict[str, str]
    home: Path
    daemon: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def run(
        self, *command: str, given: str = "", more: Mapping[str, str] | None = None, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; `python` stands for this one."""
        program = sys.executable if command[0] == "python" else command[0]
        return subprocess.run(
            [program, *command[1:]],
            env=self.environment | dict(more or {}),
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.home,
        )

    def wsgui(
        self, *arguments: str, given: str = "", more: Mapping[str, str] | None = None, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run ``wsgui ARGUMENTS``."""
        return self.run("python", "-m", "wsgui", *arguments, given=given, more=more, seconds=seconds)

    def lock(self) -> None:
        """Lock the keyring, as a screen saver or a person does."""
        done = self.run("python", "-c", _LOCK)
        assert done.returncode == 0, done.stderr

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Meanwhile the service answers nothing."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.daemon.send_signal(signal.SIGCONT)


@contextmanager
def secret_service(folder: Path, state: State = "unlocked") -> Iterator[SecretService]:
    """A Secret Service in `state`, whose keyring is in `folder`; it ends with the block.

    Its environment has a home, wsgui's folders and a session bus of their own, and no display.
    """
    with tempfile.TemporaryDirectory(prefix="wsgui-") as runtime:  # a short name: there are sockets in it
        yield from _service(folder / "home", Path(runtime), state)


def _service(home: Path, runtime: Path, state: State) -> Iterator[SecretService]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH") or name.startswith("COVERAGE_")
    } | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(runtime),
        "WSGUI_CONFIG_DIR": str(home / "wsgui" / "config"),
        "WSGUI_DATA_DIR": str(home / "wsgui" / "data"),
        "WSGUI_RUNTIME_DIR": str(runtime / "wsgui"),
    }
    service = SecretService(environment, home)
    with ExitStack() as stack:
        if state != "no-bus":
            environment["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(_bus(runtime, environment))
        if state not in ("no-bus", "absent"):
            service.daemon = stack.enter_context(_daemon(service, unlock=state != "empty"))
        if state == "locked":
            service.lock()
        yield service


@contextmanager
def _bus(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    configuration = folder / "bus.conf"
    configuration.write_text(BUS.format(folder=folder))
    # It is there as long as the program that it runs, which ends with its standard input.
    session = subprocess.Popen(
        ["dbus-run-session", f"--config-file={configuration}", "--", "sh", "-c", "echo $DBUS_SESSION_BUS_ADDRESS; cat"],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    try:
        yield session.stdout.readline().decode().strip()
    finally:
        session.stdin.close()
        session.wait(30)
        session.stdout.close()


@contextmanager
def _daemon(service: SecretService, *, unlock: bool) -> Iterator[subprocess.Popen[bytes]]:
    command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
    command.append(f"--control-directory={service.environment['XDG_RUNTIME_DIR']}/keyring")
    daemon = subprocess.Popen(
        [*command, "--unlock"] if unlock else command,
        env=service.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert daemon.stdin is not None
    try:
        if unlock:
            daemon.stdin.write(PASSWORD.encode())
        daemon.stdin.close()

        def is_there() -> bool:
            assert daemon.poll() is None, "gnome-keyring-daemon has ended"
            return service.run("python", "-c", _IS_READY, "unlocked" if unlock else "empty").returncode == 0

        wait_until("the Secret Service", is_there)
        yield daemon
    finally:
        daemon.terminate()
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait(10)


_IS_READY = """
import contextlib, sys, secretstorage
with contextlib.closing(secretstorage.dbus_init()) as bus:
    collections = list(secretstorage.get_all_collections(bus))
    if sys.argv[1] == "unlocked":
        sys.exit(secretstorage.Collection(bus).is_locked())
"""
