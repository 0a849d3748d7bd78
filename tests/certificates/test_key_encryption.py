"""Encrypted keys as OpenSSL and others read them."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.programs import need
from wsgui.certificates.exchange import chain_pem
from wsgui.certificates.issue import PrivateKey, self_signed
from wsgui.certificates.key_encryption import encrypted_pkcs8

EC_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("key", [EC_KEY, rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 4096)])
def test_openssl_opens_it_with_the_passphrase_only(tmp_path: Path, key: PrivateKey) -> None:
    need("openssl")
    file = tmp_path / "key.pem"
    file.write_bytes(encrypted_pkcs8(key, b"correct horse"))
    command = ["openssl", "pkey", "-in", str(file), "-noout", "-check", "-passin"]
    assert subprocess.run([*command, "pass:correct horse"], capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, "pass:wrong"], capture_output=True, check=False).returncode != 0


def test_it_is_aes_256_with_scrypt(tmp_path: Path) -> None:
    need("openssl")
    shown = subprocess.run(
        ["openssl", "asn1parse"], input=encrypted_pkcs8(EC_KEY, b"x"), capture_output=True, check=True
    ).stdout
    assert b":PBES2" in shown
    assert b":1.3.6.1.4.1.11591.4.11" in shown or b":scrypt" in shown
    assert b":aes-256-cbc" in shown


def test_python_loads_it_by_callable(tmp_path: Path) -> None:
    bundle = self_signed(["dev"])
    file = tmp_path / "office.pem"
    file.write_bytes(encrypted_pkcs8(bundle.key, "größe ✓".encode()) + chain_pem(bundle.chain))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password=lambda: "größe ✓")
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password=lambda: "grosse")


@given(st.binary(min_size=1, max_size=1023))
@settings(max_examples=20)
def test_any_passphrase_opens_what_it_closed(passphrase: bytes) -> None:
    opened = load_pem_private_key(encrypted_pkcs8(EC_KEY, passphrase), passphrase)
    assert isinstance(opened, ec.EllipticCurvePrivateKey)
    assert opened.private_numbers() == EC_KEY.private_numbers()


def test_salt_and_vector_are_new_each_time() -> None:
    assert encrypted_pkcs8(EC_KEY, b"x") != encrypted_pkcs8(EC_KEY, b"x")
