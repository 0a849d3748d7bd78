"""Which pasted texts are lines of websockify."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.errors import UsageError
from wsgui.profiles.websockify.options import parse
from wsgui.profiles.websockify.recognise import arguments_of, recognise


@pytest.mark.parametrize(
    "begin",
    [
        "",
        "websockify ",
        "$ websockify ",
        "/usr/bin/websockify ",
        "./websockify.py ",
        "python -m websockify ",
        "/usr/bin/python3.11 -m websockify ",
        "wsgui websockify ",
        "python3 -m wsgui websockify ",
        "websockify.exe ",
    ],
)
def test_a_line_is_recognised_by_its_first_word_or_without_one(begin: str) -> None:
    assert recognise(f"{begin}--web '/my files' 6080 office:5901\n") == parse(
        ["--web", "/my files", "6080", "office:5901"]
    )


def test_a_line_may_be_continued_on_the_next() -> None:
    assert recognise("websockify --web x \\\n  6080 office:5901") == parse(["--web", "x", "6080", "office:5901"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5901",
        ":1",
        "office:5901",
        "office",
        "wss://gate/ssh",
        "ssh -W node17:5901 login",
        "vncserver :1",
        "docker exec -it box sh",
        "python -m http.server",
        "wsgui --demo",
        "'",
        "-h",
        "-h x",
        "6080 office:5901 " + 16384 * "x",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert recognise(text) is None


def test_a_line_that_calls_websockify_wrongly_says_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="--nosuch"):
        recognise("websockify --nosuch 6080 office:5901")


@given(st.text())
def test_no_text_is_more_than_a_usage_error(text: str) -> None:
    try:
        recognise(text)
    except UsageError:
        assert "websockify" in text.lower()


@pytest.mark.parametrize("words", [[], ["wsgui"], ["python", "-m"], ["python", "-m", "http.server"], ["novnc_proxy"]])
def test_words_that_call_something_else_have_no_arguments(words: list[str]) -> None:
    assert arguments_of(words) is None
