"""Keys in sealed files: encrypted under a passphrase that is kept elsewhere, opened, and encrypted anew."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wsgui.certificates.exchange import bundle_pem
from wsgui.certificates.issue import Bundle, PrivateKey
from wsgui.certificates.passphrases import (
    ASK,
    KEYRING,
    Asking,
    Chosen,
    forget,
    in_keyring,
    named,
    own_entry,
    ready_keyring,
)
from wsgui.certificates.sealed_files import Sealed, SealedFiles, broken
from wsgui.display import display
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles import keyring_access
from wsgui.profiles.disk import DiskError
from wsgui.profiles.secrets import resolve

_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_MOVES: Final = 5
"""How often a passphrase may be moved under the hands of one who looks for it."""


class SealedKeys:
    """The keys in `folder`, by the names that `stem` makes file names of.

    Args:
        folder: Where the pairs of files are; it need not exist yet.
        kind: What they are; their own entries in the keyring begin with it.
        stem: The file name for a name; it raises CertificateError for what is no name.
        ask: As in `Vault`.
    """

    def __init__(
        self,
        folder: Path,
        kind: Literal["certificate", "authority"],
        stem: Callable[[str], str],
        ask: Callable[[str], str] | None,
    ) -> None:
        self.files = SealedFiles(folder)
        self._kind = kind
        self._stem = stem
        self._asking = Asking(ask)

    def read(self, name: str) -> tuple[Sealed, tuple[x509.Certificate, ...]]:
        """A pair's content and its certificates; nobody is asked for anything.

        Raises:
            CertificateError: There is none, or it is broken.
        """
        sealed = self.files.read(self._stem(name))
        if sealed is None:
            raise CertificateError(
                f'There is no {self._kind} "{display(name)}".', "See what there is: wsgui certificate list."
            )
        try:
            return sealed, tuple(x509.load_pem_x509_certificates(sealed.pem))
        except ValueError:
            raise broken(self.files.pem(self._stem(name))) from None

    def open(self, name: str) -> tuple[str, PrivateKey]:
        """The passphrase and the key.

        Raises:
            SecretError: The passphrase cannot be had, or does not open the key.
            CertificateError: There is none of that name, or it is broken.
        """
        for _ in range(_MOVES):
            before = self.read(name)
            try:
                return self._open(name)
            except SecretError:
                # A move of the passphrase may have come between reading the files and what they refer to.
                with suppress(DiskError), self.files.locked():
                    pass
                if self.read(name) == before:
                    raise
        return self._open(name)

    def unlock(self, name: str, passphrase: str) -> None:
        """Remember a passphrase that opens the key; raises SecretError when it does not."""
        if not self._key_of(name, *self.read(name))(passphrase):
            raise SecretError(f"That is not the passphrase of {self._what(name)}.", "Try again.")
        self._asking.remember(self._stem(name), passphrase)

    def save(
        self,
        name: str,
        key: PrivateKey,
        chain: Sequence[x509.Certificate],
        details: Mapping[str, Any],
        reference: str,
    ) -> Sealed:
        """Keep a key and its certificates in the place of what has that name; see `Vault.save`."""
        before = self._before(self._stem(name))
        chosen: Chosen | None = None
        if before and (reference in ("", before.passphrase) or (reference == KEYRING and own_entry(before.passphrase))):
            chosen = self._kept(name, before)
        elif reference == ASK:
            chosen = self._asking.new(self._what(name))
        elif reference not in ("", KEYRING):
            chosen = named(reference)
        return self._write(name, before, chosen, Bundle(key, tuple(chain)), details)

    def move(self, name: str, reference: str) -> Sealed:
        """Encrypt the key anew; see `Vault.move_passphrase`."""
        _, key = self.open(name)
        before, chain = self.read(name)
        chosen: Chosen | None = None
        if reference == ASK:
            chosen = self._asking.new(self._what(name))
        elif reference == before.passphrase:
            if not before.moving_to:
                return before
            chosen = Chosen(reference, resolve(reference))
        elif reference not in ("", KEYRING):
            chosen = named(reference)
        return self._write(name, before, chosen, Bundle(key, chain), before.details)

    def remove(self, name: str) -> bool:
        """Remove a pair and its own entries in the keyring; whether there was one. Raises DiskError."""
        stem = self._stem(name)
        if stem not in self.files.stems():
            return False
        with self.files.locked():
            references = self.files.references(stem)
            removed = self.files.remove(stem)
        self._asking.forget(stem)
        for reference in references:
            forget(own_entry(reference))
        return removed

    def _before(self, stem: str) -> Sealed | None:
        try:
            return self.files.read(stem)
        except CertificateError:
            return None

    def _write(
        self,
        name: str,
        before: Sealed | None,
        chosen: Chosen | None,
        bundle: Bundle,
        details: Mapping[str, Any],
    ) -> Sealed:
        """Write a pair, under a new passphrase in the keyring when none is `chosen`."""
        stem = self._stem(name)
        if chosen is None:
            ready_keyring()  # It may ask somebody, who must not hold up those that wait for the lock.
        made = chosen.made if chosen else ""
        try:
            with self.files.locked():
                if self._before(stem) != before:
                    raise CertificateError(f'"{display(name)}" was changed by another process meanwhile.', "Try again.")
                if chosen is None:
                    chosen = in_keyring(f"{self._kind}/{name.lower()}")
                    made = chosen.made
                _check_text(chosen.value)
                pem = bundle_pem(bundle, chosen.value)
                self._check(pem, chosen.value, bundle)
                sealed = self.files.write(stem, Sealed(pem, chosen.reference, "", dict(details)))
        except BaseException:
            forget(made)
            raise
        if chosen.reference == ASK:
            self._asking.remember(stem, chosen.value)
        else:
            self._asking.forget(stem)
        for reference in before.references if before else ():
            if reference != chosen.reference:
                forget(own_entry(reference))
        return sealed

    @staticmethod
    def _check(pem: bytes, passphrase: str, bundle: Bundle) -> None:
        """See to it that what will be written opens, is encrypted, and belongs together."""
        key = _opened(pem, passphrase)
        if key is None or _ENCRYPTED not in pem or key.public_key() != bundle.chain[0].public_key():
            raise CertificateError("The key does not belong to the certificate.", "Name both of one pair.")

    def _kept(self, name: str, before: Sealed) -> Chosen | None:
        """The passphrase that is there already; None when our own entry for it is gone, and a new one is needed."""
        if before.moving_to:
            value, _ = self.open(name)
            return next((Chosen(each, value) for each in before.references if self._is_at(each, value)), None)
        if before.passphrase == ASK:
            return Chosen(ASK, self.open(name)[0])
        if entry := own_entry(before.passphrase):
            there = keyring_access.get(entry)
            return Chosen(before.passphrase, there) if there else None
        return Chosen(before.passphrase, resolve(before.passphrase))

    @staticmethod
    def _is_at(reference: str, value: str) -> bool:
        try:
            return reference == ASK or hmac.compare_digest(resolve(reference).encode(), value.encode())
        except (SecretError, UnicodeEncodeError):
            return False

    def _open(self, name: str) -> tuple[str, PrivateKey]:
        stem = self._stem(name)
        sealed, chain = self.read(name)
        key_of = self._key_of(name, sealed, chain)
        value = self._asking.known(stem)
        if value and (key := key_of(value)):
            return value, key
        failure: SecretError | None = None
        for reference in sealed.references:
            try:
                if reference == ASK:
                    value = self._asking.existing(stem, self._what(name), lambda given: key_of(given) is not None)
                else:
                    value = resolve(reference)
            except SecretError as error:
                failure = failure or error
                continue
            if key := key_of(value):
                return value, key
        raise failure or SecretError(
            f'What "{display(sealed.passphrase)}" has does not open the key in {display(str(self.files.pem(stem)))}.',
            "Correct it, or make the certificate anew.",
        )

    def _key_of(
        self, name: str, sealed: Sealed, chain: Sequence[x509.Certificate]
    ) -> Callable[[str], PrivateKey | None]:
        """What opens the key with a passphrase, or returns None; raises CertificateError for what nothing can open."""
        shown = display(str(self.files.pem(self._stem(name))))
        if _ENCRYPTED not in sealed.pem or not chain:
            raise CertificateError(
                f"There is no encrypted key with its certificate in {shown}.",
                "Restore the file, or remove the certificate and make it anew.",
            )

        def opened(passphrase: str) -> PrivateKey | None:
            key = _opened(sealed.pem, passphrase)
            if key is not None and key.public_key() != chain[0].public_key():
                raise CertificateError(
                    f"The key in {shown} does not belong to the certificate there.",
                    "Restore the file, or remove the certificate and make it anew.",
                )
            return key

        return opened

    def _what(self, name: str) -> str:
        return f'the key of {self._kind} "{display(name)}"'


def _check_text(passphrase: str) -> None:
    try:
        passphrase.encode()
    except UnicodeEncodeError:
        raise SecretError("The passphrase is no UTF-8 text.", "Give another.") from None


def _opened(pem: bytes, passphrase: str) -> PrivateKey | None:
    try:
        key = load_pem_private_key(pem, passphrase.encode("utf-8", "surrogateescape"))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None
