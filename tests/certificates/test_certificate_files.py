"""One file of somebody else's: what it holds, or what is wrong with it, by name and with the remedy."""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.issuing import sign, write_pkcs12
from tests.support.programs import need
from wsgui.certificates.certificate_files import MAX_FILE_BYTES, read_parts
from wsgui.errors import CertificateError

LEAF = sign("office", names=["office.local"])
KEY = LEAF.key_pem()
LOCKED = LEAF.key_pem(b"correct horse")


def fault(path: Path, password: str | None = None) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        read_parts(path, None if password is None else lambda _: password)
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    assert path.name in caught.value.message
    return caught.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "office.pem"


def test_all_parts_of_a_file_are_found(file: Path) -> None:
    file.write_bytes(KEY + LEAF.pem + LOCKED + b"-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n")
    parts = read_parts(file, lambda _: "correct horse")
    assert len(parts.keys) == 2
    assert parts.certificates == [LEAF.certificate]
    assert parts.other == ["DH PARAMETERS"]


def test_a_password_is_asked_for_once_a_file_and_never_in_vain(file: Path) -> None:
    asked: list[str] = []

    def password(what: str) -> str:
        asked.append(what)
        return "correct horse"

    file.write_bytes(LOCKED + LOCKED)
    read_parts(file, password)
    assert asked == [f"The password of {file}"]
    file.write_bytes(KEY + LEAF.pem)
    read_parts(file, password)
    assert len(asked) == 1


def test_what_the_asking_raises_is_passed_on(file: Path) -> None:
    def gone(_: str) -> str:
        raise KeyboardInterrupt

    file.write_bytes(LOCKED)
    with pytest.raises(KeyboardInterrupt):
        read_parts(file, gone)


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_an_empty_file(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "is empty" in fault(file).message


def test_a_file_that_is_too_large_and_one_that_is_just_not(file: Path) -> None:
    file.write_bytes((KEY + LEAF.pem).ljust(MAX_FILE_BYTES, b"\n"))
    assert read_parts(file, None).certificates
    file.write_bytes((KEY + LEAF.pem).ljust(MAX_FILE_BYTES + 1, b"\n"))
    assert "larger than 1 MiB" in fault(file).message


def test_a_folder_is_no_file_and_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "folder", tmp_path / "pipe"
    folder.mkdir()
    os.mkfifo(pipe)
    assert "is not a file" in fault(folder).message
    assert "is not a file" in fault(pipe).message


def test_a_name_that_no_file_has(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        read_parts(tmp_path / "a\0b", None)


def test_a_file_name_does_not_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2J.der"
    path.write_bytes(LEAF.certificate.public_bytes(Encoding.DER))
    with pytest.raises(CertificateError) as caught:
        read_parts(path, None)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "content", [b"hello", b"\x89PNG\r\n\x1a\n", b"\x30", b"\x30\x80", b"0 8 9", b"\xfe\xed\xfe\xed\0"]
)
def test_something_else_altogether(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "neither PEM nor PKCS#12" in fault(file).message


@pytest.mark.parametrize(
    "broken",
    [
        LEAF.pem[:-30],
        LEAF.pem.replace(b"-----END", b"----END"),
        LEAF.pem[:200] + LEAF.pem,
        b"-----BEGIN CERTIFICATE",
        b"-----BEGIN " * 20000,
        b"-----BEGIN A-----" * 20000,
    ],
)
def test_a_block_that_does_not_end(file: Path, broken: bytes) -> None:
    file.write_bytes(KEY + broken)
    assert "does not end" in fault(file).message


@pytest.mark.parametrize("what", ["key", "certificate"])
@pytest.mark.parametrize("damage", ["a character that is none", "a line lost", "other octets", "nothing inside"])
def test_a_damaged_block(file: Path, what: str, damage: str) -> None:
    text = KEY if what == "key" else LEAF.pem
    lines = text.splitlines()
    match damage:
        case "a character that is none":
            lines[1] = b"!" + lines[1][1:]
        case "a line lost":
            del lines[2]
        case "other octets":
            lines[1] = b"A" * len(lines[1])
        case _:
            del lines[1:-1]
    file.write_bytes(b"\n".join(lines))
    assert fault(file).message == f"A {what} in {file} is damaged."


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_damaged_key_that_is_encrypted(file: Path, form: PrivateFormat) -> None:
    lines = LEAF.key_pem(b"correct horse", form).splitlines()
    lines[-3] = lines[-3][::-1]
    file.write_bytes(b"\n".join(lines))
    error = fault(file, "correct horse")
    assert "does not open" in error.message
    assert "damaged" in error.hint


@pytest.mark.parametrize("cut", [30, -30])
def test_a_damaged_pkcs12(file: Path, cut: int) -> None:
    data = write_pkcs12(file, LEAF, b"correct horse").read_bytes()
    file.write_bytes(data[:cut])
    assert "damaged" in fault(file, "correct horse").message


def test_a_pkcs12_with_certificates_alone_has_no_key(file: Path) -> None:
    need("openssl")
    source = file.with_name("source.pem")
    source.write_bytes(LEAF.pem)
    command = ["openssl", "pkcs12", "-export", "-nokeys", "-in", str(source), "-passout", "pass:x", "-out", str(file)]
    subprocess.run(command, check=True)
    parts = read_parts(file, lambda _: "x")
    assert (parts.keys, parts.certificates) == ([], [LEAF.certificate])


@pytest.mark.parametrize("kind", ["certificate", "key", "traditional key", "encrypted key", "pkcs7"])
def test_der_is_answered_with_the_command_that_converts_it_and_leaves_no_key_open(tmp_path: Path, kind: str) -> None:
    need("openssl")
    path = tmp_path / "my office.der"
    match kind:
        case "certificate":
            path.write_bytes(LEAF.certificate.public_bytes(Encoding.DER))
        case "key":
            path.write_bytes(LEAF.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        case "traditional key":
            path.write_bytes(LEAF.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
        case "encrypted key":
            how = BestAvailableEncryption(b"old horse")
            path.write_bytes(LEAF.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, how))
        case _:
            (tmp_path / "leaf.pem").write_bytes(LEAF.pem)
            command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", str(tmp_path / "leaf.pem"), "-outform", "DER"]
            subprocess.run([*command, "-out", str(path)], check=True)
    error = fault(path)
    assert error.message == f"{path} is in DER form."
    command = shlex.split(error.hint.removeprefix("Convert it to PEM: "))
    secrets = ["-passin", "pass:old horse", "-passout", "pass:correct horse"] if "pkey" in command else []
    subprocess.run([*command, *secrets], check=True, capture_output=True)
    made = Path(command[command.index("-out") + 1])
    if "pkey" in command:
        assert b"ENCRYPTED" in made.read_bytes()
        assert load_pem_private_key(made.read_bytes(), b"correct horse")
    else:
        assert read_parts(made, None).certificates == [LEAF.certificate]


@given(
    st.sampled_from([KEY, LEAF.pem, LOCKED, LEAF.certificate.public_bytes(Encoding.DER)]),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=3), st.integers(0, 3)), min_size=1, max_size=4),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_is_changed_the_answer_is_the_parts_or_an_error_in_words(
    tmp_path: Path, data: bytes, changes: list[tuple[float, bytes, int]]
) -> None:
    for place, inserted, removed in changes:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at + removed :]
    path = tmp_path / "changed.pem"
    path.write_bytes(data)
    try:
        read_parts(path, lambda _: "correct horse")
    except CertificateError:
        return


def test_a_cipher_that_nobody_uses_any_more(file: Path) -> None:
    key = LEAF.key_pem(b"x", PrivateFormat.TraditionalOpenSSL)
    file.write_bytes(key.replace(b"DEK-Info: AES-256-CBC", b"DEK-Info: SEED-CBC"))
    assert fault(file, "x").message


def test_a_key_of_an_unknown_kind(file: Path) -> None:
    # An EC key on a curve whose object identifier is nobody's.
    der = LEAF.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    other = der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f"))
    text = base64.encodebytes(other)
    file.write_bytes(b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n")
    assert "not read here" in fault(file).message
