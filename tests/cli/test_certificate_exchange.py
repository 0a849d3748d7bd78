"""`wsgui certificate import` and `export`: never a plain key, never over a file by accident."""

from __future__ import annotations

import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from tests.support.certificate_shell import PASSPHRASE, WHERE, CertificateShell
from tests.support.certificates import make_certificate


@pytest.fixture
def made(certificate: CertificateShell) -> CertificateShell:
    certificate("create", "a.lan", "--passphrase", WHERE)
    return certificate


def test_export_prints_the_chain_without_a_key(made: CertificateShell) -> None:
    out = made("export", "a.lan")
    assert len(x509.load_pem_x509_certificates(out.encode())) == 2
    assert "KEY" not in out


def test_an_exported_file_is_private_and_no_other_is_replaced(made: CertificateShell) -> None:
    made("export", "a.lan", "--pem", "a.pem")
    file = made.folder / "a.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("kept")
    made("export", "a.lan", "--pem", "a.pem", code=1)
    assert "--force" in made.err
    assert file.read_text() == "kept"
    made("export", "a.lan", "--pem", "a.pem", "--force")
    assert x509.load_pem_x509_certificates(file.read_bytes())


def test_a_key_goes_along_only_encrypted(made: CertificateShell) -> None:
    made("export", "a.lan", "--pem", "a.pem", "--with-key", "--password", WHERE)
    data = (made.folder / "a.pem").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in data
    assert load_pem_private_key(data, PASSPHRASE.encode())


def test_a_password_is_asked_for_twice(made: CertificateShell) -> None:
    made(
        "export",
        "a.lan",
        "--pkcs12",
        "a.p12",
        answers="",
        passwords=("short", "sesame-1", "other-one", "sesame-1", "sesame-1"),
    )
    assert pkcs12.load_pkcs12((made.folder / "a.p12").read_bytes(), b"sesame-1").key is not None
    assert "at least 8" in made.err
    assert "not the same" in made.err


def test_without_a_terminal_a_password_has_to_be_named(made: CertificateShell) -> None:
    made("export", "a.lan", "--pkcs12", "a.p12", code=2)
    assert "--password env:VARIABLE" in made.err
    assert not (made.folder / "a.p12").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.lan", "--with-key"],
        ["a.lan", "--pem", "a.pem", "--pkcs12", "a.p12"],
        ["a.lan", "--pem", "a.pem", "--password", WHERE],
        ["a.lan", "--offer", "Office"],
        ["--authority", "--with-key"],
        ["--authority", "--pkcs12", "a.p12"],
        ["--authority", "a.crt", "--offer", "Office"],
        ["--authority", "--to", "x"],
    ],
)
def test_what_does_not_go_together_is_refused(made: CertificateShell, arguments: list[str]) -> None:
    made("export", *arguments, code=2)
    assert list(made.folder.glob("a.*")) == []
    assert made.err.count(". ") >= 1


def test_the_authority_is_exported_as_its_suffix_says(made: CertificateShell) -> None:
    made("export", "--authority", "a.crt")
    made("export", "--authority", "a.der")
    root = x509.load_pem_x509_certificate((made.folder / "a.crt").read_bytes())
    assert x509.load_der_x509_certificate((made.folder / "a.der").read_bytes()) == root
    assert root.subject == root.issuer
    assert made("export", "--authority").encode() == (made.folder / "a.crt").read_bytes()


def test_the_authoritys_fingerprint_is_said_to_be_compared(made: CertificateShell) -> None:
    (authority,) = made.json("list")["authorities"]
    assert authority["fingerprint"] in made("export", "--authority", "a.crt")


def test_an_offer_needs_a_tunnel_that_runs(made: CertificateShell) -> None:
    made("export", "--authority", "--offer", "Office", code=1)
    assert "No wsgui is running" in made.err


def test_key_and_certificate_of_two_files_are_taken_in(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=b"sesame-1")
    arguments = ["import", str(files.key), str(files.certificate), "--passphrase", WHERE]
    certificate(*arguments, answers="", passwords=("sesame-1",))
    assert "server.key" in certificate.asked[0]
    told = certificate.json("show", "localhost")
    assert told["kind"] == "imported"
    assert told["renews_on"] is None


def test_a_files_password_can_be_named(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=PASSPHRASE.encode())
    certificate("import", str(files.key), str(files.certificate), "--password", WHERE, "--passphrase", WHERE)
    assert certificate.asked == []


def test_an_encrypted_file_and_another_password_is_said(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=b"sesame-1")
    certificate("import", str(files.key), str(files.certificate), "--password", WHERE, "--passphrase", WHERE, code=1)
    assert "server.key" in certificate.err


def test_a_successor_takes_its_place_when_told_so(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder)
    arguments = ["import", str(files.key), str(files.certificate), "--passphrase", WHERE]
    certificate(*arguments)
    certificate(*arguments, code=1)
    assert "--replace" in certificate.err
    certificate(*arguments, "--replace")


def test_a_password_is_asked_for_by_the_files_name_once(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=b"sesame-1")
    arguments = ["import", str(files.key), str(files.certificate), "--passphrase", WHERE]
    certificate(*arguments, answers="", passwords=("sesame-1",))
    assert certificate.asked == [f"The password of {files.key}: "]


def test_without_a_terminal_the_option_for_a_files_password_is_named(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=b"sesame-1")
    certificate("import", str(files.key), str(files.certificate), "--passphrase", WHERE, code=2)
    assert "server.key is needed" in certificate.err
    assert "--password env:VARIABLE" in certificate.err


def test_files_of_passwords_count_from_the_working_folder(certificate: CertificateShell) -> None:
    files = make_certificate(certificate.folder, password=b"sesame-1")
    for name, text in (("password", "sesame-1"), ("passphrase", PASSPHRASE)):
        (certificate.folder / name).write_text(text)
        (certificate.folder / name).chmod(0o600)
    where = ["--password", "file:password", "--passphrase", "file:passphrase"]
    certificate("import", str(files.key), str(files.certificate), *where)
    assert certificate.json("show", "localhost")["passphrase"] == f"file:{certificate.folder / 'passphrase'}"


def test_a_password_written_into_the_line_is_refused_and_not_repeated(made: CertificateShell) -> None:
    made("export", "a.lan", "--pkcs12", "a.p12", "--password", "sesame-1", code=2)
    assert "--password env:VARIABLE" in made.err
    assert "sesame" not in made.err


def test_a_dash_is_the_standard_output(made: CertificateShell) -> None:
    assert made("export", "a.lan", "--pem", "-") == made("export", "a.lan")
    assert made("export", "--authority", "-") == made("export", "--authority")
    made("export", "a.lan", "--pkcs12", "-", "--password", WHERE, code=2)
    assert not (made.folder / "-").exists()


def test_the_authority_that_signed_what_is_here_goes_out(made: CertificateShell) -> None:
    signer = made.json("show", "a.lan")["authority"]
    made("create", "b.lan", "--new-authority", "--passphrase", WHERE)
    newest = made.json("show", "b.lan")["authority"]
    made("export", "--authority", "a.crt")
    assert f"--id {signer}" in made.err
    made("remove", "b.lan")
    made("export", "--authority", "b.crt")
    assert made.err == ""
    assert newest != signer
    root = x509.load_pem_x509_certificate((made.folder / "b.crt").read_bytes())
    assert root.fingerprint(hashes.SHA256()).hex().startswith(signer)


def test_a_certificates_name_is_no_file_for_the_authority(made: CertificateShell) -> None:
    made("export", "--authority", "a.lan", code=2)
    assert "./a.lan" in made.err
    assert not (made.folder / "a.lan").exists()
    made("export", "--authority", "./a.lan")
    assert (made.folder / "a.lan").exists()
