"""Roots for trust stores, and users with a home of their own, whose tools are the system's or made up."""

from __future__ import annotations

import datetime
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wsgui.certificates.trust.tools import Tools


def make_root(name: str = "wsgui local authority", *, days: int = 3650) -> x509.Certificate:
    """Make a root certificate whose key nobody has."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class User:
    """A home, and a folder for programs that come before (or instead of) the system's."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.programs = folder / "programs"
        self.calls_file = folder / "calls"
        self.home.mkdir(mode=0o700)
        self.programs.mkdir()

    def tools(self, *, system: bool = True, **variables: str) -> Tools:
        """Return the tools that this user has; `system` = False: none but those that were made up."""
        path = f"{self.programs}:{os.environ['PATH']}" if system else str(self.programs)
        return Tools({"HOME": str(self.home), "PATH": path} | variables, more=())

    def make_program(self, name: str, script: str = "", *, code: int = 0) -> Path:
        """Make a program up: it notes its arguments and what it was given, runs `script` (Python), and ends."""
        path = self.programs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"#!{sys.executable} -SE\n"
            "import json, os, subprocess, sys\n"
            "name, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]\n"
            "given = sys.stdin.read()\n"
            f"with open({str(self.calls_file)!r}, 'a') as file:\n"
            "    file.write(json.dumps([name, *arguments]) + '\\n')\n"
            f"{script}\n"
            f"sys.exit({code})\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return path

    @property
    def calls(self) -> Sequence[Sequence[str]]:
        """What the made-up programs were called with, by their names."""
        return (
            [json.loads(line) for line in self.calls_file.read_text().splitlines()] if self.calls_file.exists() else []
        )


def sign_leaf(issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """Make a server's certificate with an issuer's own key, whatever its constraints; its key, it and the issuer."""
    own = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return own.private_bytes(serialization.Encoding.PEM, *plain) + pem_of(leaf) + pem_of(issuer)
