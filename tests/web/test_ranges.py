"""One range or the whole file; what asks for nothing, or for a thousand pieces, gets nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.answers import Fetch
from wsgui.web.ranges import Part, UnsatisfiableError, part_of

BODY = b"<!doctype html>home"  # 19 bytes


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-", Part(0, 19)),
        ("bytes=5-9", Part(5, 5)),
        ("bytes=18-18", Part(18, 1)),
        ("bytes=18-", Part(18, 1)),
        ("bytes=5-1000", Part(5, 14)),
        ("bytes=5-" + "9" * 200, Part(5, 14)),
        ("bytes=-1", Part(18, 1)),
        ("bytes=-19", Part(0, 19)),
        ("bytes=-1000", Part(0, 19)),
        ("bytes=00005-00009", Part(5, 5)),
        ("  Bytes = 5-9 ", Part(5, 5)),
        ("bytes=5-9,", Part(5, 5)),
        ("bytes=,5-9", Part(5, 5)),
    ],
)
def test_one_range_is_that_part(field: str, part: Part) -> None:
    assert part_of(field, 19) == part


@pytest.mark.parametrize("field", ["bytes=19-", "bytes=19-20", "bytes=1000-", "bytes=" + "9" * 100 + "-", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_had(field: str) -> None:
    with pytest.raises(UnsatisfiableError):
        part_of(field, 19)


@pytest.mark.parametrize(
    "field",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=x-y",
        "bytes=5",
        "bytes=9-5",
        "bytes=5--9",
        "bytes=+5-9",
        "bytes=5-9x",
        "bytes=0x5-9",
        "bytes=٣-٩",
        "bytes:5-9",
        "lines=5-9",
        "bytes=0-1,4-5",
        "bytes=0-,0-,0-",
    ],
)
def test_what_is_no_range_or_several_is_passed_over(field: str) -> None:
    assert part_of(field, 19) is None


@pytest.mark.parametrize("field", ["bytes=" + ",".join(["0-"] * 9), "bytes=" + "0-0," * 1300, "bytes=" + "," * 2000])
def test_a_flood_of_ranges_is_refused(field: str) -> None:
    with pytest.raises(UnsatisfiableError):
        part_of(field, 19)


def test_an_empty_file_has_no_part() -> None:
    assert part_of("bytes=-5", 0) is None
    with pytest.raises(UnsatisfiableError):
        part_of("bytes=0-", 0)


@given(st.text(max_size=300) | st.from_regex(r"\Abytes=[-0-9, ]{0,40}\Z"), st.integers(0, 1 << 60))
def test_no_field_leads_outside_the_file(field: str, size: int) -> None:
    try:
        part = part_of(field, size)
    except UnsatisfiableError:
        return
    assert part is None or (0 <= part.start < part.start + part.size <= size)


def test_a_part_of_a_file_is_what_is_sent(fetch: Fetch) -> None:
    answer = fetch("/index.html", range="bytes=5-9")

    assert (answer.status, answer.body) == (206, BODY[5:10])
    assert answer.headers["Content-Range"] == "bytes 5-9/19"
    assert answer.headers["Content-Length"] == "5"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "ETag" in answer.headers


def test_the_parts_of_a_file_are_the_file(fetch: Fetch) -> None:
    parts = [fetch("/index.html", range=f"bytes={start}-{start + 3}").body for start in range(0, 19, 4)]

    assert b"".join(parts) == BODY


def test_a_part_that_is_not_there_is_416_with_the_size(fetch: Fetch) -> None:
    answer = fetch("/index.html", range="bytes=19-")

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */19")
    assert BODY not in answer.body


def test_several_ranges_are_answered_with_the_whole_file(fetch: Fetch) -> None:
    answer = fetch("/index.html", range="bytes=0-1,4-5")

    assert (answer.status, answer.body) == (200, BODY)
    assert "Content-Range" not in answer.headers


def test_a_flood_of_ranges_costs_nothing(fetch: Fetch) -> None:
    answer = fetch("/index.html", range="bytes=" + "0-," * 1000)

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */19")


def test_head_knows_no_ranges(fetch: Fetch) -> None:
    answer = fetch("/index.html", "HEAD", range="bytes=5-9")

    assert (answer.status, answer.headers["Content-Length"]) == (200, "19")


@pytest.mark.parametrize("target", ["/sub", "/missing", "/out"])
def test_a_range_of_what_is_no_file_changes_nothing(fetch: Fetch, target: str) -> None:
    assert fetch(target, range="bytes=0-1") == fetch(target)
