"""A tunnel that is being written down: from what a person types to a profile, or to what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from PySide6.QtCore import QCoreApplication

from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import ProfileError, WsguiError
from wsgui.profiles.addresses import DEFAULT_LISTEN_HOST, TcpAddress, is_local
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile
from wsgui.web.viewers import viewer

translate = QCoreApplication.translate
FIRST_PORT: Final = 6080
VNC_BASE: Final = 5900
"""VNC display :N is port 5900 + N."""
_MAX_DISPLAY: Final = 99
_MAX_REMOTE_DISPLAY: Final = 19
"""`host:22` is SSH and `host:23` telnet; nobody runs a service on the ports below 20 today."""
_DISPLAY: Final = re.compile(r"(?P<host>[^\s:]*):(?P<display>[0-9]{1,2})", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Service:
    """What was meant by the text in "Where is the service?"."""

    target: str
    """As a profile has it."""
    meaning: str
    """What a short form stands for, in words; "" for what stands for itself."""


def service(text: str) -> Service:
    """Read a service's place: `5901` (a port here), `:1` and `host:1` (VNC displays), else as it is."""
    text = text.strip()
    found = _DISPLAY.fullmatch(text)
    if found and int(found["display"]) <= (_MAX_REMOTE_DISPLAY if found["host"] else _MAX_DISPLAY):
        port = VNC_BASE + int(found["display"])
        host = found["host"]
        here = translate("draft", "VNC display :{0} of this computer, port {1}.").format(found["display"], port)
        there = translate("draft", "VNC display :{0} of “{1}”, port {2}.").format(found["display"], display(host), port)
        return Service(f"{host or 'localhost'}:{port}", there if host else here)
    if _PORT.fullmatch(text):
        return Service(f"localhost:{text}", translate("draft", "Port {0} of this computer.").format(text))
    return Service(text, "")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields as typed, what they make, and what is wrong with each."""

    profile: Profile | None
    problems: dict[str, WsguiError] = field(default_factory=dict)
    meaning: str = ""
    open_to_network: bool = False


def draft(target: str, listen: str, name: str, snapshot: EngineSnapshot) -> Draft:
    """What the three texts make; the messages are those of the profile's own rules."""
    meant = service(target)
    settings: dict[str, Any] = {"target": meant.target, "listen": listen.strip(), "name": name.strip()}
    if root := viewer_root(meant.target):
        settings["web"] = {"root": root}
    problems: dict[str, WsguiError] = {}
    profile: Profile | None = None
    try:
        profile = build_profile(settings, name)
    except ProfileError as error:
        for problem in error.problems:
            problems.setdefault(problem.field.partition(".")[0] or "target", problem)
    if not name.strip():
        problems["name"] = WsguiError(
            translate("draft", "The tunnel has no name yet."), translate("draft", "Write what you call it.")
        )
    elif name.strip().casefold() in {t.name.casefold() for t in snapshot.tunnels}:
        problems["name"] = WsguiError(
            translate("draft", "There is already a tunnel called {0}.").format(display(name.strip())),
            translate("draft", "Give this one another name."),
        )
    if problems:
        profile = None
    open_to_network = profile is not None and not is_local(profile.listen)
    return Draft(profile, problems, meant.meaning, open_to_network)


def viewer_root(target: str) -> str:
    """Return the viewer that shows what is at `target`, as far as its port tells and this installation has it."""
    port = target.rpartition(":")[2]
    if target.startswith("unix:") or not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return ""
    kind = "vnc" if VNC_BASE <= int(port) <= VNC_BASE + _MAX_DISPLAY else "terminal" if int(port) == 23 else ""
    return kind if kind and _has_viewer(kind) else ""


@lru_cache(maxsize=8)
def _has_viewer(root: str) -> bool:
    try:
        viewer(root)
    except WsguiError:
        return False
    return True


def suggested_name(target: str) -> str:
    """A name for the tunnel to `target`: the service's host, or what the port is known for."""
    meant = service(target).target
    host, _, port = meant.rpartition(":")
    if not host or not port.isdecimal():
        return ""
    kinds = {"22": "SSH", "23": "telnet", "3389": "RDP", "1883": "MQTT"}
    kind = "VNC" if VNC_BASE <= int(port) <= VNC_BASE + _MAX_DISPLAY else kinds.get(port, port)
    where = translate("draft", "This computer") if host == "localhost" else host.strip("[]")
    return translate("draft", "{0} {1}").format(where, kind)[:64]


def suggested_listen(snapshot: EngineSnapshot) -> str:
    """The first address from 127.0.0.1:6080 that no tunnel listens on. Whether a program does shows at the start."""
    taken = {int(port) for t in snapshot.tunnels if (port := t.listen.rpartition(":")[2]).isdecimal()}
    free = next(number for number in range(FIRST_PORT, 65536) if number not in taken)
    return str(TcpAddress(DEFAULT_LISTEN_HOST, free))
