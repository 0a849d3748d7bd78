"""Files as websockify's command line serves them: hidden ones and links to anywhere, but never by dots in a path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.answers import Fetch, fetcher, open_descriptors
from tests.web.test_files import ESCAPES, SERVED
from wsgui.web.files import FileServer
from wsgui.web.request_path import BadTargetError, parse_target

SECRET = b"secret"


@pytest.fixture
def lenient(site: Path, way: str) -> Iterator[Fetch]:
    before = open_descriptors()
    server = FileServer.of(str(site), listing=True, lenient=True)
    assert server is not None
    yield fetcher(server)
    assert open_descriptors() == before, "a descriptor was left open"


@pytest.mark.parametrize(("target", "body"), SERVED)
def test_what_profiles_serve_is_served(lenient: Fetch, target: str, body: bytes) -> None:
    answer = lenient(target)
    assert (answer.status, answer.body) == (200, body)


ONLY_HERE = [
    "/.env",
    "/%2eenv",
    "/.hidden/x",
    "/sub/.git",
    "/..dots",
    "/out",
    "/out-absolute",
    "/out-folder/",
    "/out-folder/index.html",
    "/aux.js",
    "/a:b",
    "/ends.",
    "/ends%20",
    "/PROGRA~1.TXT",
    "/back%5cslash",
    "/new%0aline",
]


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("target", ONLY_HERE)
def test_hidden_files_links_out_and_odd_names_are_served_too(lenient: Fetch, target: str) -> None:
    answer = lenient(target)
    assert answer.status == 200
    assert answer.body.startswith(SECRET)


@pytest.mark.parametrize(
    "target",
    [
        *ESCAPES,
        "/..",
        "/../",
        "/sub/..",
        "/sub/../index.html",
        "/.",
        "/./index.html",
        "/out-folder/../secret.txt",
        "/out-folder/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/x%00",
    ],
)
def test_a_path_with_dots_leads_nowhere_all_the_same(lenient: Fetch, target: str) -> None:
    answer = lenient(target)
    assert answer.status in (400, 404)
    assert SECRET not in answer.body


@pytest.mark.parametrize("target", ["/fifo", "/socket", "/zero", "/loop", "/dangling", "/loop/x", "/proc/"])
def test_only_regular_files_are_sent(lenient: Fetch, target: str) -> None:
    answer = lenient(target)
    assert answer.status == (200 if target == "/proc/" else 404)
    assert SECRET not in answer.body


def test_the_listing_is_on_unless_it_is_not_wanted(lenient: Fetch, site: Path) -> None:
    assert b"with%20space" not in lenient("/empty/").body
    assert "ünï%41.txt" in lenient("/with%20space/").body.decode()
    only = FileServer.of(str(site), lenient=True)
    assert only is not None
    assert fetcher(only)("/with%20space/").status == 404
    assert fetcher(only)("/sub/").status == 200


def test_hidden_ones_and_links_out_are_listed_too(lenient: Fetch, site: Path) -> None:
    (site / "index.html").unlink()
    text = lenient("/").body.decode()

    for name in (".env", "out", "out-folder/", "out-absolute"):
        assert f'href="./{name}"' in text
    for name in ("fifo", "socket", "zero", "loop", "dangling"):
        assert f'href="./{name}"' not in text


@pytest.mark.parametrize("name", ["demo", "vnc", "terminal", "novnc"])
def test_a_name_of_our_pages_is_a_folder_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "index.html").write_text("the user's")
    monkeypatch.chdir(tmp_path)
    server = FileServer.of(name, lenient=True)
    assert server is not None
    monkeypatch.chdir("/")

    assert fetcher(server)("/").body == b"the user's"


def test_a_percent_sign_that_escapes_nothing_is_itself(site: Path, lenient: Fetch) -> None:
    (site / "100%.txt").write_text("all")

    assert lenient("/100%.txt").body == b"all"


def test_a_long_query_is_no_reason_to_refuse(lenient: Fetch) -> None:
    assert lenient("/index.html?token=" + "x" * 20_000).status == 200


REDIRECTS = [
    ("//evil.com", "/evil.com/"),
    ("///evil.com?a=b", "/evil.com/?a=b"),
    ("/out-folder", "/out-folder/"),
    ("/.hidden?//evil.com", "/.hidden/?//evil.com"),
    ("http://evil.com//sub", "/sub/"),
]


@pytest.mark.parametrize(("target", "location"), REDIRECTS)
def test_a_folder_is_redirected_to_itself_with_one_slash_and_its_query(
    lenient: Fetch, target: str, location: str
) -> None:
    answer = lenient(target)
    assert (answer.status, answer.headers["Location"]) == (307, location)


@pytest.mark.parametrize("target", ["//evil.com/..", "//evil.com%2f..", "/%5cevil.com", "/\\evil.com"])
def test_what_would_lead_elsewhere_is_no_redirect(lenient: Fetch, target: str) -> None:
    assert "Location" not in lenient(target).headers


@given(target=st.from_regex(r"\A(/|%2[eEfF]|\.|\\|%5c|[a-z]|%[0-9a-f]{2}){0,12}\Z"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_target_makes_it_raise_or_climb(site: Path, target: str) -> None:
    answer = fetcher(FileServer(site / "sub" / "deeper", listing=True, lenient=True))("/" + target)
    assert answer.status in (200, 307, 400, 404, 414)
    assert answer.status != 200 or b"code.mjs" in answer.body


@pytest.mark.parametrize("target", ["/a\\b", "/%5c", "/aux", "/a:b", "/x%20", "/ctrl%01", "/PROGRA~1"])
def test_on_windows_its_own_names_stay_refused(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setattr("wsgui.web.request_path._WINDOWS", True)

    with pytest.raises(BadTargetError):
        parse_target(target, lenient=True)


def test_browsers_may_guess_types_as_recordings_are_scripts_without_an_ending_that_says_so(lenient: Fetch) -> None:
    assert "X-Content-Type-Options" not in lenient("/index.html").headers
