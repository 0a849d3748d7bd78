"""Bundles from other people's files: what is put together how, what each fault is called, and what is written."""

from __future__ import annotations

import datetime
import itertools
import subprocess
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat

from tests.support.issuing import DAY, AnyKey, Issued, sign, sign_server, write_pkcs12
from tests.support.programs import need
from wsgui.certificates.authority import make_authority
from wsgui.certificates.exchange import bundle_pem, bundle_pkcs12, chain_pem, read_bundle
from wsgui.certificates.issue import Bundle, issue, self_signed
from wsgui.errors import CertificateError

NOW = datetime.datetime.now(UTC)
ROOT = sign("root", authority=True, key_cert_sign=True)
UPPER = sign("upper", ROOT, authority=True, key_cert_sign=True)
LOWER = sign("lower", UPPER, authority=True, key_cert_sign=True)
LEAF = sign_server(LOWER, ["office.example.org", "10.0.0.1"])
CHAIN = (LEAF.certificate, LOWER.certificate, UPPER.certificate)
WHOLE = [LEAF.key_pem(), LEAF.pem, LOWER.pem, UPPER.pem, ROOT.pem]


class Files:
    """Writes files, and reads the bundle that they make."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, *contents: bytes) -> list[Path]:
        paths = [self._folder / f"{number}.pem" for number, _ in enumerate(contents)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return paths

    def read(self, *contents: bytes, password: str | None = None) -> Bundle:
        return read_bundle(self.write(*contents), None if password is None else lambda _: password)

    def fault(self, *contents: bytes, password: str | None = None) -> CertificateError:
        return fault(self.write(*contents), password)


def fault(paths: Sequence[Path], password: str | None = None) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        read_bundle(paths, None if password is None else lambda _: password)
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    assert password is None or password not in str(caught.value)
    assert any(str(path) in caught.value.message for path in paths) or not paths
    return caught.value


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


# What is put together


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
def test_one_file_in_any_order_gives_the_chain_in_its_own_without_the_root(files: Files, order: Sequence[int]) -> None:
    bundle = files.read(b"".join(WHOLE[place] for place in order))
    assert bundle.chain == CHAIN
    assert bundle.key.public_key() == LEAF.certificate.public_key()


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::11])
def test_a_file_for_each_part_in_any_order_gives_the_same(files: Files, order: Sequence[int]) -> None:
    assert files.read(*(WHOLE[place] for place in order)).chain == CHAIN


def test_parts_that_come_twice_count_once(files: Files) -> None:
    assert files.read(b"".join(WHOLE), LEAF.pem + LEAF.key_pem(), LOWER.pem).chain == CHAIN


def test_a_file_that_is_named_twice_is_read_once(files: Files) -> None:
    (path,) = files.write(LEAF.key_pem(b"x") + LEAF.pem)
    asked: list[str] = []

    def password(what: str) -> str:
        asked.append(what)
        return "x"

    read_bundle([path, path], password)
    assert asked == [f"The password of {path}"]


def test_text_around_the_blocks_is_passed_over(files: Files) -> None:
    text = (
        b"Bag Attributes\n    friendlyName: B\xfcro\n"
        + LEAF.key_pem()
        + b"subject=CN = office\n"
        + LEAF.pem
        + b"\n--\n"
    )
    assert files.read(text).chain == CHAIN[:1]


@pytest.mark.parametrize(
    "spelled",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: b"\n".join(b"    " + line for line in text.splitlines()),
        lambda text: text.rstrip(),
    ],
    ids=["CRLF", "UTF-8 mark", "UTF-16", "indented", "no last line end"],
)
@pytest.mark.parametrize("password", ["", "x"])
def test_pem_is_read_however_an_editor_left_it(files: Files, spelled: object, password: str) -> None:
    assert callable(spelled)
    text = LEAF.key_pem(password.encode(), PrivateFormat.TraditionalOpenSSL) + LEAF.pem
    assert files.read(spelled(text), password=password).chain == CHAIN[:1]


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("password", [None, "größe"])
@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "RSA"],
)
def test_keys_of_all_forms_and_kinds_that_browsers_take_are_read(
    files: Files, key: AnyKey, password: str | None, form: PrivateFormat
) -> None:
    own = sign("office", names=["office.local"], key=key)
    pem = own.key_pem(password.encode() if password else None, form)
    bundle = files.read(pem, own.pem, password=password)
    assert bundle.key.public_key() == own.certificate.public_key()


def test_a_key_with_its_curve_before_it_is_read_as_openssl_writes_it(files: Files) -> None:
    need("openssl")
    made = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, check=True
    ).stdout
    assert b"EC PARAMETERS" in made
    path = files.write(made)[0]
    certificate = subprocess.run(
        ["openssl", "req", "-x509", "-key", str(path), "-subj", "/CN=dev", "-addext", "subjectAltName=DNS:dev"],
        capture_output=True,
        check=True,
    ).stdout
    assert files.read(made, certificate).description.names == ("dev",)


@pytest.mark.parametrize("password", [None, b"", b"secret", "größe ✓".encode()])
def test_pkcs12_is_recognised_whatever_it_is_called(files: Files, tmp_path: Path, password: bytes | None) -> None:
    others = (ROOT.certificate, UPPER.certificate, LOWER.certificate)
    path = write_pkcs12(tmp_path / "office.pem", LEAF, password, *others)
    asked: list[str] = []

    def answer(what: str) -> str:
        asked.append(what)
        return (password or b"").decode()

    assert read_bundle([path], answer).chain == CHAIN
    assert bool(asked) == bool(password)


@pytest.mark.parametrize("options", [[], ["-legacy"], ["-descert"], ["-nomac"], ["-certpbe", "NONE"]], ids=" ".join)
@pytest.mark.parametrize("password", ["", "secret"])
def test_pkcs12_of_openssl_is_read(files: Files, options: list[str], password: str) -> None:
    need("openssl")
    (path,) = files.write(b"".join(WHOLE[:4]))
    done = subprocess.run(
        ["openssl", "pkcs12", "-export", "-in", str(path), "-passout", f"pass:{password}", *options],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this OpenSSL does not make such files")
    assert files.read(done.stdout, password=password).chain == CHAIN


def test_a_leaf_alone_is_enough_and_so_is_one_with_its_root(files: Files) -> None:
    assert files.read(LEAF.key_pem(), LEAF.pem).chain == CHAIN[:1]
    direct = sign_server(ROOT, ["dev"])
    assert files.read(direct.key_pem(), direct.pem, ROOT.pem).chain == (direct.certificate,)


def test_an_intermediate_that_an_older_root_signed_too_is_kept(files: Files) -> None:
    old = sign("old root", authority=True)
    cross = sign("root", old, authority=True, key=ROOT.key)
    bundle = files.read(LEAF.key_pem(), LEAF.pem, LOWER.pem, UPPER.pem, ROOT.pem, cross.pem, old.pem)
    assert bundle.chain == (*CHAIN, cross.certificate)


def test_an_old_one_for_old_devices_that_has_ended_is_left_out(files: Files) -> None:
    cross = sign("root", sign("old root", authority=True), authority=True, key=ROOT.key, last=NOW - DAY / 2)
    assert files.read(LEAF.key_pem(), LEAF.pem, LOWER.pem, UPPER.pem, cross.pem).chain == CHAIN


def test_two_intermediates_that_signed_each_other_end_somewhere(files: Files) -> None:
    one = sign("one", authority=True)
    other = sign("other", one, authority=True)
    circle = sign("one", other, authority=True, key=one.key)
    leaf = sign_server(other, ["dev"])
    assert files.read(leaf.key_pem(), leaf.pem, other.pem, circle.pem).chain == (
        leaf.certificate,
        other.certificate,
        circle.certificate,
    )


def test_of_two_certificates_for_one_key_the_longer_one_is_taken(files: Files) -> None:
    old = sign("office", LOWER, names=["dev"], key=LEAF.key, last=NOW + DAY)
    assert files.read(LEAF.key_pem(), old.pem, LEAF.pem).leaf == LEAF.certificate
    later = sign("office", LOWER, names=["dev"], key=LEAF.key, first=NOW + DAY, last=NOW + 90 * DAY)
    assert files.read(LEAF.key_pem(), later.pem, LEAF.pem).leaf == LEAF.certificate


def test_a_certificate_that_openssl_made_for_a_server_as_its_own_authority_is_taken(files: Files) -> None:
    own = sign("office", names=["office.local"], authority=True)
    assert files.read(own.key_pem() + own.pem).chain == (own.certificate,)


# What each fault is called


def test_no_file_is_asked_for() -> None:
    assert "No file" in fault([]).message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert fault([tmp_path / "gone.pem"]).message == f"There is no file {tmp_path / 'gone.pem'}."


def test_no_key(files: Files) -> None:
    assert "no private key" in files.fault(LEAF.pem, LOWER.pem).message


def test_an_ssh_key_is_none(files: Files) -> None:
    error = files.fault(LEAF.pem, LEAF.key_pem(form=PrivateFormat.OpenSSH))
    assert "no private key" in error.message
    assert "SSH" in error.hint


def test_no_certificate(files: Files) -> None:
    assert "no certificate" in files.fault(LEAF.key_pem()).message


@pytest.mark.parametrize(
    ("label", "says"),
    [("CERTIFICATE REQUEST", "request"), ("PKCS7", "openssl pkcs7"), ("TRUSTED CERTIFICATE", "openssl x509")],
)
def test_what_is_almost_a_certificate_is_told_apart(files: Files, label: str, says: str) -> None:
    other = f"-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n".encode()
    assert says in files.fault(LEAF.key_pem(), other).hint


def test_a_key_and_a_certificate_that_do_not_belong_together(files: Files) -> None:
    error = files.fault(LEAF.key_pem(), sign_server(LOWER, ["dev"]).pem)
    assert "0.pem does not belong to the certificate in" in error.message
    assert "Name the key" in error.hint


def test_an_authoritys_certificate_in_place_of_a_servers(files: Files) -> None:
    assert "is an authority's" in files.fault(LOWER.key_pem(), LOWER.pem).message
    assert "is an authority's" in files.fault(ROOT.key_pem(), ROOT.pem).message
    authority, key = make_authority([], machine=["dev"])
    own = Issued(authority.intermediate, key)
    assert "is an authority's" in files.fault(own.key_pem(), own.pem).message


def test_two_keys_with_a_certificate_each(files: Files) -> None:
    other = sign_server(LOWER, ["dev"])
    assert "more than one key" in files.fault(LEAF.key_pem() + LEAF.pem, other.key_pem() + other.pem).message


def test_a_key_too_many_that_belongs_to_nothing_is_passed_over(files: Files) -> None:
    assert files.read(sign("other").key_pem() + LEAF.key_pem() + LEAF.pem).leaf == LEAF.certificate


def test_one_that_has_ended(files: Files) -> None:
    old = sign("office", LOWER, names=["dev"], last=NOW - DAY / 2)
    error = files.fault(old.key_pem(), old.pem)
    assert f"1.pem ended on {NOW - DAY / 2:%Y-%m-%d}." in error.message
    assert "new one" in error.hint


def test_one_that_is_not_valid_yet(files: Files) -> None:
    early = sign("office", LOWER, names=["dev"], first=NOW + DAY)
    assert "is not valid before" in files.fault(early.key_pem(), early.pem).message


def test_an_intermediate_that_has_ended(files: Files) -> None:
    ended = sign("lower", UPPER, authority=True, key=LOWER.key, last=NOW - DAY / 2)
    assert "The intermediate in" in files.fault(LEAF.key_pem(), LEAF.pem, ended.pem).message
    assert files.read(LEAF.key_pem(), LEAF.pem, ended.pem, LOWER.pem).chain == CHAIN[:2]


def test_an_intermediate_of_somebody_else(files: Files) -> None:
    other = sign("lower", UPPER, authority=True)
    error = files.fault(LEAF.key_pem(), LEAF.pem, other.pem)
    assert "No intermediate in" in error.message
    assert '"lower"' in error.hint


def test_one_that_no_authority_signed(files: Files) -> None:
    below = sign("below", LEAF, names=["dev"])
    assert "no authority's" in files.fault(below.key_pem(), below.pem, LEAF.pem).message


def test_what_browsers_will_not_accept(files: Files) -> None:
    edwards = sign("office", LOWER, names=["dev"], key=ed25519.Ed25519PrivateKey.generate())
    assert "0.pem has an Ed25519 key" in files.fault(edwards.key_pem(), edwards.pem).message
    weak = sign("office", LOWER, names=["dev"], hash_algorithm=hashes.SHA224())
    assert "1.pem is signed with SHA224" in files.fault(weak.key_pem(), weak.pem).message
    bare = sign("office.local", LOWER)
    assert "1.pem has no subject alternative names" in files.fault(bare.key_pem(), bare.pem).message


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_wrong_password_and_none(files: Files, form: PrivateFormat) -> None:
    key = LEAF.key_pem(b"correct horse", form)
    for wrong in ("wrong horse", "\udcff", "x" * 2000):
        assert "does not open" in files.fault(key, LEAF.pem, password=wrong).message
    assert "is encrypted" in files.fault(key, LEAF.pem).message


def test_a_wrong_password_and_none_for_pkcs12(tmp_path: Path) -> None:
    path = write_pkcs12(tmp_path / "office.p12", LEAF, b"correct horse")
    assert "does not open" in fault([path], "wrong horse").message
    assert "is encrypted" in fault([path]).message


# What is written


def test_a_bundle_in_pem_is_read_back_with_its_passphrase_and_no_plain_key_is_in_it(files: Files) -> None:
    authority, key = make_authority([], machine=["dev"])
    bundle = issue(authority, key, ["dev", "10.0.0.1"])
    pem = bundle_pem(bundle, "größe")
    assert pem.count(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") == 1
    assert pem.count(b"PRIVATE KEY-----") == 2
    back = files.read(pem, password="größe")
    assert back.chain == bundle.chain
    assert back.key.private_numbers() == bundle.key.private_numbers()


def test_a_bundle_in_pkcs12_is_read_back(files: Files) -> None:
    bundle = self_signed(["dev"])
    back = files.read(bundle_pkcs12(bundle, "größe\x1b", "größe"), password="größe")
    assert back.chain == bundle.chain
    assert back.key.private_numbers() == bundle.key.private_numbers()


def test_openssl_reads_the_pkcs12_and_finds_it_well_encrypted(files: Files) -> None:
    need("openssl")
    authority, key = make_authority([], machine=["dev"])
    (path,) = files.write(bundle_pkcs12(issue(authority, key, ["dev"]), "dev", "correct horse"))
    command = ["openssl", "pkcs12", "-in", str(path), "-info", "-nodes", "-passin", "pass:correct horse"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("BEGIN CERTIFICATE") == 2
    assert "MAC: sha256" in done.stderr
    assert done.stderr.count("PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256") == 2
    assert "friendlyName: dev" in done.stdout


@pytest.mark.parametrize("secret", ["", "x" * 1024, "\ud800"], ids=["empty", "too long", "no UTF-8"])
def test_a_key_is_not_written_with_a_passphrase_that_would_not_do(secret: str) -> None:
    bundle = self_signed(["dev"])
    with pytest.raises(CertificateError):
        bundle_pem(bundle, secret)
    with pytest.raises(CertificateError):
        bundle_pkcs12(bundle, "dev", secret)


def test_a_chain_is_written_in_its_order() -> None:
    assert x509.load_pem_x509_certificates(chain_pem(CHAIN)) == list(CHAIN)
    assert chain_pem([]) == b""
