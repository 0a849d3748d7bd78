"""Who lets clients in when a test wants it to: an authenticator and a source of tokens that wait to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from wsgui.access.admission import Admission
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor


class Gate:
    """Asks every client; `go_on` is set from the beginning, so that it answers at once unless a test clears it."""

    needs_credential = False
    guards_files = True

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.grant: Grant | None = None
        self.held = True
        self.asked: list[Visitor] = []
        self.reviewed = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.opened = 0
        self.closed = 0

    async def open(self) -> None:
        self.opened += 1

    async def authenticate(self, visitor: Visitor, target: TargetAddress | None) -> Grant | None:
        assert not self.closed, "asked after it was closed"
        self.asked.append(visitor)
        await self.go_on.wait()
        assert not self.closed, "closed while it was asked"
        if self.error is not None:
            raise self.error
        return self.grant

    async def holds(self, grant: Grant) -> bool:
        self.reviewed += 1
        await self.go_on.wait()
        return self.held

    async def close(self) -> None:
        self.closed += 1


class Book:
    """Tokens that lead somewhere, as a test has written them."""

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = 512

    def __init__(self, tokens: Mapping[str, TargetAddress]) -> None:
        self.tokens = dict(tokens)

    async def open(self) -> None: ...

    async def look_up(self, token: str) -> TargetAddress | None:
        return self.tokens.get(token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        return self.tokens.get(token) == target

    async def close(self) -> None: ...


NO = Denied(403, "Not you.", "Be somebody else.", rule="plugin", headers=(("X-Why", "because"),))


async def admission_of(gate: Gate | None = None, book: Book | None = None) -> Admission:
    """An open admission that asks these."""
    admission = Admission([gate] if gate is not None else [], book, deadline_seconds=10.0)
    await admission.open()
    return admission
