"""What others are told of a tunnel's sessions and of what went wrong with it."""

from __future__ import annotations

from wsgui.bridge.listener import ListenError
from wsgui.bridge.relay import Relay
from wsgui.engine.snapshot import ConnectionSnapshot, Reason, ReasonKind
from wsgui.errors import CertificateError, SecretError, WsguiError


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
    elif isinstance(error, SecretError):
        kind = ReasonKind.SECRET
    else:
        kind = ReasonKind.OTHER
    return Reason(kind, error.message, error.hint, error.field)
