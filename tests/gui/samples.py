"""Snapshots as an engine makes them, for pictures and for tests of views and models."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from wsgui.engine.snapshot import (
    CertificateSnapshot,
    ConnectionSnapshot,
    EngineSnapshot,
    Reach,
    Reason,
    ReasonKind,
    Refusal,
    ThroughputSnapshot,
    TunnelSnapshot,
    TunnelState,
)

NOW = 1_800_000_000.0
HOSTILE = "<img src=file:///x><b>&%1%s{0}\u202e"
"""Text from outside that would be code, a shortcut, a placeholder or a mirror somewhere."""


def sparkline(seed: int, top: float = 1e6) -> tuple[float, ...]:
    """48 seconds of plausible traffic, the same for the same seed."""
    source, value, values = random.Random(seed), 0.5, []
    for _ in range(48):
        value = min(max(value + source.uniform(-0.16, 0.16), 0.05), 1.0)
        values.append(value * top)
    return tuple(values)


def connection(number: int = 1, **changes: Any) -> ConnectionSnapshot:
    """A browser on this computer."""
    made = ConnectionSnapshot(
        id=number,
        client=f"127.0.0.1:{50000 + number}",
        origin="http://127.0.0.1:6080",
        identity="",
        target="office:5901",
        protocol="VNC (RFB 3.8)",
        secure=False,
        to_client_bytes=1_000_000,
        to_target_bytes=20_000,
        to_client_rate=2.6e6,
        to_target_rate=1.1e5,
        round_trip_seconds=0.0021,
        since=NOW - 14 * 60,
    )
    return replace(made, **changes)


def tunnel(name: str = "Office desktop", **changes: Any) -> TunnelSnapshot:
    """A tunnel that runs on loopback, with nobody connected."""
    made = TunnelSnapshot(
        name=name,
        group="",
        state=TunnelState.RUNNING,
        wanted=True,
        reason=None,
        target_problem=None,
        refusal=None,
        listen="127.0.0.1:6080",
        page_url="http://127.0.0.1:6080/",
        viewer_url="http://127.0.0.1:6080/",
        websocket_url="ws://127.0.0.1:6080/",
        reach=Reach.THIS_COMPUTER,
        secure=False,
        target="office:5901",
        protocol="",
        running_since=NOW - (2 * 3600 + 14 * 60),
        connections=(),
        connection_limit=1000,
        to_client_bytes=0,
        to_target_bytes=0,
        to_client_rate=0.0,
        to_target_rate=0.0,
        round_trip_seconds=None,
        served=0,
        refused=0,
        sparkline=(0.0,) * 48,
    )
    return replace(made, **changes)


def stopped(name: str = "Staging SPICE", **changes: Any) -> TunnelSnapshot:
    """A tunnel that is switched off."""
    off = {"state": TunnelState.STOPPED, "wanted": False, "page_url": "", "websocket_url": "", "running_since": None}
    return tunnel(name, **{"listen": "127.0.0.1:6100", "target": "10.0.0.7:5930"} | off | changes)


def waiting(name: str = "Router serial", **changes: Any) -> TunnelSnapshot:
    """A tunnel whose port another program has."""
    reason = Reason(
        ReasonKind.PORT_IN_USE,
        "Port 7001 is used by nginx (pid 812).",
        "Use 7002, or stop nginx and try again.",
        "listen",
        7002,
    )
    why = {"state": TunnelState.WAITING, "wanted": True, "reason": reason, "listen": "127.0.0.1:7001"}
    return stopped(name, **{"target": "router:23"} | why | changes)


def failed(name: str = "Reception", **changes: Any) -> TunnelSnapshot:
    """A tunnel that cannot start."""
    reason = Reason(
        ReasonKind.CERTIFICATE,
        "The certificate file office.pem cannot be read: permission denied.",
        "Let your user read it, or name another in [tls] certificate_file.",
        "tls.certificate_file",
    )
    return stopped(name, **{"state": TunnelState.FAILED, "wanted": True, "reason": reason} | changes)


def locked(name: str = "Reception", **changes: Any) -> TunnelSnapshot:
    """A tunnel whose certificate's passphrase is in a keyring that is locked."""
    hint = 'Unlock it, or name another place for the passphrase: "env:VARIABLE", "file:/PATH" or "ask".'
    reason = Reason(ReasonKind.KEYRING_LOCKED, "The keyring is locked.", hint, "tls.certificate")
    return failed(name, **{"reason": reason} | changes)


def secretless(name: str = "Reception", **changes: Any) -> TunnelSnapshot:
    """A tunnel whose password is not in the keyring any more."""
    message = 'The keyring has no secret "reception".'
    reason = Reason(ReasonKind.SECRET, message, "Store it: wsgui secret set reception", "access.basic")
    return failed(name, **{"reason": reason} | changes)


def refusing(name: str = "Accounting", **changes: Any) -> TunnelSnapshot:
    """A tunnel that runs while its target refuses."""
    problem = Reason(
        ReasonKind.TARGET,
        "“accounts” refuses connections on port 5901.",
        "Start the VNC server there, or check the number: display :1 is port 5901.",
        "target",
    )
    return tunnel(name, **{"target_problem": problem, "target": "accounts:5901"} | changes)


def restarting(name: str = "Night build", **changes: Any) -> TunnelSnapshot:
    """A tunnel that runs while its program has ended and waits to be started again."""
    reason = Reason(
        ReasonKind.PROGRAM,
        "The program x11vnc ended at once with status 1: cannot open display :7. It is started again in 8 s.",
        "Try the same command in a terminal.",
        "command",
    )
    return tunnel(name, **{"reason": reason, "target": "x11vnc -display :7 -rfbport 5907"} | changes)


def by_token(name: str = "Class room", **changes: Any) -> TunnelSnapshot:
    """A tunnel whose clients each have a target of their own, and a name."""
    names = ("anna, token 3fa9c1", "CN lee", "token 77b0e2")
    connections = tuple(
        connection(number, client=f"10.0.0.{number}:5031{number}", identity=who, target=f"seat-{number}:5901")
        for number, who in enumerate(names, 1)
    )
    return busy(name, **{"target": "by token", "connections": connections} | changes)


def look_up_failed() -> Refusal:
    """A client came with a token, and its source did not answer."""
    return Refusal(
        time=NOW - 5,
        client="10.0.0.9:50999",
        origin="",
        status=504,
        message="Where the token leads could not be found out.",
        hint="Try again later; the log of this tunnel says why.",
        rule="lookup",
    )


def wrong_password() -> Refusal:
    """A client without a password, or with a wrong one."""
    return Refusal(
        time=NOW - 5,
        client="10.0.0.9:50999",
        origin="",
        status=401,
        message="A user and a password are needed here.",
        hint="Give them as HTTP Basic; the profile's [access] basic names them.",
        rule="credential",
    )


def refusal(origin: str = "https://vnc.lab") -> Refusal:
    """A page from elsewhere was turned away."""
    return Refusal(
        time=NOW - 5,
        client="127.0.0.1:50999",
        origin=origin,
        status=403,
        message=f"A page from {origin} was refused because only this address's own pages may connect.",
        hint=f'If you know that page, write under [access] in the profile: origins = ["same-host", "{origin}"]',
        rule="origin",
    )


def busy(name: str = "Office desktop", **changes: Any) -> TunnelSnapshot:
    """The tunnel of the design's picture: three clients, one of them in the network."""
    far = {"client": "192.168.1.20:50312", "origin": "https://lab-pc.local:6080"}
    connections = (
        connection(1, **far, to_client_rate=9.8e6, to_target_rate=2.0e5, since=NOW - 3725),
        connection(2, origin="https://lab-pc.local:6080"),
        connection(3, origin="", to_client_rate=0.0, to_target_rate=0.0, since=NOW - 3),
    )
    figures = {
        "connections": connections,
        "served": 5,
        "listen": "*:6080",
        "page_url": "https://lab-pc.local:6080/",
        "websocket_url": "wss://lab-pc.local:6080/",
        "reach": Reach.NETWORK,
        "secure": True,
        "certificate": certificate(),
        "protocol": "VNC (RFB 3.8)",
        "to_client_rate": 12.4e6,
        "to_target_rate": 3.1e5,
        "to_client_bytes": 8_500_000_000,
        "to_target_bytes": 200_000_000,
        "round_trip_seconds": 0.0021,
        "sparkline": sparkline(2),
    }
    return tunnel(name, **figures | changes)


def certificate(**changes: Any) -> CertificateSnapshot:
    """One that wsgui keeps and renews."""
    names = ("lab-pc.local", "lab-pc", "192.168.1.20", "localhost", "127.0.0.1", "::1")
    made = CertificateSnapshot("lab-pc.local", names, NOW + 300 * 86400, managed=True, renews=True)
    return replace(made, **changes)


def finishing() -> TunnelSnapshot:
    """Switched off, while three clients may go on."""
    return busy(state=TunnelState.FINISHING, wanted=False)


def engine(*tunnels: TunnelSnapshot, time: float = NOW) -> EngineSnapshot:
    """An engine that has these tunnels."""
    return EngineSnapshot(time, tunnels)


def office() -> EngineSnapshot:
    """The engine of the design's picture."""
    lab = {"group": "Lab", "protocol": ""}
    one = {"connections": (connection(1),), "served": 1}
    return engine(
        busy(group="Office"),
        refusing(group="Office"),
        tunnel(
            "Lab console",
            **lab | one,
            websocket_url="ws://localhost:2023/",
            target="telnetd:23",
            sparkline=sparkline(3),
        ),
        busy("Build farm", **lab, websocket_url="wss://lab-pc.local/", target="build-07:22", sparkline=sparkline(4)),
        waiting(group="Lab"),
        tunnel(
            "Remote gateway",
            **lab | one,
            websocket_url="ws://localhost:5900/",
            target="gw:5900",
            sparkline=sparkline(6),
        ),
        stopped(group="Lab"),
    )


def throughput(seed: int = 1, *, seconds: int = 90, time: float = NOW) -> ThroughputSnapshot:
    """90 seconds of a desktop that is being used; the last one has the rates of `busy`."""
    source = random.Random(seed)

    def lane(now: float, rough: float, start: float) -> tuple[float, ...]:
        level, values = start, []
        for step in range(seconds * 10):
            if step % 10 == 0:
                level = min(max(level + source.uniform(-rough, rough) + 0.004 * math.sin(step / 90), 0.02), 0.93)
            values.append(max(level + source.uniform(-0.03, 0.03), 0.0))
        scale = now * 10 / sum(values[-10:])
        return tuple(value * scale for value in values)

    return ThroughputSnapshot(time, 0.1, lane(12.4e6, 0.13, 0.4), lane(3.1e5, 0.1, 0.3))
