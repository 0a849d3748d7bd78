"""Who changes certificates does so alone: one process and one thread at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wsgui.app.single_instance import claim
from wsgui.errors import CertificateError
from wsgui.profiles.disk import make_private_folder

WAIT_SECONDS: Final = 30.0
_NAME: Final = "certificates"
_AGAIN_SECONDS: Final = 0.05


@contextlib.contextmanager
def alone(folder: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep everybody else from changing the certificates in `folder` meanwhile. Blocking.

    Raises:
        CertificateError: somebody else has been at it for `wait_seconds`.
        DiskError: the folder cannot be made.
        FolderError: its lock file cannot be made.
    """
    make_private_folder(folder)
    deadline = time.monotonic() + wait_seconds
    while (held := claim(folder, _NAME)) is None:
        if time.monotonic() > deadline:
            raise CertificateError(
                "Another wsgui is changing the certificates.", "Let it come to its end, and try again."
            )
        time.sleep(_AGAIN_SECONDS)  # A lock that waits cannot be given up on every system.
    with held:
        yield
