"""What the Certificates page says about a listing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.gui import certificates as fakes
from tests.gui.samples import HOSTILE
from wsgui.app.certificate_listing import Broken, StoreState
from wsgui.certificates.trust.store import Outcome, Trust, TrustState
from wsgui.errors import CertificateError, SecretError
from wsgui.gui.models import certificates as words
from wsgui.profiles.keyring_access import KeyringError, KeyringState

pytestmark = pytest.mark.usefixtures("english")


def test_a_day_has_its_year_only_when_it_is_another_one() -> None:
    assert words.day(date(2026, 5, 3), date(2026, 1, 1)) == "3 May"
    assert words.day(date(2027, 5, 3), date(2026, 1, 1)) == "3 May 2027"


def test_a_good_certificate_says_when_it_ends_and_renews_itself_and_who_uses_it() -> None:
    row = words.certificate_rows(fakes.usual(), fakes.now())[0]
    assert (row.title, row.state, row.mark, row.used_by) == (
        "lab-pc.local",
        "valid",
        "",
        ("Office desktop", "Build farm"),
    )
    assert row.names == "lab-pc, 192.168.1.20, localhost and 2 others"
    assert row.fate.startswith("renews itself on ")
    assert "used by Office desktop, Build farm" in row.spoken


def test_self_signed_and_imported_ones_are_marked() -> None:
    marks = {row.name: row.mark for row in words.certificate_rows(fakes.usual(), fakes.now())}
    assert marks == {"lab-pc.local": "", "printer.lan": "Self-signed", "www.example.org": "Imported"}


def test_one_that_ends_soon_counts_the_days_and_cannot_be_renewed_when_others_made_it() -> None:
    row = words.certificate_rows(fakes.usual(), fakes.now())[2]
    assert (row.ends, row.ends_tone, row.fate) == ("Ends in 9 days", "warn", "does not renew itself")
    assert not row.renewable
    assert (row.shape, row.problem[:10]) == ("warning", "It ends in")


def test_one_that_has_ended_cannot_be_used() -> None:
    listing = fakes.listing(fakes.row(fakes.managed("old.lan", "imported", ends_in_days=4)))
    row = words.certificate_rows(listing, fakes.now() + timedelta(days=5))[0]
    assert row.ends.startswith("Ended on ")
    assert (row.shape, row.state) == ("state-failed", "cannot be used")


def test_broken_files_are_listed_among_the_others_with_what_to_do() -> None:
    broken = Broken("lab.lan", CertificateError("lab.lan.pem is no PEM file.", "Import it again."))
    listing = fakes.listing(fakes.row(fakes.managed("zoo.lan")), broken=(broken,))
    rows = words.certificate_rows(listing, fakes.now())
    assert [(row.name, row.readable) for row in rows] == [("lab.lan", False), ("zoo.lan", True)]
    assert (rows[0].problem, rows[0].hint) == ("lab.lan.pem is no PEM file.", "Import it again.")


def test_text_from_profiles_and_files_is_shown_as_text() -> None:
    listing = fakes.listing(fakes.row(fakes.managed("a.lan"), used_by=(HOSTILE,), problem=HOSTILE))
    row = words.certificate_rows(listing, fakes.now())[0]
    assert "\u202e" not in row.spoken


def test_without_an_authority_there_is_nothing_to_trust() -> None:
    assert words.trust_view(fakes.FakeCertificates().shown) is None


def test_all_stores_trusting_leaves_only_what_is_still_to_do() -> None:
    view = words.trust_view(fakes.usual())
    assert view is not None
    assert [mark.spoken for mark in view.marks] == ["System: trusted", "Chrome: trusted", "Firefox: trusted"]
    assert [mark.to_do for mark in view.marks] == ["", "", "Restart Firefox."]
    assert (view.can_trust, view.can_untrust) == (False, True)


def test_stores_that_are_not_here_are_left_out_and_the_rest_can_be_trusted() -> None:
    states = {"system": TrustState.UNTRUSTED, "chrome": TrustState.TRUSTED, "firefox": TrustState.ABSENT}
    view = words.trust_view(fakes.listing(trusted=fakes.stores(**states)))
    assert view is not None
    assert [(mark.name, mark.tone) for mark in view.marks] == [("System", "warn"), ("Chrome", "ok")]
    assert (view.can_trust, view.can_untrust) == (True, True)


def test_a_store_that_could_not_be_asked_says_why() -> None:
    store = StoreState("System", Trust(TrustState.UNKNOWN, "certutil is not installed."))
    view = words.trust_view(fakes.listing(trusted=(store,)))
    assert view is not None
    assert (view.marks[0].spoken, view.marks[0].to_do) == ("System: not known", "certutil is not installed.")


def test_what_could_not_be_done_keeps_its_command() -> None:
    outcomes = (Outcome("Firefox", True, "It is trusted."), Outcome("System", False, "Not as you.", "sudo x"))
    assert words.undone(outcomes) == (words.Undone("System", "Not as you.", "sudo x"),)


def test_names_are_read_one_a_line_each_once_as_they_stand_in_a_certificate() -> None:
    read = words.read_names("Lab-PC.local\n\n  192.168.1.20 \nlab-pc.local.\n[::1]\n")
    assert read.names == ("lab-pc.local", "192.168.1.20", "::1")
    assert read.words == "3 names. Others connect without a warning only by these."


def test_the_first_wrong_name_is_told_with_its_line_in_the_rules_own_words() -> None:
    read = words.read_names("lab-pc.local\nhttps://lab-pc.local/\n")
    assert (read.problem, read.line) == ('"https://lab-pc.local/" is an address of a page or a range, not a name.', 2)
    assert read.words.startswith("Line 2: ")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("keyring:certificate/x", "in the keyring"),
        ("env:KEY", "in the environment variable KEY"),
        ("file:/run/key", "in the file /run/key"),
        ("ask", "nowhere: you are asked for it after each start of wsgui"),
    ],
)
def test_where_the_passphrase_is_is_said(reference: str, said: str) -> None:
    assert words.passphrase_place(reference) == said


def test_a_locked_keyring_is_told_with_the_key_that_it_keeps() -> None:
    error = KeyringError(KeyringState.LOCKED, "The keyring is locked.", "Unlock it.")
    notice = words.error_notice(error, "office.local")
    assert notice.message == "The keyring is locked, so the key of “office.local” cannot be opened."
    assert notice.hint == "Unlock it and try again."


def test_a_keyrings_error_is_found_behind_the_one_that_tells_of_it() -> None:
    behind = SecretError("No passphrase.", "")
    behind.__cause__ = KeyringError(KeyringState.ABSENT, "None.", "")
    assert words.keyring_state(behind) is KeyringState.ABSENT
    assert words.keyring_state(SecretError("Other.", "")) is None


def test_removal_is_refused_by_naming_who_uses_it() -> None:
    message, hint = words.in_use(("Office desktop", "Build farm"))
    assert message == "It is used by “Office desktop”, “Build farm”."
    assert hint == "Choose another certificate there first."
