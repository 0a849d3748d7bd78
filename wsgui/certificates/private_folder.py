"""Whether a folder is one's own: who else could change what is in it could choose where a key's passphrase goes."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.disk import FOLDER_MODE


def keep_private(folder: Path) -> None:
    """Take the rights of others in `folder` away, and see that nobody else can change or replace it. Blocking.

    One that is not there is nobody's. Root, in a container also, may use a folder of another user.

    Raises:
        CertificateError: Somebody else can.
    """
    if os.name == "nt":
        return  # It is beneath the user's profile, whose access list says the same.
    try:
        status = os.stat(folder)
        if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == os.geteuid():
            with suppress(OSError):
                os.chmod(folder, FOLDER_MODE)
            status = os.stat(folder)
        above = os.stat(folder.resolve().parent)
    except OSError:
        return  # Whoever wants something in it hears why that cannot be.
    shown = display(str(folder))
    if os.geteuid() not in (0, status.st_uid) and status.st_uid != 0:
        raise CertificateError(
            f"The folder {shown} belongs to another user, who could take your keys.",
            "Remove it, or set WSGUI_DATA_DIR to a folder of your own.",
        )
    if status.st_mode & stat.S_IWOTH:
        raise CertificateError(
            f"Others can write into the folder {shown}, and so take your keys.",
            f"Run: chmod 700 {shlex.quote(shown)} — or set WSGUI_DATA_DIR to a folder where that is possible.",
        )
    if above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
        parent = display(str(folder.resolve().parent))
        raise CertificateError(
            f"Others can write into the folder {parent}, and so put another in the place of {shown}.",
            f"Run: chmod o-w {shlex.quote(parent)}",
        )
