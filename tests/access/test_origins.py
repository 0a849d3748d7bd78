"""Pairs of Host and Origin, honest and evil, against the rules."""

from __future__ import annotations

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.access.origins import OriginRules, check

DEFAULT = OriginRules()
OWN = OriginRules(own_names=frozenset({"lab-pc", "lab-pc.example.org", "*.cert.example"}))
HOSTS = OriginRules(hosts=("vnc.example.org", "Bücher.example", "straße.example"))
ANY_HOST = OriginRules(hosts=("*",))
LISTED = OriginRules(origins=("same-host", "https://vnc.lab", "https://Bücher.example/", "chrome-extension://abcdef"))
ONLY_LISTED = OriginRules(origins=("https://vnc.lab",))
ANY_PAGE = OriginRules(origins=("*",))
NOBODY = OriginRules(origins=())

ADMITTED = [
    # Native clients send no Origin.
    (DEFAULT, "localhost:6080", None),
    (DEFAULT, "127.0.0.1", None),
    (DEFAULT, "[::1]:6080", None),
    (NOBODY, "localhost", None),
    # Loopback: the Host header's own text.
    (DEFAULT, "localhost:6080", "http://localhost:6080"),
    (DEFAULT, "localhost:6080", "https://localhost:6080"),
    (DEFAULT, "LocalHost:6080", "http://localhost:6080"),
    (DEFAULT, "localhost", "http://localhost"),
    (DEFAULT, "localhost:80", "http://localhost"),
    (DEFAULT, "localhost", "http://localhost:80"),
    (DEFAULT, "localhost", "https://localhost"),
    (DEFAULT, "localhost:443", "https://localhost"),
    (DEFAULT, "localhost.:6080", "http://localhost.:6080"),
    (DEFAULT, "app.localhost:6080", "http://app.localhost:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://127.0.0.1:6080"),
    (DEFAULT, "127.1.2.3:6080", "http://127.1.2.3:6080"),
    (DEFAULT, "[::1]:6080", "http://[::1]:6080"),
    (DEFAULT, "[0:0:0:0:0:0:0:1]:6080", "http://[::1]:6080"),
    (DEFAULT, "[::ffff:127.0.0.1]:6080", "http://[::ffff:7f00:1]:6080"),
    (DEFAULT, "0.0.0.0:6080", "http://0.0.0.0:6080"),
    # A published container port or `ssh -L 9000:…`: both headers name the outer port.
    (DEFAULT, "localhost:9000", "http://localhost:9000"),
    # Other local names and addresses: only the host names count.
    (DEFAULT, "192.168.1.20:6080", "http://192.168.1.20:6080"),
    (DEFAULT, "192.168.1.20:6080", "https://192.168.1.20"),
    (DEFAULT, "[fe80::1]:6080", "http://[fe80::1]"),
    (DEFAULT, "8.8.8.8", "http://8.8.8.8"),
    (DEFAULT, "office:6080", "http://office:8000"),
    (DEFAULT, "office.local:6080", "https://office.local"),
    (DEFAULT, "office.lan", "http://office.lan"),
    (DEFAULT, "nas.home.arpa", "http://nas.home.arpa"),
    (DEFAULT, "vm.internal", "http://vm.internal"),
    (DEFAULT, "office.local.", "http://office.local"),
    (DEFAULT, "OFFICE.Local", "http://office.local"),
    (DEFAULT, "my_box:1", "http://my_box:2"),
    # Names of one's own.
    (OWN, "lab-pc.example.org:6080", None),
    (OWN, "lab-pc.example.org:6080", "https://lab-pc.example.org"),
    (OWN, "LAB-PC.example.org.", "https://lab-pc.example.org"),
    (OWN, "desk.cert.example", "https://desk.cert.example"),
    (HOSTS, "vnc.example.org", "https://vnc.example.org:8443"),
    (HOSTS, "xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    (HOSTS, "xn--strae-oqa.example", None),
    (ANY_HOST, "whatever.example.com", "http://whatever.example.com:99"),
    # Listed pages.
    (LISTED, "localhost:6080", "https://vnc.lab"),
    (LISTED, "localhost:6080", "https://vnc.lab:443"),
    (LISTED, "localhost:6080", "https://xn--bcher-kva.example"),
    (LISTED, "localhost:6080", "chrome-extension://abcdef"),
    (LISTED, "localhost:6080", "http://localhost:6080"),
    (ONLY_LISTED, "192.168.1.20", "https://vnc.lab"),
    (ANY_PAGE, "localhost:6080", "https://evil.example"),
    (ANY_PAGE, "localhost:6080", "http://localhost:1"),
]

REFUSED_HOSTS = [
    (DEFAULT, "", None),
    (DEFAULT, "evil.example", None),
    (DEFAULT, "evil.example:6080", "http://evil.example:6080"),
    (DEFAULT, "localhost.evil.com", None),
    (DEFAULT, "127.0.0.1.evil.com", None),
    (DEFAULT, "127.0.0.1.nip.io:6080", "http://127.0.0.1.nip.io:6080"),
    (DEFAULT, "evil.com.", None),
    (DEFAULT, "evillocal.com", None),
    (DEFAULT, "home.arpa", None),
    (DEFAULT, "evil-internal.com", None),
    # Numbers a C library takes for 127.0.0.1, but no browser writes.
    (DEFAULT, "2130706433", None),
    (DEFAULT, "0x7f.1", None),
    (DEFAULT, "0x7f000001", None),
    (DEFAULT, "127.1", None),
    (DEFAULT, "0177.0.0.1", None),
    (DEFAULT, "127.0.0.01", None),
    (DEFAULT, "127.0.0.1.", None),
    (DEFAULT, "127.0.0.256", None),
    (DEFAULT, "foo.0x", None),
    (DEFAULT, "１２７.0.0.1", None),
    # What no Host header may hold.
    (DEFAULT, "localhost:", None),
    (DEFAULT, "localhost:0", None),
    (DEFAULT, "localhost:06080", None),
    (DEFAULT, "localhost:65536", None),
    (DEFAULT, "localhost:6080:1", None),
    (DEFAULT, "localhost:+80", None),
    (DEFAULT, "localhost:８０", None),
    (DEFAULT, "user@localhost", None),
    (DEFAULT, "localhost/evil.com", None),
    (DEFAULT, "localhost,evil.com", None),
    (DEFAULT, "localhost evil.com", None),
    (DEFAULT, " localhost", None),
    (DEFAULT, "localhost\n", None),
    (DEFAULT, "local\x00host", None),
    (DEFAULT, "localhost..", None),
    (DEFAULT, ".local", None),
    (DEFAULT, "a..local", None),
    (DEFAULT, "*", None),
    (DEFAULT, "local%68ost", None),
    (DEFAULT, "::1", None),
    (DEFAULT, "[::1", None),
    (DEFAULT, "[::1]x", None),
    (DEFAULT, "[::1]evil.com", None),
    (DEFAULT, "[127.0.0.1]", None),
    (DEFAULT, "[fe80::1%25eth0]", None),
    (DEFAULT, "[]", None),
    (DEFAULT, "[v1.x]", None),
    (DEFAULT, "\u212aubernetes", None),  # the Kelvin sign, whose lower case is k
    (DEFAULT, "bücher.local", None),
    (DEFAULT, "a" * 64 + ".local", None),
    (DEFAULT, "a." * 127 + "local", None),
    (DEFAULT, "a" * 100_000, None),
    (ANY_HOST, "a b", None),
    (ANY_HOST, "0x7f.1", None),
    (OWN, "other-pc.example.org", None),
    (OWN, "cert.example", None),
    (OWN, "a.b.cert.example", None),
    (HOSTS, "example.org", None),
    (HOSTS, "x.vnc.example.org", None),
    (HOSTS, "strasse.example", None),
]

REFUSED_ORIGINS = [
    # Another page, another port of this computer.
    (DEFAULT, "localhost:6080", "http://evil.example"),
    (DEFAULT, "localhost:6080", "http://localhost:8000"),
    (DEFAULT, "localhost:6080", "http://localhost"),
    (DEFAULT, "localhost:6080", "http://127.0.0.1:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://localhost:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://127.0.0.2:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://[::1]:6080"),
    (DEFAULT, "[::1]:6080", "http://[::1]:6081"),
    (DEFAULT, "[::1]:6080", "http://[::ffff:127.0.0.1]:6080"),
    (DEFAULT, "[::ffff:127.0.0.1]:6080", "http://[::ffff:127.0.0.1]:1"),
    (DEFAULT, "0.0.0.0:6080", "http://0.0.0.0:8000"),
    (DEFAULT, "[::]:6080", "http://[::]:8000"),
    (DEFAULT, "localhost", "http://localhost:443"),
    (DEFAULT, "localhost:443", "http://localhost"),
    (DEFAULT, "localhost:80", "https://localhost"),
    (DEFAULT, "app.localhost:6080", "http://localhost:6080"),
    (DEFAULT, "localhost.:6080", "http://localhost:6080"),
    (DEFAULT, "localhost:6080", "http://localhost.evil.com:6080"),
    (DEFAULT, "localhost:6080", "http://127.0.0.1.evil.com:6080"),
    (DEFAULT, "192.168.1.20:6080", "http://192.168.1.21:6080"),
    (DEFAULT, "office.local", "http://evil.local"),
    (DEFAULT, "office", "http://office.evil.com"),
    (DEFAULT, "office", "http://evil.com/office"),
    # No page at all.
    (DEFAULT, "localhost:6080", "null"),
    (DEFAULT, "localhost:6080", "Null"),
    (DEFAULT, "localhost:6080", "file://"),
    (DEFAULT, "localhost:6080", "file://localhost:6080"),
    (DEFAULT, "localhost:6080", ""),
    (DEFAULT, "localhost:6080", " "),
    (ANY_PAGE, "localhost:6080", "null"),
    (ANY_PAGE, "localhost:6080", "file://"),
    (ANY_HOST, "a.example", "null"),
    # Not one origin and nothing else.
    (DEFAULT, "localhost:6080", "http://localhost:6080/"),
    (DEFAULT, "localhost:6080", "http://localhost:6080/x"),
    (DEFAULT, "localhost:6080", "http://localhost:6080?x"),
    (DEFAULT, "localhost:6080", "http://localhost:6080#x"),
    (DEFAULT, "localhost:6080", "http://localhost:6080 http://evil.com"),
    (DEFAULT, "localhost:6080", "http://evil.com http://localhost:6080"),
    (DEFAULT, "localhost:6080", "http://localhost:6080, http://evil.com"),
    (DEFAULT, "localhost:6080", "http://evil.com@localhost:6080"),
    (DEFAULT, "localhost:6080", "http://localhost:6080@evil.com"),
    (DEFAULT, "localhost:6080", "http://localhost:6080\\@evil.com"),
    (DEFAULT, "localhost:6080", "http://localhost:6080\r\nX: y"),
    (DEFAULT, "localhost:6080", "http://localhost\x00:6080"),
    (DEFAULT, "localhost:6080", "http:localhost:6080"),
    (DEFAULT, "localhost:6080", "//localhost:6080"),
    (DEFAULT, "localhost:6080", "localhost:6080"),
    (DEFAULT, "localhost:6080", "http://"),
    (DEFAULT, "localhost:6080", "://localhost:6080"),
    (DEFAULT, "localhost:6080", "http://ⓛocalhost:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://0x7f.1:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://2130706433:6080"),
    (DEFAULT, "127.0.0.1:6080", "http://127.1:6080"),
    (DEFAULT, "localhost:6080", "http://" + "a" * 100_000),
    # The scheme has to be the web's for a page to be "the same".
    (DEFAULT, "localhost:6080", "chrome-extension://localhost:6080"),
    (DEFAULT, "office.local", "ftp://office.local"),
    (DEFAULT, "office.local", "javascript://office.local"),
    # Lists.
    (LISTED, "localhost:6080", "http://vnc.lab"),
    (LISTED, "localhost:6080", "https://vnc.lab:8443"),
    (LISTED, "localhost:6080", "https://evil.vnc.lab"),
    (LISTED, "localhost:6080", "https://vnc.lab.evil.com"),
    (LISTED, "localhost:6080", "chrome-extension://fedcba"),
    (ONLY_LISTED, "localhost:6080", "http://localhost:6080"),
    (NOBODY, "localhost:6080", "http://localhost:6080"),
    (NOBODY, "office.local", "http://office.local"),
]


@pytest.mark.parametrize(("rules", "host", "origin"), ADMITTED)
def test_an_honest_pair_comes_in(rules: OriginRules, host: str, origin: str | None) -> None:
    assert check(rules, host, origin, secure=False) is None


@pytest.mark.parametrize(("rules", "host", "origin"), REFUSED_HOSTS)
def test_a_host_that_is_no_name_of_ours_is_refused(rules: OriginRules, host: str, origin: str | None) -> None:
    denied = check(rules, host, origin, secure=False)
    assert denied is not None
    assert denied.rule == "host"


@pytest.mark.parametrize(("rules", "host", "origin"), REFUSED_ORIGINS)
@pytest.mark.parametrize("secure", [False, True])
def test_a_page_from_elsewhere_is_refused(rules: OriginRules, host: str, origin: str, secure: bool) -> None:
    denied = check(rules, host, origin, secure=secure)
    if secure and host == "localhost" and origin == "http://localhost:443":
        return  # then the Host header's missing port is 443
    assert denied is not None
    assert denied.rule == "origin"


def test_over_tls_a_missing_port_of_localhost_is_443_so_a_page_on_port_80_is_another() -> None:
    assert check(DEFAULT, "localhost", "http://localhost", secure=True) is not None
    assert check(DEFAULT, "localhost", "https://localhost", secure=True) is None


def test_a_refused_host_names_the_line_that_lets_it_in() -> None:
    denied = check(OriginRules(), "VNC.example.org:6080", None, secure=False)
    assert denied is not None
    assert denied.hint.endswith('under [access] in the profile: hosts = ["vnc.example.org"]')
    assert "vnc.example.org" in denied.message


def test_a_refused_page_names_the_line_that_lets_it_in_beside_what_stands_there() -> None:
    denied = check(OriginRules(origins=("same-host", "https://a.lab")), "localhost", "https://b.lab:443", secure=False)
    assert denied is not None
    assert denied.hint.endswith(
        'under [access] in the profile: origins = ["same-host", "https://a.lab", "https://b.lab"]'
    )


@pytest.mark.parametrize(("rules", "host", "origin"), [*REFUSED_HOSTS, *REFUSED_ORIGINS])
def test_nothing_from_outside_can_steer_the_terminal_that_shows_the_refusal(
    rules: OriginRules, host: str, origin: str | None
) -> None:
    denied = check(rules, host, origin, secure=False)
    assert denied is not None
    assert denied.message.isprintable()
    assert denied.hint.isprintable()
    assert len(denied.message) < 500


@given(st.text(max_size=60), st.none() | st.text(max_size=60))
def test_no_text_makes_it_raise(host: str, origin: str | None) -> None:
    check(DEFAULT, host, origin, secure=False)


@given(st.from_regex(r"\Ahttps?://[a-z0-9.\[\]:@/%-]{0,30}\Z"))
def test_whatever_a_page_sends_it_comes_in_on_loopback_only_with_the_hosts_own_text(origin: str) -> None:
    admitted = check(DEFAULT, "localhost:6080", origin, secure=False) is None
    assert admitted == (origin in ("http://localhost:6080", "https://localhost:6080"))


def test_it_is_quick_enough_for_every_upgrade() -> None:
    def once() -> None:
        check(DEFAULT, "localhost:6080", "http://localhost:6080", secure=False)

    best = min(timeit.repeat(once, number=2_000, repeat=10)) / 2_000
    assert best < 20e-6  # measured 0.5 µs; this only catches a lost cache


@pytest.mark.parametrize("text", ["http://u:hunter2@vnc.lab", "http://vnc.lab/?token=hunter2", "u:hunter2@vnc.lab"])
def test_what_may_be_a_secret_is_not_repeated(text: str) -> None:
    for denied in (
        check(OriginRules(), text, None, secure=False),
        check(OriginRules(), "vnc.lab", text, secure=False),
        check(OriginRules(), "localhost", text, secure=False),
    ):
        assert denied is not None
        assert "hunter2" not in denied.message + denied.hint
