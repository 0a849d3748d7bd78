"""TLS that asks clients for a certificate: whose counts, what is malformed, and that nothing of before lets in."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiofastnet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.certificates import Certificate, make_certificate
from wsgui.access.client_certificates import common_name
from wsgui.certificates.contexts import server_contexts
from wsgui.errors import CertificateError
from wsgui.profiles.access import Tls

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates for clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.files = make_certificate(folder, name=name)
        self.path = self.files.certificate
        self._certificate = x509.load_pem_x509_certificate(self.path.read_bytes())
        self._key = serialization.load_pem_private_key(self.files.key.read_bytes(), None)

    def sign(self, *names: str, usage: x509.ObjectIdentifier | None = None, expired: bool = False) -> Path:
        """Return a PEM file with a certificate of these common names, and its key."""
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now - DAY if expired else now + DAY)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        path = self.folder / f"client-{x509.random_serial_number()}.pem"
        path.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path


@pytest.fixture
def server(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, name="server")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other")


def context(server: Certificate, authority: Path | None, **more: Any) -> ssl.SSLContext:
    fields = {"certificate_file": str(server.certificate), "key_file": str(server.key)}
    if authority is not None:
        fields["client_authority"] = str(authority)
    made = server_contexts(Tls.model_validate(fields), **more)
    assert made is not None
    return made.default


def client(server: Certificate, shown: Path | None, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Any:
    made = server.client_context()
    made.maximum_version = newest
    if shown is not None:
        made.load_cert_chain(shown)
    return made


def shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Let the two meet in memory, and exchange a byte each; returns the server's side and the client's."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    steps: list[tuple[ssl.SSLObject, list[Callable[[], object]]]] = [
        (side, [side.do_handshake, lambda side=side: side.write(b"x"), lambda side=side: side.read(1)])  # type: ignore[misc]
        for side in (theirs, ours)
    ]
    for _ in range(20):
        for _side, left in steps:
            while left:
                try:
                    left[0]()
                except ssl.SSLWantReadError:
                    break
                left.pop(0)
    assert not any(left for _, left in steps)
    return ours, theirs


NEWEST = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("newest", NEWEST)
def test_a_client_of_the_authority_comes_in_and_its_name_is_known(
    newest: ssl.TLSVersion, server: Certificate, authority: Authority
) -> None:
    ours, _ = shake_hands(context(server, authority.path), client(server, authority.sign("anna"), newest=newest))
    assert common_name(ours) == "anna"


@pytest.mark.parametrize("newest", NEWEST)
def test_nobody_comes_in_without_one(newest: ssl.TLSVersion, server: Certificate, authority: Authority) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(context(server, authority.path), client(server, None, newest=newest))


@pytest.mark.parametrize("kind", ["other", "expired", "server's"])
def test_another_authority_s_an_expired_and_a_server_s_do_not_count(
    kind: str, server: Certificate, authority: Authority, other: Authority
) -> None:
    shown = {
        "other": lambda: other.sign("anna"),
        "expired": lambda: authority.sign("anna", expired=True),
        "server's": lambda: authority.sign("anna", usage=ExtendedKeyUsageOID.SERVER_AUTH),
    }[kind]()
    with pytest.raises(ssl.SSLError):
        shake_hands(context(server, authority.path), client(server, shown))


def test_each_authority_of_a_file_counts(server: Certificate, authority: Authority, other: Authority) -> None:
    with authority.path.open("ab") as file:
        file.write(other.path.read_bytes())
    made = context(server, authority.path)
    for each in (authority, other):
        shake_hands(made, client(server, each.sign("anna")))


def test_on_websockify_s_line_the_system_s_authorities_count(
    server: Certificate, authority: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority.path.parent / "nowhere"))
    made = context(server, None, verify_client=True)
    shake_hands(made, client(server, authority.sign("anna")))
    with pytest.raises(ssl.SSLError):
        shake_hands(made, client(server, other.sign("anna")))


def test_a_profile_s_authority_counts_alone(
    server: Certificate, authority: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(other.path))
    made = context(server, authority.path, verify_client=True)
    with pytest.raises(ssl.SSLError):
        shake_hands(made, client(server, other.sign("anna")))


# Sessions of before


@pytest.mark.parametrize("newest", NEWEST)
@pytest.mark.parametrize("before", ["no rule", "another authority", "the same authority"])
def test_a_ticket_from_before_does_not_let_in_without_a_certificate(
    before: str, newest: ssl.TLSVersion, server: Certificate, authority: Authority, other: Authority
) -> None:
    old = {"no rule": None, "another authority": other.path, "the same authority": authority.path}[before]
    had = {"no rule": None, "another authority": other.sign("anna"), "the same authority": authority.sign("anna")}
    shown = client(server, had[before], newest=newest)
    _, theirs = shake_hands(context(server, old), shown)
    # A reload makes a new context, whatever the rule was before.
    made = context(server, authority.path)
    if before == "the same authority":
        ours, _ = shake_hands(made, shown, theirs.session)
        assert not ours.session_reused
    else:
        with pytest.raises(ssl.SSLError):
            shake_hands(made, shown, theirs.session)


def test_tls_1_3_gives_no_tickets_where_clients_show_certificates(server: Certificate, authority: Authority) -> None:
    made = context(server, authority.path)
    shown = client(server, authority.sign("anna"))
    _, theirs = shake_hands(made, shown)
    ours, _ = shake_hands(made, shown, theirs.session)
    assert not ours.session_reused
    assert theirs.session is None or not theirs.session.has_ticket


def test_a_resumed_session_of_tls_1_2_still_has_its_certificate(server: Certificate, authority: Authority) -> None:
    made = context(server, authority.path)
    shown = client(server, authority.sign("anna"), newest=ssl.TLSVersion.TLSv1_2)
    _, theirs = shake_hands(made, shown)
    ours, _ = shake_hands(made, shown, theirs.session)
    assert common_name(ours) == "anna"


# Faults


@pytest.mark.parametrize("state", ["missing", "empty", "junk", "a key", "a folder", "damaged"])
def test_an_authority_that_is_none(state: str, server: Certificate, authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    content = {
        "empty": b"",
        "junk": b"\x00\xff" * 50,
        "a key": server.key.read_bytes(),
        "damaged": authority.path.read_bytes() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }
    if state in content:
        path.write_bytes(content[state])
    elif state == "a folder":
        path.mkdir()
    with pytest.raises(CertificateError) as caught:
        context(server, path)
    assert caught.value.field == "tls.client_authority"
    assert str(path) in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")


# Older versions


def old_client(server: Certificate, newest: ssl.TLSVersion) -> ssl.SSLContext:
    made = server.client_context()
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = newest
    made.maximum_version = newest
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_1_is_spoken_where_websockify_s_line_asks_for_it(server: Certificate) -> None:
    made = context(server, None, minimum=ssl.TLSVersion.TLSv1_1)
    assert shake_hands(made, old_client(server, ssl.TLSVersion.TLSv1_1))[0].version() == "TLSv1.1"
    assert shake_hands(made, client(server, None))[0].version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        shake_hands(made, old_client(server, ssl.TLSVersion.TLSv1))
    made = context(server, None, minimum=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        shake_hands(made, old_client(server, ssl.TLSVersion.TLSv1_1))


def test_a_passphrase_may_come_from_elsewhere(tmp_path: Path) -> None:
    locked = make_certificate(tmp_path, name="locked", password=b"open sesame")
    shake_hands(context(locked, None, passphrase="open sesame"), client(locked, None))
    with pytest.raises(CertificateError) as caught:
        context(locked, None, passphrase="s3cret")
    assert caught.value.field == "tls.key_password"
    assert "s3cret" not in str(caught.value)


# Names


class Peer:
    def __init__(self, certificate: object) -> None:
        self._certificate = certificate

    def getpeercert(self) -> object:
        return self._certificate


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (None, None),
        ({}, None),
        ({"subject": ()}, ""),
        ({"subject": ((("organizationName", "x"),),)}, ""),
        ({"subject": ((("commonName", "a"),), (("commonName", "b"),))}, "b"),
        ({"subject": ((("commonName", "a"), ("emailAddress", "x")),)}, "a"),
    ],
)
def test_the_common_name_of_a_certificate(certificate: object, name: str | None) -> None:
    assert common_name(Peer(certificate)) == name


async def test_a_transport_of_aiofastnet_s_tells_it_too(server: Certificate, authority: Authority) -> None:
    loop = asyncio.get_running_loop()
    made: asyncio.Future[str | None] = loop.create_future()

    class Serving(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set_result(common_name(transport.get_extra_info("ssl_object")))
            transport.close()

    one, two = socket.socketpair()
    one.setblocking(False)
    two.setblocking(False)
    shown = client(server, authority.sign("anna"))
    opening = asyncio.ensure_future(asyncio.open_connection(sock=two, ssl=shown, server_hostname="localhost"))
    try:
        await aiofastnet.connect_accepted_socket(loop, Serving, one, ssl=context(server, authority.path))
        assert await made == "anna"
    finally:
        _, writer = await opening
        writer.close()
