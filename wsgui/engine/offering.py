"""Offers an authority's certificate on a running tunnel's port to one other device, and says at which addresses."""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Sequence
from typing import Final

import ifaddr

from wsgui.access.names import parse_authority
from wsgui.access.private_networks import is_private
from wsgui.bridge.listener import Listener
from wsgui.bridge.offer import Offer
from wsgui.engine.events import EventHub, LogLine
from wsgui.engine.snapshot import OfferSnapshot
from wsgui.engine.tunnel import Tunnel
from wsgui.errors import TunnelError
from wsgui.profiles.addresses import TcpAddress
from wsgui.web.authority_page import Certificate

_VIRTUAL: Final = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "podman", "cni", "tun", "tap", "wg")
"""What interfaces to this computer's own guests and tunnels are called: no phone is there."""


def offer(tunnel: Tunnel, der: bytes, seconds: float, events: EventHub) -> OfferSnapshot:
    """Let one other device download a certificate from this tunnel; an offer made before ends.

    Args:
        tunnel: One that runs, and can be reached from the network.
        der: The authority's certificate, X.509 in DER.
        seconds: For how long, if nobody fetches it earlier.
        events: Where it is said who has downloaded it.

    Raises:
        TunnelError: The tunnel does not run, cannot be reached by another device, or is websockify's.
        CertificateError: `der` is no certificate.
    """
    bridge, name = tunnel.bridge, tunnel.profile.name
    listener = bridge.listener if bridge is not None else None
    if tunnel.terms.websockify:
        raise TunnelError(
            "A tunnel of websockify's command line offers no certificates.",
            "Start it from a profile, or copy what wsgui certificate export --authority writes.",
        )
    if bridge is None or listener is None:
        raise TunnelError(f'"{name}" is not running, so no other device can reach it.', "Start it first.")
    certificate = Certificate.of(der)
    addresses = addresses_of(listener.endpoints, both=_takes_both(listener))

    def downloaded(visitor: str) -> None:
        message = f"The authority's certificate was downloaded by {visitor}."
        events.publish(LogLine(time.time(), name, logging.INFO, message))

    bridge.offer = made = Offer(certificate, seconds, downloaded)
    return OfferSnapshot(tuple(f"{address}{made.path}" for address in addresses), certificate.fingerprint, made.until)


def _takes_both(listener: Listener) -> bool:
    return any(
        sock.family == socket.AF_INET6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        for sock in listener.sockets
    )


def addresses_of(endpoints: Sequence[tuple[str, int]], *, both: bool = False) -> tuple[str, ...]:
    """Return `http://host:port` of each address at which another device of this network may reach these listeners.

    Args:
        endpoints: Host and port as bound.
        both: Whether a listener on all IPv6 addresses takes IPv4 too.

    Raises:
        TunnelError: There is none.
    """
    if all(TcpAddress(host, port).is_loopback for host, port in endpoints):
        raise TunnelError(
            "This tunnel can be reached from this computer only.",
            'Open it to your network first, as with listen = "*:6080"; then another device can fetch the certificate.',
            field="listen",
        )
    found: dict[str, None] = {}
    ports: dict[int, None] = {}
    for host, port in endpoints:
        here = _own_addresses(host, both=both)
        found |= dict.fromkeys(f"http://{_authority(address, port)}" for address in here)
        if here:
            ports[port] = None
    if not found:
        raise TunnelError(
            "This tunnel has no address of a private network, where alone the certificate may be fetched.",
            "Copy what wsgui certificate export --authority writes to the other device.",
            field="listen",
        )
    name = socket.gethostname().partition(".")[0].lower()
    if name != "localhost" and parse_authority(f"{name}.local") is not None:
        found |= dict.fromkeys(f"http://{_authority(f'{name}.local', port)}" for port in ports)
    return tuple(found)


def _own_addresses(host: str, *, both: bool) -> tuple[str, ...]:
    """Return the private addresses behind a listener's address, those that a phone is likely to reach first."""
    if not TcpAddress(host, 0).is_wildcard:
        return (host,) if _is_usable(host) else ()
    likeliest = _outward()
    ranked = sorted(
        (_is_virtual(adapter.nice_name), address != likeliest, ":" in address, number, address)
        for number, adapter in enumerate(ifaddr.get_adapters())
        for address in (ip.ip if isinstance(ip.ip, str) else ip.ip[0] for ip in adapter.ips)
        if _is_usable(address)
    )
    return tuple(address for *_, address in ranked if both or (":" in address) == (":" in host))


def _is_virtual(interface: str) -> bool:
    name = interface.lower()
    return name.startswith(_VIRTUAL) or "virtual" in name  # as Windows describes them


def _is_usable(address: str) -> bool:
    """Return whether a browser elsewhere can be given this address: an IPv6 link-local one needs its own zone."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return is_private(address) and not parsed.is_loopback and not (parsed.version == 6 and parsed.is_link_local)


def _outward() -> str:
    """Return the address that this computer has towards its router; empty without one. Nothing is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of documentation (RFC 5737): nobody's
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _authority(host: str, port: int) -> str:
    return (f"[{host}]" if ":" in host else host) + (f":{port}" if port != 80 else "")
