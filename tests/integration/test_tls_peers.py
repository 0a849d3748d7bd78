"""TLS as others see it: `openssl s_client` and Python's ssl, by chain, name, version, cipher, certificate, session."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.certificates import Certificate, ClientAuthority, make_certificate
from tests.support.engines import Running, running
from tests.support.issuer import Issuer

NAMES = {"office.lan": ["office.lan", "127.0.0.1"], "vnc.lan": ["vnc.lan", "*.vnc.lan"], "other.lan": ["other.lan"]}
"""The managed certificates, by name: what each is for; the first is for everybody else."""


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer(tmp_path / "vault", monkeypatch)
    for name, names in NAMES.items():
        made.make(name, names)
    return made


@pytest.fixture
def root(issuer: Issuer, tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(issuer.authority.root.public_bytes(Encoding.PEM))
    return path


def several(**more: Any) -> dict[str, Any]:
    return {"certificate": list(NAMES)} | more


@dataclass(frozen=True)
class Said:
    """What `openssl s_client` printed."""

    text: str
    code: int

    @property
    def verified(self) -> bool:
        return "Verify return code: 0 (ok)" in self.text

    @property
    def answered(self) -> bool:
        """Whether the tunnel has answered its request."""
        return bool(re.search(r"^HTTP/1\.1 200 ", self.text, re.MULTILINE))

    @property
    def protocol(self) -> str:
        found = re.search(r"^(?:New|Reused), (\S+), Cipher is (\S+)", self.text, re.MULTILINE)
        return found[1] if found and found[2] != "(NONE)" else ""

    @property
    def reused(self) -> bool:
        return bool(re.search(r"^Reused, ", self.text, re.MULTILINE))

    @property
    def subject(self) -> str:
        """The common name of the leaf that was shown."""
        found = re.search(r"^subject=.*?CN ?= ?([^\s,]+)", self.text, re.MULTILINE)
        return found[1] if found else ""


async def s_client(tunnel: Running, *options: str, name: str | None = "office.lan") -> Said:
    """Open a page with `openssl s_client`; `name` None: by no name."""
    parts = urlsplit(tunnel.url)
    asked = ["-servername", name] if name is not None else ["-noservername"]
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"{parts.hostname}:{parts.port}", "-ign_eof", *asked, *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    request = f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    async with asyncio.timeout(30):
        output, _ = await process.communicate(request.encode())
    assert process.returncode is not None
    return Said(output.decode(errors="replace"), process.returncode)


async def python(
    tunnel: Running, context: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None
) -> tuple[bytes, x509.Certificate, ssl.SSLSession | None, bool, str]:
    """Open a page with Python's ssl: answer, leaf, session, whether it was resumed, version; raises what ssl raises."""
    parts = urlsplit(tunnel.url)

    def talk() -> tuple[bytes, x509.Certificate, ssl.SSLSession | None, bool, str]:
        with (
            socket.create_connection((parts.hostname, parts.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name, session=session) as secure,
        ):
            der = secure.getpeercert(True)
            assert der is not None
            leaf = x509.load_der_x509_certificate(der)
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while data := secure.recv(65536):
                answer += data
            return answer, leaf, secure.session, bool(secure.session_reused), secure.version() or ""

    return await asyncio.to_thread(talk)


def names_of(leaf: x509.Certificate) -> list[str]:
    said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in said]


def careless(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# Chain and names


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("office.lan", ("-verify_hostname", "office.lan")),
        ("vnc.lan", ("-verify_hostname", "vnc.lan")),
        ("desk.vnc.lan", ("-verify_hostname", "desk.vnc.lan")),
        (None, ("-verify_ip", "127.0.0.1")),
    ],
)
async def test_openssl_verifies_chain_and_name_from_the_root_alone(
    name: str | None, check: Sequence[str], issuer: Issuer, root: Path
) -> None:
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        said = await s_client(tunnel, "-CAfile", str(root), "-verify_return_error", "-x509_strict", *check, name=name)
        assert said.verified, said.text
        assert said.answered
        depths = [int(depth) for depth in re.findall(r"^depth=(\d)", said.text, re.MULTILINE)]
        assert max(depths) == 2  # leaf, intermediate, root
        assert said.text.count("-----BEGIN CERTIFICATE-----") == 1
        assert not (await s_client(tunnel, "-verify_return_error", *check, name=name)).verified


@pytest.mark.parametrize("check", [("-verify_hostname", "elsewhere.lan"), ("-verify_ip", "127.0.0.2")])
async def test_openssl_refuses_it_for_another_name(check: Sequence[str], issuer: Issuer, root: Path) -> None:
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        said = await s_client(tunnel, "-CAfile", str(root), "-verify_return_error", *check)
        assert not said.verified
        assert said.code != 0


@pytest.mark.parametrize("name", ["office.lan", "127.0.0.1", "vnc.lan", "desk.vnc.lan", "other.lan"])
async def test_python_verifies_chain_and_name(name: str, issuer: Issuer) -> None:
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        answer, leaf, *_ = await python(tunnel, issuer.client_context(), name)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert name in names_of(leaf) or "*.vnc.lan" in names_of(leaf)
        with pytest.raises(ssl.SSLCertVerificationError):
            await python(tunnel, ssl.create_default_context(), name)
        for wrong in ("elsewhere.lan", "a.b.vnc.lan"):
            with pytest.raises(ssl.SSLCertVerificationError):
                await python(tunnel, issuer.client_context(), wrong)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("office.lan", "office.lan"),
        ("OFFICE.lan", "office.lan"),
        ("vnc.lan", "vnc.lan"),
        ("desk.vnc.lan", "vnc.lan"),
        ("other.lan", "other.lan"),
        ("unknown.lan", "office.lan"),
        (None, "office.lan"),
    ],
)
async def test_each_name_gets_its_certificate_and_others_the_first_one(
    asked: str | None, shown: str, issuer: Issuer
) -> None:
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        for options in ((), ("-tls1_2",)):
            assert (await s_client(tunnel, *options, name=asked)).subject == shown
        _, leaf, *_ = await python(tunnel, careless(issuer.client_context()), asked)
        assert names_of(leaf) == NAMES[shown]


async def test_without_a_name_the_certificate_for_the_address_is_shown(issuer: Issuer) -> None:
    async with running(vault=issuer.vault, tls={"certificate": ["vnc.lan", "office.lan"]}) as tunnel:
        assert (await s_client(tunnel, name=None)).subject == "office.lan"
        answer, leaf, *_ = await python(tunnel, issuer.client_context(), "127.0.0.1")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert names_of(leaf) == NAMES["office.lan"]
        assert (await s_client(tunnel, name="unknown.lan")).subject == "vnc.lan"


# Versions and ciphers


@pytest.mark.parametrize(
    ("profile", "option", "spoken"),
    [
        ({}, "-tls1_1", ""),
        ({}, "-tls1_2", "TLSv1.2"),
        ({}, "-tls1_3", "TLSv1.3"),
        ({"minimum": "1.3"}, "-tls1_1", ""),
        ({"minimum": "1.3"}, "-tls1_2", ""),
        ({"minimum": "1.3"}, "-tls1_3", "TLSv1.3"),
    ],
)
async def test_no_version_below_the_profile_s_is_spoken_for_any_name(
    profile: dict[str, str], option: str, spoken: str, issuer: Issuer
) -> None:
    async with running(vault=issuer.vault, tls=several(**profile)) as tunnel:
        for name in ("office.lan", "vnc.lan", "unknown.lan", None):
            said = await s_client(tunnel, option, "-cipher", "ALL:@SECLEVEL=0", name=name)
            assert said.protocol == spoken, said.text
            assert said.answered is bool(spoken)


async def test_python_agrees_on_versions(issuer: Issuer) -> None:
    def client(newest: ssl.TLSVersion) -> ssl.SSLContext:
        context = issuer.client_context()
        context.maximum_version = newest
        return context

    async with running(vault=issuer.vault, tls=several()) as tunnel:
        *_, version = await python(tunnel, client(ssl.TLSVersion.TLSv1_2), "vnc.lan")
        assert version == "TLSv1.2"
        *_, version = await python(tunnel, client(ssl.TLSVersion.TLSv1_3), "vnc.lan")
        assert version == "TLSv1.3"
    async with running(vault=issuer.vault, tls=several(minimum="1.3")) as tunnel:
        with pytest.raises(ssl.SSLError):
            await python(tunnel, client(ssl.TLSVersion.TLSv1_2), "vnc.lan")


async def test_ciphers_are_the_profile_s_for_each_name(issuer: Issuer) -> None:
    wanted, other = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"
    async with running(vault=issuer.vault, tls=several(ciphers=wanted)) as tunnel:
        for name in ("office.lan", "vnc.lan", None):
            said = await s_client(tunnel, "-tls1_2", "-cipher", f"{other}:{wanted}", name=name)
            assert f"Cipher is {wanted}" in said.text
            assert not (await s_client(tunnel, "-tls1_2", "-cipher", other, name=name)).answered


# Client certificates


@pytest.fixture
def authority(tmp_path: Path) -> ClientAuthority:
    return ClientAuthority(tmp_path, "clients")


async def came_in(tunnel: Running, context: ssl.SSLContext, name: str | None, **more: Any) -> bool:
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        answer, *_ = await python(tunnel, context, name, **more)
        return answer.startswith(b"HTTP/1.1 200 ")
    return False


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name", ["office.lan", "vnc.lan", "unknown.lan", None])
async def test_only_a_certificate_of_the_authority_that_is_in_force_comes_in_by_any_name(
    name: str | None, version: str, issuer: Issuer, authority: ClientAuthority, tmp_path: Path
) -> None:
    shown = {
        "right": authority.sign("anna"),
        "wrong authority": ClientAuthority(tmp_path, "strangers").sign("anna"),
        "expired": authority.sign("anna", days=-1),
        "none": None,
    }
    newest = ssl.TLSVersion.TLSv1_2 if version == "-tls1_2" else ssl.TLSVersion.TLSv1_3
    async with running(vault=issuer.vault, tls=several(client_authority=str(authority.path))) as tunnel:
        for case, path in shown.items():
            options = ("-cert", str(path), "-key", str(path)) if path is not None else ()
            assert (await s_client(tunnel, version, *options, name=name)).answered is (case == "right"), case
            context = careless(issuer.client_context())
            context.maximum_version = newest
            if path is not None:
                context.load_cert_chain(path)
            assert await came_in(tunnel, context, name) is (case == "right"), case


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_from_before_lets_nobody_in_without_a_certificate(
    version: ssl.TLSVersion, issuer: Issuer, authority: ClientAuthority
) -> None:
    """Neither one of a time when nobody was asked, nor one of somebody who did show a certificate."""
    asked = several(client_authority=str(authority.path))

    def client(path: Path | None = None) -> ssl.SSLContext:
        context = careless(issuer.client_context())
        context.maximum_version = version
        if path is not None:
            context.load_cert_chain(path)
        return context

    async with running(vault=issuer.vault, tls=several()) as tunnel:
        without = client()
        _, _, before, *_ = await python(tunnel, without, "vnc.lan")
        assert before is not None
        profile = tunnel.engine.profiles[0]
        changed = profile.tls.model_copy(update={"client_authority": str(authority.path)})
        await tunnel.engine.configure(profile.model_copy(update={"tls": changed}))
        for name in ("vnc.lan", "office.lan", None):
            assert not await came_in(tunnel, without, name, session=before)
    async with running(vault=issuer.vault, tls=asked) as tunnel:
        anna = client(authority.sign("anna"))
        answer, _, session, *_ = await python(tunnel, anna, "vnc.lan")
        assert answer.startswith(b"HTTP/1.1 200 ")
        for name in ("vnc.lan", "office.lan", None):
            # She shows it each time: a session that stands for it is not taken up by another certificate's context.
            *_, reused, _ = await python(tunnel, anna, name, session=session)
            assert not reused or (version == ssl.TLSVersion.TLSv1_2 and name == "vnc.lan")
        nobody = client()
        assert not await came_in(tunnel, nobody, "vnc.lan")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssl_s_saved_session_lets_nobody_in_without_a_certificate(
    version: str, issuer: Issuer, authority: ClientAuthority, tmp_path: Path
) -> None:
    saved = tmp_path / "session"
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        assert (await s_client(tunnel, version, "-sess_out", str(saved))).answered
        assert (await s_client(tunnel, version, "-sess_in", str(saved))).reused
        profile = tunnel.engine.profiles[0]
        changed = profile.tls.model_copy(update={"client_authority": str(authority.path)})
        await tunnel.engine.configure(profile.model_copy(update={"tls": changed}))
        for name in ("office.lan", "vnc.lan", None):
            said = await s_client(tunnel, version, "-sess_in", str(saved), name=name)
            assert not said.reused
            assert not said.answered


# Resumption


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["office.lan", "vnc.lan"])
async def test_where_nobody_is_asked_sessions_are_resumed_for_the_same_name(
    name: str, version: ssl.TLSVersion, issuer: Issuer
) -> None:
    async with running(vault=issuer.vault, tls=several()) as tunnel:
        context = issuer.client_context()
        context.maximum_version = version
        _, _, session, reused, _ = await python(tunnel, context, name)
        assert not reused
        answer, leaf, _, reused, _ = await python(tunnel, context, name, session=session)
        assert reused
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert names_of(leaf) == NAMES[name]
        _, leaf, _, reused, _ = await python(tunnel, careless(context), "other.lan", session=session)
        assert not reused
        assert names_of(leaf) == NAMES["other.lan"]


# Bad input, as whoever starts wsgui is told


async def told(run_wsgui: RunWsgui, write_profile: WriteProfile, **tls: str) -> str:
    """Start a tunnel that cannot be; what is said."""
    lines = "\n".join(f'{field} = "{value}"' for field, value in tls.items())
    write_profile("lab", f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[tls]\n{lines}\n')
    process = await run_wsgui("--profile", "lab")
    assert await process.ended() == 1
    return "\n".join(process.err)


@pytest.mark.parametrize("case", ["strangers", "broken certificate", "broken key", "wrong passphrase", "no passphrase"])
async def test_files_that_cannot_be_used_are_named_with_the_remedy(
    case: str, run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path)
    fields, words, remedy = {}, "", ""
    if case == "strangers":
        files = Certificate(files.certificate, make_certificate(tmp_path, name="other").key)
        words, remedy = f"The key in {files.key} does not belong to the certificate", "Name the key that"
    elif case == "broken certificate":
        text = files.certificate.read_text()
        files.certificate.write_text(text[:200] + text[-30:])
        words, remedy = f"no certificate in PEM form in {files.certificate}", "Convert it to PEM"
    elif case == "broken key":
        text = files.key.read_text()
        files.key.write_text(text[:60] + text[-28:])
        words, remedy = f"The private key in {files.key} is damaged", "make a new key"
    else:
        files = make_certificate(tmp_path, name="locked", password=b"sesame")
        words, remedy = f"The key in {files.key} is encrypted", "key_password ="
        if case == "wrong passphrase":
            secret = tmp_path / "secret"
            secret.write_text("abracadabra")
            secret.chmod(0o600)
            fields = {"key_password": f"file:{secret}"}
            words, remedy = f"The passphrase does not open the key in {files.key}", "key_password refers to"
    said = await told(
        run_wsgui, write_profile, certificate_file=str(files.certificate), key_file=str(files.key), **fields
    )
    assert words in said
    assert remedy in said
    assert "abracadabra" not in said
    assert "Traceback" not in said


async def test_an_expired_certificate_is_shown_and_said_at_the_start(
    run_wsgui: RunWsgui, write_profile: WriteProfile, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path, days=-2, since_days=9)
    write_profile(
        "lab",
        f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[tls]\ncertificate_file = "{files.certificate}"\n'
        f'key_file = "{files.key}"\n',
    )
    process = await run_wsgui("--profile", "lab")
    await process.address("lab")
    await process.logged(f"The certificate in {files.certificate} has ended on .*; browsers refuse it. Put a newer one")
