"""The key of JWTs: what is one, which it may be used for, and when it is read again."""

from __future__ import annotations

import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from jwcrypto.common import base64url_decode
from jwcrypto.jwk import JWK

from tests.support.certificates import make_certificate
from wsgui.access.tokens.jwt_keys import FIELD, KeyPlace, keys_of
from wsgui.errors import WsguiError

SECRET = bytes(range(1, 49))


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def refusal(data: bytes, *, strict: bool = True) -> str:
    with pytest.raises(WsguiError) as caught:
        keys_of(data, strict=strict)
    assert caught.value.field == FIELD
    assert caught.value.hint
    return caught.value.message


def octets(key: JWK) -> bytes:
    return bytes(base64url_decode(key.get("k")))


def test_an_rsa_key_is_for_rsa_algorithms(rsa_key: rsa.RSAPrivateKey) -> None:
    keys = keys_of(public_pem(rsa_key), strict=True)
    assert keys.signatures == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert keys.encryption == {"RSA-OAEP", "RSA-OAEP-256"}
    assert not keys.symmetric


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_a_curve_is_for_its_own_algorithm(curve: ec.EllipticCurve, algorithm: str) -> None:
    assert keys_of(public_pem(ec.generate_private_key(curve)), strict=True).signatures == {algorithm}


def test_an_ed25519_key_signs_and_never_encrypts() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    keys = keys_of(pem, strict=True)
    assert "EdDSA" in keys.signatures
    assert not keys.encryption


def test_a_certificate_stands_for_its_key(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path).certificate
    assert keys_of(certificate.read_bytes(), strict=True).signatures == {"ES256"}


def test_a_secret_never_takes_a_password_algorithm() -> None:
    keys = keys_of(SECRET, strict=True)
    assert keys.symmetric
    assert not [name for name in keys.encryption if name.startswith("PBES2")]


def test_a_binary_secret_is_taken_as_it_is() -> None:
    data = b"\xff\n" + SECRET + b"\n"
    assert [octets(key) for key in keys_of(data, strict=True).keys] == [data]


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_in_base64_stands_for_its_bytes_and_for_itself(encode: object) -> None:
    text = encode(SECRET + b"\xfb\xff")  # type: ignore[operator]
    assert [octets(key) for key in keys_of(text + b"\n", strict=True).keys] == [SECRET + b"\xfb\xff", text]


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t"])
def test_an_empty_key_is_refused(data: bytes) -> None:
    assert "empty" in refusal(data)
    assert "empty" in refusal(data, strict=False)


def test_a_short_secret_is_refused_without_being_shown() -> None:
    message = refusal(b"hunter2-but-a-little-longer")
    assert "32 bytes" in message
    assert "hunter2" not in message


def test_websockifys_line_takes_a_short_secret() -> None:
    assert keys_of(b"hunter2-but-a-little", strict=False).symmetric


def test_a_short_rsa_key_is_refused() -> None:
    assert "1024 bits" in refusal(public_pem(rsa.generate_private_key(65537, 1024)))


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_public_is_no_secret(rsa_key: rsa.RSAPrivateKey, strict: bool) -> None:
    public = rsa_key.public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    jwk = JWK.from_pyca(public).export_public().encode()
    for data in (der, b64encode(der), ssh, b'from="*" ' + ssh, ssh.split()[1], jwk, b"[" + jwk + b"]"):
        assert "no secret" in refusal(data, strict=strict), data
    broken = public_pem(rsa_key).replace(b"MIIB", b"MIIX")
    assert "PEM" in refusal(broken, strict=strict)
    assert "no secret" in refusal(public_pem(rsa_key).replace(b"-----", b"---- "), strict=strict)


def test_an_encrypted_key_says_what_to_name_instead(rsa_key: rsa.RSAPrivateKey) -> None:
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hunter2"),
    )
    with pytest.raises(WsguiError, match="public key") as caught:
        keys_of(pem, strict=True)
    assert "encrypted" in caught.value.message


def test_keys_that_sign_no_tokens_are_refused() -> None:
    exchange = x25519.X25519PrivateKey.generate()
    pem = exchange.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for data in (pem, public_pem(dsa.generate_private_key(1024)), public_pem(ec.generate_private_key(ec.SECP192R1()))):
        refusal(data)


def test_a_huge_file_is_refused() -> None:
    assert "longer than" in refusal(b"x" * 70_000)


def test_a_repr_shows_no_key() -> None:
    assert "keys=" not in repr(keys_of(b"hunter2" * 10, strict=True)).replace("Keys(", "")


def test_a_file_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    place = KeyPlace(str(file), strict=True)
    before = place.keys()
    other = tmp_path / "new"
    other.write_bytes(SECRET[::-1])
    os.replace(other, file)
    assert octets(place.keys().keys[0]) == SECRET[::-1] != octets(before.keys[0])


def test_a_file_that_rests_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    monkeypatch.setattr("wsgui.access.tokens.jwt_keys._SETTLE_NS", -(10**12))
    place = KeyPlace(str(file), strict=True)
    assert place.keys() is place.keys()


@pytest.mark.parametrize("ruin", [os.unlink, lambda file: os.truncate(file, 0), lambda file: os.truncate(file, 9)])
def test_a_key_that_goes_away_or_breaks_is_used_no_more(tmp_path: Path, ruin: object) -> None:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    place = KeyPlace(str(file), strict=True)
    place.keys()
    ruin(file)  # type: ignore[operator]
    for _ in range(2):
        with pytest.raises(WsguiError) as caught:
            place.keys()
        assert caught.value.field == FIELD
    file.write_bytes(SECRET)
    place.keys()


def test_a_folder_or_a_pipe_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(WsguiError, match="cannot be read"):
            KeyPlace(str(path), strict=True).keys()


def test_a_key_may_be_a_reference_to_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "s" * 40
    monkeypatch.setenv("JWT_KEY", text)
    assert octets(KeyPlace("env:JWT_KEY", strict=True).keys().keys[-1]) == text.encode()
    file = tmp_path / "key"
    file.write_text(text + "\n")
    file.chmod(0o600)
    assert octets(KeyPlace(f"file:{file}", strict=True).keys().keys[-1]) == text.encode()


def test_a_reference_to_a_secret_file_is_resolved_again_when_that_changed(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a" * 41)
    file.chmod(0o600)
    place = KeyPlace(f"file:{file}", strict=True)
    place.keys()
    file.write_text("b" * 41)
    assert octets(place.keys().keys[-1]) == b"b" * 41


def test_a_reference_to_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JWT_KEY", raising=False)
    with pytest.raises(WsguiError, match="JWT_KEY") as caught:
        KeyPlace("env:JWT_KEY", strict=True).keys()
    assert caught.value.field == FIELD
