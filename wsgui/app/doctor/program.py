"""Looks at what wsgui itself is made of: its event loop, its preload library, its viewers."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from wsgui.app.doctor.check import Check, Level
from wsgui.command import rebind
from wsgui.command.executable import obstacle_to_preloading
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.model import Profile
from wsgui.web.viewers import viewer

OLDEST_UVLOOP: Final = (0, 23)
"""Older ones can close an adopted socket's descriptor twice, which hits another connection."""
_WRAPPED_SECONDS: Final = 20.0
# Listens where it is told, and waits to be seen.
_LISTENS: Final = (
    "import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
    "print('listening', flush=True); sys.stdin.read()"
)
_PAGES: Final = {"vnc": "VNC page (noVNC)", "terminal": "Terminal page (xterm.js)"}


def event_loop() -> list[Check]:
    """Say which event loop and which TLS transports there are."""
    name = "winloop" if sys.platform == "win32" else "uvloop"
    version, fast = _version(name), _version("aiofastnet")
    checks = []
    if not version:
        message = (
            f"{name} is not installed, so the standard library's event loop is used, at about half the throughput."
        )
        checks.append(Check("Event loop", Level.WARNING, message, f"Run: pip install {name}"))
    elif name == "uvloop" and _numbers(version) < OLDEST_UVLOOP:
        message = f"uvloop {version} can close another connection's socket."
        checks.append(Check("Event loop", Level.PROBLEM, message, 'Run: pip install "uvloop>=0.23"'))
    else:
        checks.append(Check("Event loop", Level.OK, f"{name} {version}."))
    if fast:
        checks.append(Check("TLS", Level.OK, f"aiofastnet {fast}."))
    else:
        message = "aiofastnet is not installed, and no tunnel runs without it."
        checks.append(Check("TLS", Level.PROBLEM, message, "Run: pip install aiofastnet"))
    return checks


def wrapping(profiles: Sequence[Profile], environment: Mapping[str, str]) -> list[Check]:
    """Say whether the port of a wrapped program can be moved on this system, by doing so."""
    users = [p.name for p in profiles if p.command is not None and p.command.run and p.command.mode == "rebind"]
    bad = Level.PROBLEM if users else Level.NOTE
    try:
        library = rebind.library()
        obstacle = obstacle_to_preloading(Path(sys.executable).resolve(), library)
        if obstacle is not None:
            message = f"It could not be tried, as {obstacle.message[:1].lower()}{obstacle.message[1:]}"
            return [Check("Wrapping", Level.NOTE, message, obstacle.hint)]
        problem = _move_a_port(environment)
    except WsguiError as error:
        return [Check("Wrapping", bad, display(error.message, limit=500), display(error.hint, limit=500))]
    if problem:
        return [
            Check("Wrapping", bad, f"The port of a wrapped program could not be moved: {problem}.", rebind.PORT_HINT)
        ]
    return [Check("Wrapping", Level.OK, "The ports of wrapped programs can be moved.")]


def viewers(profiles: Sequence[Profile]) -> list[Check]:
    """Say whether the pages that show a desktop or a terminal are there."""
    checks = []
    for root, name in _PAGES.items():
        try:
            viewer(root)
        except WsguiError as error:
            level = Level.PROBLEM if any(profile.web.root == root for profile in profiles) else Level.WARNING
            checks.append(Check(name, level, display(error.message, limit=500), display(error.hint, limit=500)))
        else:
            checks.append(Check(name, Level.OK, "It is there."))
    if users := [profile.name for profile in profiles if profile.web.root == "novnc"]:
        try:
            viewer("novnc")
        except WsguiError as error:
            message = f"{display(error.message, limit=500)} {display(users[0])} wants it."
            checks.append(Check("Installed noVNC", Level.PROBLEM, message, display(error.hint, limit=500)))
    return checks


def _move_a_port(environment: Mapping[str, str]) -> str:
    """Have a program listen on one port and find it on another; why that failed, "" when it did not."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        old, new = int(one.getsockname()[1]), int(other.getsockname()[1])
    wrapped = rebind.environment(environment, old_port=old, new_port=new)
    command = [sys.executable, "-I", "-S", "-c", _LISTENS, str(old)]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=wrapped)
    except OSError as error:
        return f"Python cannot be started ({error.strerror})"
    deadline = threading.Timer(_WRAPPED_SECONDS, process.kill)
    deadline.start()
    with process:
        try:
            said, problem = _first_line(process), ""
            if said != b"listening":
                problem = "it did not listen"
            elif not _listens(new):
                problem = "it listens on the port that it asked for"
            process.communicate()
        finally:
            deadline.cancel()
            process.kill()
    return problem


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """What it says first; it listens within milliseconds or ends."""
    return process.stdout.readline().strip() if process.stdout else b""


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
