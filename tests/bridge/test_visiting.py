"""What a request shows of its client: address, target, fields, and the name in a certificate that was verified."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.bridges import standing
from tests.support.certificates import ClientAuthority, make_certificate
from tests.support.gates import Gate, admission_of
from wsgui.bridge.request import RequestParser
from wsgui.bridge.visiting import visitor_of


def test_a_plain_request_shows_its_fields_as_they_came() -> None:
    complete = RequestParser().feed(b"GET /a%20b?token=c HTTP/1.1\r\nHost: x\r\nX-A: \xff\r\nx-a: 2\r\n\r\n")
    assert complete is not None
    visitor = visitor_of(complete[0], None, "192.0.2.1", secure=False)
    assert (visitor.host, visitor.target, visitor.secure) == ("192.0.2.1", "/a%20b?token=c", False)
    assert visitor.fields == {"host": "x", "x-a": "\xff, 2"}
    assert visitor.common_name is None


@pytest.mark.parametrize("name", ["anna", None])
async def test_a_verified_certificate_shows_its_name(name: str | None, tmp_path: Path) -> None:
    served, authority = make_certificate(tmp_path), ClientAuthority(tmp_path)
    server, client = served.server_context(), served.client_context()
    server.verify_mode = ssl.CERT_OPTIONAL
    server.load_verify_locations(authority.path)
    if name is not None:
        client.load_cert_chain(authority.sign(name))
    gate = Gate()
    async with standing(also={"admission": await admission_of(gate), "tls": server}) as door:
        visitor = await door.client(tls=client)
        await visitor.upgrade()
    assert (gate.asked[0].secure, gate.asked[0].common_name) == (True, name)
