"""Renews managed certificates in the background, 30 days before they end, and says what came of it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from wsgui.display import display
from wsgui.engine.certificates import TOLD_DAYS
from wsgui.engine.events import CertificateEvent, CertificateHappening, EventHub
from wsgui.errors import WsguiError

if TYPE_CHECKING:
    from wsgui.app.certificates import Renewal

CHECK_SECONDS: Final = 3600.0
WAKE_SECONDS: Final = 60.0
"""How often it is looked whether the clock has jumped, as after a suspend."""
JUMP_SECONDS: Final = 30.0


class Renewable(Protocol):
    """`app.certificates.Certificates`, as far as it renews."""

    def renew_due(self, now: datetime) -> Sequence[Renewal]:
        """Renew what is due; blocks."""
        ...


class AutomaticRenewal:
    """Looks at the start, every hour, and after the clock has jumped; what fails is tried again each time.

    Running tunnels take up the renewed certificates by themselves, as they do with any file that has changed.

    Args:
        certificates: What to renew.
        events: Where it says what happened: a failure once, and again each time the end comes closer.
        wall: Unix time.
        monotonic: Seconds that no setting of the clock changes.
    """

    def __init__(
        self,
        certificates: Renewable,
        events: EventHub,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._certificates = certificates
        self._events = events
        self._wall = wall
        self._monotonic = monotonic
        self._told: dict[str, tuple[str, int | None]] = {}

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            await self.check()
            await self._until_next()

    async def check(self) -> None:
        """Renew what is due now."""
        try:
            renewals = await asyncio.to_thread(self._certificates.renew_due, datetime.fromtimestamp(self._wall(), UTC))
        except (WsguiError, OSError) as error:
            if isinstance(error, OSError):
                error = WsguiError(f"{error.strerror or type(error).__name__}.", "Look at the folder of certificates.")
            self._not_renewed("", error, None)
            return
        self._told.pop("", None)
        for renewal in renewals:
            if renewal.problem is not None:
                self._not_renewed(renewal.name, renewal.problem, renewal.ended)
            elif renewal.created is not None:
                self._told.pop(renewal.name, None)
                end = renewal.created.managed.description.not_after
                name = display(renewal.name)
                message = f'The certificate "{name}" was renewed; it now ends on {end.astimezone():%Y-%m-%d}.'
                self._say(renewal.name, "renewed", end.timestamp(), message)

    async def _until_next(self) -> None:
        offset, due = self._wall() - self._monotonic(), self._monotonic() + CHECK_SECONDS
        while True:
            await asyncio.sleep(WAKE_SECONDS)
            if self._monotonic() >= due or abs(self._wall() - self._monotonic() - offset) >= JUMP_SECONDS:
                return

    def _not_renewed(self, name: str, error: WsguiError, not_after: datetime | None) -> None:
        end = not_after.timestamp() if not_after is not None else None
        left = (end - self._wall()) / 86400 if end is not None else math.inf
        stage = min((days for days in TOLD_DAYS if left <= days), default=None)
        if self._told.get(name) == (str(error), stage):
            return
        self._told[name] = (str(error), stage)
        what = f'The certificate "{display(name)}" could not be renewed' if name else "No certificate could be renewed"
        hint = f"{error.hint} It is tried again every hour.".lstrip()
        self._say(name, "not-renewed", end, f"{what}: {error.message}", hint)

    def _say(
        self, name: str, happened: CertificateHappening, not_after: float | None, message: str, hint: str = ""
    ) -> None:
        self._events.publish(CertificateEvent(self._wall(), "", display(name), happened, not_after, message, hint))
