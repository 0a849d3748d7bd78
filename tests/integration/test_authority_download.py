"""The authority's certificate on its way to another device: raw clients, curl, OpenSSL and a phone-sized browser."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.browser import chromium
from tests.support.certificates import Certificate, ClientAuthority, make_certificate
from tests.support.engines import NAME, Running, running
from tests.support.programs import need
from tests.support.raw import Answer, RawClient
from tests.support.waiting import until
from wsgui.bridge import offer as offer_module
from wsgui.engine.snapshot import OfferSnapshot
from wsgui.errors import CertificateError, TunnelError

PHONE = "127.0.0.2"
ANOTHER = "127.0.0.3"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """An authority's certificate, as a PEM file."""
    (tmp_path / "authority").mkdir()
    return ClientAuthority(tmp_path / "authority").path


def der_of(pem: Path) -> bytes:
    return x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)


@dataclass
class Offered:
    """A tunnel on all addresses that offers a certificate."""

    tunnel: Running
    port: int
    der: bytes
    snapshot: OfferSnapshot

    @property
    def path(self) -> str:
        return urlsplit(self.snapshot.urls[0]).path

    @property
    def file(self) -> str:
        return f"{self.path}/wsgui-authority-{hashlib.sha256(self.der).hexdigest()[:8]}.crt"

    @property
    def messages(self) -> list[str]:
        return [line.message for line in self.tunnel.log]

    async def get(
        self, path: str, *fields: str, source: str = "127.0.0.1", method: str = "GET", host: str = "", tls: Any = None
    ) -> Answer:
        return await get(self.port, path, *fields, source=source, method=method, host=host, tls=tls)


async def get(
    port: int, path: str, *fields: str, source: str = "127.0.0.1", method: str = "GET", host: str = "", tls: Any = None
) -> Answer:
    """Ask for `path` as a client at the address `source` would."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(
        sock=sock, ssl=tls, server_hostname="localhost" if tls is not None else None
    )
    async with RawClient(reader, writer, "") as client:
        lines = (f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", *fields, "", "")
        client.send("\r\n".join(lines).encode())
        answer = await client.answer()
        body = await client.eof() if answer.fields.get("connection") == "close" else b""
        return Answer(answer.status, answer.fields, body)


@asynccontextmanager
async def offered(authority: Path, seconds: float = 600.0, **fields: Any) -> AsyncIterator[Offered]:
    async with running(**({"listen": "*:0"} | fields)) as tunnel:
        der = der_of(authority)
        snapshot = await tunnel.engine.offer_authority(NAME, der, seconds=seconds)
        yield Offered(tunnel, urlsplit(tunnel.url).port or 0, der, snapshot)


async def output_of(*command: str) -> str:
    need(command[0])
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, out.decode()
    return out.decode()


def encrypted(certificate: Certificate) -> dict[str, Any]:
    return {"tls": {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)}}


# What a device gets


async def test_a_phone_sees_the_fingerprint_that_openssl_computes_and_downloads_what_openssl_verifies_with(
    authority: Path, certificate: Certificate, tmp_path: Path
) -> None:
    signed = ClientAuthority(tmp_path / "authority", "signer")
    leaf = signed.sign("leaf")
    printed = await output_of("openssl", "x509", "-in", str(signed.path), "-noout", "-fingerprint", "-sha256")
    fingerprint = printed.strip().rpartition("=")[2]
    async with offered(signed.path, **encrypted(certificate)) as offer:
        assert offer.tunnel.now.secure
        async with chromium(
            viewport={"width": 360, "height": 640}, user_agent=ANDROID, is_mobile=True, has_touch=True
        ) as browser:
            page = await browser.new_page()
            errors: list[str] = []
            page.on("console", lambda message: errors.append(message.text))
            answer = await page.goto(f"http://127.0.0.1:{offer.port}{offer.path}")
            assert answer is not None
            assert answer.status == 200
            shown = await page.locator(".print").text_content()
            assert shown == fingerprint == offer.snapshot.fingerprint
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            steps = page.locator("details[open]")
            assert await steps.count() == 1
            assert await steps.locator("summary").text_content() == "Android"
            async with page.expect_download() as waiting:
                await page.get_by_role("link", name="Download the certificate").tap()
            download = await waiting.value
            assert download.suggested_filename == offer.file.rpartition("/")[2]
            saved = tmp_path / "saved.crt"
            await download.save_as(saved)
            assert errors == []
    assert saved.read_bytes() == der_of(signed.path)
    pem = tmp_path / "saved.pem"
    await output_of("openssl", "x509", "-inform", "der", "-in", str(saved), "-out", str(pem))
    assert "OK" in await output_of("openssl", "verify", "-CAfile", str(pem), str(leaf))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_can_be_read_in_both_themes_and_neither_runs_nor_loads_anything(
    authority: Path, theme: Any
) -> None:
    async with offered(authority) as offer, chromium(color_scheme=theme, java_script_enabled=True) as browser:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        address = f"http://127.0.0.1:{offer.port}{offer.path}"
        await page.goto(address)
        assert asked == [address]
        assert await page.locator("script").count() == 0
        colours = await page.evaluate(
            "[...document.querySelectorAll('h1, p, a, summary, code')].map(each => {"
            " const of = element => getComputedStyle(element);"
            " let at = each; while (of(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;"
            " return [each.tagName, of(each).color, of(at).backgroundColor]; })"
        )
        assert {tag for tag, _, _ in colours} == {"H1", "P", "A", "SUMMARY", "CODE"}
        assert [entry for entry in colours if contrast(entry[1], entry[2]) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """WCAG 2, contrast ratio of two colours as a browser computes them."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def test_a_page_elsewhere_cannot_frame_it(authority: Path) -> None:
    async with offered(authority) as offer:
        answer = await offer.get(offer.path)
        policy = answer.fields["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert answer.fields["referrer-policy"] == "no-referrer"
        assert answer.fields["cache-control"] == "no-store"


async def test_curl_gets_the_file_by_the_address_that_was_said(authority: Path, tmp_path: Path) -> None:
    async with offered(authority) as offer:
        for url in offer.snapshot.urls:
            parts = urlsplit(url)
            assert (parts.scheme, parts.port, parts.path) == ("http", offer.port, offer.path)
        url = f"http://127.0.0.1:{offer.port}{offer.file}"
        out = await output_of(
            "curl",
            "-sS",
            "--fail",
            "-D",
            str(tmp_path / "head"),
            "-o",
            str(tmp_path / "got"),
            "-w",
            "%{content_type}",
            url,
        )
        assert out == "application/x-x509-ca-cert"
        assert (tmp_path / "got").read_bytes() == offer.der
        head = (tmp_path / "head").read_text().lower()
        assert f'filename="{offer.file.rpartition("/")[2]}"' in head
        assert "cache-control: no-store" in head


@pytest.mark.parametrize("encryption", ["plain", "tls"])
async def test_a_tunnel_that_is_encrypted_only_and_asks_for_a_credential_answers_it_in_both_ways(
    authority: Path, certificate: Certificate, tmp_path: Path, encryption: str
) -> None:
    users = tmp_path / "users"
    users.write_text("anna:$2b$04$" + "x" * 53 + "\n")
    fields = encrypted(certificate) | {
        "access": {"basic": f"file:{users}"},
        "web": {"require_access": True},
    }
    fields["tls"]["only"] = True
    tls = certificate.client_context() if encryption == "tls" else None
    async with offered(authority, **fields) as offer:
        page = await offer.get(offer.path, tls=tls)
        file = await offer.get(offer.file, tls=tls)
        other = await offer.get("/", tls=tls)
    assert (page.status, file.status, file.body) == (200, 200, offer.der)
    assert other.status == (401 if encryption == "tls" else 308)


async def test_who_may_not_be_verified_gets_it_plain_where_tls_asks_for_a_client_certificate(
    authority: Path, certificate: Certificate, tmp_path: Path
) -> None:
    fields = encrypted(certificate)
    fields["tls"] |= {"client_authority": str(ClientAuthority(tmp_path).path)}
    async with offered(authority, **fields) as offer:
        assert (await offer.get(offer.file, source=PHONE)).body == offer.der


# Once


async def test_looking_at_the_page_and_asking_by_head_change_nothing(authority: Path) -> None:
    async with offered(authority) as offer:
        for number in range(50):
            page = await offer.get(offer.path, source=f"127.0.0.{2 + number}")
            assert page.status == 200
        head = await offer.get(offer.file, source=ANOTHER, method="HEAD")
        assert (head.status, head.body, head.fields["content-length"]) == (200, b"", str(len(offer.der)))
        assert offer.messages == []
        assert (await offer.get(offer.file, source=PHONE)).body == offer.der


async def test_a_second_address_gets_nothing_and_the_first_may_fetch_it_again(authority: Path) -> None:
    async with offered(authority) as offer:
        assert (await offer.get(offer.file, source=PHONE)).status == 200
        for path in (offer.file, offer.path):
            assert (await offer.get(path, source=ANOTHER)).status == 404
        again = await offer.get(offer.file, source=PHONE)
        assert (again.status, again.body) == (200, offer.der)
        await until("the log", lambda: offer.messages)
        assert offer.messages == [f"The authority's certificate was downloaded by {PHONE}."]


class Clock:
    """Time as the offer sees it, some seconds later than it is."""

    def __init__(self) -> None:
        self.later = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.later

    def time(self) -> float:
        return time.time() + self.later


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(offer_module, "time", clock)
    return clock


async def test_a_minute_after_the_download_it_is_gone_for_the_first_address_too(authority: Path, clock: Clock) -> None:
    async with offered(authority) as offer:
        assert (await offer.get(offer.file, source=PHONE)).status == 200
        clock.later = 59
        assert (await offer.get(offer.file, source=PHONE)).status == 200
        clock.later = 61
        for path in (offer.file, offer.path):
            assert (await offer.get(path, source=PHONE)).status == 404


async def test_after_ten_minutes_it_is_gone_and_the_answer_says_what_to_do(authority: Path, clock: Clock) -> None:
    async with offered(authority) as offer:
        assert offer.snapshot.until == pytest.approx(time.time() + 600, abs=30)
        clock.later = 599
        assert (await offer.get(offer.path)).status == 200
        clock.later = 601
        gone = await offer.get(offer.path)
        assert (gone.status, (await offer.get(offer.file)).status) == (404, 404)
        assert b"ask for a new one in wsgui" in gone.body
        clock.later = 0
        assert (await offer.get(offer.path)).status == 404


@pytest.mark.parametrize("shows", ["monotonic", "time"])
async def test_either_clock_ends_it(authority: Path, monkeypatch: pytest.MonkeyPatch, shows: str) -> None:
    async with offered(authority) as offer:
        clock = Clock()
        clock.later = 601
        stuck = {"monotonic": time.monotonic, "time": time.time} | {shows: getattr(clock, shows)}
        monkeypatch.setattr(offer_module, "time", type("Clocks", (), {n: staticmethod(f) for n, f in stuck.items()}))
        assert (await offer.get(offer.path)).status == 404


async def test_a_new_offer_ends_the_one_before(authority: Path) -> None:
    async with offered(authority) as offer:
        newer = await offer.tunnel.engine.offer_authority(NAME, offer.der)
        assert urlsplit(newer.urls[0]).path != offer.path
        assert (await offer.get(offer.path)).status == 404
        assert (await offer.get(urlsplit(newer.urls[0]).path)).status == 200


# Nobody else


@pytest.mark.parametrize(
    "path",
    [
        "/.wsgui/authority/",
        "/.wsgui/authority/" + "0" * 32,
        "/.wsgui/authority/{secret}0",
        "/.wsgui/authority/{upper}",
        "/.wsgui/authority/{short}",
        "/.wsgui/authority//{secret}",
        "/.wsgui/authority/{secret}/",
        "/.wsgui/authority/{secret}/wsgui-authority.crt",
        "/.wsgui/authority/{secret}/../{secret}",
        "/.wsgui/authority/%30{secret}",
    ],
)
async def test_another_path_gets_404(authority: Path, path: str) -> None:
    async with offered(authority) as offer:
        secret = offer.path.rpartition("/")[2]
        asked = path.format(secret=secret, upper=secret.upper() + "A", short=secret[:-1])
        answer = await offer.get(asked)
        if asked == offer.path + "/":
            assert answer.status == 200  # a slash at the end is the same page
        else:
            assert answer.status == 404
            assert secret.encode() not in answer.body


async def test_a_wrong_path_takes_as_long_whatever_of_it_is_right(authority: Path) -> None:
    async with offered(authority) as offer:
        bridge = offer.tunnel.engine._tunnel(NAME).bridge
        assert bridge is not None
        assert bridge.offer is not None
        right = offer.path.rpartition("/")[2]
        wrong = "0" if right[0] != "0" else "1"
        tried = {"first": wrong + right[1:], "last": right[:-1] + ("0" if right[-1] != "0" else "1")}
        took: dict[str, list[int]] = {name: [] for name in tried}
        for _ in range(2000):
            for name, secret in tried.items():
                request = a_request("/.wsgui/authority/" + secret)
                start = time.perf_counter_ns()
                bridge.offer.answer(request, PHONE, None)
                took[name].append(time.perf_counter_ns() - start)
        first, last = (statistics.median(times) for times in took.values())
        assert 0.7 < first / last < 1.4, (first, last)


def a_request(target: str) -> Any:
    from wsgui.bridge.request import RequestParser

    parsed = RequestParser().feed(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert parsed is not None
    return parsed[0]


@pytest.mark.parametrize("host", ["8.8.8.8:{port}", "[2001:db8::1]:{port}", "evil.example:{port}", "", "2130706433"])
async def test_a_name_that_is_not_the_tunnel_s_gets_404(authority: Path, host: str) -> None:
    async with offered(authority) as offer:
        assert (await offer.get(offer.path, host=host.format(port=offer.port) or " ")).status == 404


@pytest.mark.parametrize("host", ["192.168.1.7:{port}", "[fd00::7]:{port}", "lab-pc.local:{port}", "vnc.example"])
async def test_a_private_address_and_the_tunnel_s_names_are_taken(authority: Path, host: str) -> None:
    async with offered(authority, access={"hosts": ["vnc.example"]}) as offer:
        assert (await offer.get(offer.path, host=host.format(port=offer.port))).status == 200


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-For: 192.168.1.7",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "Via: 1.1 proxy",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: lab-pc.local",
        "CF-Connecting-IP: 8.8.8.8",
    ],
)
async def test_who_comes_by_a_proxy_gets_404_as_nobody_knows_from_where(authority: Path, field: str) -> None:
    async with offered(authority) as offer:
        assert (await offer.get(offer.file, field)).status == 404
        assert (await offer.get(offer.file)).status == 200


async def test_other_methods_get_404(authority: Path) -> None:
    async with offered(authority) as offer:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert (await offer.get(offer.file, method=method)).status == 404
        assert (await offer.get(offer.file)).status == 200


async def test_nothing_that_is_said_tells_the_path(authority: Path) -> None:
    async with offered(authority) as offer:
        await offer.get(offer.path + "?query", "Referer: http://127.0.0.1" + offer.path)
        await offer.get(offer.path, source=ANOTHER, host="evil.example")
        await offer.get(offer.file, source=PHONE)
        await offer.get(offer.file, source=ANOTHER)
        await until("the log", lambda: offer.messages)
        secret = offer.path.rpartition("/")[2]
        assert secret not in repr(offer.tunnel.events) + repr(offer.snapshot) + repr(offer.tunnel.now)


# Without one


@pytest.mark.parametrize("path", ["/.wsgui/authority/" + "0" * 32, "/.wsgui/authority/", "/.wsgui"])
async def test_a_tunnel_without_an_offer_answers_as_before(path: str) -> None:
    async with running() as tunnel:
        port = urlsplit(tunnel.url).port or 0
        answers = [await get(port, each, "Connection: close") for each in (path, "/anything")]
        assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}


async def test_it_ends_with_the_tunnel(authority: Path) -> None:
    async with offered(authority) as offer:
        listen = {"listen": f"*:{offer.port}"}
        engine = offer.tunnel.engine
        await engine.stop(NAME)
        profile = engine._tunnel(NAME).profile.model_copy(update={})
        await engine.configure(type(profile).model_validate({"name": NAME, "target": "demo:"} | listen))
        await engine.start(NAME, wait=False)
        before = await offer.get("/anything", "Connection: close")
        assert (await offer.get(offer.path, "Connection: close")).body == before.body


async def test_it_can_be_withdrawn_and_what_is_not_there_too(authority: Path) -> None:
    async with offered(authority) as offer:
        for _ in range(2):
            await offer.tunnel.engine.withdraw_offer(NAME)
        before = await offer.get("/anything", "Connection: close")
        assert (await offer.get(offer.file, "Connection: close")).body == before.body


async def test_a_tunnel_on_loopback_says_that_it_has_to_be_opened_first(authority: Path) -> None:
    async with running(listen="127.0.0.1:0") as tunnel:
        with pytest.raises(TunnelError, match=r"this computer only\. Open it to your network first"):
            await tunnel.engine.offer_authority(NAME, der_of(authority))


async def test_a_tunnel_that_does_not_run_says_so(authority: Path) -> None:
    async with running(listen="*:0") as tunnel:
        await tunnel.engine.stop(NAME)
        with pytest.raises(TunnelError, match="not running"):
            await tunnel.engine.offer_authority(NAME, der_of(authority))


async def test_nothing_but_a_certificate_is_offered(certificate: Certificate) -> None:
    async with running(listen="*:0") as tunnel:
        for other in (b"", certificate.key.read_bytes(), certificate.certificate.read_bytes()):
            with pytest.raises(CertificateError, match="no certificate in DER"):
                await tunnel.engine.offer_authority(NAME, other)


async def test_websockify_s_line_never_offers(authority: Path) -> None:
    from wsgui.engine.engine import Engine
    from wsgui.engine.terms import Terms
    from wsgui.profiles.model import Profile

    engine = Engine()
    profile = Profile.model_validate({"name": NAME, "listen": "*:0", "target": "demo:"})
    await engine.configure(profile, Terms(websockify=True))
    try:
        await engine.start(NAME, wait=False)
        with pytest.raises(TunnelError, match="websockify"):
            await engine.offer_authority(NAME, der_of(authority))
    finally:
        await engine.close()


# Clients that do not trust the tunnel's certificate


@pytest.mark.parametrize("client", ["curl", "openssl", "python"])
async def test_a_client_that_does_not_trust_the_certificate_is_told_in_the_tunnel_s_row(
    certificate: Certificate, client: str
) -> None:
    async with running(**encrypted(certificate)) as tunnel:
        port = urlsplit(tunnel.url).port or 0
        if client == "python":
            await asyncio.to_thread(distrust, port)
        else:
            need(client)
            command = {
                "curl": ("curl", "-s", f"https://127.0.0.1:{port}/"),
                "openssl": ("openssl", "s_client", "-verify_return_error", "-connect", f"127.0.0.1:{port}"),
            }[client]
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert await asyncio.wait_for(process.wait(), 30) != 0
        refusal = await until("the refusal", lambda: tunnel.now.refusal)
        assert refusal.message == "A client does not trust this tunnel's certificate."
        assert "wsgui certificate trust" in refusal.hint
        assert "Another device…" in refusal.hint
        assert refusal.rule == "tls"


def distrust(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")


async def test_a_browser_that_does_not_trust_the_certificate_is_told_in_the_tunnel_s_row(
    certificate: Certificate,
) -> None:
    async with running(**encrypted(certificate)) as tunnel, chromium() as browser:
        page = await browser.new_page()
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(tunnel.now.page_url)
        refusal = await until("the refusal", lambda: tunnel.now.refusal)
        assert refusal.message == "A client does not trust this tunnel's certificate."
