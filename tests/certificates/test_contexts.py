"""TLS contexts from a profile: what works, what each fault is called, and what is spoken to whom."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.certificates import Certificate, make_certificate
from wsgui.certificates.contexts import server_contexts
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles.access import Tls
from wsgui.profiles.keyring_access import SERVICE

PASSPHRASE = "correct horse ü"


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring with one secret in it."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return PASSPHRASE if (service, username) == (SERVICE, "office") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def plain(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, name="plain")


@pytest.fixture
def locked(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, name="locked", password=PASSPHRASE.encode())


def tls(files: Certificate, **more: object) -> Tls:
    fields = {"certificate_file": str(files.certificate), "key_file": str(files.key)} | more
    return Tls.model_validate(fields)


def context(files: Certificate, **more: object) -> ssl.SSLContext:
    made = server_contexts(tls(files, **more))
    assert made is not None
    return made.default


def fault(files: Certificate, **more: object) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        server_contexts(tls(files, **more))
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".") or "=" in caught.value.hint
    assert PASSPHRASE not in str(caught.value)
    return caught.value


def client_context(files: Certificate) -> ssl.SSLContext:
    return files.client_context()


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost") -> ssl.SSLObject:
    """Let the two meet in memory; returns the client's side, or raises what either side raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=name)
    done = set()
    for _ in range(10):
        for side in (theirs, ours):
            if side not in done:
                try:
                    side.do_handshake()
                    done.add(side)
                except ssl.SSLWantReadError:
                    pass
    assert len(done) == 2
    return theirs


# What works


def test_without_a_certificate_there_is_no_context() -> None:
    assert server_contexts(Tls()) is None


def test_a_certificate_and_its_key(plain: Certificate) -> None:
    assert shake_hands(context(plain), client_context(plain)).version() == "TLSv1.3"


def test_both_in_one_file(plain: Certificate, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(plain.key.read_bytes() + plain.certificate.read_bytes())
    made = server_contexts(Tls(certificate_file=str(both)))
    assert made is not None
    shake_hands(made.default, client_context(plain))


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("kind", ["keyring", "env", "file"])
def test_an_encrypted_key_opens_with_its_passphrase(
    kind: str, locked: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(PASSPHRASE + "\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", PASSPHRASE)
    reference = {"keyring": "keyring:office", "env": "env:WSGUI_TEST_PASSPHRASE", "file": f"file:{tmp_path}/secret"}
    shake_hands(context(locked, key_password=reference[kind]), client_context(locked))


def test_an_older_kind_of_encrypted_key_opens_too(
    plain: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = serialization.load_pem_private_key(plain.key.read_bytes(), None)
    old = tmp_path / "old.key"
    old.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.BestAvailableEncryption(b"old"),
        )
    )
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "old")
    files = Certificate(plain.certificate, old)
    shake_hands(context(files, key_password="env:WSGUI_TEST_PASSPHRASE"), client_context(plain))
    assert fault(files).message == f"The key in {old} is encrypted."


def test_http_is_what_is_agreed_on(plain: Certificate) -> None:
    client = client_context(plain)
    client.set_alpn_protocols(["h2", "http/1.1"])
    assert shake_hands(context(plain), client).selected_alpn_protocol() == "http/1.1"


# Faults


def test_a_missing_certificate(plain: Certificate, tmp_path: Path) -> None:
    error = fault(Certificate(tmp_path / "none.pem", plain.key))
    assert error.message == f"There is no file {tmp_path}/none.pem."
    assert error.field == "tls.certificate_file"


def test_a_missing_key(plain: Certificate, tmp_path: Path) -> None:
    error = fault(Certificate(plain.certificate, tmp_path / "none.key"))
    assert error.message == f"There is no file {tmp_path}/none.key."
    assert error.field == "tls.key_file"


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00\xff" * 100, b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_that_is_none(content: bytes, plain: Certificate) -> None:
    plain.certificate.write_bytes(content)
    error = fault(plain)
    assert error.message == f"There is no certificate in PEM form in {plain.certificate}."
    assert error.field == "tls.certificate_file"


def test_a_certificate_in_binary_form(plain: Certificate) -> None:
    certificate = x509.load_pem_x509_certificate(plain.certificate.read_bytes())
    plain.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    assert "Convert it to PEM" in fault(plain).hint


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 100])
def test_a_key_that_is_none(content: bytes, plain: Certificate) -> None:
    plain.key.write_bytes(content)
    error = fault(plain)
    assert error.message == f"There is no private key in PEM form in {plain.key}."
    assert error.field == "tls.key_file"


def test_a_certificate_file_without_the_key_that_was_not_named_elsewhere(plain: Certificate) -> None:
    with pytest.raises(CertificateError) as caught:
        server_contexts(Tls(certificate_file=str(plain.certificate)))
    assert caught.value.field == "tls.key_file"
    assert "[tls] key_file" in caught.value.hint


def test_a_damaged_key(plain: Certificate) -> None:
    lines = plain.key.read_text().splitlines()
    plain.key.write_text("\n".join([lines[0], lines[1][:20], lines[-1]]) + "\n")
    assert "damaged" in fault(plain).message


def test_a_key_of_another_certificate(plain: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, name="other")
    error = fault(Certificate(plain.certificate, other.key))
    assert error.message == f"The key in {other.key} does not belong to the certificate in {plain.certificate}."
    assert error.field == "tls.key_file"


def test_an_encrypted_key_without_a_passphrase(locked: Certificate) -> None:
    error = fault(locked)
    assert error.message == f"The key in {locked.key} is encrypted."
    assert "key_password" in error.hint
    assert error.field == "tls.key_password"


@pytest.mark.parametrize("wrong", ["hunter2", PASSPHRASE + " ", "x" * 1500])
def test_a_wrong_passphrase(wrong: str, locked: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", wrong)
    error = fault(locked, key_password="env:WSGUI_TEST_PASSPHRASE")
    assert error.message == f"The passphrase does not open the key in {locked.key}."
    assert error.field == "tls.key_password"
    assert wrong not in str(error)


def test_a_passphrase_that_cannot_be_had_is_asked_for_even_where_none_is_needed(
    plain: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WSGUI_TEST_PASSPHRASE", raising=False)
    with pytest.raises(SecretError):
        server_contexts(tls(plain, key_password="env:WSGUI_TEST_PASSPHRASE"))


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_holds_nothing_up(which: str, kind: str, plain: Certificate, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    files = Certificate(path, plain.key) if which == "certificate" else Certificate(plain.certificate, path)
    error = fault(files)
    assert error.message == f"{path} is not a file."
    assert error.field == f"tls.{which}_file"


# Versions and ciphers


def old_client(files: Certificate, newest: ssl.TLSVersion) -> ssl.SSLContext:
    client = client_context(files)
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = ssl.TLSVersion.TLSv1
    client.maximum_version = newest
    return client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_older_than_1_2_is_refused(newest: ssl.TLSVersion, plain: Certificate) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(context(plain), old_client(plain, newest))
    with pytest.raises(ssl.SSLError):  # nor do ciphers that would allow it bring it back
        shake_hands(context(plain, ciphers="ALL:@SECLEVEL=0"), old_client(plain, newest))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_2_is_spoken_unless_1_3_is_asked_for(plain: Certificate) -> None:
    client = old_client(plain, ssl.TLSVersion.TLSv1_2)
    assert shake_hands(context(plain), client).version() == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        shake_hands(context(plain, minimum="1.3"), client)
    assert shake_hands(context(plain, minimum="1.3"), client_context(plain)).version() == "TLSv1.3"


def test_ciphers_are_those_that_the_profile_names(plain: Certificate) -> None:
    client = client_context(plain)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    cipher = shake_hands(context(plain, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"), client).cipher()
    assert cipher is not None
    assert cipher[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        shake_hands(context(plain, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"), client)


def test_ciphers_that_are_none(plain: Certificate) -> None:
    error = fault(plain, ciphers="SECRET-SAUCE")
    assert error.message == 'No cipher matches "SECRET-SAUCE".'
    assert error.field == "tls.ciphers"


# Names


def names(files: Certificate) -> frozenset[str]:
    made = server_contexts(tls(files))
    assert made is not None
    return made.names


def test_a_certificate_s_names_are_its_alternative_ones(plain: Certificate) -> None:
    assert names(plain) == {"localhost", "127.0.0.1", "::1"}


def test_only_the_first_certificate_of_a_chain_counts(plain: Certificate, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.lab"), x509.RFC822Name("a@b.c")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + plain.certificate.read_bytes())
    own = tmp_path / "own.key"
    own.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert names(Certificate(chain, own)) == {"*.lab"}
