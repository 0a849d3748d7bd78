"""Pairs of files: NAME.pem with an encrypted key and its certificates, NAME.toml with what is known beside them."""

from __future__ import annotations

import errno
import logging
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomlkit

from wsgui.certificates.private_folder import keep_private
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError
from wsgui.profiles.disk import DiskError, create_file, make_private_folder, remove_file, replace_file
from wsgui.profiles.file_lock import file_lock
from wsgui.profiles.withheld import withhold

MAX_BYTES: Final = 1 << 20
_PEM, _TOML = ".pem", ".toml"
_PASSPHRASE, _MOVING_TO = "passphrase", "passphrase_next"
_COMMENT: Final = (
    "# Belongs to the .pem file of the same name. The passphrase itself is not in here: see where it is.\n"
)
_READ: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a pair of files holds.

    Args:
        pem: The encrypted key, and certificates.
        passphrase: Where the key's passphrase is.
        moving_to: Where it may be already, when a move was cut short; else empty.
        details: Whatever else the TOML file has.
    """

    pem: bytes
    passphrase: str
    moving_to: str
    details: Mapping[str, Any]

    @property
    def references(self) -> tuple[str, ...]:
        return (self.passphrase, self.moving_to) if self.moving_to else (self.passphrase,)


class SealedFiles:
    """The pairs in `folder`, which need not exist yet. All methods block on the disk; writing ones need `locked()`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stems(self) -> tuple[str, ...]:
        """The names, without suffix, of all files that are one of a pair, whole or not."""
        try:
            found = [Path(name) for name in os.listdir(self.folder)]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _unreadable(self.folder, error) from error
        return tuple(sorted({each.stem for each in found if each.suffix in (_PEM, _TOML) and each.name[0] != "."}))

    def pem(self, stem: str) -> Path:
        return self.folder / f"{stem}{_PEM}"

    def toml(self, stem: str) -> Path:
        return self.folder / f"{stem}{_TOML}"

    def read(self, stem: str) -> Sealed | None:
        """A pair, or None when there is neither file.

        Raises:
            CertificateError: One is missing, cannot be read or is broken, or somebody else can change them.
        """
        keep_private(self.folder)
        # In this order: where a passphrase is, is written before the key that needs it.
        toml, pem = _content(self.toml(stem)), _content(self.pem(stem))
        if toml is None and pem is None:
            return None
        if toml is None or pem is None:
            gone = display(str(self.pem(stem) if pem is None else self.toml(stem)))
            raise CertificateError(
                f"The file {gone} is missing.", "Restore it, or remove the certificate and make it anew."
            )
        try:
            values = tomllib.loads(toml.decode())
            passphrase, moving_to = values.pop(_PASSPHRASE), values.pop(_MOVING_TO, "")
            if not isinstance(passphrase, str) or not passphrase or not isinstance(moving_to, str):
                raise ValueError
        except (ValueError, KeyError, RecursionError):
            raise broken(self.toml(stem)) from None
        sealed = Sealed(pem, passphrase, moving_to, values)
        withhold(sealed.references)
        return sealed

    def references(self, stem: str) -> tuple[str, ...]:
        """Where the passphrase of a pair may be, as far as can be told: also of half of one, or a broken one."""
        try:
            values = tomllib.loads((_content(self.toml(stem)) or b"").decode())
        except (CertificateError, ValueError, RecursionError):
            return ()
        found = (values.get(_PASSPHRASE), values.get(_MOVING_TO))
        return tuple(each for each in found if isinstance(each, str) and each)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from changing the folder, which is made where it is missing.

        Raises:
            DiskError: It cannot be made or written to, or somebody else is at it for long.
            CertificateError: Somebody else can change what is in it.
        """
        make_private_folder(self.folder)
        keep_private(self.folder)
        with file_lock(self.folder / ".lock"):
            for left in self.folder.glob(".*.tmp"):  # of a process that was killed: nobody else writes now
                with suppress(OSError):  # a folder of that name is none
                    left.unlink()
            yield

    def write(self, stem: str, sealed: Sealed) -> Sealed:
        """Write a pair, in the place of the one of that name. At all times one can tell where the passphrase is.

        Raises:
            DiskError: It cannot be written; what was there is there again.
        """
        pem, toml = self.pem(stem), self.toml(stem)
        before = {path: self._replaceable(path) for path in (toml, pem)}
        old = self._passphrase_of(before[toml]) if before[pem] is not None else ""
        moves = old not in ("", sealed.passphrase)
        try:
            if moves:
                _put(toml, before[toml], _text(sealed.details, old, sealed.passphrase))
            elif before[toml] is None or before[pem] is None or not old:
                _put(toml, before[toml], _text(sealed.details, sealed.passphrase))
            _put(pem, before[pem], sealed.pem)
            _put(toml, _content(toml), _text(sealed.details, sealed.passphrase))
        except BaseException:
            for path, data in before.items():
                self._restore(path, data)
            raise
        return sealed

    def remove(self, stem: str) -> bool:
        """Remove a pair, broken or not; whether there was one.

        Raises:
            DiskError: A file cannot be removed.
        """
        there = [path for path in (self.pem(stem), self.toml(stem)) if os.path.lexists(path)]
        for path in there:
            remove_file(path)
        return bool(there)

    def _replaceable(self, path: Path) -> bytes | None:
        try:
            return _content(path)
        except CertificateError as error:
            raise DiskError(error.message, error.hint) from error

    @staticmethod
    def _passphrase_of(toml: bytes | None) -> str:
        try:
            value = tomllib.loads((toml or b"").decode()).get(_PASSPHRASE, "")
        except (ValueError, RecursionError):
            return ""
        return value if isinstance(value, str) else ""

    @staticmethod
    def _restore(path: Path, data: bytes | None) -> None:
        try:
            now = _content(path)
            if data is None and now is not None:
                remove_file(path)
            elif data is not None and data != now:
                _put(path, now, data)
        except WsguiError as error:
            _log.error("What was there before could not be put back: %s", error)


def broken(path: Path) -> CertificateError:
    """The error for a file whose content is not what it should be."""
    return CertificateError(
        f"The file {display(str(path))} is damaged.", "Restore it, or remove the certificate and make it anew."
    )


def _text(details: Mapping[str, Any], passphrase: str, moving_to: str = "") -> bytes:
    values = dict(details) | {_PASSPHRASE: passphrase} | ({_MOVING_TO: moving_to} if moving_to else {})
    return (_COMMENT + tomlkit.dumps(values)).encode()


def _put(path: Path, before: bytes | None, data: bytes) -> None:
    if before is None:
        try:
            create_file(path, data)
        except FileExistsError as error:
            raise DiskError(f"{display(str(path))} was made by somebody else meanwhile.", "Try again.") from error
    elif before != data:
        replace_file(path, data, expected=before)


def _content(path: Path) -> bytes | None:
    """What a file holds; None when there is none."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            shown = display(str(path))
            raise CertificateError(
                f"{shown} is a link, which is not followed.", "Put the file itself there."
            ) from error
        raise _unreadable(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CertificateError(f"{display(str(path))} is not a file.", "Move it out of the certificates' folder.")
        data = bytearray()
        while len(data) <= MAX_BYTES and (piece := os.read(descriptor, MAX_BYTES + 1 - len(data))):
            data += piece
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise broken(path)
    return bytes(data)


def _unreadable(path: Path, error: OSError) -> CertificateError:
    why = error.strerror or type(error).__name__
    return CertificateError(f"{display(str(path))} cannot be read: {why}.", "Let the user who runs wsgui read it.")
