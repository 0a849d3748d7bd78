"""Passphrases that are kept nowhere: who is asked for them before a start, and what happens when nobody is there."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.issuer import Issuer
from wsgui.certificates.vault import Vault
from wsgui.cli import asking
from wsgui.cli.passphrases import open_certificates
from wsgui.errors import SecretError
from wsgui.profiles.model import Profile

PASSPHRASE = "correct horse battery"


def profile(*certificates: str) -> Profile:
    return Profile.model_validate({"name": "x", "target": "demo:", "tls": {"certificate": certificates}})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Answer = Callable[..., list[str]]


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    issuer = Issuer(tmp_path, monkeypatch)
    issuer.make("kept.lan")
    issuer.vault = Vault(tmp_path, ask=lambda _: PASSPHRASE)
    issuer.make("asked.lan", passphrase="ask")
    return Vault(tmp_path)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Puts somebody before the terminal who types these lines; returns what was asked so far."""

    def sit(*lines: str) -> list[str]:
        asked: list[str] = []
        left = list(lines)

        def typed(prompt: str) -> str:
            asked.append(prompt)
            return left.pop(0)

        monkeypatch.setattr(asking, "typed", typed)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys, "stderr", Terminal())
        return asked

    return sit


def test_only_what_is_kept_nowhere_is_asked_for_and_once(vault: Vault, answer: Answer) -> None:
    asked = answer(PASSPHRASE)
    open_certificates([profile("kept.lan", "asked.lan"), profile("asked.lan"), profile("none.lan"), profile()], vault)
    assert asked == ['The passphrase of the certificate "asked.lan": ']
    assert vault.passphrase("asked.lan") == PASSPHRASE


def test_a_wrong_one_may_be_put_right(vault: Vault, answer: Answer) -> None:
    asked = answer("wrong", PASSPHRASE)
    open_certificates([profile("asked.lan")], vault)
    assert len(asked) == 2
    assert vault.passphrase("asked.lan") == PASSPHRASE
    assert "wrong" not in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_after_three_wrong_ones_nothing_starts(vault: Vault, answer: Answer) -> None:
    asked = answer("wrong", "worse", "worst", PASSPHRASE)
    with pytest.raises(SecretError) as caught:
        open_certificates([profile("asked.lan")], vault)
    assert len(asked) == 3
    assert "worst" not in str(caught.value)


def test_whoever_gives_none_starts_nothing(vault: Vault, answer: Answer) -> None:
    answer("")
    with pytest.raises(SecretError, match="was not given"):
        open_certificates([profile("asked.lan")], vault)


@pytest.mark.parametrize("which", ["stdin", "stderr"])
def test_nobody_is_asked_without_a_terminal(
    which: str, vault: Vault, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(PASSPHRASE)
    monkeypatch.setattr(sys, which, io.StringIO())
    open_certificates([profile("asked.lan")], vault)
    assert asked == []
    with pytest.raises(SecretError):
        vault.passphrase("asked.lan")
