"""The sections of a profile that say what a tunnel serves, runs, dials, records and allows itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wsgui.profiles.fields import (
    Count,
    Flag,
    Frame,
    Line,
    Listen,
    Network,
    PathText,
    Port,
    Positive,
    Reference,
    Seconds,
    Size,
    WebRoot,
)
from wsgui.profiles.section import Section


class Web(Section):
    """Pages and files served on the tunnel's port."""

    root: WebRoot = Field("", description='"demo", "vnc", "terminal", "novnc", or a folder; empty = no files.')
    listing: Flag = Field(False, description="List a folder that has no index.html.")
    require_access: Flag = Field(True, description="Ask for the password or certificate of [access] for files too.")
    frames: tuple[Frame, ...] = Field((), description="Origins whose pages may show ours in a frame.")


class Command(Section):
    """A program that runs with the tunnel, or once for each connection."""

    run: tuple[Line, ...] = Field(
        (), description="The program and its arguments, each an entry of its own; never a shell."
    )
    port: Port | None = Field(None, description="The TCP port the program binds; left out = the listening port.")
    mode: Literal["rebind", "port", "stdio", "terminal"] = Field(
        "rebind",
        description="rebind moves the port it binds; port tells it one ({port}, $PORT); "
        "stdio and terminal start one process a connection.",
    )
    when_it_ends: Literal["restart", "stop", "ignore"] = Field("restart", description="What to do when it ends.")
    at_once: Positive = Field(8, description="Processes at once, with stdio and terminal.")
    environment: dict[str, Line] = Field(
        {}, description="Variables that the program gets beside the usual ones.", repr=False
    )


class Remote(Section):
    """How to dial a WebSocket server (target ws:// or wss://)."""

    token: Reference = Field("", description="Reference to the token to connect with; empty = none.")
    headers: dict[str, Line] = Field({}, description="Further request headers.", repr=False)
    cookies: dict[str, Line] = Field({}, description="Cookies to send.", repr=False)
    subprotocols: tuple[Line, ...] = Field(("binary",), description="Subprotocols to offer, in order.")
    basic: Reference = Field("", description="Reference to user:password for HTTP Basic; empty = none.")
    bearer: Reference = Field("", description="Reference to a bearer token; empty = none.")
    client_certificate: PathText = Field("", description="PEM file with certificate and key to show; empty = none.")
    authority: PathText = Field("", description="PEM file with the authorities to trust; empty = the system's.")
    fingerprint: Line = Field("", description="SHA-256 of the one certificate to trust, in hex; empty = not pinned.")
    server_name: Line = Field("", description="Name to verify and to send as SNI; empty = the address's host.")
    host: Line = Field("", description="Host header to send; empty = the address's.")
    proxy: Line = Field("", description="http:// or socks5:// proxy to go through; empty = none.")
    compression: Flag = Field(False, description="Offer permessage-deflate.")
    standby: Count = Field(0, description="Connections to keep ready, for a quick start.")


class Reverse(Section):
    """Servers that call in (target listen:)."""

    ids: tuple[Line, ...] = Field((), description="Secret IDs, at least 64 bits each, that servers give.", repr=False)
    addresses: tuple[Network, ...] = Field((), description="Networks that servers may call in from.")
    wait_seconds: Seconds = Field(60.0, description="How long a client waits for a server, in seconds.")
    waiting: Positive = Field(8, description="Servers that may wait for a client at once.")


class Record(Section):
    """Recordings of what goes through."""

    on: Flag = Field(False, description="Record each connection.")
    folder: PathText = Field("", description="Where recordings go; empty = the program's own folder.")
    max_file: Size = Field(
        256 * 10**6, description='Largest recording, in bytes or with a unit ("256 MB"); 0 = no limit.'
    )
    max_total: Size = Field(4 * 10**9, description="All recordings together, in bytes or with a unit; 0 = no limit.")
    keep_days: Count = Field(30, description="Days after which a recording is deleted; 0 = never.")
    client_bytes: Flag = Field(False, description="Record what clients send too: what is typed, so passwords.")
    encrypt: Flag = Field(False, description="Encrypt recordings; the key is kept in the keyring.")
    compress: Flag = Field(False, description="Compress recordings.")


class Limits(Section):
    """How much of everything; 0 stands for no limit, or never."""

    connections: Count = Field(1000, description="WebSocket connections at once; 0 = no limit.")
    per_address: Count = Field(
        200, description="Connections at once from one address (IPv6: one /64); loopback is not counted; 0 = no limit."
    )
    handshakes_per_address: Count = Field(
        64, description="Unfinished handshakes at once from one address (IPv6: one /64); 0 = no limit."
    )
    handshake_seconds: Seconds = Field(
        10.0, description="Longest handshake (first byte, TLS, request), in seconds; 0 = any."
    )
    connect_seconds: Seconds = Field(10.0, description="Longest wait for the target, in seconds; 0 = the system's.")
    idle_seconds: Seconds = Field(0.0, description="Close a connection after so many silent seconds; 0 = never.")
    heartbeat_seconds: Seconds = Field(30.0, description="Seconds between pings to a client; 0 = none.")


class Metrics(Section):
    """Figures for Prometheus."""

    listen: Listen | None = Field(None, description="Address to serve metrics on; left out = off.")
    token: Reference = Field("", description="Reference to the bearer token to ask for; needed off loopback.")
