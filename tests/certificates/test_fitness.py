"""What browsers will not accept of a server, said before they do."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import UTC

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.issuing import DAY, AnyKey, sign
from wsgui.certificates.authority import make_authority
from wsgui.certificates.fitness import acts_as_authority, check_dates, check_leaf, check_signature, usable_key
from wsgui.errors import CertificateError

NOW = datetime.datetime.now(UTC)
FILE = "office.pem"
ISSUER = sign("issuer", authority=True, key_cert_sign=True)


def fault(check: Callable[[], object]) -> str:
    with pytest.raises(CertificateError) as caught:
        check()
    assert FILE in caught.value.message
    assert caught.value.hint.endswith(".")
    return caught.value.message


@pytest.mark.parametrize(
    "key",
    [
        *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 3072),
    ],
)
def test_keys_that_are_accepted(key: AnyKey) -> None:
    assert usable_key(key, FILE) is key


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "an Ed25519 key"),
        (ed448.Ed448PrivateKey.generate(), "an Ed448 key"),
        (dsa.generate_private_key(1024), "a DSA key"),
        (rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "an ECDSA key on the curve secp256k1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_keys_that_are_not_accepted_are_named(key: AnyKey, kind: str) -> None:
    assert fault(lambda: usable_key(key, FILE)) == f"{FILE} has {kind}, which browsers do not accept."


def test_dates_hold_from_the_first_second_to_the_one_before_the_last() -> None:
    certificate = sign("office", first=NOW - DAY, last=NOW + DAY).certificate
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    second = datetime.timedelta(seconds=1)
    check_dates(certificate, "certificate", FILE, begins)
    check_dates(certificate, "certificate", FILE, ends - second)
    assert "ended on" in fault(lambda: check_dates(certificate, "certificate", FILE, ends))
    assert "is not valid before" in fault(lambda: check_dates(certificate, "certificate", FILE, begins - second))


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda each: each.name)
def test_signatures_that_are_accepted(algorithm: hashes.HashAlgorithm) -> None:
    check_signature(sign("office", ISSUER, hash_algorithm=algorithm).certificate, "certificate", FILE)


def test_a_signature_of_another_kind_is_named() -> None:
    weak = sign("office", ISSUER, hash_algorithm=hashes.SHA224()).certificate
    assert "signed with SHA224" in fault(lambda: check_signature(weak, "certificate", FILE))
    edwards = sign("edwards", authority=True, key=ed25519.Ed25519PrivateKey.generate())
    leaf = sign("office", edwards).certificate
    assert "signed with EdDSA" in fault(lambda: check_signature(leaf, "certificate", FILE))


def test_nobody_reads_the_signature_of_ones_own_key() -> None:
    check_signature(sign("office", hash_algorithm=hashes.SHA224()).certificate, "certificate", FILE)


def test_a_common_name_alone_is_not_enough() -> None:
    assert "no subject alternative names" in fault(lambda: check_leaf(sign("office.local").certificate, FILE))


@pytest.mark.parametrize(
    "usage", [(), (ExtendedKeyUsageOID.SERVER_AUTH,), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)]
)
def test_a_server_needs_a_purpose_that_fits_or_none(usage: tuple[x509.ObjectIdentifier, ...]) -> None:
    check_leaf(sign("office", names=["office.local"], usage=usage).certificate, FILE)


def test_a_client_is_no_server() -> None:
    client = sign("me", names=["me.local"], usage=[ExtendedKeyUsageOID.CLIENT_AUTH]).certificate
    assert "is not for servers" in fault(lambda: check_leaf(client, FILE))


def test_an_authority_is_told_from_a_server_that_openssl_made_one_of() -> None:
    authority, _ = make_authority([], machine=["dev"])
    assert acts_as_authority(authority.root)
    assert acts_as_authority(authority.intermediate)
    assert acts_as_authority(ISSUER.certificate)
    assert acts_as_authority(sign("bare", authority=True).certificate)
    assert acts_as_authority(sign("named", authority=True, names=["dev"], key_cert_sign=True).certificate)
    assert acts_as_authority(sign("below", ISSUER, authority=True, names=["dev"]).certificate)
    assert not acts_as_authority(sign("openssl req -x509", authority=True, names=["dev"]).certificate)
    assert not acts_as_authority(sign("plain", names=["dev"]).certificate)
    assert not acts_as_authority(sign("plain", names=["dev"], authority=None).certificate)
