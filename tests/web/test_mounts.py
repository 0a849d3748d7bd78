"""Several folders behind one address, and the page that "/" leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.answers import Fetch, fetcher
from wsgui.errors import WsguiError
from wsgui.web.files import FileServer


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("page", "core/sub", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "page" / "index.html").write_text("page")
    (tmp_path / "core" / "rfb.js").write_text("core")
    (tmp_path / "core" / "sub" / "a.js").write_text("sub")
    (tmp_path / "other" / "secret.txt").write_text("secret")
    return tmp_path


@pytest.fixture
def mounted(tree: Path) -> Fetch:
    mounts = {"vnc": tree / "page", "vendor/novnc": tree / "core"}
    sources = {"vnc": {"img-src": "data:"}}
    return fetcher(
        FileServer(
            None,
            own_pages=True,
            mounts=mounts,
            sources=sources,
            front=lambda query: f"vnc/?{query}" if query else "vnc/",
        )
    )


@pytest.mark.parametrize(
    ("target", "body"),
    [("/vnc/", b"page"), ("/vendor/novnc/rfb.js", b"core"), ("//vendor///novnc/sub/a.js", b"sub")],
)
def test_each_folder_answers_below_its_own_path(mounted: Fetch, target: str, body: bytes) -> None:
    assert mounted(target).body == body


@pytest.mark.parametrize(("target", "location"), [("/", "vnc/"), ("/?token=a&b", "vnc/?token=a&b"), ("//", "vnc/")])
def test_the_front_leads_to_the_page_with_its_query(mounted: Fetch, target: str, location: str) -> None:
    answer = mounted(target)
    assert (answer.status, answer.headers["Location"]) == (307, location)
    assert mounted(target, "HEAD").headers == answer.headers


@pytest.mark.parametrize(
    ("target", "location"),
    [("/vnc", "/vnc/"), ("/vendor/novnc?x", "/vendor/novnc/?x"), ("/vendor/novnc/sub", "/vendor/novnc/sub/")],
)
def test_a_mounted_folder_is_redirected_by_the_path_it_was_asked_by(mounted: Fetch, target: str, location: str) -> None:
    assert mounted(target).headers["Location"] == location


@pytest.mark.parametrize(
    "target",
    [
        "/vendor",
        "/vendor/",
        "/other/secret.txt",
        "/vncx/",
        "/vnc/../other/secret.txt",
        "/vendor/novnc/../other/secret.txt",
        "/VNC/",
        "/rfb.js",
        "/vendor/novnc/",
    ],
)
def test_what_lies_in_no_mount_is_not_there(mounted: Fetch, target: str) -> None:
    assert mounted(target).status == 404


def test_the_longest_mount_counts_and_the_root_is_the_rest(tree: Path) -> None:
    ask = fetcher(FileServer(tree / "page", mounts={"a": tree / "core", "a/b": tree / "other"}))

    assert ask("/").body == b"page"
    assert ask("/a/rfb.js").body == b"core"
    assert ask("/a/b/secret.txt").body == b"secret"
    assert ask("/a/b/rfb.js").status == 404


def test_each_page_s_policy_allows_what_that_page_needs(mounted: Fetch) -> None:
    page, vendor = (
        mounted(target, host="a.lab").headers["Content-Security-Policy"] for target in ("/vnc/", "/vendor/novnc/rfb.js")
    )

    assert "img-src 'self' data:;" in page
    assert "img-src 'self';" in vendor
    assert "connect-src 'self' ws://a.lab wss://a.lab;" in page
    assert "frame-ancestors 'none'" in page


def test_a_mount_that_is_no_folder_is_said_at_once(tree: Path) -> None:
    with pytest.raises(WsguiError) as caught:
        FileServer(None, mounts={"x": tree / "missing"})
    assert caught.value.field == "web.root"
