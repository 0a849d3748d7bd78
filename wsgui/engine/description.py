"""What others are told of a tunnel's sessions and of what went wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from wsgui.bridge.listener import ListenError
from wsgui.bridge.relay import Relay
from wsgui.certificates.port import PortContexts
from wsgui.engine.activity import Activity
from wsgui.engine.certificates import certificate_snapshot
from wsgui.engine.endpoint import Endpoint, reach_of
from wsgui.engine.program import expected_protocol, target_name
from wsgui.engine.snapshot import ConnectionSnapshot, Reason, ReasonKind, TunnelSnapshot, TunnelState
from wsgui.errors import CertificateError, SecretError, WsguiError
from wsgui.profiles.keyring_backends import KeyringError, KeyringState
from wsgui.profiles.model import Profile

SPARKLINE_SECONDS: Final = 48


def connection_of(relay: Relay) -> ConnectionSnapshot:
    """Return what others may know of one session."""
    return ConnectionSnapshot(
        id=relay.number,
        client=relay.client_name,
        origin=relay.origin,
        identity=relay.identity,
        target=relay.target_name,
        protocol=relay.protocol,
        secure=relay.secure,
        to_client_bytes=relay.to_client_bytes,
        to_target_bytes=relay.to_target_bytes,
        to_client_rate=relay.to_client_rate,
        to_target_rate=relay.to_target_rate,
        round_trip_seconds=relay.round_trip_seconds,
        since=relay.since,
    )


def tunnel_snapshot(
    profile: Profile,
    state: TunnelState,
    reason: Reason | None,
    activity: Activity,
    relays: Sequence[Relay],
    endpoint: Endpoint | None,
    *,
    wanted: bool,
    running_since: float | None,
    contexts: PortContexts | None,
) -> TunnelSnapshot:
    """Return what others may know of a tunnel.

    Args:
        relays: Its sessions.
        endpoint: Where it listens; None when it does not.
        running_since: Unix time.
        contexts: What its port speaks TLS with.
    """
    totals = activity.totals()
    to_client_rate, to_target_rate = activity.rates()
    connections = tuple(connection_of(relay) for relay in relays)
    round_trips = [c.round_trip_seconds for c in connections if c.round_trip_seconds is not None]
    protocol = activity.protocol()
    spoken = protocol or expected_protocol(profile)
    return TunnelSnapshot(
        name=profile.name,
        group=profile.group,
        state=state,
        wanted=wanted,
        reason=reason,
        target_problem=activity.target_reason,
        refusal=activity.refusal,
        listen=str(profile.listen),
        page_url=endpoint.page_url if endpoint else "",
        viewer_url=endpoint.viewer_url(profile.web.root, spoken) if endpoint else "",
        websocket_url=endpoint.websocket_url if endpoint else "",
        reach=endpoint.reach if endpoint else reach_of(profile.listen),
        secure=profile.tls.enabled,
        target=target_name(profile),
        protocol=protocol,
        running_since=running_since,
        connections=connections,
        connection_limit=profile.limits.connections,
        to_client_bytes=totals[0],
        to_target_bytes=totals[1],
        to_client_rate=to_client_rate,
        to_target_rate=to_target_rate,
        round_trip_seconds=median(round_trips) if round_trips else None,
        served=activity.served,
        refused=activity.refusals,
        sparkline=activity.sparkline(SPARKLINE_SECONDS),
        certificate=certificate_snapshot(contexts),
    )


def own_fault(error: Exception) -> Reason:
    """Return the reason for a fault of the program itself."""
    message = f"wsgui itself has failed ({type(error).__name__})."
    return Reason(ReasonKind.OTHER, message, "Report it, with the log.")


def reason_of(error: WsguiError) -> Reason:
    """Return why a tunnel does not (wholly) run, after an error."""
    if isinstance(error, ListenError):
        kind = ReasonKind(error.kind)
        return Reason(kind, error.message, error.hint, error.field, error.suggested_port)
    if isinstance(error, CertificateError):
        kind = ReasonKind.CERTIFICATE
    elif isinstance(error, KeyringError) and error.state is KeyringState.LOCKED:
        kind = ReasonKind.KEYRING_LOCKED
    elif isinstance(error, SecretError):
        kind = ReasonKind.SECRET
    else:
        kind = ReasonKind.OTHER
    return Reason(kind, error.message, error.hint, error.field)
