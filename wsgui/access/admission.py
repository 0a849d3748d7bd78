"""Who is let in, and where to: authentication and tokens put together, with deadlines and delays."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from typing import Final

from wsgui.access.authentication import Authenticator
from wsgui.access.delays import FailureDelays
from wsgui.access.keyed import token_label
from wsgui.access.tokens.inline import InlineFirst
from wsgui.access.tokens.source import LookupFailed, TokenSource
from wsgui.access.visitor import Denied, Grant, Permit, TargetAddress, Visitor
from wsgui.display import display

ASKED_AT_ONCE: Final = 16
"""Tokens of living sessions that are asked about at once."""

_HOST: Final = re.compile(r"(?:\[([^\]]*)\]|([^:]*)).*", re.DOTALL)

_log = logging.getLogger(__name__)


class Admission:
    """Decides on every client of one listener.

    Args:
        authenticators: Each of them must agree.
        tokens: Where tokens lead; None: no token is asked for.
        deadline_seconds: Longest time that a look-up may take.
        by_host: The Host field, without its port, is the token.
        token_first: The token is looked up first, whatever its length, and authenticators are told where it leads, as
            websockify does. Otherwise a stranger cannot try tokens.
        files_need_access: Whether plain requests are authenticated too.
        say: Takes a level as in the logging module and a line for the log of its tunnel.
    """

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        tokens: TokenSource | None,
        *,
        deadline_seconds: float,
        by_host: bool = False,
        token_first: bool = False,
        files_need_access: bool = True,
        say: Callable[[int, str], None] = _log.log,
    ) -> None:
        self._authenticators = tuple(authenticators)
        self._tokens = tokens
        self._deadline_seconds = deadline_seconds
        self._by_host = by_host
        self._token_first = token_first
        self.files_need_access = files_need_access
        self._say = say
        self._delays = FailureDelays()
        self._opened = AsyncExitStack()
        self._failing = ""

    @property
    def needs_credential(self) -> bool:
        """Whether every upgrade must show something secret, so that a page that was steered here gets nowhere."""
        by_token = self._tokens is not None and not self._by_host
        return by_token or any(each.needs_credential for each in self._authenticators)

    @property
    def guards_files(self) -> bool:
        """Whether plain requests must show something secret too."""
        return self.files_need_access and any(
            each.guards_files and each.needs_credential for each in self._authenticators
        )

    async def open(self) -> None:
        """Get everything ready, or nothing.

        Raises:
            WsguiError: Something is missing, empty, unreadable or malformed.
        """
        parts: Sequence[Authenticator | TokenSource]
        parts = self._authenticators if self._tokens is None else (*self._authenticators, self._tokens)
        async with AsyncExitStack() as opened:
            for part in parts:
                await part.open()
                opened.push_async_callback(part.close)
            self._opened = opened.pop_all()

    async def close(self) -> None:
        """Give everything back; nobody is admitted any more."""
        await self._opened.aclose()

    async def admit(self, visitor: Visitor) -> Permit:
        """Decide on a WebSocket upgrade.

        Raises:
            Denied: It is not let in; for a wrong credential this takes its time.
        """
        try:
            return await self._admit(visitor)
        except Denied as denied:
            await self._hold(visitor, denied)
            raise

    async def admit_to_files(self, visitor: Visitor) -> None:
        """Decide on a plain request; tokens are not asked for.

        Raises:
            Denied: It gets no file; for a wrong credential this takes its time.
        """
        if not self.files_need_access:
            return
        try:
            for authenticator in self._authenticators:
                if authenticator.guards_files:
                    await authenticator.authenticate(visitor, None)
        except Denied as denied:
            await self._hold(visitor, denied)
            raise

    async def withdrawn(self, grants: Collection[Grant]) -> frozenset[Grant]:
        """Return those of `grants` that do not hold any more; what cannot be found out holds."""
        at_once = asyncio.Semaphore(ASKED_AT_ONCE)

        async def holds(grant: Grant) -> bool:
            async with at_once:
                return await self._holds(grant)

        asked = list(frozenset(grants))
        answers = await asyncio.gather(*map(holds, asked))
        return frozenset(grant for grant, held in zip(asked, answers, strict=True) if not held)

    def asks_for_others(self, grants: Collection[Grant]) -> bool:
        """Return whether none of what a session rests on is asked for any more, but something else is."""
        asked: set[str] = {each.grants for each in self._authenticators}
        if self._tokens is not None:
            asked.add("token")
        return bool(grants and asked) and not any(grant.kind in asked for grant in grants)

    async def _admit(self, visitor: Visitor) -> Permit:
        if self._token_first:
            target, token = await self._look_up(visitor)
            grants = await self._authenticate(visitor, target)
        else:
            grants = await self._authenticate(visitor, None)
            target, token = await self._look_up(visitor)
        if token is not None:
            grants.append(Grant("token", token, target))
        return Permit(
            target,
            ", ".join(_name(grant) for grant in grants if grant.kind != "token" or not self._by_host),
            tuple(grants),
            from_outside=token is not None and self._from_outside(token),
        )

    def _from_outside(self, token: str) -> bool:
        if isinstance(self._tokens, InlineFirst):
            return not self._tokens.holds(token)
        return self._tokens is not None and self._tokens.from_outside

    async def _authenticate(self, visitor: Visitor, target: TargetAddress | None) -> list[Grant]:
        grants = [await authenticator.authenticate(visitor, target) for authenticator in self._authenticators]
        return [grant for grant in grants if grant is not None]

    async def _look_up(self, visitor: Visitor) -> tuple[TargetAddress | None, str | None]:
        if self._tokens is None:
            return None, None
        token = self._token(visitor)
        size = len(token.encode("utf-8", "surrogatepass"))
        target = None
        if self._token_first or size <= self._tokens.max_token_bytes:
            target = await self._ask(self._tokens, token)
        if target is None:
            raise Denied(
                404,
                "There is no such host here." if self._by_host else "The token was not found.",
                "Check the address, or ask whoever gave it to you for a new one.",
                rule="token",
                delay_key="" if self._by_host else "token",
            )
        return target, token

    def _token(self, visitor: Visitor) -> str:
        if self._by_host:
            named = _HOST.fullmatch(visitor.fields.get("host", ""))
            token = (named[1] or named[2] or "") if named else ""
        else:
            try:
                token = (visitor.query("token") or "").rstrip("\n")
            except ValueError:
                raise Denied(400, "The address has too many parameters.", "Give token alone.", rule="token") from None
        if not token:
            raise Denied(404, "Token not present.", "Add ?token= and the token to the address.", rule="token")
        return token

    async def _ask(self, tokens: TokenSource, token: str) -> TargetAddress | None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                target = await tokens.look_up(token)
        except TimeoutError:
            self._failed(f"it took longer than {self._deadline_seconds:g} s")
            status = 504
        except LookupFailed as error:
            self._failed(str(error))
            status = error.status
        else:
            if self._failing:
                self._failing = ""
                self._say(logging.INFO, "The source of tokens answers again.")
            return target
        raise Denied(
            status,
            "Where the token leads could not be found out.",
            "Try again later; the log of this tunnel says why.",
            rule="lookup",
        )

    def _failed(self, why: str) -> None:
        # Once for each reason: a source that is down is down for every client.
        if why != self._failing:
            self._failing = why
            self._say(logging.WARNING, f"A token could not be looked up: {display(why, limit=512)}")

    async def _hold(self, visitor: Visitor, denied: Denied) -> None:
        if denied.delay_key:
            await self._delays.hold(visitor.host, denied.delay_key)

    async def _holds(self, grant: Grant) -> bool:
        if grant.kind != "token":
            for authenticator in self._authenticators:
                if not await authenticator.holds(grant):
                    return False
            return True
        if self._tokens is None or grant.target is None:
            return False
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._tokens.still_leads(grant.name, grant.target)
        except (TimeoutError, LookupFailed):
            return True


def _name(grant: Grant) -> str:
    if grant.kind == "token":
        return token_label(grant.name)
    name = display(grant.name, limit=64)
    return f"CN {name}" if grant.kind == "certificate" else name
