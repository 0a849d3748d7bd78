"""What tokens mean on websockify's command line, which asks for less than a profile does."""

from __future__ import annotations

import os
from typing import ClassVar, Final

from wsgui.access.tokens.source import TokenSource, parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.profiles.addresses import DEFAULT_TARGET_HOST, MAX_UNIX_PATH, UnixAddress

_UNIX: Final = "unix_socket:"


def destination(text: str) -> TargetAddress | None:
    """Return what websockify connects to for `text`: `host:port`, `:port` on this computer, `unix_socket:/path`."""
    text = text.strip()
    if text.startswith(_UNIX):
        path = os.path.abspath(text.removeprefix(_UNIX))
        return UnixAddress(path) if "\0" not in path and len(os.fsencode(path)) <= MAX_UNIX_PATH else None
    if text.startswith(":") and text[1:].isdigit():
        text = DEFAULT_TARGET_HOST + text
    return parse_destination(text)


class AsWebsockify:
    """A source as websockify's command line asks it: tokens of any length, targets anywhere."""

    from_outside: ClassVar[bool] = False
    max_token_bytes: ClassVar[int] = 64 * 1024

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def open(self) -> None:
        """As the source does."""
        await self._source.open()

    async def look_up(self, token: str) -> TargetAddress | None:
        """As the source does."""
        return await self._source.look_up(token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """As the source does."""
        return await self._source.still_leads(token, target)

    async def close(self) -> None:
        """As the source does."""
        await self._source.close()
