"""When a notification is due, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from wsgui.engine.events import CertificateEvent, ConnectionOpened, Event, StateChanged
from wsgui.engine.snapshot import Reason, ReasonKind, TunnelState
from wsgui.gui.notes import AGAIN_SECONDS, QUIET_SECONDS, WAIT_SECONDS, Note, Notes, folded, note_of

START = 1000.0
LATER = START + QUIET_SECONDS


def failed(name: str = "Office") -> StateChanged:
    reason = Reason(ReasonKind.CERTIFICATE, "Its key cannot be opened.", "Unlock the keyring.")
    return StateChanged(0.0, name, TunnelState.FAILED, reason)


def ends(name: str = "lab.lan", happened: Any = "ends") -> CertificateEvent:
    return CertificateEvent(0.0, "", name, happened, 1.0, "It ends on 3 May.", "Import a new one.")


def so(_: Note) -> bool:
    return True


def due(notes: Notes, at: float) -> list[str]:
    return [note.title for note in notes.due(at, so)]


def test_a_failed_tunnel_is_told_after_three_seconds() -> None:
    notes = Notes(START)
    notes.take([failed()], LATER)
    assert notes.due_at == LATER + WAIT_SECONDS
    assert due(notes, LATER + WAIT_SECONDS - 0.1) == []
    assert due(notes, LATER + WAIT_SECONDS) == ["Office has failed"]
    assert notes.due_at is None


def test_a_tunnel_that_runs_again_by_then_is_not_told() -> None:
    notes = Notes(START)
    notes.take([failed()], LATER)
    assert notes.due(LATER + WAIT_SECONDS, lambda _: False) == ()
    notes.take([failed()], LATER + 5)
    assert due(notes, LATER + 5 + WAIT_SECONDS) == ["Office has failed"]


def test_what_comes_within_the_wait_is_told_together() -> None:
    notes = Notes(START)
    notes.take([failed("a")], LATER)
    notes.take([failed("b"), ends()], LATER + 2)
    told = notes.due(LATER + WAIT_SECONDS, so)
    assert [note.about for note in told] == [("a", ""), ("b", ""), ("", "lab.lan")]


def test_no_tunnel_is_told_about_twice_within_ten_minutes() -> None:
    notes = Notes(START)
    notes.take([failed()], LATER)
    told_at = LATER + WAIT_SECONDS
    assert due(notes, told_at)
    notes.take([failed(), failed("Other")], told_at + AGAIN_SECONDS - 1)
    assert due(notes, told_at + AGAIN_SECONDS + 5) == ["Other has failed"]
    notes.take([failed()], told_at + AGAIN_SECONDS + 6)
    assert due(notes, told_at + AGAIN_SECONDS + 10) == ["Office has failed"]


def test_it_is_quiet_after_the_login_and_after_a_resume() -> None:
    notes = Notes(START)
    notes.take([failed()], START + 1)
    assert notes.due_at == START + QUIET_SECONDS
    notes.resumed(START + 100)
    assert due(notes, START + 101) == []
    assert due(notes, START + 100 + QUIET_SECONDS) == ["Office has failed"]


@pytest.mark.parametrize("happened", ["renewed", "changed"])
def test_what_went_well_is_not_told(happened: str) -> None:
    assert note_of(ends(happened=happened)) is None


def test_connections_are_not_told() -> None:
    opened: Event = ConnectionOpened(0.0, "Office", 1, "127.0.0.1:5", "", "lab:5901")
    assert note_of(opened) is None


@pytest.mark.parametrize(
    ("happened", "title"),
    [
        ("not-renewed", "Certificate lab.lan was not renewed"),
        ("ends", "Certificate lab.lan ends soon"),
        ("ended", "Certificate lab.lan has ended"),
        ("unusable", "Certificate lab.lan cannot be used"),
    ],
)
def test_a_certificate_in_trouble_is_told_with_what_to_do(happened: str, title: str) -> None:
    note = note_of(ends(happened=happened))
    assert note is not None
    assert (note.title, note.body) == (title, "It ends on 3 May. Import a new one.")


def test_several_are_folded_into_one(english: object) -> None:
    notes = tuple(note for number in range(7) if (note := note_of(failed(f"t{number}"))))
    note = folded(notes)
    assert note.title == "7 things need your attention"
    assert note.body.splitlines() == [*(f"t{n} has failed" for n in range(5)), "and 2 more"]
    assert folded(notes[:1]) is notes[0]


def test_names_from_outside_are_made_visible() -> None:
    note = note_of(failed("a\u202eb\n<b>"))
    assert note is not None
    assert note.title == "a\\u202eb\\x0a<b> has failed"
