"""What is said of certificates in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wsgui.app.certificates import Certificates
from wsgui.app.paths import Paths
from wsgui.cli.certificate_text import listing_lines, row_lines, sentence_list, where_passphrase

WHERE = "env:TEST_PASSPHRASE"


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setenv("TEST_PASSPHRASE", "correct horse battery")
    return Certificates(Paths.beneath(tmp_path), list, stores=[])


@pytest.mark.parametrize(
    ("words", "sentence"), [([], "nothing"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_in_a_sentence(words: list[str], sentence: str) -> None:
    assert sentence_list(words) == sentence


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("keyring:certificate/a", '"certificate/a"'),
        ("env:A", "variable A"),
        ("file:/a", "file /a"),
        ("ask", "is asked"),
    ],
)
def test_where_a_passphrase_is(reference: str, place: str) -> None:
    assert place in where_passphrase(reference)


def test_what_has_ended_says_so_and_what_to_do(certificates: Certificates) -> None:
    now = datetime.now(UTC)
    certificates.create(["a.lan"], self_signed=True, passphrase=WHERE, now=now - timedelta(days=400))
    lines = listing_lines(certificates.listing())
    assert "(ended)" in lines[1]
    assert lines[2].startswith("a.lan: It ended on ")
    assert lines[2].endswith("wsgui certificate renew a.lan")
    assert row_lines(certificates.row("a.lan"), certificates.listing())[-1].startswith("It ended on ")


@pytest.mark.parametrize(("days", "left"), [(396.5, "today"), (395.5, "1 day"), (394.5, "2 days")])
def test_days_are_counted_as_people_do(certificates: Certificates, days: float, left: str) -> None:
    now = datetime.now(UTC)
    certificates.create(["a.lan"], self_signed=True, passphrase=WHERE, now=now - timedelta(days=days))
    assert f"({left})" in listing_lines(certificates.listing(), now=now)[1]


def test_many_names_do_not_fill_the_table(certificates: Certificates) -> None:
    certificates.create([f"host{number}.lan" for number in range(20)], self_signed=True, passphrase=WHERE)
    row = listing_lines(certificates.listing())[1]
    assert "host0.lan, host1.lan and 18 more" in row
    assert len(row) < 120


def test_a_chain_is_shown_to_its_root(certificates: Certificates) -> None:
    certificates.create(["a.lan"], passphrase=WHERE)
    lines = row_lines(certificates.row("a.lan"), certificates.listing())
    chain = next(index for index, line in enumerate(lines) if line.startswith("chain "))
    assert [line.count("└ signed by") for line in lines[chain : chain + 3]] == [0, 1, 1]
