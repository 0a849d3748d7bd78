"""Certificates of this computer, from a name to a browser that trusts it: the one way there, for command and window."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from wsgui.app import certificate_authorities, certificate_export
from wsgui.app.certificate_listing import (
    IMPORTED,
    Listing,
    Row,
    import_command,
    in_use,
    is_due,
    list_all,
    no_such,
    row_of,
    taken,
    used_by,
)
from wsgui.app.certificate_lock import alone
from wsgui.app.certificate_names import called, certificate_names, default_names
from wsgui.app.certificate_signing import Signed, sign
from wsgui.app.paths import Paths
from wsgui.certificates.authority import Authority
from wsgui.certificates.exchange import bundle_pem, bundle_pkcs12, chain_pem, read_bundle
from wsgui.certificates.issue import Bundle, self_signed
from wsgui.certificates.names import certificate_name
from wsgui.certificates.trust.platform import stores as platform_stores
from wsgui.certificates.trust.store import Outcome, TrustStore
from wsgui.certificates.vault import Managed, StoredAuthority, Vault
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError
from wsgui.profiles import keyring_access
from wsgui.profiles.keyring_access import Finding
from wsgui.profiles.model import Profile


@dataclass(frozen=True, slots=True)
class Created:
    """What came of making, renewing or importing a certificate.

    Args:
        managed: The certificate, without its key.
        authority: Who signed it; None = nobody but itself, or somebody else's authority.
        new_authority: The authority had to be made; no device trusts it yet.
        trusts_again: There was one before, so that devices that trusted that one have to trust this one too.
    """

    managed: Managed
    authority: Authority | None = None
    new_authority: bool = False
    trusts_again: bool = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of renewing one certificate that was due; exactly one of `created` and `problem` is there."""

    name: str
    ended: datetime
    """When the certificate of before ends."""
    created: Created | None = None
    problem: WsguiError | None = None


class Certificates:
    """This user's certificates and authorities. Everything blocks: disk, keyring, other programs, a question.

    Any thread may call; what changes something is done by one process and thread at a time.

    Args:
        paths: The folders.
        profiles: The profiles as they are now, to say who uses a certificate.
        ask: Asks a person for a passphrase, given what it is for; None = nobody is there.
        stores: This computer's trust stores; None = those of its platform.
        vault: The vault of these folders, when the process has one already; `ask` is then its own.
    """

    def __init__(
        self,
        paths: Paths,
        profiles: Callable[[], Sequence[Profile]],
        *,
        ask: Callable[[str], str] | None = None,
        stores: Sequence[TrustStore] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._folder = paths.certificates
        self._profiles = profiles
        self._vault = Vault(self._folder, ask=ask) if vault is None else vault
        self._stores = platform_stores(self._folder / "public") if stores is None else tuple(stores)

    @property
    def vault(self) -> Vault:
        return self._vault

    def keyring(self) -> Finding:
        """Whether passphrases can be kept in the keyring now, and if not, why, and what to do."""
        return keyring_access.state()

    def default_names(self) -> tuple[str, ...]:
        """The names and addresses under which other devices may know this computer, then its own for itself."""
        return default_names()

    def listing(self, *, stores: bool = True, now: datetime | None = None) -> Listing:
        """All certificates and authorities; `stores` = False leaves the trust stores alone, which take a while."""
        return list_all(self._vault, self._profiles(), self._stores if stores else (), now=now or datetime.now(UTC))

    def row(self, name: str, *, now: datetime | None = None) -> Row:
        """One certificate; raises CertificateError when there is none of this name."""
        managed = self._read(name)
        return row_of(managed, used_by(managed.name, self._profiles()), now=now or datetime.now(UTC))

    def create(
        self,
        names: Sequence[str] = (),
        *,
        name: str = "",
        self_signed: bool = False,
        passphrase: str = "",
        new_authority: bool = False,
        now: datetime | None = None,
    ) -> Created:
        """Make a certificate.

        Args:
            names: Host names, ``*.domain`` and IP addresses it is for; none = `default_names`.
            name: What it is called in profiles and lists; empty = the first of `names`.
            self_signed: Let no authority sign it.
            passphrase: Where the key's passphrase is (``env:VAR``, ``file:/path``, ``ask``); empty = made and kept in
                the keyring. It counts for a new authority's key too.
            new_authority: Make a new authority even where one would do.
            now: Instead of the clock; aware.

        Raises:
            CertificateError: a name is none, or there is a certificate called so.
            SecretError: the passphrase cannot be stored or had.
        """
        asked = tuple(dict.fromkeys(certificate_name(each) for each in names)) or self.default_names()
        name = called(name) if name else asked[0]
        now = now or datetime.now(UTC)
        with alone(self._folder):
            if name in self._vault.names():
                raise taken(name)
            if self_signed:
                return self._self_signed(name, asked, passphrase, now)
            machine = default_names()
            signed = sign(self._vault, asked, machine=machine, passphrase=passphrase, make=new_authority, now=now)
            return self._keep(name, signed, asked, passphrase)

    def renew(self, name: str, *, now: datetime | None = None) -> Created:
        """Make a new key and certificate for the same names; the passphrase stays where it is.

        Raises:
            CertificateError: there is none of this name, or it was imported.
            SecretError: its passphrase, or its authority's, cannot be had.
        """
        with alone(self._folder):
            return self._renew(self._read(name), now or datetime.now(UTC), may_make=True)

    def renew_due(self, now: datetime) -> tuple[Renewal, ...]:
        """Renew what ends within 30 days and was made by wsgui; makes no new authority, as nobody would trust it.

        Args:
            now: Aware.

        Raises:
            WsguiError: the certificates cannot be looked at, or another process is at work on them for long.
        """
        if not self._due(now):
            return ()
        done: list[Renewal] = []
        with alone(self._folder):
            for managed in self._due(now):  # again: another process may have renewed them while we waited
                end = managed.description.not_after
                try:
                    done.append(Renewal(managed.name, end, self._renew(managed, now, may_make=False)))
                except WsguiError as error:
                    done.append(Renewal(managed.name, end, problem=error))
        return tuple(done)

    def import_(
        self,
        files: Sequence[Path],
        *,
        name: str = "",
        password: Callable[[str], str] | None = None,
        passphrase: str = "",
        replace: bool = False,
    ) -> Created:
        """Take in a key and certificate of somebody else's making (PEM or PKCS#12).

        Args:
            files: Key, certificate and intermediates, in any order.
            name: What it is called; empty = the first name that it is for.
            password: Asked for a file's password, with what it is for; None = nobody is there.
            passphrase: Where the key's passphrase is from now on, as in `create`.
            replace: Put it in the place of the one of this name, if there is one.

        Raises:
            CertificateError: the files do not hold what is needed, or there is a certificate called so.
            SecretError: the passphrase cannot be stored or had.
        """
        name = called(name) if name else ""
        bundle = read_bundle(files, password)
        names = bundle.description.names
        name = name or next(iter(certificate_names(names)), "")
        if not name:
            raise CertificateError("The certificate names no host or address.", "Say what to call it: --name NAME.")
        with alone(self._folder):
            if not replace and name in self._vault.names():
                raise taken(name, "put the new one in its place with --replace")
            saved = self._vault.save(name, bundle, IMPORTED, asked=names, authority="", passphrase=passphrase)
        return Created(saved)

    def export_pem(self, name: str, *, password: str = "") -> bytes:
        """The certificate and its intermediates; with a `password` the key too, encrypted with it."""
        managed = self._read(name)
        return bundle_pem(self._bundle(managed), password) if password else chain_pem(managed.chain)

    def export_pkcs12(self, name: str, password: str) -> bytes:
        """Key, certificate and intermediates, encrypted with `password`; raises as `Vault.key` and `bundle_pkcs12`."""
        managed = self._read(name)
        return bundle_pkcs12(self._bundle(managed), managed.name, password)

    def authorities_in_use(self) -> tuple[Authority, ...]:
        """Those that a device has to trust, newest first: which signed a certificate that is here, else the newest."""
        return tuple(one.authority for one in in_use(self._vault.authorities(), list(self._managed())))

    def authority(self, identity: str = "") -> StoredAuthority:
        """An authority by its ID or the beginning of it; empty = the newest one in use. Raises CertificateError."""
        return certificate_authorities.find(self._vault, identity, list(self._managed()))

    def export_authority(self, *, form: Literal["pem", "der"] = "pem", identity: str = "") -> bytes:
        """An authority's public root certificate, for another device; `identity` as in `authority`."""
        root = self.authority(identity).authority.root
        return root.public_bytes(Encoding.DER if form == "der" else Encoding.PEM)

    def save_file(self, path: Path, data: bytes, *, replace: bool = False) -> None:
        """Write an exported file (0600), whole or not at all.

        Raises:
            CertificateError: there is a file already, and it was not `replace`.
            DiskError: it cannot be written.
        """
        certificate_export.save_file(path, data, replace=replace)

    def move_passphrase(self, name: str, reference: str) -> Managed:
        """Encrypt the key anew with the passphrase at `reference`; ``keyring`` = a new one, kept there.

        Raises:
            CertificateError: there is no certificate of this name.
            SecretError: the old or the new passphrase cannot be had; nothing has changed.
        """
        with alone(self._folder):
            return self._vault.move_passphrase(self._read(name).name, reference)

    def move_authority_passphrase(self, identity: str, reference: str) -> StoredAuthority:
        """As `move_passphrase`, for the key of an authority; `identity` as in `authority`."""
        with alone(self._folder):
            return self._vault.move_authority_passphrase(self.authority(identity).authority.id, reference)

    def remove_authority(self, identity: str) -> Authority:
        """Remove an authority that signed nothing that is here, from the trust stores too; raises CertificateError."""
        with alone(self._folder):
            stored = self.authority(identity)
            certificate_authorities.remove(self._vault, stored, list(self._managed()), self._stores)
        return stored.authority

    def remove(self, name: str, *, force: bool = False) -> tuple[str, ...]:
        """Remove a certificate, its key, and its passphrase from the keyring; returns the profiles that used it.

        Raises:
            CertificateError: there is none of this name, or a profile uses it and it was not `force`.
        """
        name = self._known(name)
        users = used_by(name, self._profiles())
        with alone(self._folder):
            name = self._known(name)
            if users and not force:
                named = ", ".join(f'"{display(user)}"' for user in users)
                raise CertificateError(
                    f'The certificate "{name}" is used by {named}.',
                    "Give them another one first, or remove it all the same with --force: they then do not start.",
                )
            self._vault.remove(name)
        return users

    def trust(self, *, only: Sequence[str] = ()) -> tuple[Outcome, ...]:
        """Put the root certificates of the authorities in use into each trust store, or into those named in `only`.

        Returns:
            One outcome for each store where all went well, else one for each root that could not be put there.

        Raises:
            CertificateError: there is no authority.
        """
        known = self._vault.authorities()
        if not known:
            raise CertificateError(
                "There is nothing to trust, as no certificate has been made by an authority of this computer.",
                "Make one first: wsgui certificate create",
            )
        needed = in_use(known, list(self._managed()))
        return self._everywhere(only, lambda store: [store.add(one.authority.root) for one in needed])

    def untrust(self, *, only: Sequence[str] = ()) -> tuple[Outcome, ...]:
        """Take the root certificates of all authorities out again; as `trust`."""
        known = self._vault.authorities()
        if not known:
            raise CertificateError("There is no authority on this computer.", "So there is nothing to be done.")
        return self._everywhere(only, lambda store: [store.remove(one.authority.root) for one in known])

    @property
    def store_names(self) -> tuple[str, ...]:
        """The trust stores of this platform, as `trust` and `untrust` know them."""
        return tuple(store.name for store in self._stores)

    def _everywhere(self, only: Sequence[str], act: Callable[[TrustStore], list[Outcome]]) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for store in self._stores:
            if not only or store.name in only:
                each = act(store)
                outcomes += [outcome for outcome in each if not outcome.done] or each[-1:]
        return tuple(outcomes)

    def _read(self, name: str) -> Managed:
        return self._vault.read(self._known(name))

    def _known(self, name: str) -> str:
        """The name of a certificate that is there, as it is kept; raises CertificateError."""
        known = self._vault.names()
        with contextlib.suppress(CertificateError):
            name = certificate_name(name)
        if name not in known:
            raise no_such(name, known)
        return name

    def _managed(self) -> Iterator[Managed]:
        for name in self._vault.names():
            with contextlib.suppress(WsguiError):  # a broken one is spoken of in the listing
                yield self._vault.read(name)

    def _due(self, now: datetime) -> list[Managed]:
        return [managed for managed in self._managed() if is_due(managed, now)]

    def _renew(self, managed: Managed, now: datetime, *, may_make: bool) -> Created:
        name, asked = managed.name, managed.asked or managed.description.names
        if managed.kind == IMPORTED:
            raise CertificateError(
                f'"{name}" was imported, so that only whoever issued it can renew it.',
                f"Get its successor there, and put it in its place: {import_command(name)}",
            )
        if managed.kind == "self-signed":
            return self._self_signed(name, asked, "", now)
        # A new authority's passphrase goes where the certificate's is, but into an entry of its own.
        where = "" if managed.passphrase.startswith("keyring") else managed.passphrase
        signed = sign(
            self._vault,
            asked,
            machine=default_names(),
            passphrase=where,
            preferred=managed.authority,
            may_make=may_make,
            now=now,
        )
        return self._keep(name, signed, asked, "")

    def _self_signed(self, name: str, asked: Sequence[str], passphrase: str, now: datetime) -> Created:
        bundle = self_signed(asked, now=now)
        return Created(self._vault.save(name, bundle, "self-signed", asked=asked, authority="", passphrase=passphrase))

    def _keep(self, name: str, signed: Signed, asked: Sequence[str], passphrase: str) -> Created:
        authority = signed.stored.authority
        try:
            managed = self._vault.save(
                name, signed.bundle, "issued", asked=asked, authority=authority.id, passphrase=passphrase
            )
        except BaseException:
            if signed.made:  # Nobody was told of it, so nobody would be told to trust it.
                self._vault.remove_authority(authority.id)
            raise
        return Created(managed, authority, new_authority=signed.made, trusts_again=signed.again)

    def _bundle(self, managed: Managed) -> Bundle:
        return Bundle(self._vault.key(managed.name), managed.chain)
