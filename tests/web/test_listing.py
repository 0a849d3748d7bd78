"""Listings: what may be had from a folder, as a page that nothing in a name can break."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin

import pytest

from tests.support.answers import Answer, Fetch, fetcher, open_descriptors
from wsgui.web import entries, listing
from wsgui.web.files import FileServer
from wsgui.web.listing import listing_page


class Page(HTMLParser):
    """The links of a page, and every element it is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


HEAD = {"html", "head", "meta", "title", "style", "body", "main"}
ELEMENTS = HEAD | {"h1", "bdi", "table", "thead", "tr", "th", "tbody", "td", "a", "span", "time", "p"}
ATTRIBUTES = {"lang", "charset", "name", "content", "scope", "class", "href", "datetime", "colspan"}


def page(answer: Answer) -> Page:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    found = Page(answer.body.decode())
    assert found.elements <= ELEMENTS
    assert found.attributes <= ATTRIBUTES
    return found


@pytest.fixture
def listed(site: Path, way: str) -> Iterator[Fetch]:
    (site / "index.html").unlink()
    before = open_descriptors()
    yield fetcher(FileServer(site, listing=True))
    assert open_descriptors() == before, "a descriptor was left open"


def test_a_folder_without_index_shows_what_may_be_had_from_it(listed: Fetch) -> None:
    assert page(listed("/")).links == [
        "./.well-known/",
        "./dir.html/",
        "./empty/",
        "./evil.com/",
        "./folder-link/",
        "./sub/",
        "./with%20space/",
        "./chain",
        "./inside-link",
    ]


def test_everything_listed_can_be_had(listed: Fetch) -> None:
    for target in ("/", "/with%20space/", "/.well-known/", "/.well-known/acme/"):
        links = page(listed(target)).links
        assert links
        for link in links:
            assert listed(urljoin(target, link)).status == 200


def test_below_the_root_a_link_leads_up(listed: Fetch) -> None:
    assert page(listed("/empty/")).links == ["../"]
    assert "nothing here" in page(listed("/empty/")).text


def test_an_index_goes_before_the_listing(listed: Fetch, site: Path) -> None:
    assert listed("/sub/").body == b"<!doctype html>sub"
    (site / "empty" / "index.htm").write_text("old ending")
    assert listed("/empty/").body == b"old ending"


@pytest.mark.parametrize("target", ["/missing/", "/inside-link/", "/out-folder/", "/.hidden/", "/proc/", "/fifo/"])
def test_what_is_no_folder_of_ours_is_not_listed(listed: Fetch, target: str) -> None:
    assert listed(target).status == 404


def test_without_listing_a_folder_without_index_is_not_there(fetch: Fetch) -> None:
    assert fetch("/empty/").status == 404
    assert fetch("/with%20space/").status == 404


def test_a_root_without_index_says_that_there_are_files_all_the_same(fetch: Fetch, site: Path) -> None:
    (site / "index.html").unlink()

    answer = fetch("/")

    assert answer.status == 404
    assert b"has files, but no front page" in answer.body


def test_a_folder_without_slash_is_redirected_first_so_that_links_fit(listed: Fetch) -> None:
    answer = listed("/empty?x=1")
    assert (answer.status, answer.headers["Location"]) == (307, "/empty/?x=1")


def test_head_is_the_same_without_the_page(listed: Fetch) -> None:
    get, head = listed("/"), listed("/", "HEAD")
    assert (head.status, head.headers) == (get.status, get.headers)


def test_folders_come_first_then_files_by_name_whatever_the_case(tmp_path: Path) -> None:
    for name in ("b", "A", "c", "Ä", "10", "2"):
        (tmp_path / name).touch()
    for name in ("z", "Y"):
        (tmp_path / name).mkdir()
    links = page(fetcher(FileServer(tmp_path, listing=True))("/")).links

    assert links == ["./Y/", "./z/", "./10", "./2", "./A", "./b", "./c", "./%C3%84"]


def test_sizes_and_times_are_readable(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1_234_567))
    os.utime(tmp_path / "a", (784_111_777, 784_111_777))
    text = fetcher(FileServer(tmp_path, listing=True))("/").body.decode()

    assert "1.2 MB" in text
    assert '<time datetime="1994-11-06T08:49:37Z">1994-11-06 08:49</time>' in text


def test_a_time_beyond_all_calendars_is_left_out(tmp_path: Path) -> None:
    entry = entries.Entry("a", False, 1, 1e18)

    assert b"<time" not in listing_page((), entries.Entries((entry,), True)).body


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)<",
    "a\"onmouseover='x'",
    "&lt;b&gt;&amp",
    "<table><h1>",
    "javascript:alert(1)",
    "%3Cb%3E",
    "a?b#c",
    "a%00b",
    "‮gpj.exe",
    "\u200b",
    "é" * 120,
    "💣",
    "\x1b[31m\x07",
    "new\nline\r\n",
    "back\\slash",
    "  ",
    " leading",
    "$(id)",
    "-rf",
    "~",
    ".hidden",
    "aux",
    "a:b",
    "\x85\u2028",
]


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_hostile_name_is_text_and_a_link_to_itself(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if kind == "folder":
        path.mkdir()
        (path / "x").touch()
    else:
        path.write_text("itself")
    ask = fetcher(FileServer(tmp_path, listing=True, lenient=True))
    answer = ask("/")
    (link,) = page(answer).links

    assert unquote_to_bytes(link.removeprefix("./").removesuffix("/")) == os.fsencode(name)
    text = page(answer).text
    assert all(character.isprintable() or character == "\n" for character in text)
    there = ask(urljoin("/", link))
    if kind == "file":
        assert (there.status, there.body) == (200, b"itself")
    else:
        assert page(there).links == ["../", "./x"]
        head = html.unescape(there.body.decode().partition("<title>")[2].partition("</title>")[0])
        assert head.isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="only there names are bytes")
def test_a_name_that_is_no_utf8_is_shown_by_its_bytes_and_can_be_had_leniently(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("latin")
    ask = fetcher(FileServer(tmp_path, listing=True, lenient=True))
    found = page(ask("/"))

    assert found.links == ["./caf%E9.txt"]
    assert "caf\\xe9.txt" in found.text
    assert ask("/caf%E9.txt").body == b"latin"


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_profile_s_listing_leaves_out_what_it_does_not_serve(tmp_path: Path) -> None:
    for name in (".env", "a:b", "aux", "back\\slash", "new\nline", os.fsdecode(b"\xff"), "ends.", "PROGRA~1"):
        (tmp_path / name).touch()
    (tmp_path / "plain").touch()
    (tmp_path / "nowhere").symlink_to("missing")
    os.mkfifo(tmp_path / "fifo")

    assert page(fetcher(FileServer(tmp_path, listing=True))("/")).links == ["./plain"]


def test_a_huge_folder_is_listed_in_part_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 50)
    for number in range(60):
        (tmp_path / f"f{number}").touch()
    found = page(fetcher(FileServer(tmp_path, listing=True))("/"))

    assert len(found.links) == 50
    assert "more than can be listed" in found.text


def test_a_folder_of_long_names_makes_no_endless_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_CHARACTERS", 10_000)
    for number in range(60):
        (tmp_path / f"{number:0200}").touch()
    answer = fetcher(FileServer(tmp_path, listing=True))("/")

    assert 10 < len(page(answer).links) < 60
    assert len(answer.body) < 15_000
    assert "more than can be listed" in page(answer).text


def test_the_page_lets_in_its_own_style_and_nothing_else(listed: Fetch) -> None:
    answer = listed("/")
    style = re.search(r"<style>(.*)</style>", answer.body.decode(), re.DOTALL)
    assert style is not None
    assert "prefers-color-scheme: dark" in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_folder_that_may_not_be_read_is_said(site: Path) -> None:
    locked = site / "locked"
    locked.mkdir(mode=0o300)
    root = os.geteuid() == 0
    for folder in (site, site.parent, site.parent.parent, site.parent.parent.parent):
        if root:
            folder.chmod(folder.stat().st_mode | 0o055)
    server = FileServer(site, listing=True)
    if root:
        os.seteuid(65534)
    try:
        assert fetcher(server)("/locked/").status == 403
    finally:
        if root:
            os.seteuid(0)
