"""Text from outside, made safe: nothing steers, hides or forges; what is harmless stays as it is."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.display import MAX_CHARACTERS, display

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)  # lone surrogates too


@given(ANY_TEXT)
def test_no_control_mark_or_line_break_gets_through(text: str) -> None:
    shown = display(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.splitlines() in ([], [shown])
    shown.encode()


@given(ANY_TEXT, st.integers(2, 300))
def test_it_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(display(text, limit=limit)) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=MAX_CHARACTERS))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert display(text) == text


@given(ANY_TEXT)
def test_shown_text_stays_as_it_is_when_shown_again(text: str) -> None:
    shown = display(text)
    assert display(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Bürostuhl 漢字 😀", "Bürostuhl 漢字 😀"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc80", "\\udc80"),
        ("<b>&%1%s{0}</b>", "<b>&%1%s{0}</b>"),
    ],
)
def test_each_kind_of_character(text: str, shown: str) -> None:
    assert display(text) == shown


def test_what_is_cut_says_so() -> None:
    assert display("x" * MAX_CHARACTERS) == "x" * MAX_CHARACTERS
    assert display("x" * (MAX_CHARACTERS + 1)) == "x" * (MAX_CHARACTERS - 1) + "…"
    assert display("ü" * 300, limit=10) == "üüüüüüüüü…"


def test_escapes_count_as_what_is_seen() -> None:
    assert display("\x00" * 100, limit=20) == "\\x00\\x00\\x00\\x00\\x0…"


def test_a_huge_text_costs_no_more_than_its_beginning() -> None:
    text = "\u202e" * 10_000_000
    begun = time.process_time()
    assert display(text).endswith("\\u202e…")
    assert time.process_time() - begun < 0.05
