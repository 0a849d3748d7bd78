"""The page with an authority's fingerprint, and its download."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.certificates import make_certificate
from wsgui.errors import CertificateError
from wsgui.web.authority_page import Certificate, authority_page, certificate_file, nothing_here

FINGERPRINT = ":".join(f"{number:02X}" for number in range(32))
CERTIFICATE = Certificate(b"\x30\x00", "wsgui authority of lab-pc", FINGERPRINT)
PATH = "/.wsgui/authority/" + "5" * 32


def text_of(certificate: Certificate = CERTIFICATE, user_agent: str = "") -> str:
    return authority_page(certificate, PATH, user_agent).body.decode()


def test_it_shows_the_whole_fingerprint_and_leads_to_one_download() -> None:
    text = text_of()
    assert FINGERPRINT in re.sub(r"<[^>]*>", "", text)
    assert re.findall(r'href="([^"]*)"', text) == [f"{PATH}/wsgui-authority-00010203.crt"]


@pytest.mark.parametrize(
    ("user_agent", "first"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126 Mobile", "Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", "iPhone and iPad"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126", "Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605", "Mac"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Firefox/127.0", "Linux, and Firefox anywhere"),
    ],
)
def test_the_steps_for_the_visitor_s_system_come_first_and_open(user_agent: str, first: str) -> None:
    systems = re.findall(r"<details( open)?><summary>([^<]*)", text_of(user_agent=user_agent))
    assert len(systems) == 5
    assert systems[0] == (" open", first)
    assert [system for system in systems if system[0]] == [systems[0]]


@pytest.mark.parametrize("user_agent", ["", "curl/8", "<script>"])
def test_of_an_unknown_system_none_is_open_and_nothing_of_it_is_shown(user_agent: str) -> None:
    text = text_of(user_agent=user_agent)
    assert "<details open" not in text
    assert "<script" not in text


@pytest.mark.parametrize("system", ["Android", "iPhone and iPad", "Windows", "Mac", "Linux, and Firefox anywhere"])
def test_each_system_is_told_how_to_compare_the_fingerprint_that_it_shows_itself(system: str) -> None:
    (steps,) = re.findall(rf"<summary>{system}</summary>(.*?)</details>", text_of(), re.DOTALL)
    assert "that wsgui shows" in re.sub(r"\s+", " ", steps)
    assert re.search(r"SHA-?256|sha256sum|shasum -a 256", steps)


def test_a_name_from_outside_is_text() -> None:
    text = text_of(Certificate(b"", '<img src=x onerror=alert(1)>{file}"\u202e', FINGERPRINT))
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;{file}&quot;\\u202e" in text


def test_its_style_is_the_only_thing_that_its_policy_allows() -> None:
    answer = authority_page(CERTIFICATE, PATH)
    (style,) = re.findall(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.header("Content-Security-Policy") == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{digest}'"
    )


def test_the_download_is_what_phones_know_as_an_authority_s_certificate() -> None:
    answer = certificate_file(CERTIFICATE)
    assert (answer.status, answer.body) == (200, CERTIFICATE.der)
    assert answer.header("Content-Type") == "application/x-x509-ca-cert"
    assert answer.header("Content-Disposition") == 'inline; filename="wsgui-authority-00010203.crt"'
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "no-referrer"


def test_for_everybody_else_there_is_nothing() -> None:
    answer = nothing_here()
    assert answer.status == 404
    assert b"ask for a new one in wsgui" in answer.body


def test_a_certificate_is_known_by_its_common_name_and_sha_256(tmp_path: Path) -> None:
    der = x509.load_pem_x509_certificate(make_certificate(tmp_path).certificate.read_bytes()).public_bytes(Encoding.DER)
    certificate = Certificate.of(der)
    assert (certificate.der, certificate.name) == (der, "wsgui test server")
    assert certificate.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("end", [b"\x00", b"-----BEGIN PRIVATE KEY-----"])
def test_what_comes_behind_a_certificate_is_not_handed_out(tmp_path: Path, end: bytes) -> None:
    der = x509.load_pem_x509_certificate(make_certificate(tmp_path).certificate.read_bytes()).public_bytes(Encoding.DER)
    with pytest.raises(CertificateError, match="no certificate in DER form"):
        Certificate.of(der + end)
