"""The local authority: what it may sign, what stands in its two certificates, and that its root's key is nowhere."""

from __future__ import annotations

import datetime
import gc
import ipaddress
from datetime import UTC
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.support.issuing import Issued, Nss, OpenSsl, sign, sign_server
from wsgui.certificates.authority import LOCAL_NAMES, LOCAL_NETWORKS, Authority, make_authority
from wsgui.certificates.names import certificate_name
from wsgui.errors import CertificateError

ASKED = ("office.example.org", "*.wild.example.net", "203.0.113.7", "2001:db8::1")
AUTHORITY, KEY = make_authority(ASKED, machine=["dev", "dev.corp.example"])
NOW = datetime.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)

ALLOWED = [
    ("localhost",),
    ("a.localhost",),
    ("dev",),
    ("dev.corp.example",),
    ("dev.local", "10.1.2.3"),
    ("*.lab.home.arpa",),
    ("office.example.org",),
    ("x.office.example.org",),
    ("wild.example.net",),
    ("*.wild.example.net",),
    ("*.deep.wild.example.net",),
    ("127.0.0.1", "::1"),
    ("172.31.255.255", "192.168.0.1", "169.254.9.9"),
    ("fd12::1", "fe80::1"),
    ("203.0.113.7", "2001:db8::1"),
]
FORBIDDEN = [
    ("example.com",),
    ("localhost", "example.com"),
    ("*.example.com",),
    ("example.org",),
    ("www.example.org",),
    ("notoffice.example.org",),
    ("*.example.net",),
    ("shop.dev",),
    ("*.shop.dev",),
    ("local.example",),
    ("8.8.8.8",),
    ("10.0.0.1", "8.8.8.8"),
    ("172.32.0.1",),
    ("203.0.113.8",),
    ("2001:db8::2",),
]


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_class(kind)


@pytest.mark.parametrize("names", ALLOWED, ids=" ".join)
def test_it_covers_what_is_local_and_what_was_asked_for(names: tuple[str, ...]) -> None:
    assert all(AUTHORITY.covers(name) for name in names)


@pytest.mark.parametrize("names", FORBIDDEN, ids=" ".join)
def test_it_does_not_cover_the_internet(names: tuple[str, ...]) -> None:
    assert not all(AUTHORITY.covers(name) for name in names)


def test_openssl_and_nss_refuse_what_the_issuers_key_signs_outside_and_take_what_is_within(tmp_path: Path) -> None:
    openssl, nss = OpenSsl(tmp_path, AUTHORITY.root), Nss(tmp_path, AUTHORITY.root)
    stolen = Issued(AUTHORITY.intermediate, KEY)
    for names in (*ALLOWED, *FORBIDDEN):
        # A common name would be held against the constraints as a host by itself.
        leaf = sign("stolen key", stolen, names=names, usage=[ExtendedKeyUsageOID.SERVER_AUTH]).certificate
        said = openssl.verify((leaf, AUTHORITY.intermediate)), nss.verify((leaf, AUTHORITY.intermediate))
        if names in ALLOWED:
            assert said == ("", ""), names
        else:
            assert "subtree violation" in said[0], names
            assert "not permitted to issue a certificate with this name" in said[1], names


def test_the_issuers_key_makes_no_further_authority(tmp_path: Path) -> None:
    stolen = Issued(AUTHORITY.intermediate, KEY)
    below = sign("below", stolen, authority=True, key_cert_sign=True)
    chain = (sign_server(below, ["office.local"]).certificate, below.certificate, AUTHORITY.intermediate)
    assert "path length constraint exceeded" in OpenSsl(tmp_path, AUTHORITY.root).verify(chain)
    assert Nss(tmp_path, AUTHORITY.root).verify(chain)


def test_the_issuers_key_makes_no_certificate_for_anything_but_servers(tmp_path: Path) -> None:
    leaf = sign("dev.local", Issued(AUTHORITY.intermediate, KEY), names=["dev.local"]).certificate
    openssl = OpenSsl(tmp_path, AUTHORITY.root)
    assert openssl.verify((leaf, AUTHORITY.intermediate)) == ""
    for purpose in ("sslclient", "smimesign"):
        assert "unsuitable certificate purpose" in openssl.verify(
            (leaf, AUTHORITY.intermediate), "-purpose", purpose
        ), purpose


@pytest.mark.parametrize(("certificate", "length"), [(AUTHORITY.root, 1), (AUTHORITY.intermediate, 0)])
def test_both_sign_certificates_and_say_how_far(certificate: x509.Certificate, length: int) -> None:
    constraints = extension(certificate, x509.BasicConstraints)
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=length)
    usage = extension(certificate, x509.KeyUsage)
    signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    assert usage.value == signs
    assert constraints.critical
    assert usage.critical


def test_the_intermediate_is_constrained_critically_and_for_servers() -> None:
    constraints = extension(AUTHORITY.intermediate, x509.NameConstraints)
    assert constraints.critical
    assert isinstance(constraints.value, x509.NameConstraints)
    permitted = constraints.value.permitted_subtrees or []
    domains = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
    assert domains == [*LOCAL_NAMES, "dev", "dev.corp.example", "office.example.org", "wild.example.net"]
    wanted = [*LOCAL_NETWORKS, "203.0.113.7/32", "2001:db8::1/128"]
    assert networks == [ipaddress.ip_network(network) for network in wanted]
    usages = extension(AUTHORITY.intermediate, x509.ExtendedKeyUsage).value
    assert isinstance(usages, x509.ExtendedKeyUsage)
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_root_signed_both_and_its_key_is_gone() -> None:
    authority, key = make_authority([], machine=["dev"])
    authority.root.verify_directly_issued_by(authority.root)
    authority.intermediate.verify_directly_issued_by(authority.root)
    assert key.public_key() == authority.intermediate.public_key()
    gc.collect()
    keys = [each for each in gc.get_objects() if isinstance(each, ec.EllipticCurvePrivateKey)]
    assert authority.root.public_key() not in [each.public_key() for each in keys]


def test_identifiers_of_keys_lead_from_the_intermediate_to_the_root() -> None:
    own = extension(AUTHORITY.root, x509.SubjectKeyIdentifier).value
    issuer = extension(AUTHORITY.intermediate, x509.AuthorityKeyIdentifier).value
    assert isinstance(own, x509.SubjectKeyIdentifier)
    assert isinstance(issuer, x509.AuthorityKeyIdentifier)
    assert issuer.key_identifier == own.digest
    subject = extension(AUTHORITY.intermediate, x509.SubjectKeyIdentifier).value
    assert subject == x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())


def test_serial_numbers_are_random_positive_and_of_at_most_twenty_octets() -> None:
    made = [make_authority([], machine=[])[0] for _ in range(3)]
    numbers = [each.serial_number for authority in made for each in (authority.root, authority.intermediate)]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 1 << 159 for number in numbers)
    assert max(numbers).bit_length() > 128


def test_a_clock_that_is_an_hour_behind_takes_it_and_it_lasts_ten_years() -> None:
    authority, _ = make_authority([], machine=["dev"], now=NOW)
    for certificate in (authority.root, authority.intermediate):
        assert certificate.not_valid_before_utc == NOW.replace(hour=3, microsecond=0)
        assert certificate.not_valid_after_utc.year == 2036


def test_a_person_recognises_it_by_computer_and_day() -> None:
    authority, _ = make_authority([], machine=["lab-pc.local", "lab-pc"], now=NOW)
    assert authority.description.subject == "wsgui local authority of lab-pc.local (2026-02-03)"
    assert authority.intermediate.issuer == authority.root.subject


def test_two_of_one_day_have_different_names_and_identities() -> None:
    one, other = (make_authority([], machine=["dev"], now=NOW)[0] for _ in range(2))
    assert one.description.subject == other.description.subject
    assert one.root.subject != other.root.subject
    assert one.id != other.id
    assert len(one.id) == 16


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("build-server-17.department.example.com", "build-server-17"),
        ("a" * 63 + ".example.com", "a" * 23 + "..."),
        ("Zoë's\x1b[2J Mac", "Zoë's\\x1b[2J Mac"),
        ("", "this computer"),
    ],
)
def test_any_name_of_a_computer_fits(host: str, shown: str) -> None:
    authority, _ = make_authority([], machine=[host], now=NOW)
    assert authority.description.subject == f"wsgui local authority of {shown} (2026-02-03)"


@given(st.text(max_size=100))
def test_the_common_name_is_never_longer_than_it_may_be(host: str) -> None:
    authority, _ = make_authority([], machine=[host])
    for certificate in (authority.root, authority.intermediate):
        (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert len(name.value) <= 64


def test_what_cannot_stand_in_a_certificate_is_passed_over_in_the_computers_names_only() -> None:
    authority, _ = make_authority([], machine=["Zoë's Mac", "zoe.example"])
    assert authority.covers("zoe.example")
    with pytest.raises(CertificateError):
        make_authority(["Zoë's Mac"], machine=[])
    with pytest.raises(CertificateError, match="not a network"):
        make_authority(["10.0.0.1/8"], machine=[])


def test_another_one_made_from_what_it_permits_permits_the_same() -> None:
    again, _ = make_authority(AUTHORITY.permitted, machine=["dev"])
    assert set(again.permitted) == set(AUTHORITY.permitted)
    assert not again.covers("shop.dev")


def test_a_name_below_a_computers_own_is_covered_when_it_was_asked_for_and_ever_after() -> None:
    first, _ = make_authority(["srv.office"], machine=["office"])
    second, _ = make_authority(first.permitted, machine=["office"])
    for authority in (first, second):
        assert authority.covers("srv.office")
        assert authority.covers("office")


def test_an_intermediate_without_constraints_covers_nothing() -> None:
    root = sign("root", authority=True)
    foreign = Authority(root.certificate, sign("other", root, authority=True).certificate)
    assert foreign.permitted == ()
    assert not foreign.covers("localhost")


def test_a_name_that_is_none_is_not_answered() -> None:
    with pytest.raises(CertificateError):
        AUTHORITY.covers("fe80::1%eth0")


LABELS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
NAMES = st.one_of(
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    st.tuples(
        st.lists(LABELS, max_size=2), st.sampled_from(["office.example.org", "dev", "local", "wild.example.net"])
    ).map(lambda parts: ".".join([*parts[0], parts[1]])),
)


@given(NAMES)
def test_a_host_is_covered_exactly_when_a_permitted_domain_ends_it_at_a_dot(name: str) -> None:
    bases = [text for text in AUTHORITY.permitted if not text[0].isdigit() and ":" not in text]
    labels = name.split(".")
    ends = {".".join(labels[start:]) for start in range(len(labels))}
    assert AUTHORITY.covers(name) == (name == "dev" or bool(ends & (set(bases) - {"dev"})))


@given(NAMES.filter(lambda name: "." in name))
def test_a_wildcard_is_covered_exactly_when_all_that_it_stands_for_is(parent: str) -> None:
    assert AUTHORITY.covers(f"*.{parent}") == AUTHORITY.covers(f"anything.{parent}")


@given(st.ip_addresses())
def test_an_address_is_covered_exactly_when_a_permitted_network_has_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        address = ipaddress.ip_address(certificate_name(str(address)))
    except CertificateError:
        return
    networks = [ipaddress.ip_network(text) for text in AUTHORITY.permitted if text[0].isdigit() or ":" in text]
    assert AUTHORITY.covers(str(address)) == any(address in network for network in networks)
