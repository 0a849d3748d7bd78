"""What other threads may know of a running engine: frozen values, made at one moment, holding no references into it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class TunnelState(enum.StrEnum):
    """What a tunnel is, as opposed to what the user wants it to be (`TunnelSnapshot.wanted`)."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """Wanted, but something stands in the way that may go away (a port in use); `reason` says what."""
    FINISHING = "finishing"
    """No new clients; those connected go on until they end or the grace time is over."""
    FAILED = "failed"
    """Wanted, but it cannot start; `reason` says why."""


class ReasonKind(enum.StrEnum):
    """What kind of reason this is, for programs and buttons; people read `Reason.message`."""

    PORT_IN_USE = "port-in-use"
    NAME_NOT_FOUND = "name-not-found"
    PERMISSION = "permission"
    ADDRESS_NOT_AVAILABLE = "address-not-available"
    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105  # a kind of reason
    KEYRING_LOCKED = "keyring-locked"
    PROFILE = "profile"
    TARGET = "target"
    PROGRAM = "program"
    OTHER = "other"

    @property
    def is_about_keys(self) -> bool:
        """Whether a certificate, its key, or a secret is in the way."""
        return self in (ReasonKind.CERTIFICATE, ReasonKind.SECRET, ReasonKind.KEYRING_LOCKED)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a tunnel is not (wholly) running, in words a user understands."""

    kind: ReasonKind
    message: str
    hint: str = ""
    field: str = ""
    suggested_port: int | None = None
    """A free port that would do instead, when `kind` is PORT_IN_USE."""
    exit_status: int | None = None
    """How the program ended, when `kind` is PROGRAM; as in `subprocess.Popen.returncode`."""


class Reach(enum.StrEnum):
    """Who can reach the listening address."""

    THIS_COMPUTER = "this-computer"
    NETWORK = "network"
    SOCKET_FILE = "socket-file"


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """One client's connection. Bytes are payload (no frame headers); rates are bytes a second."""

    id: int
    client: str
    """`192.168.1.20:50312`, `[::1]:50312` or `unix`."""
    origin: str
    """The Origin header, through `display()`; empty for native clients, which send none."""
    identity: str
    target: str
    protocol: str
    """As recognised from the first bytes: `VNC (RFB 3.8)`, `SSH`, … or empty."""
    secure: bool
    to_client_bytes: int
    to_target_bytes: int
    to_client_rate: float
    to_target_rate: float
    round_trip_seconds: float | None
    since: float
    """Unix time of the upgrade."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The latest client that was turned away, for the tunnel's row and the log."""

    time: float
    client: str
    origin: str
    status: int
    message: str
    hint: str
    rule: str
    """Which rule refused: `origin`, `host`, `limit`, `request`, `tls`, `path`."""


@dataclass(frozen=True, slots=True)
class CertificateSnapshot:
    """The certificate that a running tunnel shows; of several, the one that ends first."""

    name: str
    """The managed certificate's name, or the file that the profile names."""
    names: tuple[str, ...]
    """The host names and IP addresses that it is for."""
    not_after: float
    """Unix time."""
    managed: bool
    """Whether wsgui keeps it, as opposed to a file of somebody else's."""
    renews: bool
    """Whether it is renewed by itself."""


@dataclass(frozen=True, slots=True)
class TunnelSnapshot:
    """One tunnel at one moment."""

    name: str
    group: str
    state: TunnelState
    wanted: bool
    reason: Reason | None
    target_problem: Reason | None
    """The last attempt to reach the target failed so; None after a success. Never from probing."""
    refusal: Refusal | None
    listen: str
    """As in the profile."""
    page_url: str
    """What a browser opens: `http://127.0.0.1:6080/`; empty for a unix socket or when not running."""
    viewer_url: str
    """What "Open" opens: the page that shows what is spoken, when there is one; else `page_url`."""
    websocket_url: str
    reach: Reach
    secure: bool
    target: str
    protocol: str
    running_since: float | None
    """Unix time."""
    connections: tuple[ConnectionSnapshot, ...]
    connection_limit: int
    to_client_bytes: int
    to_target_bytes: int
    to_client_rate: float
    to_target_rate: float
    round_trip_seconds: float | None
    """Median over the connections that have one."""
    served: int
    """Connections upgraded since the start."""
    refused: int
    sparkline: tuple[float, ...]
    """Bytes a second, both ways together, one value for each of the last 48 seconds, oldest first."""
    certificate: CertificateSnapshot | None = None
    """None without TLS, and when it does not run."""


@dataclass(frozen=True, slots=True)
class ThroughputSnapshot:
    """A tunnel's recent throughput, oldest first; bytes a second. The last value ends at `time`."""

    time: float
    step_seconds: float
    to_client: tuple[float, ...]
    to_target: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OfferSnapshot:
    """The download of an authority's certificate that a tunnel offers to one other device."""

    urls: tuple[str, ...] = field(repr=False)
    """Of its page, by each of this computer's private addresses, the likeliest first, then by its .local name; they
    are secrets, for the person who asked for them."""
    fingerprint: str
    """SHA-256 of the certificate, as `AB:CD:…`, to compare with what the other device shows."""
    until: float
    """Unix time."""


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """The whole engine at one moment; tunnels in the order in which they were added."""

    time: float
    tunnels: tuple[TunnelSnapshot, ...]

    def tunnel(self, name: str) -> TunnelSnapshot | None:
        return next((t for t in self.tunnels if t.name == name), None)
