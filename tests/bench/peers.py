"""Who is compared, how each is started as its user would start it, and what is missing when it is not there."""

from __future__ import annotations

import datetime
import os
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from tests.bench.processes import BenchError, Process

MODULES_OF_LIGHTTPD = (Path("/usr/lib/lighttpd"), Path("/usr/lib64/lighttpd"), Path("/usr/local/lib/lighttpd"))
WSGUI = "{python} -m wsgui --profile {profile}"


@dataclass(frozen=True)
class Setup:
    """What one start of a peer is for: a free port to listen on, the target's port, TLS or not, a folder of its own."""

    folder: Path
    port: int
    target: int
    tls: bool
    certificates: Path
    wsgui: str = WSGUI

    def write(self, name: str, text: str) -> str:
        """Write a configuration file and return its path."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return str(path)


@dataclass(frozen=True)
class Peer:
    """One program: its command line, what it needs, and what it speaks."""

    name: str
    command: Callable[[Setup], list[str]]
    program: str = ""  # to be found on PATH or beside this Python
    framed: bool = True  # False: bare TCP, no WebSocket work
    idle_connections: int | None = None  # fewer than the others, where each costs a process
    needs: tuple[tuple[bool, str, str], ...] = field(default=())  # (for TLS only, module of lighttpd, its package)

    def missing(self, *, tls: bool) -> str | None:
        """What has to be installed first, as a sentence; None when all is there."""
        if self.program and not find(self.program):
            return f"{self.program} is not installed."
        for only_tls, module, package in self.needs:
            if (tls or not only_tls) and not any((folder / module).exists() for folder in MODULES_OF_LIGHTTPD):
                return f"{module} is not installed (Debian: {package})."
        return None


class Instance:
    """A running peer in front of one target."""

    def __init__(self, peer: Peer, setup: Setup, process: Process | None = None) -> None:
        self.peer = peer
        self.port = setup.port
        self.tls = setup.tls
        self.process = process or Process(peer.command(setup), environment=folders(setup), log=setup.folder / "output")
        try:
            self._wait(20.0)
        except BaseException:
            self.process.stop()
            raise

    def why(self, error: Exception) -> str:
        """What went wrong, with the last words of a process that has ended meanwhile."""
        return f"{error}; it has ended: {self.process.last_words()}" if self.process.ended else str(error)

    def _wait(self, deadline_seconds: float) -> None:
        end = time.monotonic() + deadline_seconds
        while time.monotonic() < end:
            if self.process.ended:
                raise BenchError(f"it ended at its start: {self.process.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise BenchError(f"it did not listen within {deadline_seconds:.0f} s: {self.process.last_words()}")


def folders(setup: Setup) -> dict[str, str]:
    """The environment that keeps wsgui's files apart from the person's own."""
    return {f"WSGUI_{name}_DIR": str(setup.folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}


def find(program: str) -> str | None:
    """The path of a program: beside this Python (its virtual environment), on PATH, or where servers are kept."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(program, path=os.pathsep.join(places))


def found(program: str) -> str:
    """As `find`, where its absence has been reported before."""
    return find(program) or program


def wsgui(setup: Setup) -> list[str]:
    """Headless, from a profile file; limits stay on, but above what is tried here."""
    return [
        part.format(
            python=sys.executable, profile=wsgui_profile(setup, "bench.toml"), port=setup.port, target=setup.target
        )
        for part in shlex.split(setup.wsgui)
    ]


def wsgui_profile(setup: Setup, name: str) -> str:
    """Write the profile file of the tunnel; returns its path."""
    lines = [
        'name = "bench"',
        f'listen = "127.0.0.1:{setup.port}"',
        f'target = "127.0.0.1:{setup.target}"',
        "autostart = true",
        "[limits]",
        "connections = 20000",
        "per_address = 20000",
        "handshakes_per_address = 5000",
    ]
    if setup.tls:
        certificate, key = setup.certificates / "certificate.pem", setup.certificates / "key.pem"
        lines += ["[tls]", f'certificate_file = "{certificate}"', f'key_file = "{key}"']
    return setup.write(name, "\n".join(lines) + "\n")


def websockify(setup: Setup) -> list[str]:
    """websockify 0.13: a process for each connection."""
    certificate, key = setup.certificates / "certificate.pem", setup.certificates / "key.pem"
    tls = ["--cert", str(certificate), "--key", str(key), "--ssl-only"] if setup.tls else []
    return [found("websockify"), *tls, f"127.0.0.1:{setup.port}", f"127.0.0.1:{setup.target}"]


def websocat(setup: Setup) -> list[str]:
    """websocat 1: binary messages, each direction ended with its stream."""
    archive = setup.certificates / "both.p12"
    tls = [f"--pkcs12-der={archive}", "--pkcs12-passwd=bench"] if setup.tls else []
    listen = f"{'wss' if setup.tls else 'ws'}-l:127.0.0.1:{setup.port}"
    return [found("websocat"), "-q", "-E", "--binary", *tls, listen, f"tcp:127.0.0.1:{setup.target}"]


def lighttpd(setup: Setup) -> list[str]:
    """lighttpd with mod_wstunnel."""
    modules = ["mod_wstunnel", *(["mod_openssl"] if setup.tls else [])]
    lines = [
        f"server.modules = ({', '.join(json_text(module) for module in modules)})",
        f"server.document-root = {json_text(str(setup.folder))}",
        'server.bind = "127.0.0.1"',
        f"server.port = {setup.port}",
        "server.max-fds = 8192",
        "server.max-connections = 4096",
        f'wstunnel.server = ("" => (("host" => "127.0.0.1", "port" => {setup.target})))',
        'wstunnel.frame-type = "binary"',
    ]
    if setup.tls:
        lines += ['ssl.engine = "enable"', f"ssl.pemfile = {json_text(str(setup.certificates / 'both.pem'))}"]
    return [found("lighttpd"), "-D", "-f", setup.write("lighttpd.conf", "\n".join(lines) + "\n")]


def json_text(text: str) -> str:
    """A quoted string of lighttpd's configuration."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def haproxy(setup: Setup) -> list[str]:
    """haproxy in TCP mode, with its own default number of threads; TLS is ended there."""
    tls = f" ssl crt {setup.certificates / 'both.pem'}" if setup.tls else ""
    lines = [
        "global",
        "  maxconn 8000",
        "defaults",
        "  mode tcp",
        "  timeout connect 10s",
        "  timeout client 120s",
        "  timeout server 120s",
        "listen bench",
        f"  bind 127.0.0.1:{setup.port}{tls}",
        f"  server target 127.0.0.1:{setup.target}",
    ]
    return [found("haproxy"), "-db", "-f", setup.write("haproxy.cfg", "\n".join(lines) + "\n")]


PEERS = (
    Peer("wsgui", wsgui),
    Peer("websockify", websockify, program="websockify", idle_connections=200),
    Peer("websocat", websocat, program="websocat"),
    Peer(
        "lighttpd",
        lighttpd,
        program="lighttpd",
        needs=((False, "mod_wstunnel.so", "lighttpd"), (True, "mod_openssl.so", "lighttpd-mod-openssl")),
    ),
    Peer("haproxy", haproxy, program="haproxy", framed=False),
)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def write_certificates(folder: Path) -> None:
    """One self-signed P-256 certificate for all peers, in the files each of them wants."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    # the archive is for websocat, whose OpenSSL reads the older kind everywhere
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .build(b"bench")
    )
    archive = pkcs12.serialize_key_and_certificates(b"bench", key, certificate, None, encryption)
    for file, data in (
        ("key.pem", private),
        ("certificate.pem", public),
        ("both.pem", public + private),
        ("both.p12", archive),
    ):
        path = folder / file
        path.write_bytes(data)
        path.chmod(0o600)
