"""Looks after the certificates that a running tunnel shows: replaced files, those that do not fit, those that end."""

from __future__ import annotations

import asyncio
import logging
import math
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from wsgui.certificates.port import PortContexts, Shown
from wsgui.certificates.stamps import Stamp, stamps
from wsgui.display import display
from wsgui.engine.events import CertificateEvent, CertificateHappening, EventHub, LogLine
from wsgui.engine.snapshot import CertificateSnapshot
from wsgui.errors import SecretError, WsguiError
from wsgui.profiles.model import Profile

LOOK_SECONDS: Final = 3.0
"""How often it is looked whether files have changed; what has is in use two seconds later at the latest."""
ASK_AGAIN_SECONDS: Final = 60.0
"""How soon a passphrase that could not be had is asked for again."""
TOLD_DAYS: Final = (14, 7, 1, 0)
"""How many days before a certificate's end that is said."""
RENEWAL_SECONDS: Final = 60.0
"""So long after the start a certificate that has ended may be renewed before anybody is told."""
_DAY_SECONDS: Final = 86400.0


class Attended(Protocol):
    """The tunnel, as far as its certificates are concerned."""

    @property
    def profile(self) -> Profile: ...

    @property
    def contexts(self) -> PortContexts | None:
        """What it speaks TLS with while it runs; None otherwise."""
        ...

    async def read_certificates(self) -> None:
        """Show what the files hold now to those who connect from now on; raises WsguiError, and all stays as it was."""
        ...

    async def configure(self, profile: Profile | None = None) -> None:
        """Without a profile: take over its own once more, with everything that it names."""
        ...


class EndNotices:
    """Which ends of certificates have been told: each once, however many tunnels show the certificate."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def due(self, shown: Shown, now: float, *, renewal_may_come: bool) -> int | None:
        """Return how many days before the end it is time to say so; None when it is not, or was said.

        Args:
            now: Unix time.
            renewal_may_come: Whether one that is renewed by itself may just be.
        """
        left = (shown.not_after - now) / _DAY_SECONDS
        reached = [days for days in TOLD_DAYS if left <= days]
        if not reached or (shown.renews and (reached[-1] > 0 or renewal_may_come)):
            return None
        key = shown.fingerprint or shown.label
        if reached[-1] >= self._told.get(key, math.inf):
            return None
        self._told[key] = reached[-1]
        return reached[-1]

    def is_early(self, shown: Shown, now: float) -> bool:
        """Whether a certificate does not count yet, and nobody was told."""
        key = f"early {shown.fingerprint or shown.label}"
        if now >= shown.not_before or key in self._told:
            return False
        self._told[key] = 0
        return True


class CertificateCare:
    """Looks after one tunnel's certificates; on the engine's loop.

    Args:
        tunnel: Whose.
        events: Where it says what happens.
        notices: All tunnels' together.
    """

    def __init__(self, tunnel: Attended, events: EventHub, notices: EndNotices) -> None:
        self._tunnel = tunnel
        self._events = events
        self._notices = notices
        self._task: asyncio.Task[None] | None = None
        self._began = 0.0
        self._tried: Mapping[str, Stamp | None] | None = None
        self._said = ""
        self._ask_again = math.inf

    def attend(self, contexts: PortContexts | None) -> None:
        """Begin, or go on, with what the tunnel shows now; None: there is nothing to look after."""
        if contexts is None:
            self.leave()
            return
        self._tried, self._said, self._ask_again = None, "", math.inf  # it has just been read, and was in order
        if self._task is None:
            self._began = time.monotonic()
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def leave(self) -> None:
        """End: the tunnel has stopped."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    async def _watch(self) -> None:
        while self._task is asyncio.current_task():
            if (contexts := self._tunnel.contexts) is not None:
                for shown in contexts.shown:
                    self._tell_end(shown)
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - told to the loop; nobody waits for this task
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "looking after certificates failed", "exception": error}
                )

    async def look(self) -> None:
        """See whether the files are others than those in use, and use them; what cannot be used is said once."""
        contexts = self._tunnel.contexts
        if contexts is None:
            return
        before, files, names = contexts.shown, contexts.files, contexts.names
        now = await asyncio.get_running_loop().run_in_executor(None, stamps, tuple(files))
        if now == (files if self._tried is None else self._tried) and time.monotonic() < self._ask_again:
            return
        self._tried, said = now, self._said
        authority = self._tunnel.profile.tls.client_authority
        try:
            if authority is not None and now.get(authority) != files.get(authority):
                await self._tunnel.configure()
            else:
                await self._tunnel.read_certificates()
                if contexts.names != names:  # by which it may be called
                    await self._tunnel.configure()
        except WsguiError as error:
            # A keyring may be opened, or be there again, without any file telling so.
            self._ask_again = time.monotonic() + ASK_AGAIN_SECONDS if isinstance(error, SecretError) else math.inf
            self._unusable(before, error)
            return
        self._tried, self._said, self._ask_again = None, "", math.inf
        if (contexts := self._tunnel.contexts) is not None:
            self._changed(before, contexts.shown, was_unusable=bool(said))

    # What is said

    def _changed(self, before: Sequence[Shown], after: Sequence[Shown], *, was_unusable: bool) -> None:
        known = {shown.fingerprint for shown in before}
        fresh = [shown for shown in after if shown.fingerprint not in known or not shown.fingerprint]
        for shown in fresh:
            self._say(shown, "changed", f"{_named(shown)} was replaced: it is shown to those who connect from now on.")
        if not fresh and was_unusable:
            for shown in after:
                self._say(shown, "changed", f"{_named(shown)} is in order again.")
        elif not fresh:
            message = "The files that TLS is made of were read anew."
            self._events.publish(LogLine(time.time(), self._tunnel.profile.name, logging.INFO, message))

    def _unusable(self, shown: Sequence[Shown], error: WsguiError) -> None:
        if str(error) == self._said:
            return
        self._said = str(error)
        tls = self._tunnel.profile.tls
        label = {"tls.key_file": tls.key_file, "tls.client_authority": tls.client_authority}.get(error.field)
        name = label or shown[0].label
        hint = f"{error.hint} What was in use before stays in use.".lstrip()
        self._events.publish(
            CertificateEvent(
                time.time(),
                self._tunnel.profile.name,
                display(name),
                "unusable",
                None if label else _end_of(shown[0]),
                error.message,
                hint,
            )
        )

    def _tell_end(self, shown: Shown) -> None:
        now = time.time()
        if self._notices.is_early(shown, now):
            message = f"{_named(shown)} counts from {_day(shown.not_before)} only; until then browsers refuse it."
            self._say(shown, "unusable", message, "Check this computer's clock, or put another one in its place.")
        renewal_may_come = time.monotonic() < self._began + RENEWAL_SECONDS
        days = self._notices.due(shown, now, renewal_may_come=renewal_may_come)
        if days is None:
            return
        if days:
            left = math.ceil((shown.not_after - now) / _DAY_SECONDS)
            when = f"in {left} days" if left > 1 else "within a day"
            self._say(shown, "ends", f"{_named(shown)} ends {when}, on {_day(shown.not_after)}.", _remedy(shown))
        else:
            message = f"{_named(shown)} has ended on {_day(shown.not_after)}; browsers refuse it."
            self._say(shown, "ended", message, _remedy(shown))

    def _say(self, shown: Shown, happened: CertificateHappening, message: str, hint: str = "") -> None:
        name = self._tunnel.profile.name
        event = CertificateEvent(time.time(), name, display(shown.label), happened, _end_of(shown), message, hint)
        self._events.publish(event)


def certificate_snapshot(contexts: PortContexts | None) -> CertificateSnapshot | None:
    """Return what others may know of a port's certificates: of several, the one that ends first."""
    known = [shown for shown in contexts.shown if _end_of(shown) is not None] if contexts is not None else []
    if not known:
        return None
    first = min(known, key=lambda shown: shown.not_after)
    return CertificateSnapshot(display(first.label), first.names, first.not_after, first.managed, first.renews)


def _end_of(shown: Shown) -> float | None:
    return shown.not_after if math.isfinite(shown.not_after) else None


def _named(shown: Shown) -> str:
    label = display(shown.label)
    return f'The certificate "{label}"' if shown.managed else f"The certificate in {label}"


def _remedy(shown: Shown) -> str:
    name = shlex.quote(display(shown.label))
    if shown.renews:
        return f"Make a new one: wsgui certificate renew {name}"
    if shown.managed:
        return f"Import a newer one: wsgui certificate import FILE --name {name} --replace"
    return "Put a newer one in its place: it is used without a restart."


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
