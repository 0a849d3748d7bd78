"""Opens a regular file beneath a folder in one step, so that no link or swap leads out of it."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

# Non-blocking, as opening a FIFO would wait for its writer; a regular file is not affected.
_FILE: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
# With O_PATH a folder that may be entered but not listed still serves its files.
_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)

_MAX_LINKS: Final = 40  # as Linux follows at most (path_resolution(7))
_SYS_OPENAT2: Final = 437  # on every architecture but alpha
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_BENEATH: Final = 0x08
_ATTEMPTS: Final = 8

Opener = Callable[[int, Sequence[str]], int]


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_file(root: Path, names: Sequence[str], *, follow: bool = False) -> tuple[int, os.stat_result]:
    """Open the regular file that `names` lead to beneath `root`; blocking, but never for long.

    Args:
        root: The folder; links in its own path are followed.
        names: Each a single plain name: neither empty, "." nor "..", and without separators.
        follow: Follow links out of `root` too, as the owner of the files has made them.

    Returns:
        Its descriptor, to be closed by the caller, and what `fstat` says of it.

    Raises:
        IsADirectoryError: It is a folder.
        FileNotFoundError: Nothing is there, or it is no regular file.
        OSError: EXDEV where a link leads out of `root`, EACCES and others as of open(2).
    """
    if not by_descriptor():
        return _regular(open_checked(root, names, follow=follow))
    return _regular(open_any(root, names, follow=follow))


def by_descriptor() -> bool:
    """Return whether this system opens files by descriptors of their folders; Windows does not."""
    return os.open in os.supports_dir_fd


def open_any(root: Path, names: Sequence[str], *, follow: bool = False) -> int:
    """Open what `names` lead to beneath `root`, a folder too; only where `by_descriptor`. Raises as `open_file`."""
    if follow:
        return os.open(os.path.join(root, *names), _FILE)
    folder = os.open(root, _FOLDER)
    try:
        return _best_opener()(folder, names)
    finally:
        os.close(folder)


def _regular(descriptor: int) -> tuple[int, os.stat_result]:
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        return descriptor, status
    os.close(descriptor)
    raise _error(errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.ENOENT)


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def open_by_openat2(folder: int, names: Sequence[str]) -> int:
    """Open a file beneath a folder's descriptor with Linux's openat2(2), which the kernel resolves as a whole."""
    path = os.fsencode("/".join(names) or ".")
    how = _OpenHow(_FILE, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    libc = _libc()
    code = errno.EAGAIN
    for _ in range(_ATTEMPTS):
        descriptor: int = libc.syscall(
            ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(folder), path, ctypes.byref(how), ctypes.c_size_t(24)
        )
        if descriptor >= 0:
            return descriptor
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: something was renamed while ".." was resolved
            break
    raise _error(code)


def open_by_walk(folder: int, names: Sequence[str]) -> int:
    """Open a file beneath a folder's descriptor name by name; links are read, never followed by the system."""
    todo = list(reversed(names))
    held: list[int] = []  # the folders entered so far; `folder` itself is not ours to close
    links = 0
    try:
        while True:
            here = held[-1] if held else folder
            while todo and todo[-1] in ("", "."):
                todo.pop()
            if not todo:
                return os.open(".", _FILE, dir_fd=here)
            name = todo.pop()
            if name == "..":
                if not held:
                    raise _error(errno.EXDEV)
                os.close(held.pop())
                continue
            try:
                descriptor = os.open(name, (_FOLDER if todo else _FILE) | _NOFOLLOW, dir_fd=here)
            except OSError:
                target = _link_target(name, here)
                if target is None:
                    raise
                links += 1
                if links > _MAX_LINKS:
                    raise _error(errno.ELOOP) from None
                if target.startswith("/"):
                    raise _error(errno.EXDEV) from None
                todo.extend(reversed(target.split("/")))
                continue
            if not todo:
                return descriptor
            held.append(descriptor)
    finally:
        for descriptor in held:
            os.close(descriptor)


def _link_target(name: str, folder: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def resolve_checked(root: Path, names: Sequence[str], *, follow: bool = False) -> str:
    """Return the path without links that `names` lead to; OSError with EXDEV where that is not beneath `root`."""
    base = os.path.realpath(root)
    path = os.path.realpath(os.path.join(base, *names), strict=True)
    if not follow and os.path.commonpath((base, path)) != base:
        raise _error(errno.EXDEV)
    return path


def open_checked(root: Path, names: Sequence[str], *, follow: bool = False) -> int:
    """Open a file where there are no descriptors of folders (Windows): resolve, open, then look again."""
    path = resolve_checked(root, names, follow=follow)
    if os.path.isdir(path):
        raise _error(errno.EISDIR)
    descriptor = os.open(path, _FILE)
    try:
        if os.path.realpath(path) != path or not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            raise _error(errno.EXDEV)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _best_opener() -> Opener:
    """Return openat2 where kernel (5.6) and sandbox (older Docker forbids it) let it through, else the walk."""
    if not sys.platform.startswith("linux"):
        return open_by_walk
    folder = os.open("/", _FOLDER)
    try:
        os.close(open_by_openat2(folder, ()))
    except OSError:
        return open_by_walk
    finally:
        os.close(folder)
    return open_by_openat2
