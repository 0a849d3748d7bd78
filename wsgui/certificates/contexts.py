"""TLS contexts for listeners, made from a profile's `[tls]`: one for each certificate, all under one rule."""

from __future__ import annotations

import ssl
import warnings
from typing import Final

from wsgui.certificates.chains import Keeper, from_files, from_vault, watched_files
from wsgui.certificates.port import PortContexts
from wsgui.certificates.problems import check_readable, holds_certificate
from wsgui.certificates.stamps import stamps
from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.profiles.access import Tls

_OLD_VERSIONS: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


def server_contexts(
    tls: Tls,
    *,
    vault: Keeper | None = None,
    minimum: ssl.TLSVersion | None = None,
    passphrase: str | None = None,
    verify_client: bool = False,
) -> PortContexts | None:
    """Return a listener's contexts, or None when the profile names no certificate.

    Blocking: it reads files, and the keyring may be asked. Each certificate has a context of its own, and all have the
    same rule for clients: which of them somebody is shown changes nothing else.

    Where clients must show a certificate, TLS 1.3 sessions are not resumed at all, and older ones by the very context
    only: what was shown under another rule, an earlier one of the same listener included, lets nobody in.

    Args:
        tls: The profile's section; passphrases are resolved here and given to OpenSSL by callable.
        vault: Has the certificates of `tls.certificate`.
        minimum: Instead of the profile's lowest version; 1.1 and older lower OpenSSL's security level to 0 too.
        passphrase: The key's in `tls.key_file`, instead of what the profile refers to.
        verify_client: Ask for a client certificate also when the profile names no authority: one of the system's.

    Raises:
        CertificateError: A file is missing, unreadable, or does not fit; the message names the file and the remedy.
        SecretError: A key's passphrase cannot be had.
    """
    if not tls.enabled:
        return None

    def new() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _set_versions(context, tls, minimum)
        context.set_alpn_protocols(["http/1.1"])
        if tls.client_authority is not None or verify_client:
            _demand_certificate(context, tls.client_authority)
        return context

    # Before they are read: what is replaced meanwhile is then another than this.
    files = stamps(watched_files(tls, vault))
    if tls.certificate_file:
        shown = [from_files(tls, new, passphrase)]
    else:
        shown = [from_vault(name, vault, new) for name in dict.fromkeys(tls.certificate)]
    return PortContexts(shown, files)


def _set_versions(context: ssl.SSLContext, tls: Tls, minimum: ssl.TLSVersion | None) -> None:
    if minimum is None:
        minimum = ssl.TLSVersion.TLSv1_3 if tls.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    old = minimum in _OLD_VERSIONS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is asked for
        context.minimum_version = minimum
    ciphers = tls.ciphers or ("DEFAULT" if old else "")
    if not ciphers:
        return
    # The signatures of TLS 1.1 are made with SHA-1, which OpenSSL 3 has below level 1 only.
    lowered = old and "@SECLEVEL" not in ciphers
    try:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0" if lowered else ciphers)
    except ssl.SSLError as error:
        raise CertificateError(
            f'No cipher matches "{display(tls.ciphers)}".',
            "Leave ciphers out, or write an OpenSSL cipher list such as ECDHE+AESGCM.",
            field="tls.ciphers",
        ) from error


def _demand_certificate(context: ssl.SSLContext, authority: str | None) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    if authority is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    check_readable(authority, "client_authority")
    if not holds_certificate(authority):
        raise CertificateError(
            f"There is no certificate of an authority in PEM form in {display(authority)}.",
            "Name a PEM file with the authorities that sign clients' certificates.",
            field="tls.client_authority",
        )
    # One that was itself signed by another is an authority too when it is named here.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(authority)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(
            f"The authorities in {display(authority)} cannot be used.",
            "Check that each certificate in the file is whole.",
            field="tls.client_authority",
        ) from error
