"""What the vault tells about certificates and authorities without opening their keys."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from wsgui.certificates.authority import Authority
from wsgui.certificates.description import Description, describe

Kind = Literal["issued", "self-signed", "imported"]


@dataclass(frozen=True, slots=True)
class Managed:
    """The public parts of a certificate that wsgui keeps."""

    name: str
    kind: Kind
    chain: tuple[x509.Certificate, ...]
    """The leaf first, then its intermediates; no root."""
    asked: tuple[str, ...]
    """The names and addresses that were asked for, as a renewal asks again."""
    authority: str
    """The ID of the local authority that signed it; empty when none of ours did."""
    passphrase: str
    """Where the key's passphrase is: "keyring:NAME", "env:VARIABLE", "file:/PATH" or "ask"."""

    @property
    def description(self) -> Description:
        return describe(self.chain[0])


@dataclass(frozen=True, slots=True)
class StoredAuthority:
    """The public parts of a local authority whose intermediate's key wsgui keeps."""

    authority: Authority
    passphrase: str
    """Where the passphrase of the intermediate's key is, as in `Managed`."""
    created: datetime.datetime
    """When it was put here, in UTC."""
