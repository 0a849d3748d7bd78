"""wsgui's own short answers: clear, escaped, and closed to everything else."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.support.contrast import contrast
from wsgui.web.pages import information_page, refusal, refusal_page


def test_the_information_page_says_what_this_is_and_what_to_do() -> None:
    page = information_page()
    assert page.status == 200
    assert page.header("content-type") == "text/html; charset=utf-8"
    text = page.body.decode()
    assert "This is a WebSocket tunnel" in text
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text


def test_over_tls_it_says_that_the_certificate_is_accepted_and_to_go_back() -> None:
    secure, plain = (information_page(secure=secure).body.decode() for secure in (True, False))
    assert "accepts the tunnel's certificate" in secure
    assert "go back to it" in secure
    assert "certificate" not in plain


@pytest.mark.parametrize("secure", [False, True])
def test_its_texts_can_be_read_in_both_themes(secure: bool) -> None:
    style = information_page(secure=secure).body.decode().partition("<style>")[2].partition("</style>")[0]
    light, dark = style.split("@media", 1)
    for theme in (light, dark):
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", theme))
        for name in ("text", "dim", "link", "ok", "err"):
            for ground in ("bg", "hover"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_its_policy_lets_in_its_own_style_and_nothing_else() -> None:
    page = information_page()
    found = re.search(r"<style>(.*)</style>", page.body.decode(), re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found.group(1).encode()).digest()).decode()
    policy = page.header("Content-Security-Policy")
    assert policy is not None
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_refusal_is_one_sentence_and_one_remedy_as_plain_text() -> None:
    answer = refusal(403, "This is wrong.", "Do that.", headers=(("Retry-After", "1"),))
    assert (answer.status, answer.body) == (403, b"This is wrong.\nDo that.\n")
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("retry-after") == "1"
    assert answer.header("cache-control") == "no-store"


def test_outside_text_in_a_refusal_can_neither_forge_lines_nor_steer_a_terminal() -> None:
    body = refusal(404, "No \x1b]52;c;x\x07\r\nX: y \u202e<b>", "\x9b31m").body.decode()
    assert body.count("\n") == 2
    assert all(character.isprintable() for character in body.replace("\n", ""))


def test_a_refusal_without_remedy_is_one_line() -> None:
    assert refusal(400, "No.").body == b"No.\n"
    assert refusal(400, "No.", head=True).body == b""


def test_a_browser_is_refused_by_a_page_that_keeps_status_and_fields() -> None:
    plain = refusal(401, "This is <b>wrong</b>.", "Do that & this.", headers=(("WWW-Authenticate", "Basic"),))
    shown = refusal_page(plain)
    assert (shown.status, shown.header("WWW-Authenticate")) == (401, "Basic")
    assert shown.header("Content-Type") == "text/html; charset=utf-8"
    assert shown.header("Content-Length") == str(len(shown.body))
    assert len({name for name, _ in shown.headers}) == len(shown.headers)
    assert b"<h1>This is &lt;b&gt;wrong&lt;/b&gt;.</h1>\n<p>Do that &amp; this.</p>" in shown.body


def test_what_is_no_refusal_of_ours_stays_as_it_is() -> None:
    for answer in (information_page(), refusal(307, "This is elsewhere.", headers=(("Location", "/a"),))):
        assert refusal_page(answer) is answer


def test_head_has_the_headers_of_get_and_no_body() -> None:
    head, get = information_page(head=True), information_page()
    assert (head.headers, head.body) == (get.headers, b"")
    assert get.header("Content-Length") == str(len(get.body))
