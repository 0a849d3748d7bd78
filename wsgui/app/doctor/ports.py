"""Looks whether the tunnels can listen where their profiles say, and who is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsgui.app.control_client import ControlClient
from wsgui.app.doctor.check import Check, Level
from wsgui.app.paths import check_private
from wsgui.bridge.listener import ListenError, open_listeners
from wsgui.bridge.port_owner import port_owner
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, UnixAddress
from wsgui.profiles.model import Profile

_ANSWER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Ours:
    """A tunnel of a running wsgui."""

    name: str
    process: str
    pid: int
    listens: bool


def ports(profiles: Sequence[Profile], runtime: Path) -> list[Check]:
    """Say for each profile whether its address is free, its own tunnel's, or taken by whom."""
    ours = _running(runtime)
    return [_of(profile, profiles, ours) for profile in profiles]


def _of(profile: Profile, profiles: Sequence[Profile], ours: Sequence[Ours]) -> Check:
    name = f"Port of {display(profile.name)}"
    address = profile.listen
    if isinstance(address, InheritedAddress):
        return Check(name, Level.NOTE, f"Descriptor {address.fd} is handed over by whoever starts wsgui.")
    shown = display(str(address))
    running = next((one for one in ours if one.listens and one.name.casefold() == profile.name.casefold()), None)
    if running is not None:
        return Check(name, Level.OK, f"Its tunnel listens on {shown} (wsgui {running.process}, pid {running.pid}).")
    if isinstance(address, UnixAddress):
        return _of_socket_file(name, profile, Path(address.path))
    if address.port == 0:
        return Check(name, Level.OK, f"{shown} is any port that is free.")
    try:
        asyncio.run(_try(address))
    except ListenError as error:
        return Check(name, _level(profile), *_taken(address, error, ours))
    others = [
        display(other.name)
        for other in profiles
        if other.name != profile.name and isinstance(other.listen, TcpAddress) and other.listen == address
    ]
    if others:
        message = f"{shown} is free, but {' and '.join(others)} listens there too, so only one of them can run."
        return Check(name, Level.WARNING, message, "Give each a port of its own.")
    return Check(name, Level.OK, f"{shown} is free.")


async def _try(address: TcpAddress) -> None:
    """Listen as the tunnel would, and stop at once; raises ListenError."""
    for sock in await open_listeners(asyncio.get_running_loop(), address):
        sock.close()


def _taken(address: TcpAddress, error: ListenError, ours: Sequence[Ours]) -> tuple[str, str]:
    owner = port_owner(address.port) if error.kind == "port-in-use" else None
    tunnels = [one for one in ours if owner is not None and one.pid == owner.pid]
    if not tunnels:
        return display(error.message, limit=500), display(error.hint, limit=500)
    who = f"wsgui {tunnels[0].process} (pid {tunnels[0].pid})"
    return f"Port {address.port} is used by another tunnel of {who}.", "Give one of the two another port."


def _of_socket_file(name: str, profile: Profile, path: Path) -> Check:
    shown = display(str(path))
    try:
        folder = path.parent.stat()
    except OSError as error:
        why = f"The folder of {shown} cannot be looked at: {error.strerror or error}."
        return Check(name, _level(profile), why, f"Make the folder {display(str(path.parent))}.")
    if not stat.S_ISDIR(folder.st_mode) or not os.access(path.parent, os.W_OK):
        return Check(name, _level(profile), f"{shown} cannot be made in its folder.", "Name a folder of your own.")
    if _answers(path):
        return Check(name, _level(profile), f"Another program listens at {shown}.", "End it, or name another path.")
    return Check(name, Level.OK, f"{shown} is free.")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _level(profile: Profile) -> Level:
    return Level.PROBLEM if profile.autostart else Level.WARNING


def _running(runtime: Path) -> list[Ours]:
    """The tunnels of all wsgui processes of this user; whoever does not answer is left out."""
    if os.name == "nt" or not runtime.exists():
        return []
    check_private(runtime, any_owner=os.getuid() == 0)
    found: list[Ours] = []
    for path in sorted(runtime.glob("*.sock")):
        with contextlib.suppress(WsguiError, OSError, KeyError, TypeError, ValueError):
            with ControlClient(path, timeout_seconds=_ANSWER_SECONDS) as client:
                answer = client.request("status")
            process, pid = display(str(answer["process"]["name"])), int(answer["process"]["pid"])
            found += [
                Ours(str(tunnel["name"]), process, pid, tunnel["running_since"] is not None)
                for tunnel in answer["snapshot"]["tunnels"]
            ]
    return found
