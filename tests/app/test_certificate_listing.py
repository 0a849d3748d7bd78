"""What is said of certificates: who uses them, when they end, what is wrong."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.trust_stores import MemoryStore
from wsgui.app.certificates import Certificates
from wsgui.app.paths import Paths
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

WHERE = "env:TEST_PASSPHRASE"
NOW = datetime.now(UTC)


class House:
    def __init__(self, folders: Paths) -> None:
        self.folders = folders
        self.profiles: list[Profile] = []
        self.store = MemoryStore()
        self.certificates = Certificates(folders, lambda: self.profiles, stores=[self.store])


@pytest.fixture
def house(folders: Paths, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("TEST_PASSPHRASE", "correct horse battery")
    return House(folders)


def test_without_anything_there_is_nothing(house: House) -> None:
    listing = house.certificates.listing()
    assert (listing.rows, listing.authorities, listing.stores, listing.broken) == ((), (), (), ())
    assert not house.folders.certificates.exists()


def test_a_profile_uses_it_however_it_spells_the_name(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    house.profiles = [
        build_profile({"name": name, "target": "h:1", "tls": {"certificate": names}}, "test")
        for name, names in (("A", ["OFFICE.lan"]), ("B", ["lab.lan", "office.lan."]), ("C", ["lab.lan"]))
    ]
    (row,) = house.certificates.listing().rows
    assert row.used_by == ("A", "B")


def test_the_stores_are_asked_only_when_they_should_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    monkeypatch.setattr(house.store, "state", None)
    assert house.certificates.listing(stores=False).stores == ()


def test_a_store_trusts_only_when_it_trusts_each_authority_in_use(house: House) -> None:
    first = house.certificates.create(["office.lan"], passphrase=WHERE).authority
    second = house.certificates.create(["vnc.example.com"], passphrase=WHERE).authority
    assert first is not None
    assert second is not None
    house.store.add(first.root)
    (state,) = house.certificates.listing().stores
    assert not state.trust.trusted
    house.store.add(second.root)
    (state,) = house.certificates.listing().stores
    assert state.trust.trusted


def test_an_authority_says_what_it_signed(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    house.certificates.create(["lab.lan"], passphrase=WHERE)
    house.certificates.create(["self.lan"], self_signed=True, passphrase=WHERE)
    (authority,) = house.certificates.listing().authorities
    assert authority.signed == ("lab.lan", "office.lan")


def test_a_broken_one_hides_no_other(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    house.certificates.create(["lab.lan"], passphrase=WHERE)
    house.certificates.vault.file("lab.lan").write_text("rubbish")
    listing = house.certificates.listing()
    assert [row.managed.name for row in listing.rows] == ["office.lan"]
    assert [broken.name for broken in listing.broken] == ["lab.lan"]
    assert listing.broken[0].problem.hint


def test_a_broken_authority_is_told(house: House) -> None:
    created = house.certificates.create(["office.lan"], passphrase=WHERE)
    (house.folders.certificates / "authorities" / f"{created.managed.authority}.pem").write_text("rubbish")
    listing = house.certificates.listing()
    assert listing.authorities == ()
    assert [broken.name for broken in listing.broken] == [""]


@pytest.mark.parametrize(
    ("days_ago", "problem"),
    [(0, ""), (370, ""), (390, "It ends on"), (400, "It ended on")],
)
def test_its_end_is_spoken_of_when_it_should_have_been_renewed_long_ago(
    house: House, days_ago: int, problem: str
) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE, now=NOW - timedelta(days=days_ago))
    row = house.certificates.row("office.lan", now=NOW)
    assert row.problem.startswith(problem)
    assert bool(row.problem) == bool(problem)
    assert ("wsgui certificate renew office.lan" in row.hint) == bool(problem)


def test_the_command_that_helps_can_be_pasted_into_a_shell(house: House) -> None:
    house.certificates.create(["*.lab.lan"], passphrase=WHERE, now=NOW - timedelta(days=400))
    hint = house.certificates.row("*.lab.lan", now=NOW).hint
    assert shlex.split(hint.partition(": ")[2]) == ["wsgui", "certificate", "renew", "*.lab.lan"]
    assert "'*.lab.lan'" in hint
