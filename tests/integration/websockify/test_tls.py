"""TLS on the port and to the target, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.integration.websockify.client import ask, came_to, knock, session, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Prepare, Seen, Side
from tests.support.certificates import Certificate, make_certificate
from tests.support.raw import client_frame, tcp_target

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET", "--cert", "only.pem", "--key", "only.key")


async def test_tls_beside_plain(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int
) -> None:
    tls = certificate.client_context()

    async def script(side: Side) -> Seen:
        seen: Seen = {
            "TLS": await works(side, tls=tls),
            "plain": await works(side),
            "a file": (await ask(side, tls=tls)).status,
        }
        await side.said("WebSocket connection", 2)
        return seen | {"said": sorted(line for line in side.lines if "WebSocket connection" in line)}

    await compare(LINE, script, prepare=with_certificate, words={"TARGET": str(echo)})


async def test_tls_only(compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        return {
            "TLS": await works(side, tls=certificate.client_context()),
            "plain": await knock(side),
            "a plain GET": (await ask(side)).status,
        }

    await compare((*LINE, "--ssl-only"), script, prepare=with_certificate, words={"TARGET": str(echo)})


async def test_a_key_with_a_password(compare: Compare, tmp_path: Path, echo: int) -> None:
    made = make_certificate(tmp_path, name="locked", password=b"open sesame")

    async def script(side: Side) -> Seen:
        return {"TLS": await works(side, tls=made.client_context())}

    line = ("127.0.0.1:PORT", f"127.0.0.1:{echo}", "--cert", str(made.certificate), "--key", str(made.key))
    await compare((*line, "--key-password", "open sesame"), script)


VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.mark.parametrize("lowest", ["default", "tlsv1_1", "tlsv1_2", "tlsv1_3"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_lowest_version(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int, lowest: str
) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        for name, version in VERSIONS.items():
            context = certificate.client_context()
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            seen[name] = await knock(side, tls=context)
        return seen

    words = {"TARGET": str(echo)}
    line = (*LINE, f"--ssl-version={lowest}", "--ssl-ciphers=DEFAULT:@SECLEVEL=0")
    await compare(line, script, prepare=with_certificate, words=words)


async def test_ciphers(compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int) -> None:
    allowed = "ECDHE-ECDSA-AES256-GCM-SHA384"

    async def script(side: Side) -> Seen:
        context = certificate.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with side.client(tls=context) as client:
            chosen = client.writer.get_extra_info("cipher")[0]
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        return {"chosen": chosen, "another": await knock(side, tls=context)}

    line = (*LINE, "--ssl-ciphers", allowed)
    await compare(line, script, prepare=with_certificate, words={"TARGET": str(echo)})


async def test_client_certificates(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, tmp_path: Path, echo: int
) -> None:
    known, unknown = make_certificate(tmp_path, name="known"), make_certificate(tmp_path, name="unknown")

    def shown(made: Certificate | None) -> ssl.SSLContext:
        context = certificate.client_context()
        if made is not None:
            context.load_cert_chain(made.certificate, made.key)
        return context

    async def script(side: Side) -> Seen:
        return {
            "a known one": await works(side, tls=shown(known)),
            "an unknown one": await knock(side, tls=shown(unknown)),
            "none": await knock(side, tls=shown(None)),
            "plain": await works(side),
        }

    line = (*LINE, "--verify-client", "--cafile", str(known.certificate))
    await compare(line, script, prepare=with_certificate, words={"TARGET": str(echo)})


async def test_certificate_names(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, tmp_path: Path, echo: int
) -> None:
    alice, bob = make_certificate(tmp_path, name="alice"), make_certificate(tmp_path, name="bob")
    both = tmp_path / "both.pem"
    both.write_bytes(alice.certificate.read_bytes() + bob.certificate.read_bytes())

    def shown(made: Certificate) -> ssl.SSLContext:
        context = certificate.client_context()
        context.load_cert_chain(made.certificate, made.key)
        return context

    def prepare(folder: Path) -> None:
        with_certificate(folder)
        (folder / "one_name.py").write_text(ONE_NAME)

    async def script(side: Side) -> Seen:
        return {
            "alice": await knock(side, tls=shown(alice)),
            "bob": await knock(side, tls=shown(bob)),
            "plain": await knock(side),
            "a field that says so": await knock(side, SSL_CLIENT_S_DN_CN="wsgui test alice"),
        }

    line = (*LINE, "--verify-client", f"--cafile={both}", "--auth-plugin=one_name.OneName")
    await compare(line, script, prepare=prepare, words={"TARGET": str(echo)})


ONE_NAME = """
from websockify.auth_plugins import AuthenticationError, BasePlugin

class OneName(BasePlugin):
    def authenticate(self, headers, target_host, target_port):
        if headers.get("SSL_CLIENT_S_DN_CN") != "wsgui test alice":
            raise AuthenticationError(log_msg="not alice", response_code=403)
"""


async def test_client_names(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, tmp_path: Path, echo: int
) -> None:
    """ClientCertCNAuth takes names apart at white space, so that it knows none of these."""
    alice = make_certificate(tmp_path, name="alice")
    context = certificate.client_context()
    context.load_cert_chain(alice.certificate, alice.key)

    async def script(side: Side) -> Seen:
        return {"with a certificate": await knock(side, tls=context), "without": await knock(side)}

    line = (*LINE, "--verify-client", f"--cafile={alice.certificate}")
    line = (*line, "--auth-plugin=ClientCertCNAuth", "--auth-source=alice bob")
    await compare(line, script, prepare=with_certificate, words={"TARGET": str(echo)})


async def test_encrypted_target(compare: Compare, certificate: Certificate) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {"echo": await works(side)}
        await side.said("connecting to")
        return seen | {"started": side.line_with("proxying"), "said": side.line_with("connecting to")}

    context = certificate.server_context()
    # The tickets of 1.3 are something to read, but no data: theirs then waits for data and forgets the client.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with tcp_target(tls=context) as target:
        line = ("127.0.0.1:PORT", "localhost:TARGET", "--ssl-target")
        environment = {"SSL_CERT_FILE": str(certificate.certificate)}
        await compare(line, script, words={"TARGET": str(target)}, environment=environment)


async def test_a_target_that_is_not_trusted(compare: Compare, certificate: Certificate, echo: int) -> None:
    async def script(side: Side) -> Seen:
        async with session(side, "/?token=encrypted") as client:
            encrypted = await came_to(client)
        async with session(side, "/?token=plain") as client:
            client.send(client_frame(2, b"hello"))
            return {"of another authority": encrypted, "that speaks no TLS": await came_to(client)}

    def prepare(folder: Path) -> None:
        (folder / "tokens").write_text(f"encrypted: localhost:{target}\nplain: localhost:{echo}\n")

    async with tcp_target(tls=certificate.server_context()) as target:
        line = ("127.0.0.1:PORT", "--target-config=tokens", "--ssl-target")
        await compare(line, script, prepare=prepare)


async def test_a_certificate_that_comes_later(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int
) -> None:
    async def script(side: Side) -> Seen:
        before = await knock(side, tls=certificate.client_context())
        with_certificate(side.here)
        async with asyncio.timeout(20):
            while (after := await knock(side, tls=certificate.client_context())) == before:
                await asyncio.sleep(0.1)
        return {"before": before, "after": after}

    await compare(("127.0.0.1:PORT", "127.0.0.1:TARGET"), script, words={"TARGET": str(echo)})
