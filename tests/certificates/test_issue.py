"""Leaves: what stands in them, who accepts them, and what is not signed."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from datetime import UTC
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.issuing import Nss, OpenSsl
from wsgui.certificates.authority import make_authority
from wsgui.certificates.exchange import bundle_pem, chain_pem
from wsgui.certificates.issue import Bundle, issue, self_signed
from wsgui.errors import CertificateError

AUTHORITY, KEY = make_authority(["office.example.org"], machine=["dev"])
NAMES = ("dev", "Office.local", "bücher.local", "*.lab.lan", "127.0.0.1", "::1", "fd12::1")
BUNDLE = issue(AUTHORITY, KEY, NAMES)
SELF_SIGNED = self_signed(NAMES)
BOTH = pytest.mark.parametrize("bundle", [BUNDLE, SELF_SIGNED], ids=["issued", "self-signed"])
DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
LONG = ".".join(["a" * 60, "b" * 60, "local"])


def value(bundle: Bundle, kind: type[x509.ExtensionType]) -> x509.ExtensionType:
    return bundle.leaf.extensions.get_extension_for_class(kind).value


@BOTH
def test_names_are_in_their_order_and_spelling_addresses_as_addresses(bundle: Bundle) -> None:
    assert value(bundle, x509.SubjectAlternativeName) == x509.SubjectAlternativeName(
        [
            x509.DNSName("dev"),
            x509.DNSName("office.local"),
            x509.DNSName("xn--bcher-kva.local"),
            x509.DNSName("*.lab.lan"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.IPAddress(ipaddress.ip_address("fd12::1")),
        ]
    )


@BOTH
def test_the_key_signs_handshakes_of_servers_and_nothing_else(bundle: Bundle) -> None:
    assert isinstance(bundle.key, ec.EllipticCurvePrivateKey)
    assert isinstance(bundle.key.curve, ec.SECP256R1)
    assert bundle.key.public_key() == bundle.leaf.public_key()
    usage = bundle.leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.value == x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    constraints = bundle.leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    assert (usage.critical, constraints.critical) == (True, True)
    assert value(bundle, x509.ExtendedKeyUsage) == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def test_the_chain_is_leaf_and_intermediate_linked_by_identifiers() -> None:
    assert BUNDLE.chain == (BUNDLE.leaf, AUTHORITY.intermediate)
    issuer = AUTHORITY.intermediate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    link = value(BUNDLE, x509.AuthorityKeyIdentifier)
    assert isinstance(link, x509.AuthorityKeyIdentifier)
    assert link.key_identifier == issuer.digest
    assert value(BUNDLE, x509.SubjectKeyIdentifier) == x509.SubjectKeyIdentifier.from_public_key(
        BUNDLE.key.public_key()
    )


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("-verify_hostname", "dev"),
        ("-verify_hostname", "office.local"),
        ("-verify_hostname", "xn--bcher-kva.local"),
        ("-verify_hostname", "pc7.lab.lan"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "::1"),
        ("-verify_ip", "fd12::1"),
    ],
)
def test_openssl_accepts_each_name(tmp_path: Path, option: str, name: str) -> None:
    assert OpenSsl(tmp_path, AUTHORITY.root).verify(BUNDLE.chain, option, name) == ""
    assert OpenSsl(tmp_path, SELF_SIGNED.leaf).verify(SELF_SIGNED.chain, option, name) == ""


@pytest.mark.parametrize(
    ("option", "name"),
    [("-verify_hostname", "other.local"), ("-verify_hostname", "a.pc7.lab.lan"), ("-verify_ip", "127.0.0.2")],
)
def test_openssl_accepts_no_other_name(tmp_path: Path, option: str, name: str) -> None:
    assert "mismatch" in OpenSsl(tmp_path, AUTHORITY.root).verify(BUNDLE.chain, option, name)


@pytest.mark.parametrize(
    "names",
    [NAMES, ("10.0.0.1",), ("10.0.0.1", "::1"), ("*.lab.lan",), ("dev",), (LONG,), (LONG, "10.0.0.1"), ("1.2.local",)],
    ids=" ".join,
)
def test_openssl_and_nss_accept_every_mixture_of_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    chain = issue(AUTHORITY, KEY, names).chain
    assert OpenSsl(tmp_path, AUTHORITY.root).verify(chain) == ""
    assert Nss(tmp_path, AUTHORITY.root).verify(chain) == ""


def test_without_the_intermediate_or_with_another_root_it_is_refused(tmp_path: Path) -> None:
    other, _ = make_authority([], machine=["dev"])
    assert OpenSsl(tmp_path, AUTHORITY.root).verify(BUNDLE.chain[:1])
    assert OpenSsl(tmp_path, other.root).verify(BUNDLE.chain)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_python_client_that_knows_the_root_connects(tmp_path: Path, name: str) -> None:
    bundle = issue(AUTHORITY, KEY, ["localhost", "127.0.0.1"])
    file = tmp_path / "office.pem"
    file.write_bytes(bundle_pem(bundle, "correct horse"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, password=lambda: "correct horse")
    client = ssl.create_default_context(cadata=chain_pem([AUTHORITY.root]).decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with server.wrap_socket(ours, server_side=True) as connection:
            connection.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(theirs, server_hostname=name) as connection:
        assert connection.recv(5) == b"hello"
    thread.join()


@BOTH
def test_it_lasts_at_most_397_days_and_begins_an_hour_ago(bundle: Bundle) -> None:
    now = datetime.datetime.now(UTC)
    said = bundle.description
    assert 396 * DAY < said.not_after - said.not_before < 397 * DAY
    assert HOUR <= now - said.not_before < HOUR + DAY


def test_it_does_not_outlive_its_authority_nor_begin_before_it() -> None:
    end = AUTHORITY.intermediate.not_valid_after_utc
    late = issue(AUTHORITY, KEY, ["dev"], now=end - 10 * DAY)
    assert late.description.not_after == end
    early = issue(AUTHORITY, KEY, ["dev"], now=AUTHORITY.intermediate.not_valid_before_utc)
    assert early.description.not_before == AUTHORITY.intermediate.not_valid_before_utc


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (AUTHORITY.intermediate.not_valid_after_utc, "ended on"),
        (AUTHORITY.intermediate.not_valid_before_utc - HOUR, "is not valid before"),
    ],
)
def test_an_authority_that_is_not_valid_signs_nothing(now: datetime.datetime, says: str) -> None:
    with pytest.raises(CertificateError, match=says) as caught:
        issue(AUTHORITY, KEY, ["dev"], now=now)
    assert "clock" in caught.value.hint


def test_a_name_outside_is_not_signed_and_is_named() -> None:
    with pytest.raises(CertificateError, match=r"may not sign for example\.com, 8\.8\.8\.8\.") as caught:
        issue(AUTHORITY, KEY, ["dev", "example.com", "8.8.8.8"])
    assert "trust it on each device" in caught.value.hint


def test_another_authoritys_key_signs_nothing() -> None:
    _, other = make_authority([], machine=["dev"])
    with pytest.raises(CertificateError, match="does not belong"):
        issue(AUTHORITY, other, ["dev"])


@pytest.mark.parametrize("names", [[], ["fe80::1%eth0"], ["a b"]], ids=str)
def test_no_name_or_a_wrong_one_makes_no_certificate(names: list[str]) -> None:
    with pytest.raises(CertificateError):
        issue(AUTHORITY, KEY, names)
    with pytest.raises(CertificateError):
        self_signed(names)


def test_a_name_that_is_given_twice_stands_there_once() -> None:
    assert self_signed(["dev", "DEV", "dev."]).description.names == ("dev",)


def test_each_has_a_key_and_a_serial_number_of_its_own() -> None:
    one, other = issue(AUTHORITY, KEY, ["dev"]), issue(AUTHORITY, KEY, ["dev"])
    assert one.leaf.serial_number != other.leaf.serial_number
    assert one.key.public_key() != other.key.public_key()


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        (("10.0.0.1", "dev"), "dev"),
        ((LONG, "dev"), "dev"),
        (("10.0.0.1",), "wsgui at 10.0.0.1"),
        ((LONG,), "wsgui"),
    ],
)
def test_the_common_name_is_a_host_that_is_short_enough(names: tuple[str, ...], subject: str) -> None:
    assert self_signed(names).description.subject == subject


def test_a_self_signed_one_vouches_for_itself_and_for_no_other() -> None:
    said = SELF_SIGNED.description
    assert (said.self_signed, said.is_authority) == (True, False)
    assert SELF_SIGNED.chain == (SELF_SIGNED.leaf,)


def test_a_key_is_in_no_text() -> None:
    assert "key" not in repr(BUNDLE)
