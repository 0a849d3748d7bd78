"""The trust stores of this platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from wsgui.certificates.trust.macos import KeychainStore
from wsgui.certificates.trust.nss import chrome_store, firefox_store
from wsgui.certificates.trust.store import TrustStore
from wsgui.certificates.trust.system import SystemStore
from wsgui.certificates.trust.tools import Tools
from wsgui.certificates.trust.windows import WindowsStore


def stores(
    folder: Path, *, environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> tuple[TrustStore, ...]:
    """Return this platform's stores, whether they exist or not (`TrustState.ABSENT` then).

    Args:
        folder: Where the public certificate is put for commands that a person is told to run; made when needed.
        environment: HOME, PATH and the like; the process's when None.
    """
    tools = Tools(os.environ if environment is None else environment)
    if platform == "win32":
        return (WindowsStore(tools, folder),)
    if platform == "darwin":
        return (KeychainStore(tools, folder), firefox_store(tools, folder))
    return (SystemStore(tools, folder), chrome_store(tools, folder), firefox_store(tools, folder))
