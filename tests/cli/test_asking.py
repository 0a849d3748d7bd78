"""Questions on a terminal: not echoed, repeated, and never put to nobody."""

from __future__ import annotations

import getpass
import io
import sys
from collections.abc import Iterator

import pytest

from tests.support.certificate_shell import Terminal
from wsgui.cli.asking import from_option, new_password, password, somebody_has_a_screen, somebody_is_there, typed, yes
from wsgui.errors import SecretError, UsageError


class Person:
    """Sits at the terminal and types these without an echo; None is the end of the input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self._types: Iterator[str | None] = iter(())
        monkeypatch.setattr(sys, "stdin", Terminal(""))
        monkeypatch.setattr(getpass, "getpass", self._ask)

    def types(self, *words: str | None) -> None:
        self._types = iter(words)

    def _ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        word = next(self._types)
        if word is None:
            raise EOFError
        return word


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    return Person(monkeypatch)


def test_a_pipe_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert not somebody_is_there()
    monkeypatch.setattr(sys, "stdin", None)
    assert not somebody_is_there()


def test_a_terminal_without_a_display_has_no_screen(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not somebody_has_a_screen()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert somebody_has_a_screen()


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("Yes\n", True), ("\n", False), ("", False), ("n\n", False)]
)
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert yes("Shall it?") is agreed


def test_the_end_of_the_input_is_no_password(person: Person) -> None:
    person.types(None)
    assert typed("Password: ") == ""
    person.types(None)
    with pytest.raises(SecretError):
        password("The password")


def test_a_new_password_is_the_one_that_was_repeated(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.types("tooshort", "tooshort!", "seven77", "long-enough", "long-enough")
    assert new_password("A password") == "long-enough"
    assert "long" not in "".join(capsys.readouterr())


def test_somebody_who_cannot_repeat_it_is_not_asked_for_ever(person: Person) -> None:
    person.types(*("first-one", "second-one") * 3)
    with pytest.raises(SecretError, match="not chosen"):
        new_password("A password")


def test_a_prompt_cannot_steer_the_terminal(person: Person) -> None:
    person.types("x")
    typed("Password of \x1b[2J: ")
    assert "\x1b" not in person.asked[0]


def test_an_option_is_taken_in_place_of_an_answer(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "sesame")
    assert from_option("env:GIVEN", "--password", "The password", password) == "sesame"
    assert person.asked == []


def test_without_an_option_or_with_ask_somebody_is_asked(person: Person) -> None:
    person.types("sesame", "sesame")
    assert from_option("", "--password", "The password", password) == "sesame"
    assert from_option("ask", "--password", "The password", password) == "sesame"


def test_nobody_is_told_which_option_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(UsageError) as caught:
        from_option("", "--password", "The password", password)
    assert "--password env:VARIABLE" in caught.value.hint
