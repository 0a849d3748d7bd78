"""What is told of a certificate, whoever made it."""

from __future__ import annotations

import datetime
from datetime import UTC

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ObjectIdentifier

from tests.support.issuing import AnyKey, sign
from wsgui.certificates.description import describe


def test_a_certificate_is_described() -> None:
    first, last = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime.datetime(2027, 1, 2, tzinfo=UTC)
    authority = sign("Office authority", authority=True)
    leaf = sign("office", authority, names=["office.local", "*.lab.lan", "10.0.0.1", "::1"], first=first, last=last)
    said = describe(leaf.certificate)
    assert (said.subject, said.issuer) == ("office", "Office authority")
    assert said.names == ("office.local", "*.lab.lan", "10.0.0.1", "::1")
    assert (said.not_before, said.not_after) == (first, last)
    assert said.fingerprint.replace(":", "") == leaf.certificate.fingerprint(hashes.SHA256()).hex().upper()
    assert int(said.serial.replace(":", ""), 16) == leaf.certificate.serial_number
    assert (said.is_authority, said.self_signed) == (False, False)
    assert (describe(authority.certificate).is_authority, describe(authority.certificate).self_signed) == (True, True)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ECDSA P-256"),
        (ec.generate_private_key(ec.SECP384R1()), "ECDSA P-384"),
        (ec.generate_private_key(ec.SECP256K1()), "ECDSA secp256k1"),
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
        (dsa.generate_private_key(1024), "DSA 1024"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kind_and_size_of_the_key_are_named(key: AnyKey, kind: str) -> None:
    assert describe(sign("office", key=key).certificate).key == kind


@pytest.mark.parametrize(
    ("before_the_end", "days"),
    [
        (datetime.timedelta(days=30), 30),
        (datetime.timedelta(days=1, seconds=-1), 0),
        (datetime.timedelta(0), 0),
        (datetime.timedelta(seconds=-1), -1),
    ],
)
def test_days_left_are_whole_ones(before_the_end: datetime.timedelta, days: int) -> None:
    said = describe(sign("office").certificate)
    assert said.days_left(said.not_after - before_the_end) == days


def test_what_a_stranger_wrote_is_shown_without_controls() -> None:
    hostile = "of\x1b[2Jfice\n\u202elocal"
    said = describe(sign(hostile, names=["x\x1b[2J.local"]).certificate)
    assert said.subject.isprintable()
    assert said.issuer.isprintable()
    assert all(name.isprintable() for name in said.names)


def test_a_malformed_extension_leaves_the_rest_to_be_told() -> None:
    broken = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\x30\x7f\x00")
    said = describe(sign("office", more=[(broken, False)]).certificate)
    assert (said.subject, said.names, said.is_authority) == ("office", (), False)


def test_one_of_another_kinds_name_is_told_by_its_whole_name() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Lab")])
    now = datetime.datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), (1 << 159) - 1, now, now + datetime.timedelta(1))
    ).sign(key, hashes.SHA256())
    said = describe(certificate)
    assert (said.subject, said.names) == ("O=Lab", ())
    assert said.serial == ":".join(["7F", *["FF"] * 19])
