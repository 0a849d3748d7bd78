"""Tokens as the names of unix sockets in a folder."""

from __future__ import annotations

import os
import stat
from typing import ClassVar, Final

from wsgui.access.keyed import token_label
from wsgui.access.threads import Threads
from wsgui.access.tokens.source import MAX_TOKEN_BYTES, LookupFailed
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import MAX_UNIX_PATH, UnixAddress

THREADS: Final = 4


class TokenSocket(UnixAddress):
    """A socket that is called as the token is: where people see it, the token's label stands instead."""

    __slots__ = ()

    def __str__(self) -> str:
        folder, name = os.path.split(self.path)
        return f"unix:{folder}/({token_label(name)})"

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, UnixAddress) else NotImplemented

    def __hash__(self) -> int:
        return hash(UnixAddress(self.path))


class SocketFolder:
    """Leads to the unix socket that is called as the token.

    The profile names the folder, so its targets are not from outside, and `[tokens] allow` does not concern them.

    Args:
        folder: `~` is the user's folder.
        lenient: As websockify: a token may also name a socket in a folder below, and links count.
    """

    from_outside: ClassVar[bool] = False
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, folder: str, *, lenient: bool = False) -> None:
        self._folder = os.path.abspath(os.path.expanduser(folder))
        self._lenient = lenient
        self._threads = Threads("sockets", THREADS)

    async def open(self) -> None:
        """Look whether the folder is there; that it is empty is no mistake, as sockets come and go with programs.

        Raises:
            WsguiError: Unless lenient, it is missing, no folder, or cannot be entered.
        """
        if self._lenient:
            return
        problem = await self._threads.run(self._problem)
        if problem:
            raise WsguiError(problem, "Name a folder that the sockets are in.", field="tokens.source")

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return the socket called `token`; None when there is none.

        Raises:
            LookupFailed: The folder is gone or cannot be entered, or the socket's path is too long for the system.
        """
        return await self._threads.run(self._find, token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Say yes: a program that restarts takes its socket away for a moment, and takes back no permission by it."""
        return True

    async def close(self) -> None:
        """Do nothing."""

    def _problem(self) -> str:
        shown = display(self._folder)
        try:
            mode = os.stat(os.path.join(self._folder, ".")).st_mode
        except OSError as error:
            return f"The folder of sockets {shown} cannot be entered: {error.strerror or type(error).__name__}."
        return "" if stat.S_ISDIR(mode) else f"{shown} is no folder."

    def _find(self, token: str) -> UnixAddress | None:
        if not token or "\0" in token or token in (".", ".."):
            return None
        path = os.path.normpath(os.path.join(self._folder, token))
        # A profile's token is a bare name; any other must at least come out beneath the folder.
        bare = os.path.join(self._folder, token) == path and os.path.dirname(path) == self._folder
        if not bare and not (self._lenient and os.path.commonpath((self._folder, path)) == self._folder):
            return None
        try:
            mode = (os.stat if self._lenient else os.lstat)(path).st_mode
        except ValueError:  # what no file system can write
            return None
        except OSError:
            problem = self._problem()
            if problem:
                raise LookupFailed(problem) from None
            return None
        if not stat.S_ISSOCK(mode):
            return None
        if len(os.fsencode(path)) > MAX_UNIX_PATH:
            raise LookupFailed(
                f"A socket's path is longer than {MAX_UNIX_PATH} bytes.", "Use a folder with a shorter path."
            )
        return UnixAddress(path) if self._lenient else TokenSocket(path)
