"""A process's certificates, which many have none of: what reads and signs them is loaded when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wsgui.app.paths import Paths
from wsgui.profiles.model import Profile

if TYPE_CHECKING:
    from wsgui.app.certificates import Certificates, Renewal
    from wsgui.certificates.managed import Managed
    from wsgui.certificates.vault import Vault


class CertificatesWhenNeeded:
    """Opens `app.certificates.Certificates` once; for an engine it is the vault, for renewal what is renewed.

    Any thread may call; all methods block. Arguments as for `Certificates`.
    """

    def __init__(
        self,
        paths: Paths,
        profiles: Callable[[], Sequence[Profile]],
        *,
        ask: Callable[[str], str] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._paths = paths
        self._profiles = profiles
        self._ask = ask
        self._vault = vault
        self._opened: Certificates | None = None
        self._opening = threading.Lock()

    def open(self) -> Certificates:
        """The certificates, always the same object."""
        with self._opening:
            if self._opened is None:
                from wsgui.app.certificates import Certificates  # with `cryptography` it is a quarter of a start

                self._opened = Certificates(self._paths, self._profiles, ask=self._ask, vault=self._vault)
            return self._opened

    def are_there(self) -> bool:
        """Whether there are any, or anything that may be one."""
        folder = self._paths.certificates
        try:
            return any(
                path.suffix in (".pem", ".toml") for each in (folder, folder / "authorities") for path in _in(each)
            )
        except OSError:
            return True  # opening them says what is wrong

    def read(self, name: str) -> Managed:
        """As `Vault.read`."""
        return self.open().vault.read(name)

    def passphrase(self, name: str) -> str:
        """As `Vault.passphrase`."""
        return self.open().vault.passphrase(name)

    def file(self, name: str) -> Path:
        """As `Vault.file`."""
        return self.open().vault.file(name)

    def withhold_variables(self) -> None:
        """As `Vault.withhold_variables`."""
        if self.are_there():
            self.open().vault.withhold_variables()

    def renew_due(self, now: datetime) -> Sequence[Renewal]:
        """As `Certificates.renew_due`."""
        return self.open().renew_due(now) if self.are_there() else ()


def _in(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
