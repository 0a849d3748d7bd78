"""Certificates put into TLS contexts: those that wsgui keeps, and those in files of a profile's own."""

from __future__ import annotations

import os
import shlex
import ssl
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wsgui.certificates.port import Shown
from wsgui.certificates.problems import check_readable, explain, unreadable
from wsgui.display import display
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles.access import Tls
from wsgui.profiles.secrets import resolve

if TYPE_CHECKING:
    from cryptography import x509

    from wsgui.certificates.managed import Managed


class Keeper(Protocol):
    """What keeps the certificates that profiles name: `Vault`, as far as a listener needs it."""

    def read(self, name: str) -> Managed: ...
    def passphrase(self, name: str) -> str: ...
    def file(self, name: str) -> Path: ...


NewContext = Callable[[], ssl.SSLContext]
"""Makes another context under the port's rule, without a certificate."""


def from_files(tls: Tls, new: NewContext, passphrase: str | None) -> Shown:
    """Return what a profile's own files hold. Blocking.

    Args:
        passphrase: The key's, instead of what the profile refers to; it is given to OpenSSL by callable.

    Raises:
        CertificateError: A file is missing, unreadable, or does not fit.
        SecretError: The key's passphrase cannot be had.
    """
    certificate, key = tls.certificate_file, tls.key_file or tls.certificate_file
    check_readable(certificate, "certificate_file")
    check_readable(key, "key_file")
    if passphrase is None:
        passphrase = resolve(tls.key_password, field="tls.key_password") if tls.key_password else ""
    context = new()
    try:
        context.load_cert_chain(certificate, key, password=lambda: passphrase)
    except (ssl.SSLError, ValueError) as error:  # ValueError: a passphrase longer than OpenSSL takes
        raise explain(certificate, key, error, has_password=bool(passphrase)) from error
    except OSError as error:
        raise unreadable(certificate, error, "certificate_file") from error
    return _shown(context, certificate, _leaf(certificate))


def from_vault(name: str, vault: Keeper | None, new: NewContext) -> Shown:
    """Return a managed certificate. Blocking: the keyring may be asked.

    Raises:
        CertificateError: There is none of that name, or its file is broken.
        SecretError: Its passphrase cannot be had.
    """
    if vault is None:
        raise CertificateError(
            f'There is no certificate called "{display(name)}" here.',
            "Name its files instead, with [tls] certificate_file and key_file.",
            field="tls.certificate",
        )
    try:
        managed = vault.read(name)
        passphrase = vault.passphrase(name)
    except (CertificateError, SecretError) as error:
        error.field = error.field or "tls.certificate"
        raise
    file = str(vault.file(name))
    context = new()
    try:
        context.load_cert_chain(file, password=lambda: passphrase)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise CertificateError(
            f'The certificate "{display(name)}" cannot be used: its file {display(file)} is damaged.',
            f"Import it anew: wsgui certificate import FILE --name {shlex.quote(name)} --replace"
            if managed.kind == "imported"
            else f"Make it anew: wsgui certificate renew {shlex.quote(name)}",
            field="tls.certificate",
        ) from error
    return _shown(context, name, managed.chain[0], managed=True, renews=managed.kind != "imported")


def _shown(
    context: ssl.SSLContext,
    label: str,
    leaf: x509.Certificate | None,
    *,
    managed: bool = False,
    renews: bool = False,
) -> Shown:
    from wsgui.certificates.description import describe  # it takes a while to load

    if leaf is None:
        return Shown(context, label, not_after=float("inf"))
    said = describe(leaf)
    return Shown(
        context,
        label,
        said.names,
        said.fingerprint,
        said.not_before.timestamp(),
        said.not_after.timestamp(),
        managed=managed,
        renews=renews,
    )


def _leaf(path: str) -> x509.Certificate | None:
    """Return the first certificate of a PEM file; None where OpenSSL can use it and `cryptography` cannot."""
    from cryptography import x509

    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_pem_x509_certificate(file.read())
    except (OSError, ValueError):
        return None


def watched_files(tls: Tls, vault: Keeper | None) -> Sequence[str]:
    """Return the paths of all that a port's TLS is made of; a file of a passphrase too."""
    kind, _, place = tls.key_password.partition(":")
    paths = [
        tls.certificate_file,
        tls.key_file,
        tls.client_authority or "",
        os.path.expanduser(place) if kind == "file" else "",
    ]
    if vault is not None:
        for name in tls.certificate:
            try:
                file = vault.file(name)
                paths += [str(file), str(file.with_suffix(".toml"))]
            except CertificateError:
                continue  # no name that one can have: reading it says so
    return [path for path in paths if path]
