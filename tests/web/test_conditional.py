"""Conditions of requests: what was not changed is not sent again, and parts of two states are never put together."""

from __future__ import annotations

import os
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.support.answers import Fetch, fetcher
from wsgui.web.conditional import Validators
from wsgui.web.files import FileServer

MODIFIED = 784_111_777  # the example of RFC 9110: Sun, 06 Nov 1994 08:49:37 GMT
LAST_MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
STRONG = Validators('"x"', MODIFIED)
WEAK = Validators('W/"x"', MODIFIED)


@pytest.fixture
def old(tmp_path: Path) -> Fetch:
    """A server with one file, ``/a.txt``, whose last change is known."""
    path = tmp_path / "a.txt"
    path.write_text("content")
    os.utime(path, (MODIFIED, MODIFIED))
    return fetcher(FileServer(tmp_path))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"x"'}, 304),
        ({"if-none-match": 'W/"x"'}, 304),
        ({"if-none-match": '"y", "x"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"y"'}, 200),
        ({"if-none-match": "x"}, 200),
        ({"if-none-match": ""}, 200),
        ({"if-modified-since": LAST_MODIFIED}, 304),
        ({"if-modified-since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304),
        ({"if-modified-since": "Sun Nov  6 08:49:37 1994"}, 304),
        ({"if-modified-since": "Mon, 07 Nov 1994 08:49:37 GMT"}, 304),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": ""}, 200),
        ({"if-modified-since": "Sun, 99 Nov 99999999999 08:49:37 GMT"}, 200),
        ({"if-modified-since": "9" * 5000}, 200),
        # The tag says more than the date (13.1.3).
        ({"if-none-match": '"y"', "if-modified-since": LAST_MODIFIED}, 200),
        ({"if-none-match": '"x"', "if-modified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 304),
        ({"if-match": '"x"'}, 200),
        ({"if-match": '"y", "x"'}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"y"'}, 412),
        ({"if-match": 'W/"x"'}, 412),
        ({"if-unmodified-since": LAST_MODIFIED}, 200),
        ({"if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 412),
        ({"if-unmodified-since": "never"}, 200),
        ({"if-match": '"x"', "if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 200),
        ({"if-match": '"y"', "if-none-match": '"x"'}, 412),
    ],
)
def test_conditions_are_judged_in_the_order_of_the_standard(headers: dict[str, str], status: int) -> None:
    assert STRONG.judge(headers) == status


def test_a_weak_tag_saves_sending_but_proves_nothing() -> None:
    assert WEAK.judge({"if-none-match": '"x"'}) == 304
    assert WEAK.judge({"if-match": 'W/"x"'}) == 412
    assert WEAK.judge({"if-match": '"x"'}) == 412


@pytest.mark.parametrize(
    ("validators", "if_range", "still"),
    [
        (STRONG, None, True),
        (STRONG, '"x"', True),
        (STRONG, LAST_MODIFIED, True),
        (STRONG, 'W/"x"', False),
        (STRONG, '"y"', False),
        (STRONG, "Mon, 07 Nov 1994 08:49:37 GMT", False),
        (STRONG, "", False),
        (WEAK, '"x"', False),
        (WEAK, 'W/"x"', False),
        (WEAK, LAST_MODIFIED, False),
    ],
)
def test_a_part_is_sent_only_of_the_very_same_file(validators: Validators, if_range: str | None, still: bool) -> None:
    assert validators.still(if_range) is still


def test_a_file_that_was_changed_just_now_has_a_weak_tag_and_later_the_same_strong_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    status = (tmp_path / "a").stat()
    now, later = (Validators.of(status, status.st_mtime_ns + wait) for wait in (0, 3_000_000_000))

    assert now.tag == "W/" + later.tag
    assert later.strong


def test_the_last_change_never_lies_in_the_future(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    now = time.time_ns()
    os.utime(tmp_path / "a", ns=(now, now + 10**15))

    validators = Validators.of((tmp_path / "a").stat(), now)
    assert validators.modified == now // 10**9
    assert not validators.strong


def test_a_time_beyond_all_dates_is_left_out() -> None:
    assert Validators('"x"', 10**15).headers() == (("ETag", '"x"'),)


def test_an_unchanged_file_is_304_with_its_validators(old: Fetch) -> None:
    first = old("/a.txt")
    assert first.headers["Last-Modified"] == LAST_MODIFIED
    for condition in ({"if_none_match": first.headers["ETag"]}, {"if_modified_since": LAST_MODIFIED}):
        again = old("/a.txt", **condition)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"].removeprefix("W/") == first.headers["ETag"].removeprefix("W/")
        assert again.headers["Last-Modified"] == LAST_MODIFIED
        assert old("/a.txt", "HEAD", **condition).status == 304


@pytest.mark.parametrize("change", ["same size", "same time", "replaced"])
def test_every_change_shows_in_the_tag(tmp_path: Path, old: Fetch, change: str) -> None:
    path = tmp_path / "a.txt"
    tag = old("/a.txt").headers["ETag"]
    match change:
        case "same size":
            path.write_text("CONTENT")
        case "same time":
            path.write_text("CONTENT")
            os.utime(path, (MODIFIED, MODIFIED))
        case _:
            (tmp_path / "new").write_text("CONTENT")
            os.utime(tmp_path / "new", (MODIFIED, MODIFIED))
            (tmp_path / "new").replace(path)

    again = old("/a.txt", if_none_match=tag)
    assert (again.status, again.body) == (200, b"CONTENT")


def test_a_failed_precondition_is_said(old: Fetch) -> None:
    answer = old("/a.txt", if_match='"other"')

    assert answer.status == 412
    assert b"content" not in answer.body
    assert old("/a.txt", "HEAD", if_match='"other"').status == 412


def test_a_download_goes_on_only_with_the_file_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("content")
    ask = fetcher(FileServer(tmp_path))
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 10**10)  # so the file is older than it is
    tag = ask("/a.txt").headers["ETag"]
    assert not tag.startswith("W/")

    same = ask("/a.txt", range="bytes=3-", if_range=tag)
    assert (same.status, same.body) == (206, b"tent")
    (tmp_path / "a.txt").write_text("CONTENT")
    changed = ask("/a.txt", range="bytes=3-", if_range=tag)
    assert (changed.status, changed.body) == (200, b"CONTENT")


def test_a_condition_goes_before_a_range(old: Fetch) -> None:
    tag = old("/a.txt").headers["ETag"]

    assert old("/a.txt", range="bytes=0-1", if_none_match=tag).status == 304
    assert old("/a.txt", range="bytes=99-", if_modified_since=formatdate(usegmt=True)).status == 304
