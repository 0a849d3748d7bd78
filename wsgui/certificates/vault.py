"""Certificates and authorities on disk, their keys encrypted, with passphrases that are kept elsewhere."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from wsgui.certificates.authority import Authority
from wsgui.certificates.file_names import file_stem, name_of
from wsgui.certificates.issue import Bundle, PrivateKey
from wsgui.certificates.managed import Kind, Managed, StoredAuthority
from wsgui.certificates.sealed_files import Sealed, broken
from wsgui.certificates.sealed_keys import SealedKeys
from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.withheld import withhold

__all__ = ["Managed", "StoredAuthority", "Vault"]

_IDENTITY: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)


class Vault:
    """The certificates in `folder`, which need not exist yet. All methods block on the disk, some on the keyring.

    Args:
        folder: `Paths.certificates`.
        ask: Asks a person for a passphrase that is kept nowhere ("ask"); None where nobody can be asked.
    """

    def __init__(self, folder: Path, *, ask: Callable[[str], str] | None = None) -> None:
        self.folder = folder
        self._certificates = SealedKeys(folder, "certificate", file_stem, ask)
        self._authorities = SealedKeys(folder / "authorities", "authority", _identity, ask)

    def names(self) -> tuple[str, ...]:
        """The names of all certificates, broken ones too, in alphabetical order."""
        names = (name_of(stem) for stem in self._certificates.files.stems())
        return tuple(sorted(name for name in names if name is not None))

    def withhold_variables(self) -> None:
        """See to it that no program which a tunnel runs gets a variable that a passphrase is in."""
        for files in (self._certificates.files, self._authorities.files):
            for stem in files.stems():
                withhold(files.references(stem))

    def read(self, name: str) -> Managed:
        """The public parts of a certificate; never asks for a passphrase.

        Raises:
            CertificateError: there is none of that name, or its files are broken.
        """
        return self._managed(name, *self._certificates.read(name))

    def file(self, name: str) -> Path:
        """The PEM file with the encrypted key, the leaf and its intermediates; it need not exist.

        Raises:
            CertificateError: the name is none that a certificate can have.
        """
        return self._certificates.files.pem(file_stem(name))

    def passphrase(self, name: str) -> str:
        """The passphrase that opens the key in `file(name)`.

        Raises:
            SecretError: it cannot be had, or is not the right one.
            CertificateError: there is no such certificate, or its files are broken.
        """
        return self._certificates.open(name)[0]

    def key(self, name: str) -> PrivateKey:
        """The certificate's private key; raises as `passphrase`."""
        return self._certificates.open(name)[1]

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
        details = {"kind": kind, "names": list(asked), "authority": authority}
        return self._managed(
            name, self._certificates.save(name, bundle.key, bundle.chain, details, passphrase), bundle.chain
        )

    def move_passphrase(self, name: str, reference: str) -> Managed:
        """Encrypt the certificate's key anew, with the passphrase that `reference` names as `save` has it.

        Raises:
            SecretError: the old or the new passphrase cannot be had; nothing has changed.
            CertificateError: there is no such certificate, or its files are broken.
        """
        return self._managed(name, self._certificates.move(name, reference), self._certificates.read(name)[1])

    def remove(self, name: str) -> bool:
        """Remove a certificate, and its own entry in the keyring; a broken one too. Whether there was one."""
        return self._certificates.remove(name)

    def unlock(self, name: str, passphrase: str) -> None:
        """Keep an "ask" certificate's passphrase in this object's memory, once it has opened the key.

        Raises:
            SecretError: it does not open the key.
        """
        self._certificates.unlock(name, passphrase)

    def authorities(self) -> tuple[StoredAuthority, ...]:
        """The authorities, newest first; those whose files are broken are left out (see `broken_authorities`)."""
        found = []
        for identity in self._identities():
            try:
                found.append(self._stored(identity, *self._authorities.read(identity)))
            except CertificateError:
                continue
        return tuple(sorted(found, key=lambda each: each.created, reverse=True))

    def broken_authorities(self) -> tuple[CertificateError, ...]:
        """What is wrong with each authority that `authorities` leaves out."""
        problems = []
        for identity in self._identities():
            try:
                self._stored(identity, *self._authorities.read(identity))
            except CertificateError as error:
                problems.append(error)
        return tuple(problems)

    def save_authority(
        self, authority: Authority, key: EllipticCurvePrivateKey, passphrase: str = ""
    ) -> StoredAuthority:
        """Keep an authority and its intermediate's key; arguments and errors as in `save`."""
        details: dict[str, Any] = {
            "created": datetime.datetime.now(datetime.UTC),
            "permitted": list(authority.permitted),
        }
        chain = (authority.intermediate, authority.root)
        sealed = self._authorities.save(authority.id, key, chain, details, passphrase)
        return self._stored(authority.id, sealed, chain)

    def signing_key(self, identity: str) -> EllipticCurvePrivateKey:
        """The key of an authority's intermediate; raises as `key`."""
        _, key = self._authorities.open(identity)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise broken(self._authorities.files.pem(identity))
        return key

    def unlock_authority(self, identity: str, passphrase: str) -> None:
        """As `unlock`, for the key of an authority's intermediate."""
        self._authorities.unlock(identity, passphrase)

    def move_authority_passphrase(self, identity: str, reference: str) -> StoredAuthority:
        """As `move_passphrase`, for the key of an authority's intermediate."""
        return self._stored(identity, self._authorities.move(identity, reference), self._authorities.read(identity)[1])

    def remove_authority(self, identity: str) -> bool:
        """Remove an authority, and its own entry in the keyring. Whether there was one."""
        return self._authorities.remove(identity)

    def _managed(self, name: str, sealed: Sealed, chain: Sequence[x509.Certificate]) -> Managed:
        details = sealed.details
        kind, asked, authority = details.get("kind"), details.get("names"), details.get("authority")
        stem = file_stem(name)
        if (
            kind not in get_args(Kind)
            or not isinstance(asked, list)
            or not all(isinstance(each, str) for each in asked)
            or not isinstance(authority, str)
        ):
            raise broken(self._certificates.files.toml(stem))
        if not chain:
            raise broken(self._certificates.files.pem(stem))
        return Managed(
            name_of(stem) or name, cast(Kind, kind), tuple(chain), tuple(asked), authority, sealed.passphrase
        )

    def _identities(self) -> tuple[str, ...]:
        # Without its PEM file, it is what is left of one that was being made or removed, and stands for nothing.
        files = self._authorities.files
        return tuple(stem for stem in files.stems() if _IDENTITY.fullmatch(stem) and os.path.lexists(files.pem(stem)))

    def _stored(self, identity: str, sealed: Sealed, chain: Sequence[x509.Certificate]) -> StoredAuthority:
        created = sealed.details.get("created")
        if not isinstance(created, datetime.datetime) or created.tzinfo is None:
            raise broken(self._authorities.files.toml(identity))
        try:
            intermediate, root = chain
            intermediate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature):
            raise broken(self._authorities.files.pem(identity)) from None
        authority = Authority(root, intermediate)
        if authority.id != identity:
            raise broken(self._authorities.files.pem(identity))
        return StoredAuthority(authority, sealed.passphrase, created)


def _identity(text: str) -> str:
    if not _IDENTITY.fullmatch(text):
        raise CertificateError(
            f'"{display(text)}" is not an authority.', "Name its 16 digits, as wsgui certificate list shows them."
        )
    return text
