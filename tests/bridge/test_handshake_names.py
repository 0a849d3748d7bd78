"""Several certificates on one port, through whole handshakes on each event loop."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.bridges import standing
from tests.support.certificates import Certificate, make_certificate
from tests.support.raw import RawClient
from wsgui.certificates.contexts import server_contexts
from wsgui.certificates.port import PortContexts
from wsgui.profiles.access import Tls


def port_of(*files: Certificate) -> PortContexts:
    shown = []
    for each in files:
        made = server_contexts(Tls(certificate_file=str(each.certificate), key_file=str(each.key)))
        assert made is not None
        shown += made.shown
    return PortContexts(shown)


@pytest.fixture
def port(tmp_path: Path) -> PortContexts:
    first = make_certificate(tmp_path, name="first", names=["first.lan"], addresses=[])
    second = make_certificate(tmp_path, name="second", names=["second.lan", "*.second.lan"])
    return port_of(first, second)


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("first.lan", "first"),
        ("second.lan", "second"),
        ("a.second.lan", "second"),
        ("unknown.lan", "first"),
        ("127.0.0.1", "second"),
    ],
)
async def test_a_client_is_shown_the_certificate_for_what_it_asks_and_gets_its_websocket(
    asked: str, shown: str, port: PortContexts
) -> None:
    async with standing(origins=("*",), also={"tls": port}) as door:
        assert door.bridge.listener is not None
        host, number = door.bridge.listener.endpoints[0]
        reader, writer = await asyncio.open_connection(host, number, ssl=client_context(), server_hostname=asked)
        async with RawClient(reader, writer, f"{host}:{number}") as client:
            der = writer.get_extra_info("ssl_object").getpeercert(True)
            assert x509.load_der_x509_certificate(der).subject.rfc4514_string().endswith(shown)
            await client.upgrade()
            await client.frame()  # the demo's first


async def test_clients_that_stop_in_the_middle_of_their_hello_hold_nobody_up(port: PortContexts) -> None:
    async with standing(also={"tls": port}) as door:
        assert door.bridge.listener is not None
        host, number = door.bridge.listener.endpoints[0]
        slow = [await asyncio.open_connection(host, number) for _ in range(20)]
        for _, writer in slow:
            writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        reader, writer = await asyncio.open_connection(host, number, ssl=client_context(), server_hostname="second.lan")
        async with RawClient(reader, writer, f"{host}:{number}") as client:
            await client.upgrade()
        for _, writer in slow:
            writer.transport.abort()
