"""Certificates and authorities on disk, their keys encrypted, with passphrases that are kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from wsgui.certificates.authority import Authority
from wsgui.certificates.issue import Bundle
from wsgui.certificates.managed import Kind, Managed, StoredAuthority

__all__ = ["Managed", "StoredAuthority", "Vault"]


class Vault:
    """The certificates in `folder`, which need not exist yet. All methods block on the disk, some on the keyring.

    Args:
        folder: `Paths.certificates`.
        ask: Asks a person for a passphrase that is kept nowhere ("ask"); None where nobody can be asked.
    """

    def __init__(self, folder: Path, *, ask: Callable[[str], str] | None = None) -> None:
        self.folder = folder
        self._ask = ask

    def names(self) -> tuple[str, ...]:
        """The names of all certificates, broken ones too, in alphabetical order."""
        raise NotImplementedError

    def read(self, name: str) -> Managed:
        """The public parts of a certificate; never asks for a passphrase.

        Raises:
            CertificateError: there is none of that name, or its files are broken.
        """
        raise NotImplementedError

    def file(self, name: str) -> Path:
        """The PEM file with the encrypted key, the leaf and its intermediates; it need not exist.

        Raises:
            CertificateError: the name is none that a certificate can have.
        """
        raise NotImplementedError

    def passphrase(self, name: str) -> str:
        """The passphrase that opens the key in `file(name)`.

        Raises:
            SecretError: it cannot be had, or is not the right one.
            CertificateError: there is no such certificate, or its files are broken.
        """
        raise NotImplementedError

    def key(self, name: str) -> PrivateKeyTypes:
        """The certificate's private key; raises as `passphrase`."""
        raise NotImplementedError

    def save(
        self, name: str, bundle: Bundle, kind: Kind, *, asked: Sequence[str], authority: str, passphrase: str = ""
    ) -> Managed:
        """Keep a certificate under `name`, in the place of the one that has it: key and chain change together.

        Args:
            passphrase: Where its passphrase is: "keyring" or "" (the keyring, in an entry of its own), "keyring:NAME",
                "env:VARIABLE", "file:/PATH" or "ask". With "" an existing certificate keeps what it has.

        Raises:
            SecretError: there is no passphrase to be had there; nothing was written.
            CertificateError: the name is none that a certificate can have.
            DiskError: the files cannot be written; what was there is as it was.
        """
        raise NotImplementedError

    def move_passphrase(self, name: str, reference: str) -> Managed:
        """Encrypt the certificate's key anew, with the passphrase that `reference` names as `save` has it.

        Raises:
            SecretError: the old or the new passphrase cannot be had; nothing has changed.
            CertificateError: there is no such certificate, or its files are broken.
        """
        raise NotImplementedError

    def remove(self, name: str) -> bool:
        """Remove a certificate, and its own entry in the keyring; a broken one too. Whether there was one."""
        raise NotImplementedError

    def unlock(self, name: str, passphrase: str) -> None:
        """Keep an "ask" certificate's passphrase in this object's memory, once it has opened the key.

        Raises:
            SecretError: it does not open the key.
        """
        raise NotImplementedError

    def authorities(self) -> tuple[StoredAuthority, ...]:
        """The authorities, newest first; those whose files are broken are left out (see `broken_authorities`)."""
        raise NotImplementedError

    def save_authority(self, authority: Authority, key: EllipticCurvePrivateKey, passphrase: str = "") -> StoredAuthority:
        """Keep an authority and its intermediate's key; arguments and errors as in `save`."""
        raise NotImplementedError

    def signing_key(self, identity: str) -> EllipticCurvePrivateKey:
        """The key of an authority's intermediate; raises as `key`."""
        raise NotImplementedError

    def unlock_authority(self, identity: str, passphrase: str) -> None:
        """As `unlock`, for the key of an authority's intermediate."""
        raise NotImplementedError

    def remove_authority(self, identity: str) -> bool:
        """Remove an authority, and its own entry in the keyring. Whether there was one."""
        raise NotImplementedError
