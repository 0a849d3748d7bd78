"""Certificates made by hand, right or wrong, and what OpenSSL and NSS say of chains."""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.programs import need
from wsgui.certificates.issue import Bundle

AnyKey = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | dsa.DSAPrivateKey
)
DAY = datetime.timedelta(days=1)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: AnyKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    def key_pem(
        self,
        password: bytes | None = None,
        form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
    ) -> bytes:
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.key.private_bytes(_PEM, form, how)


def general(name: str) -> x509.GeneralName:
    """A name or an address as it stands in a subjectAltName."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def sign(
    common_name: str,
    issuer: Issued | None = None,
    *,
    names: Iterable[str] = (),
    authority: bool | None = False,
    usage: Sequence[x509.ObjectIdentifier] = (),
    key_cert_sign: bool | None = None,
    key: AnyKey | None = None,
    first: datetime.datetime | None = None,
    last: datetime.datetime | None = None,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    more: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> Issued:
    """Make a certificate, signed by `issuer` or by itself; `authority` None leaves the basic constraints out."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first or now - DAY)
        .not_valid_after(last or now + 30 * DAY)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(general, names)), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    if key_cert_sign is not None:
        builder = builder.add_extension(
            x509.KeyUsage(True, False, False, False, False, key_cert_sign, False, False, False), critical=True
        )
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    edwards = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return Issued(builder.sign(signer, None if edwards else hash_algorithm or hashes.SHA256()), key)


def sign_server(issuer: Issued, names: Sequence[str]) -> Issued:
    """Make what a thief of the issuer's key would: all that a server's certificate needs, for any names."""
    return sign(names[0], issuer, names=names, usage=[ExtendedKeyUsageOID.SERVER_AUTH], key_cert_sign=False)


class OpenSsl:
    """``openssl verify``, as strict as it can be, with one root."""

    def __init__(self, folder: Path, root: x509.Certificate) -> None:
        need("openssl")
        self._folder = folder
        self._root = folder / "openssl-root.pem"
        self._root.write_bytes(root.public_bytes(_PEM))

    def verify(self, chain: Sequence[x509.Certificate], *options: str) -> str:
        """Return nothing when a server may show this chain; else what OpenSSL says."""
        leaf, others = self._folder / "openssl-leaf.pem", self._folder / "openssl-others.pem"
        leaf.write_bytes(chain[0].public_bytes(_PEM))
        others.write_bytes(b"".join(each.public_bytes(_PEM) for each in chain[1:]))
        untrusted = ["-untrusted", str(others)] if chain[1:] else []
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath", "-no-CAstore"]
        command += ["-CAfile", str(self._root), *untrusted, *options, str(leaf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr


class Nss:
    """``certutil -V``, in a database of its own that trusts one root."""

    def __init__(self, folder: Path, root: x509.Certificate) -> None:
        need("certutil")
        self._folder = folder
        self._database = folder / "nss"
        self._database.mkdir()
        self._run("-N", "--empty-password")
        self._add("root", root, "C,,")

    def verify(self, chain: Sequence[x509.Certificate]) -> str:
        """Return nothing when a server may show this chain; else what NSS says."""
        for number, each in enumerate(chain):
            self._add(f"chain-{number}", each, ",,")
        done = self._run("-V", "-u", "V", "-n", "chain-0", check=False)
        for number, _ in enumerate(chain):
            self._run("-D", "-n", f"chain-{number}")
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def _add(self, nickname: str, certificate: x509.Certificate, trust: str) -> None:
        path = self._folder / "nss.pem"
        path.write_bytes(certificate.public_bytes(_PEM))
        self._run("-A", "-n", nickname, "-t", trust, "-i", str(path))

    def _run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["certutil", "-d", f"sql:{self._database}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check)


def write_pkcs12(path: Path, bundle: Bundle | Issued, password: bytes | None, *others: x509.Certificate) -> Path:
    """Write a PKCS#12 file as another program would."""
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    leaf = bundle.leaf if isinstance(bundle, Bundle) else bundle.certificate
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"office", bundle.key, leaf, others or None, how))
    return path
