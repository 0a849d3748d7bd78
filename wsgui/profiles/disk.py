"""Small files on disk, read without being held up and written so that a crash or a planted link can do no harm."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.display import display
from wsgui.errors import WsguiError

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700

_READ: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CREATE: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)


class DiskError(WsguiError):
    """A file could not be read or written."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells, without reading it, that a file is another or has been written to."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def read_regular(path: Path, limit: int) -> tuple[bytes, Signature]:
    """Up to `limit` + 1 bytes of a regular file, and its signature after the reading.

    Raises:
        OSError: it cannot be opened or read.
        DiskError: it is no regular file (a FIFO would hold us up).
    """
    descriptor = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DiskError("It is not a file.", "Name a TOML file, or move this out of the profiles' folder.")
        data = bytearray()
        while len(data) <= limit and (piece := os.read(descriptor, limit + 1 - len(data))):
            data += piece
    finally:
        os.close(descriptor)
    # By its path, as listings do: not every system says the same of an open file.
    return bytes(data), Signature.of(os.stat(path))


def make_private_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it for this user only; what exists stays as it is.

    Raises:
        DiskError: it cannot be made.
    """
    try:
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        raise _failed("made", folder, error) from error


def create_file(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all; an existing one is never touched.

    Raises:
        FileExistsError: there is something at `path` already.
        DiskError: it cannot be written.
    """
    temporary = _write_temporary(path, data)
    try:
        if os.name == "nt":
            os.rename(temporary, path)  # Here it fails where something exists.
        else:
            os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        raise _failed("written", path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def replace_file(path: Path, data: bytes, *, expected: bytes) -> None:
    """Replace a file that holds `expected`, whole or not at all.

    Raises:
        DiskError: it is a link, somebody else has written to it meanwhile, or it cannot be written.
    """
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise DiskError(
                f"{display(str(path))} is a link, and is not written through.", "Edit the file it points to."
            )
        current, _ = read_regular(path, len(expected))
    except OSError as error:
        raise _failed("read", path, error) from error
    if current != expected:
        raise DiskError(f"{display(str(path))} was changed by somebody else meanwhile.", "Try again.")
    temporary = _write_temporary(path, data)
    try:
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _failed("written", path, error) from error
    _sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file (a link: the link).

    Raises:
        DiskError: it cannot be removed.
    """
    try:
        path.unlink()
    except OSError as error:
        raise _failed("removed", path, error) from error
    _sync_folder(path.parent)


def _write_temporary(path: Path, data: bytes) -> Path:
    # The dot and the suffix keep it from being taken for a profile by whoever reads the folder meanwhile.
    temporary = path.with_name(f".{path.stem[:64]}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, _CREATE, FILE_MODE)
    except OSError as error:
        raise _failed("written", path, error) from error
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _failed("written", path, error) from error
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets folders be synced."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return  # The file is in place; a folder that may be written but not opened is no reason to say it is not.
    try:
        os.fsync(descriptor)
    except OSError:
        return  # Some network file systems refuse this.
    finally:
        os.close(descriptor)


def _failed(what: str, path: Path, error: OSError) -> DiskError:
    why = error.strerror or type(error).__name__
    return DiskError(
        f"{display(str(path))} cannot be {what}: {why}.", "Check the folder's permissions and the disk's free space."
    )
