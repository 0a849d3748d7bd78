"""Exported certificates as files: private, whole or not at all, and never by accident over another one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.disk import DiskError, create_file


def save_file(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write an exported file (0600); what is in its place is replaced only when asked for, a link itself included.

    Raises:
        CertificateError: there is something already, and it was not `replace`.
        DiskError: it cannot be written.
    """
    path = path.absolute()
    try:
        if not replace:
            create_file(path, data)
            return
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        create_file(temporary, data)
        try:
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except FileExistsError:
        raise CertificateError(
            f"There is a file {display(str(path))} already.", "Name another one, or have it replaced with --force."
        ) from None
    except OSError as error:
        raise DiskError(
            f"{display(str(path))} cannot be written: {error.strerror or type(error).__name__}.",
            "Check the folder's permissions and the disk's free space.",
        ) from error
