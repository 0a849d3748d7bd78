"""The engine: owns all tunnels and their state; starts, stops and reloads them on one event loop."""

from __future__ import annotations

import asyncio
import time

from wsgui.bridge import readiness
from wsgui.bridge.buffer import ReadBuffer
from wsgui.certificates.chains import Keeper
from wsgui.engine.certificates import EndNotices
from wsgui.engine.events import EventHub
from wsgui.engine.snapshot import EngineSnapshot, OfferSnapshot, ThroughputSnapshot
from wsgui.engine.terms import OF_A_PROFILE, Terms
from wsgui.engine.tunnel import Tunnel
from wsgui.errors import TunnelError
from wsgui.profiles.model import Profile


class Engine:
    """Runs tunnels. Every method is called on the loop that runs it; others get snapshots and events.

    All tunnels share one read buffer, so an engine belongs to one loop.

    Args:
        vault: Has the certificates that profiles name; None: a tunnel that names one does not start.
    """

    def __init__(self, *, vault: Keeper | None = None) -> None:
        self.events = EventHub()
        self._vault = vault
        self._notices = EndNotices()
        self._buffer = ReadBuffer()
        self._tunnels: dict[str, Tunnel] = {}
        self._leaving: set[Tunnel] = set()
        self._closing = False

    @property
    def names(self) -> tuple[str, ...]:
        """The tunnels' names, in the order in which they were added."""
        return tuple(self._tunnels)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The tunnels' profiles, in the same order; any thread may read this."""
        return tuple(tunnel.profile for tunnel in tuple(self._tunnels.values()))

    async def configure(self, profile: Profile, terms: Terms = OF_A_PROFILE) -> None:
        """Add a tunnel, or let the one of that name take over changed settings without cutting its sessions.

        The same profile once more makes it read again what the profile names: certificates, keys, folders. `terms`
        count for a new tunnel.

        Raises:
            TunnelError: It is running and cannot do as the new profile says; it goes on as before.
        """
        tunnel = self._tunnels.get(profile.name)
        if tunnel is None or tunnel.retired:
            self._tunnels[profile.name] = Tunnel(
                profile, self._buffer, self.events, self._listening, terms, self._vault, self._notices
            )
        else:
            await tunnel.configure(profile)

    async def remove(self, name: str, *, grace_seconds: float = 0.0) -> None:
        """Stop a tunnel and forget it; one that is not there is no error.

        It cannot be started meanwhile, as nobody could stop it then; a profile of that name makes a new one at once.
        """
        tunnel = self._tunnels.get(name)
        if tunnel is not None:
            tunnel.retired = True
            self._leaving.add(tunnel)
            await tunnel.stop(grace_seconds=grace_seconds)
            self._leaving.discard(tunnel)
            if self._tunnels.get(name) is tunnel:
                del self._tunnels[name]

    async def start(self, name: str, *, wait: bool = True) -> None:
        """Start a tunnel; returns when it runs, or waits for a port that is taken (`wait`).

        Raises:
            TunnelError: There is none of that name, or it cannot start.
        """
        tunnel = self._tunnel(name)
        if tunnel.retired:
            raise TunnelError(f'The tunnel "{name}" is being removed.', "Make it anew, or start another one.")
        await tunnel.start(wait=wait)

    async def stop(self, name: str, *, grace_seconds: float = 0.0) -> None:
        """Stop a tunnel: those connected may go on for `grace_seconds`, then get Close 1001.

        Raises:
            TunnelError: There is none of that name.
        """
        await self._tunnel(name).stop(grace_seconds=grace_seconds)

    async def disconnect(self, name: str, connection: int) -> bool:
        """End one session; false when there is none of that number.

        Raises:
            TunnelError: There is no tunnel of that name.
        """
        return self._tunnel(name).disconnect(connection)

    async def offer_authority(self, tunnel: str, der: bytes, *, seconds: float = 600.0) -> OfferSnapshot:
        """Let one other device download this certificate from a tunnel that runs; see `offering.offer`.

        Raises:
            TunnelError: There is no tunnel of that name, or it does not run, or no other device can reach it.
            CertificateError: `der` is no certificate.
        """
        from wsgui.engine import offering  # most processes never offer anything

        return offering.offer(self._tunnel(tunnel), der, seconds, self.events)

    async def withdraw_offer(self, tunnel: str) -> None:
        """End such an offer; none is no error.

        Raises:
            TunnelError: There is no tunnel of that name.
        """
        bridge = self._tunnel(tunnel).bridge
        if bridge is not None:
            bridge.offer = None

    async def close(self, *, grace_seconds: float = 0.0) -> None:
        """Stop all tunnels. A second call while the first one lets sessions finish ends them at once."""
        if self._closing:
            grace_seconds = 0.0
        self._closing = True
        tunnels = {*self._tunnels.values(), *self._leaving}
        await asyncio.gather(*(tunnel.stop(grace_seconds=grace_seconds) for tunnel in tunnels))
        readiness.rest(asyncio.get_running_loop())
        self.events.flush()

    def _listening(self) -> frozenset[tuple[str, int]]:
        return frozenset(
            endpoint for tunnel in {*self._tunnels.values(), *self._leaving} for endpoint in tunnel.endpoints
        )

    def snapshot(self) -> EngineSnapshot:
        """Return all tunnels as they are now."""
        return EngineSnapshot(time.time(), tuple(tunnel.snapshot() for tunnel in self._tunnels.values()))

    def throughput(self, name: str) -> ThroughputSnapshot:
        """Return the last 90 s of a tunnel in steps of 100 ms.

        Raises:
            TunnelError: There is none of that name.
        """
        return self._tunnel(name).throughput()

    def _tunnel(self, name: str) -> Tunnel:
        try:
            return self._tunnels[name]
        except KeyError:
            known = ", ".join(f'"{known}"' for known in self._tunnels) or "none"
            raise TunnelError(f'There is no tunnel called "{name}".', f"There are: {known}.") from None
