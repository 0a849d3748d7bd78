"""Whatever is asked for, only the files beneath the root are answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.answers import Fetch, read
from wsgui.errors import WsguiError
from wsgui.web.files import FileServer

SECRET = b"secret"


SERVED = [
    ("/", b"<!doctype html>home"),
    ("/index.html", b"<!doctype html>home"),
    ("/index.html?x=../../secret.txt", b"<!doctype html>home"),
    ("/?", b"<!doctype html>home"),
    ("//index.html", b"<!doctype html>home"),
    ("/sub/", b"<!doctype html>sub"),
    ("/sub//deeper///code.mjs", b"export {};"),
    ("/%73ub/index%2Ehtml", b"<!doctype html>sub"),
    ("/with%20space/%C3%BCn%C3%AF%2541.txt", b"unicode"),
    ("/.well-known/acme/token", b"token"),
    ("/inside-link", b"<!doctype html>sub"),
    ("/chain", b"<!doctype html>sub"),
    ("/sub/up-link", b"<!doctype html>home"),
    ("/folder-link/", b"<!doctype html>sub"),
    ("/folder-link/index.html", b"<!doctype html>sub"),
    ("http://example.org/index.html", b"<!doctype html>home"),
    ("HTTP://example.org:8080/sub/?x", b"<!doctype html>sub"),
    ("https://example.org", b"<!doctype html>home"),
]


@pytest.mark.parametrize(("target", "body"), SERVED)
def test_a_file_beneath_the_root_is_served(fetch: Fetch, target: str, body: bytes) -> None:
    answer = fetch(target)
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["Content-Length"] == str(len(body))


UP = [
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "..%00",
    "..%20",
    "...",
    "..;",
    "..;x=y",
    "%2e%2e%2f",
    "..%2f",
    "..%5c",
    "..\\",
    "%252e%252e",
]
UP += [
    "..%c0%af",
    "..%c1%9c",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%uff0e%uff0e",
    "．．",
    "%ef%bc%8e%ef%bc%8e",
    "..%u2215",
    "%2e%2e%5c",
]
ESCAPES = [f"/{up}/{place}" for up in UP for place in ("secret.txt", "site-evil/secret.txt", "outside/")]
ESCAPES += [f"/sub/{up}/{up}/secret.txt" for up in UP]
HOSTILE = [
    *ESCAPES,
    # Links that lead out, loop or end nowhere; what is no regular file.
    "/out",
    "/out/",
    "/out-folder",
    "/out-folder/",
    "/out-folder/index.html",
    "/out-absolute",
    "/loop",
    "/loop/x",
    "/dangling",
    "/proc",
    "/proc/0",
    "/proc/self",
    "/zero",
    "/fifo",
    "/fifo/",
    "/socket",
    # Hidden ones.
    "/.env",
    "/%2eenv",
    "/.hidden",
    "/.hidden/",
    "/.hidden/x",
    "/.hidden/../index.html",
    "/sub/.git",
    "/sub/.well-known/x",
    "/.well-known/.x",
    "/.Well-Known/acme/token",
    "/..dots",
    "/%e2%80%8c.git",
    "/.",
    "/./index.html",
    "/sub/.",
    "/sub/..",
    "/sub/../index.html",
    # Absolute paths, drives, shares, and others from Windows.
    "//etc/passwd",
    "/%2fetc/passwd",
    "/%2f%2fetc%2fpasswd",
    "/etc/passwd",
    "///etc/passwd",
    "/C:/Windows/win.ini",
    "/c%3a/Windows/win.ini",
    "/C:",
    "/%5c%5chost%5cshare",
    "\\\\host\\share",
    "/\\host\\share",
    "/back%5cslash",
    "/index.html::$DATA",
    "/index.html:stream",
    "/a:b",
    "/aux.js",
    "/AUX",
    "/nul",
    "/con",
    "/Con.html",
    "/com1.txt",
    "/LPT9",
    "/com%c2%b9",
    "/conin$",
    "/aux%20.js",
    "/ends.",
    "/ends%20",
    "/index.html.",
    "/index.html%20",
    "/PROGRA~1.TXT",
    "/ENV~1",
    # Not as a URL is written.
    "/index.html%00",
    "/index.html%00.txt",
    "/%00",
    "/new%0aline",
    "/x%0d%0aSet-Cookie:%20a=b",
    "/x\r\nSet-Cookie: a=b",
    "/index.html\n",
    "/index.html#x",
    "/%",
    "/%2",
    "/%zz",
    "/%ff",
    "/%80",
    "/%ed%a0%80",
    "/ü",
    "/index.html\u202e",
    "/index.html\x7f",
    "/with space/x",
    "",
    "*",
    "index.html",
    "../secret.txt",
    "?x",
    "file:///etc/passwd",
    "ftp://host/index.html",
    "http:/index.html",
    "localhost:80",
    # Names that are not there, or too long.
    "/missing",
    "/index.html/",
    "/index.html/x",
    "/empty/",
    "/" + "a" * 300,
    "/" + "a" * 100_000,
    "/" + "a/" * 4000,
    "/" + "%61" * 3000,
    "/index.html" + "/" * 9000,
]


def test_there_are_more_than_a_hundred_hostile_paths() -> None:
    assert len(set(HOSTILE)) > 180


@pytest.mark.parametrize("target", HOSTILE)
def test_a_hostile_path_gets_a_refusal_and_nothing_else(fetch: Fetch, target: str) -> None:
    answer = fetch(target)
    assert answer.status in (400, 404, 414)
    assert SECRET not in answer.body
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert all(value.isprintable() and value.isascii() for value in answer.headers.values())


def test_an_unreadable_file_says_who_has_to_be_let_in(site: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "locked.txt").write_bytes(SECRET)
    (site / "locked.txt").chmod(0)
    (site / "locked").mkdir()
    (site / "locked").chmod(0)
    site.chmod(0o755)
    monkeypatch.chdir(site)
    server = FileServer(Path("."))
    root = os.geteuid() == 0
    if root:
        if way == "checked":
            pytest.skip("resolves the whole path, which only root may enter here")
        os.seteuid(65534)
    try:
        answers = [read(server.respond("GET", target, {})) for target in ("/locked.txt", "/locked/", "/locked/x")]
    finally:
        if root:
            os.seteuid(0)
        (site / "locked").chmod(0o755)
    assert [answer.status for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("way", ["openat2", "walk"], indirect=True)
def test_a_link_that_leads_out_and_in_again_is_refused(fetch: Fetch) -> None:
    assert fetch("/out-and-in").status == 404


REDIRECTS = [
    ("/sub", "/sub/"),
    ("/sub/deeper", "/sub/deeper/"),
    ("//sub", "/sub/"),
    ("///sub", "/sub/"),
    ("////sub//deeper", "/sub/deeper/"),
    ("//evil.com", "/evil.com/"),
    ("///evil.com", "/evil.com/"),
    ("/%65vil.com", "/evil.com/"),
    ("//%65vil.com", "/evil.com/"),
    ("//evil.com?//evil.com/", "/evil.com/?//evil.com/"),
    ("/sub?a=b", "/sub/?a=b"),
    ("/sub?", "/sub/"),
    ("/sub?a?b", "/sub/?a?b"),
    ("/sub?%0d%0aX:y", "/sub/?%0d%0aX:y"),
    ("/with%20space", "/with%20space/"),
    ("/with%20space?x", "/with%20space/?x"),
    ("/folder-link", "/folder-link/"),
    ("//folder-link", "/folder-link/"),
    ("http://evil.com/sub", "/sub/"),
    ("http://evil.com//sub", "/sub/"),
    ("http://evil.com//evil.com", "/evil.com/"),
    ("/empty", "/empty/"),
    ("/.well-known", "/.well-known/"),
    ("/.well-known/acme", "/.well-known/acme/"),
    ("/dir.html", "/dir.html/"),
]
NO_REDIRECTS = [
    "/\\evil.com",
    "/%5cevil.com",
    "//evil.com%2f..",
    "/%2fevil.com",
    "//evil.com/..",
    "//evil.com/%2e%2e",
    "/sub?a b",
    "/sub\r\nX: y",
    "/sub?\r\nX: y",
    "/sub?\x00",
    "/out-folder",
    "/javascript:alert(1)",
    "/\tevil.com",
]


@pytest.mark.parametrize(("target", "location"), REDIRECTS)
def test_a_folder_without_slash_is_redirected_to_itself(fetch: Fetch, target: str, location: str) -> None:
    answer = fetch(target)
    assert (answer.status, answer.headers["Location"]) == (307, location)
    assert re.match(r"/[^/\\]", location)


@pytest.mark.parametrize("target", NO_REDIRECTS)
def test_what_would_lead_elsewhere_is_no_redirect(fetch: Fetch, target: str) -> None:
    answer = fetch(target)
    assert answer.status in (400, 404)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "get", ""])
def test_other_methods_are_told_what_is_allowed(site: Path, method: str) -> None:
    answer = read(FileServer(site).respond(method, "/index.html", {}))
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("target", ["/", "/index.html", "/sub", "/missing", "/%00", "/fifo"])
def test_head_gets_the_headers_of_get_and_no_body(fetch: Fetch, target: str) -> None:
    get, head = fetch(target), fetch(target, "HEAD")
    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


TYPES = {
    "a.js": "text/javascript; charset=utf-8",
    "a.mjs": "text/javascript; charset=utf-8",
    "a.html": "text/html; charset=utf-8",
    "a.HTML": "text/html; charset=utf-8",
    "a.css": "text/css; charset=utf-8",
    "a.json": "application/json",
    "a.wasm": "application/wasm",
    "a.svg": "image/svg+xml",
    "a.png": "image/png",
    "a.woff2": "font/woff2",
    "a.ttf": "font/ttf",
    "a.webmanifest": "application/manifest+json",
    "a.tar.gz": "application/gzip",
    "a.js.map": "application/json",
    "a.cjs": "text/javascript; charset=utf-8",
    "a.xml": "application/xml",
    "a.ico": "image/x-icon",
    "a.woff": "font/woff",
    "a.otf": "font/otf",
    "a.pdf": "application/pdf",
    "a.mp4": "video/mp4",
    "a.txt": "text/plain; charset=utf-8",
    "a.md": "text/markdown; charset=utf-8",
    "a.yaml": "application/yaml",
    "a.unknown": "application/octet-stream",
    "a.": "application/octet-stream",
    "a.html.exe": "application/octet-stream",
    "js": "application/octet-stream",
    "a": "application/octet-stream",
}


@pytest.mark.parametrize(("name", "expected"), TYPES.items())
def test_the_type_comes_from_the_ending(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_text("<html>")
    answer = read(FileServer(tmp_path, lenient=True).respond("GET", "/" + name, {}))
    assert answer.headers["Content-Type"] == expected


def test_browsers_may_guess_no_other_type_and_tell_nobody_the_address(tmp_path: Path) -> None:
    (tmp_path / "a.unknown").write_text("<html>")
    answer = read(FileServer(tmp_path).respond("GET", "/a.unknown", {}))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_an_unchanged_file_is_not_sent_again(fetch: Fetch, site: Path) -> None:
    tag = fetch("/index.html").headers["ETag"]
    again = fetch("/index.html", if_none_match=f'"x", {tag}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == tag
    (site / "index.html").write_text("changed and longer than before")
    assert fetch("/index.html", if_none_match=tag).status == 200


def test_a_deleted_file_is_gone_at_once(fetch: Fetch, site: Path) -> None:
    assert fetch("/index.html").status == 200
    (site / "index.html").unlink()
    assert fetch("/index.html").status == 404
    assert fetch("/").status == 404


def test_a_root_that_was_replaced_is_the_new_one_and_one_that_is_gone_is_404(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = FileServer(root)
    root.rename(tmp_path / "old")
    assert read(server.respond("GET", "/", {})).status == 404
    root.mkdir()
    (root / "index.html").write_text("new")
    assert read(server.respond("GET", "/", {})).body == b"new"


def test_a_root_that_is_a_link_is_the_owners_wish(site: Path) -> None:
    link = site.parent / "link"
    link.symlink_to(site)
    assert read(FileServer(link).respond("GET", "/", {})).status == 200


def test_an_empty_file_is_an_empty_answer(fetch: Fetch, site: Path) -> None:
    (site / "nothing.txt").touch()
    answer = fetch("/nothing.txt")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


# What another process does 10,000 times: a name is now a file, now a link to the secret one; so is a folder.
SWAPPER = """
import os, sys
os.chdir(sys.argv[1])
os.mkdir("real")
open("real/secret.txt", "w").close()
os.symlink("..", "bad")
for _ in range(10_000):
    os.symlink("../secret.txt", "new")
    os.replace("new", "flip")
    os.rename("bad", "flop")
    os.rename("flop", "bad")
    open("new", "w").close()
    os.replace("new", "flip")
    os.rename("real", "flop")
    os.rename("flop", "real")
"""


def test_ten_thousand_swaps_under_load_never_show_the_secret(fetch: Fetch, site: Path) -> None:
    deadline = time.monotonic() + 120
    seen: dict[tuple[str, int], int] = {}
    with subprocess.Popen([sys.executable, "-c", SWAPPER, str(site)]) as swapper:
        while swapper.poll() is None:
            assert time.monotonic() < deadline
            for target in ("/flip", "/flop/secret.txt"):
                answer = fetch(target)
                assert SECRET not in answer.body
                seen[target, answer.status] = seen.get((target, answer.status), 0) + 1
    assert swapper.returncode == 0
    assert {status for _, status in seen} == {200, 404}
    assert seen["/flip", 200]


@given(
    target=st.text(max_size=40).map(lambda text: "/" + text)
    | st.from_regex(r"\A(/|%2[eEfF]|\.|[a-z]|%[0-9a-f]{2}){0,12}\Z")
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_target_makes_it_raise_or_tell(site: Path, target: str) -> None:
    answer = read(FileServer(site).respond("GET", target, {}))
    assert answer.status in (200, 307, 400, 404, 414)
    assert SECRET not in answer.body


def test_a_root_that_is_no_folder_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(WsguiError) as caught:
        FileServer(tmp_path / "none")
    assert caught.value.field == "web.root"


@pytest.mark.parametrize("frame", ["https://a.lab; script-src *", "a b", "'none'", "", "https://a.lab\r\nX: y", "*"])
def test_a_framing_origin_that_is_none_is_said_at_once(tmp_path: Path, frame: str) -> None:
    with pytest.raises(WsguiError) as caught:
        FileServer(tmp_path, frames=[frame])
    assert caught.value.field == "web.frames"


def test_the_demo_is_our_own_page_with_a_policy_of_own_files_and_own_address() -> None:
    server = FileServer.of("demo")
    assert server is not None
    answer = read(server.respond("GET", "/", {"host": "localhost:6080"}))
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self' ws://localhost:6080 wss://localhost:6080;" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("host", ["", "[::1]:6080", "a b", "x; script-src *", "x\r\ny", "x,y"])
def test_a_host_that_fits_no_policy_adds_nothing_to_it(host: str) -> None:
    server = FileServer.of("demo")
    assert server is not None
    policy = read(server.respond("GET", "/", {"host": host})).headers["Content-Security-Policy"]
    assert "connect-src 'self';" in policy
    assert "script-src 'self';" in policy


def test_a_listed_origin_may_frame_our_page() -> None:
    server = FileServer.of("demo", ["https://intranet.lab", "https://*.example.org:8443"])
    assert server is not None
    headers = read(server.respond("GET", "/", {})).headers
    assert "frame-ancestors https://intranet.lab https://*.example.org:8443" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers


def test_a_folder_of_the_users_gets_no_policy(site: Path) -> None:
    server = FileServer.of(str(site))
    assert server is not None
    assert "Content-Security-Policy" not in read(server.respond("GET", "/", {})).headers


def test_no_root_is_no_server() -> None:
    assert FileServer.of("") is None
