"""Leaf certificates: signed by the local authority, or by themselves."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wsgui.certificates.authority import CLOCK_SKEW, Authority, whole_seconds
from wsgui.certificates.description import Description, describe
from wsgui.certificates.names import certificate_name, is_address, parse_address
from wsgui.errors import CertificateError

LIFETIME: Final = datetime.timedelta(days=397)
"""From the first to the last second (RFC 5280, 4.1.2.5): browsers accept 398 days, and some count generously."""

_MAX_COMMON_NAME: Final = 64

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""Kinds of keys that browsers accept for a server."""


@dataclass(frozen=True)
class Bundle:
    """A key, and the chain that is sent with it: the leaf first, its intermediates after it, no root."""

    key: PrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...]

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    @property
    def description(self) -> Description:
        """The leaf's."""
        return describe(self.leaf)


def issue(
    authority: Authority,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    *,
    now: datetime.datetime | None = None,
) -> Bundle:
    """Make a key and have the authority's intermediate sign it for `names`; it never outlives the intermediate.

    Args:
        authority: Who signs.
        key: The intermediate's.
        names: Host names and addresses, in any spelling that `certificate_name` takes.
        now: Instead of the clock; aware.

    Raises:
        CertificateError: A name is none or outside the authority's constraints, the key is another's, or the authority
            has ended.
    """
    now = whole_seconds(now)
    spelled = _spelled(names)
    issuer = authority.intermediate
    if key.public_key() != issuer.public_key():
        raise CertificateError(
            f'The key does not belong to "{describe(issuer).subject}".', "Make a new authority, or restore its own key."
        )
    outside = [name for name in spelled if not authority.covers(name)]
    if outside:
        raise CertificateError(
            f'"{authority.description.subject}" may not sign for {", ".join(outside)}.',
            "Make a new authority that permits these names, and trust it on each device.",
        )
    begins, ends = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if not begins <= now < ends:
        when = f"ended on {ends:%Y-%m-%d}" if now >= ends else f"is not valid before {begins:%Y-%m-%d %H:%M} UTC"
        raise CertificateError(
            f'"{authority.description.subject}" {when}.',
            "Check this computer's clock, or make a new authority and trust it on each device.",
        )
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    first = max(now - CLOCK_SKEW, begins)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    leaf = (
        _leaf(leaf_key, spelled, first, min(_last(first), ends))
        .issuer_name(issuer.subject)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Bundle(leaf_key, (leaf, issuer))


def self_signed(names: Sequence[str], *, now: datetime.datetime | None = None) -> Bundle:
    """Make a key and a certificate for `names` that only its own key vouches for; browsers ask before they accept it.

    Raises:
        CertificateError: One of `names` is no name.
    """
    first = whole_seconds(now) - CLOCK_SKEW
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _leaf(key, _spelled(names), first, _last(first))
    # RFC 5280 wants no authority of it (Firefox shows another error for one), and lets its own identifier suffice.
    certificate = builder.issuer_name(_subject(_spelled(names))).sign(key, hashes.SHA256())
    return Bundle(key, (certificate,))


def _leaf(
    key: ec.EllipticCurvePrivateKey, names: Sequence[str], first: datetime.datetime, last: datetime.datetime
) -> x509.CertificateBuilder:
    """Return all of a leaf but its issuer."""
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(names))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNS_HANDSHAKES, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_SIGNS_HANDSHAKES: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _last(first: datetime.datetime) -> datetime.datetime:
    return first + LIFETIME - datetime.timedelta(seconds=1)  # both ends belong to the time


def _spelled(names: Iterable[str]) -> tuple[str, ...]:
    spelled = tuple(dict.fromkeys(map(certificate_name, names)))
    if not spelled:
        raise CertificateError("The certificate has no name.", "Name at least one host or address that clients use.")
    return spelled


def _subject(names: Sequence[str]) -> x509.Name:
    """Return a name for lists in browsers: the first host that is short enough; who connects looks at the others."""
    host = next((name for name in names if not is_address(name) and len(name) <= _MAX_COMMON_NAME), "")
    # Where there are addresses only, OpenSSL holds a common name that looks like a host, and 10.0.0.1 does, against the
    # authority's constraints on hosts.
    common = host or (f"wsgui at {names[0]}" if is_address(names[0]) else "wsgui")
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "wsgui"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _general(name: str) -> x509.GeneralName:
    address = parse_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)
