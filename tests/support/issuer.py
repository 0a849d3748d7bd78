"""A vault with certificates of a local authority, whose passphrases stand in a variable of the environment."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from wsgui.certificates.authority import Authority, make_authority
from wsgui.certificates.issue import issue
from wsgui.certificates.vault import Managed, Vault

VARIABLE = "WSGUI_TEST_CERTIFICATES"
REFERENCE = f"env:{VARIABLE}"
PASSPHRASE = "correct horse battery staple"


class Issuer:
    """A vault, and an authority that signs for it.

    Args:
        folder: The vault's.
        environment: Gets the variable with the passphrase of all certificates.
    """

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch) -> None:
        environment.setenv(VARIABLE, PASSPHRASE)
        self.vault = Vault(folder)
        self.authority: Authority
        self.key: EllipticCurvePrivateKey
        self.authority, self.key = make_authority(
            ["office.lan"], machine=[], now=datetime.now(UTC) - timedelta(days=396)
        )

    def make(
        self, name: str, names: Sequence[str] = (), *, now: datetime | None = None, passphrase: str = REFERENCE
    ) -> Managed:
        """Issue a certificate, or another one in the place of the one of that name; for its own name by default."""
        names = tuple(names) or (name,)
        bundle = issue(self.authority, self.key, names, now=now)
        return self.vault.save(name, bundle, "issued", asked=names, authority=self.authority.id, passphrase=passphrase)

    def client_context(self) -> ssl.SSLContext:
        """What trusts this authority and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.authority.root.public_bytes(Encoding.PEM).decode())
        return context
