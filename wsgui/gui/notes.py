"""What is worth a notification, and when: a state machine fed with events and the time, which sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from wsgui.display import display
from wsgui.engine.events import CertificateEvent, Event, StateChanged
from wsgui.engine.snapshot import TunnelState

translate = QCoreApplication.translate
WAIT_SECONDS: Final = 3.0
"""So long a trouble must last to be told, and others may join it."""
QUIET_SECONDS: Final = 30.0
"""After login and resume, when the network is still coming up and much recovers by itself."""
AGAIN_SECONDS: Final = 600.0
"""No tunnel and no certificate is told about twice within this time."""
FOLDED: Final = 5
_TELLING: Final = ("not-renewed", "ends", "ended", "unusable")


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell: plain text, fit to be shown.

    Args:
        tunnel: The tunnel that it is about, or "".
        certificate: The certificate that it is about, or "".
        title: A few words.
        body: One sentence what is, one what to do; a line each when several were folded.
    """

    tunnel: str
    certificate: str
    title: str
    body: str

    @property
    def about(self) -> tuple[str, str]:
        return self.tunnel, self.certificate


def note_of(event: Event) -> Note | None:
    """The note that an event is worth; None for most."""
    match event:
        case StateChanged(state=TunnelState.FAILED, tunnel=tunnel, reason=reason):
            title = translate("notification", "{0} has failed").format(display(tunnel))
            body = f"{reason.message} {reason.hint}".rstrip() if reason is not None else ""
            return Note(tunnel, "", title, display(body, limit=400))
        case CertificateEvent(certificate=certificate, happened=happened) if happened in _TELLING:
            titles = {
                "not-renewed": translate("notification", "{0} was not renewed"),
                "ends": translate("notification", "{0} ends soon"),
                "ended": translate("notification", "{0} has ended"),
                "unusable": translate("notification", "{0} cannot be used"),
            }
            title = titles[happened].format(translate("notification", "Certificate {0}").format(display(certificate)))
            return Note("", certificate, title, display(f"{event.message} {event.hint}".rstrip(), limit=400))
        case _:
            return None


def folded(notes: tuple[Note, ...]) -> Note:
    """One note that says what several do."""
    if len(notes) == 1:
        return notes[0]
    lines = [note.title for note in notes[:FOLDED]]
    if (left := len(notes) - FOLDED) > 0:
        lines.append(translate("notification", "and %n more", None, left))
    title = translate("notification", "%n thing(s) need your attention", None, len(notes))
    return Note("", "", title, "\n".join(lines))


class Notes:
    """Collects notes until they are due.

    Args:
        now: Monotonic seconds at the start of the program, which is often the login.
    """

    def __init__(self, now: float) -> None:
        self._quiet_until = now + QUIET_SECONDS
        self._since: float | None = None
        self._waiting: dict[tuple[str, str], Note] = {}
        self._told: dict[tuple[str, str], float] = {}

    def resumed(self, now: float) -> None:
        """The computer has slept: much fails now that is well again in a moment."""
        self._quiet_until = max(self._quiet_until, now + QUIET_SECONDS)

    def take(self, events: Iterable[Event], now: float) -> None:
        """Keep what is worth a note; the newest about each tunnel or certificate."""
        for event in events:
            note = note_of(event)
            if note is None or now - self._told.get(note.about, -AGAIN_SECONDS) < AGAIN_SECONDS:
                continue
            if not self._waiting:
                self._since = now
            self._waiting[note.about] = note

    @property
    def due_at(self) -> float | None:
        """When what waits is due; None when nothing waits."""
        return None if self._since is None else max(self._since + WAIT_SECONDS, self._quiet_until)

    def due(self, now: float, still: Callable[[Note], bool]) -> tuple[Note, ...]:
        """Hand over what is due, but for what is well again by now (not `still` so)."""
        if self.due_at is None or now < self.due_at:
            return ()
        notes = tuple(note for note in self._waiting.values() if still(note))
        self._waiting.clear()
        self._since = None
        self._told = {about: at for about, at in self._told.items() if now - at < AGAIN_SECONDS}
        self._told |= {note.about: now for note in notes}
        return notes
