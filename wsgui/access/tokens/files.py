"""Tokens in a file, or in a folder of files, with lines `token: host:port`; read again when they have changed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Final

from wsgui.access.threads import Threads
from wsgui.access.tokens import as_websockify
from wsgui.access.tokens.lines import token_key
from wsgui.access.tokens.source import MAX_TOKEN_BYTES, LookupFailed, parse_destination
from wsgui.access.tokens.table import GONE_SECONDS, TokenTable, View
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.errors import WsguiError

LOOK_AGAIN_SECONDS: Final = 0.05
BELIEVED_SECONDS: Final = GONE_SECONDS + 1.0
"""After which a token that was found at no look is gone even when the files never come to rest."""
_HINT: Final = 'Write a line such as "anna: office:5901" into it, and let the user that runs wsgui read it.'


class TokenFiles:
    """Leads to where token files say.

    What is added to a file counts from then on. What is removed is known once the file has come to rest, which
    `look_up` waits for (`wsgui.access.tokens.table` tells how long), and then ends the sessions that rest on it. So
    does deleting the file or its folder; nobody is let in by a file that is missing. When it is there and cannot be
    read, nobody new is let in, and sessions go on.

    Args:
        path: The file or folder; `~` is the user's folder.
        once: Read it once and never again (websockify's ReadOnlyTokenFile).
        lenient: As websockify: it may be missing or empty at first, and hidden files of a folder count too.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, path: str, *, once: bool = False, lenient: bool = False) -> None:
        self._path = Path(path).expanduser().absolute()
        self._once = once
        self._lenient = lenient
        destination = as_websockify.destination if lenient else parse_destination
        self._table = TokenTable(self._path, every_file=lenient, destination=destination)
        self._threads = Threads("tokens", 1)
        self._view: View | None = None
        self._one_at_a_time = asyncio.Lock()
        self._begun = 0
        self._absent: dict[bytes, float] = {}  # tokens of sessions that were not found since then

    async def open(self) -> None:
        """Read the tokens.

        Raises:
            WsguiError: The file or folder is missing, unreadable, or has no token in it.
        """
        if self._once and self._lenient:
            return  # it may be written before the first look-up
        view = await self._look()
        if self._lenient:
            return
        if view.problem:
            raise WsguiError(view.problem, _HINT, field="tokens.source")
        if not any(view.targets):
            raise WsguiError(f"There is no token in {display(str(self._path))}.", _HINT, field="tokens.source")

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when no file has it.

        Raises:
            LookupFailed: A file or the folder is missing or unreadable.
        """
        key = token_key(token)
        loop = asyncio.get_running_loop()
        patience = loop.time() + BELIEVED_SECONDS
        while True:
            view = await self._look()
            target = view.find(key)
            if target is not None:
                return target
            if view.settled or (self._once and not view.problem) or loop.time() > patience:
                break
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        if view.problem:
            raise LookupFailed(view.problem, _HINT)
        return None

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return whether a file takes `token` to `target`, or cannot be read now and did so before."""
        key = token_key(token)
        view = await self._look()
        if view.find(key) == target or view.knew(key, target):
            self._absent.pop(key, None)
            return True
        if view.settled:
            self._absent.clear()
            return False
        now = asyncio.get_running_loop().time()
        return now - self._absent.setdefault(key, now) < BELIEVED_SECONDS

    async def close(self) -> None:
        """Do nothing: no file is open."""

    async def _look(self) -> View:
        """Look at the files; whoever came while others waited shares their next look."""
        begun = self._begun
        async with self._one_at_a_time:
            if self._view is None or (self._begun == begun and not (self._once and not self._view.problem)):
                self._begun += 1
                self._view = await self._threads.run(self._table.look)
            return self._view
