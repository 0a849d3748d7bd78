"""Certificates of this computer, from a name to a browser that trusts it: the one way there, for command and window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wsgui.app.certificate_listing import Listing
from wsgui.app.paths import Paths
from wsgui.certificates.authority import Authority
from wsgui.certificates.trust.store import Outcome, TrustStore
from wsgui.certificates.vault import Managed, Vault
from wsgui.errors import WsguiError
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
    """What came of renewing one certificate that was due; exactly one of the two is there."""

    name: str
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
    """

    def __init__(
        self,
        paths: Paths,
        profiles: Callable[[], Sequence[Profile]],
        *,
        ask: Callable[[str], str] | None = None,
        stores: Sequence[TrustStore] | None = None,
    ) -> None: ...

    @property
    def vault(self) -> Vault: ...

    def keyring(self) -> Finding:
        """Whether passphrases can be kept in the keyring now, and if not, why, and what to do."""

    def default_names(self) -> tuple[str, ...]:
        """The names and addresses under which other devices may know this computer, then its own for itself."""

    def listing(self, *, stores: bool = True, now: datetime | None = None) -> Listing:
        """All certificates and authorities; `stores` = False leaves the trust stores alone, which take a while."""

    def row(self, name: str, *, now: datetime | None = None) -> Row:
        """One certificate; raises CertificateError when there is none of this name."""

    def create(
        self,
        names: Sequence[str] = (),
        *,
        name: str = "",
        self_signed: bool = False,
        passphrase: str = "",
        new_authority: bool = False,
    ) -> Created:
        """Make a certificate.

        Args:
            names: Host names, ``*.domain`` and IP addresses it is for; none = `default_names`.
            name: What it is called in profiles and lists; empty = the first of `names`.
            self_signed: Let no authority sign it.
            passphrase: Where the key's passphrase is (``env:VAR``, ``file:/path``, ``ask``); empty = made and kept in
                the keyring. It counts for a new authority's key too.
            new_authority: Make a new authority even where one would do.

        Raises:
            CertificateError: a name is none, or there is a certificate called so.
            SecretError: the passphrase cannot be stored or had.
        """

    def renew(self, name: str, *, now: datetime | None = None) -> Created:
        """Make a new key and certificate for the same names; raises CertificateError for an imported one."""

    def renew_due(self, now: datetime) -> tuple[Renewal, ...]:
        """Renew what ends within 30 days and was made by wsgui; makes no new authority, as nobody would trust it."""

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
            name: What it is called; empty = the first name that it is for.
            password: Asked for the file's password, with what it is for, where there is one.
            replace: Put it in the place of the one of this name, if there is one.
        """

    def export_pem(self, name: str, *, password: str = "") -> bytes:
        """The certificate and its intermediates; with a `password` the key too, encrypted with it."""

    def export_pkcs12(self, name: str, password: str) -> bytes:
        """Key, certificate and intermediates, encrypted with `password`."""

    def export_authority(self, *, form: Literal["pem", "der"] = "pem", id: str = "") -> bytes:
        """An authority's public root certificate, for another device; `id` empty = the newest one's."""

    def save_file(self, path: Path, data: bytes, *, replace: bool = False) -> None:
        """Write an exported file (0600), whole or not at all; raises CertificateError when it exists."""

    def move_passphrase(self, name: str, reference: str) -> Managed:
        """Encrypt the key anew with the passphrase at `reference` (``keyring`` = a new one in the keyring)."""

    def remove(self, name: str, *, force: bool = False) -> tuple[str, ...]:
        """Remove certificate, key and its passphrase in the keyring; the profiles that used it.

        Raises:
            CertificateError: a profile uses it, and it was not `force`.
        """

    def trust(self) -> tuple[Outcome, ...]:
        """Put the authorities' root certificates into each trust store; at least one outcome a store."""

    def untrust(self) -> tuple[Outcome, ...]:
        """Take them out again."""
