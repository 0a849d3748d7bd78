"""Tokens as the names of small files in a folder, each with `host:port` in it."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path
from typing import ClassVar, Final

from wsgui.access.threads import Threads
from wsgui.access.tokens import as_websockify
from wsgui.access.tokens.source import MAX_ANSWER_BYTES, MAX_TOKEN_BYTES, LookupFailed, parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.errors import WsguiError

SETTLE_SECONDS: Final = 0.3
"""How long an empty file may be about to be written, and a missing one about to be replaced."""
THREADS: Final = 4

_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
# Non-blocking, as opening a FIFO would wait for its writer.
_FILE: Final = (
    os.O_RDONLY | _CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)
_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _CLOEXEC
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NOT_THERE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EXDEV, errno.EINVAL, errno.ENXIO}
)


class FilePerToken:
    """Leads to where the file called as the token says; it is read at each look-up.

    Links may lead to other files in the folder, as container platforms make them, and never out of it.

    Args:
        folder: `~` is the user's folder.
        lenient: As websockify: of a token with slashes the last part counts, hidden files and links out count too.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, folder: str, *, lenient: bool = False) -> None:
        self._folder = Path(folder).expanduser().absolute()
        self._lenient = lenient
        self._destination = as_websockify.destination if lenient else parse_destination
        self._threads = Threads("file per token", THREADS)

    async def open(self) -> None:
        """Look whether the folder is there.

        Raises:
            WsguiError: It is missing, no folder or cannot be entered; or, unless lenient, there is no file in it.
        """
        problem = await self._threads.run(self._problem)
        if problem:
            raise WsguiError(
                problem, "Make the folder, and in it a file for each token with host:port in it.", field="tokens.source"
            )

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where the file called `token` leads; None when there is none.

        Raises:
            LookupFailed: The folder is gone, or the file cannot be read or holds no address.
        """
        name = self._name(token)
        if name is None:
            return None
        text = await self._threads.run(self._read, name)
        if text is not None and not text.strip():
            await asyncio.sleep(SETTLE_SECONDS)
            text = await self._threads.run(self._read, name)
        if text is None:
            return None
        target = self._destination(text)
        if target is None:
            raise LookupFailed("The file of a token has no address in it.", 'Write one into it, such as "office:5901".')
        return target

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return whether the token's file is there and leads nowhere else than to `target`."""
        name = self._name(token)
        if name is None:
            return False
        if not await self._threads.run(self._says, name):
            await asyncio.sleep(SETTLE_SECONDS)
        text = await self._threads.run(self._says, name)
        # A mistake in it is there to be mended.
        return text != "" and self._destination(text) in (None, target)

    async def close(self) -> None:
        """Do nothing: no file is open."""

    def _name(self, token: str) -> str | None:
        name = os.path.basename(token) if self._lenient else token
        if not name or name in (".", "..") or "\0" in name or "/" in name or os.sep in name:
            return None
        return name if self._lenient or not name.startswith(".") else None

    def _problem(self) -> str:
        shown = display(str(self._folder))
        try:
            with os.scandir(self._folder) as found:
                if self._lenient or any(not item.name.startswith(".") for item in found):
                    return ""
        except OSError as error:
            return f"The folder of tokens {shown} cannot be read: {error.strerror or type(error).__name__}."
        return f"There is no token in the folder {shown}."

    def _says(self, name: str) -> str:
        """Return what the file says; nothing when it, or the whole folder, is gone."""
        try:
            return (self._read(name) or "").strip()
        except LookupFailed:
            if self._folder.exists():
                raise
            return ""

    def _read(self, name: str) -> str | None:
        """Return what the file says; None when there is none of that name."""
        try:
            descriptor = self._open(name)
        except ValueError:  # what no file system can write
            return None
        except OSError as error:
            if error.errno in _NOT_THERE and self._folder.is_dir():
                return None
            why = error.strerror or type(error).__name__
            raise LookupFailed(f"The file of a token cannot be read: {why}.", "Let wsgui read the folder.") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            data = os.read(descriptor, MAX_ANSWER_BYTES + 1)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise LookupFailed(f"The file of a token cannot be read: {why}.", "Look at the disk.") from None
        finally:
            os.close(descriptor)
        # What is too long is no address either.
        return data.decode("utf-8", "replace") if len(data) <= MAX_ANSWER_BYTES else "too long"

    def _open(self, name: str) -> int:
        if os.open not in os.supports_dir_fd:
            return self._open_listed(name)
        if self._lenient:
            return os.open(self._folder / name, _FILE)
        folder = os.open(self._folder, _FOLDER)
        try:
            return os.open(name, _FILE | _NOFOLLOW, dir_fd=folder)
        except OSError:
            if not (self._folder / name).is_symlink():
                raise
            return _open_link(self._folder, name)
        finally:
            os.close(folder)

    def _open_listed(self, name: str) -> int:
        """Open a file where names can also be devices and streams (Windows): only what the folder lists."""
        if name not in os.listdir(self._folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        path = os.path.realpath(self._folder / name)
        if not self._lenient and os.path.dirname(path) != os.path.realpath(self._folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return os.open(path, _FILE)


def _open_link(folder: Path, name: str) -> int:
    """Open what a link in `folder` leads to, if that is beneath it: name by name, following no further link."""
    base = os.path.realpath(folder)
    path = os.path.realpath(folder / name, strict=True)
    if os.path.commonpath((base, path)) != base or path == base:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    *above, last = os.path.relpath(path, base).split(os.sep)
    here = os.open(base, _FOLDER)
    try:
        for step in above:
            below = os.open(step, _FOLDER | _NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, _FILE | _NOFOLLOW, dir_fd=here)
    finally:
        os.close(here)
