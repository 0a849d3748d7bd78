"""What the Certificates page shows of a listing: rows, stores and problems as words, and nothing of Qt's widgets."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from wsgui.app.certificate_listing import Broken, Listing, Row, StoreState
from wsgui.certificates.names import certificate_name
from wsgui.certificates.trust.store import Outcome, TrustState
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError
from wsgui.gui.wording import Notice
from wsgui.profiles.keyring_access import KeyringError, KeyringState

translate = QCoreApplication.translate
SOON_DAYS: Final = 30
NAMES_SHOWN: Final = 3
_MESSAGE: Final = 600
"""Characters of a message that may name files and profiles."""


def day(when: date, today: date) -> str:
    """A day as people write it; the year only where it is another one: "3 May", "3 May 2028"."""
    form = "d MMM" if when.year == today.year else "d MMM yyyy"
    return QLocale().toString(QDate(when.year, when.month, when.day), form)


def local_day(when: datetime) -> date:
    """The day of a moment on this computer's calendar."""
    return when.astimezone().date()


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """All that a certificate's row shows."""

    name: str
    """As the vault has it."""
    title: str
    names: str
    """The other names that it is for; empty when there is only the title's."""
    mark: str
    """What is not as usual about it: imported, self-signed."""
    ends: str
    ends_tone: str
    fate: str
    """Whether it renews itself."""
    used_by: tuple[str, ...]
    shape: str
    tone: str
    state: str
    """The shape in a word, for screen readers."""
    problem: str = ""
    hint: str = ""
    renewable: bool = False
    readable: bool = True

    @property
    def spoken(self) -> str:
        """The row as a screen reader says it."""
        used = translate("Certificates", "used by {0}").format(
            ", ".join(self.used_by) or translate("Certificates", "nobody")
        )
        parts = (self.title, self.state, self.mark, self.names, self.ends, self.fate, used, self.problem, self.hint)
        return ", ".join(part for part in parts if part)


def certificate_rows(listing: Listing, now: datetime) -> tuple[CertificateRow, ...]:
    """The rows of `listing`, by name; those that cannot be read among the others."""
    rows = [_row(row, now) for row in listing.rows] + [_broken(broken) for broken in listing.broken]
    return tuple(sorted(rows, key=lambda row: row.name.casefold()))


def _row(row: Row, now: datetime) -> CertificateRow:
    managed, description = row.managed, row.managed.description
    ended = description.not_after <= now
    left = description.days_left(now)
    soon = not ended and left < SOON_DAYS
    last = day(local_day(description.not_after), local_day(now))
    if ended:
        ends = translate("Certificates", "Ended on {0}").format(last)
    elif soon:
        ends = translate("Certificates", "Ends in %n day(s)", None, max(left, 0))
    else:
        ends = last
    if row.renews_on is not None:
        fate = _renewal(row.renews_on, now)
    else:
        fate = translate("Certificates", "does not renew itself")
    bad, worth_a_look = ended, soon or bool(row.problem)
    state = translate("Certificates", "valid")
    if bad:
        state = translate("Certificates", "cannot be used")
    elif worth_a_look:
        state = translate("Certificates", "needs attention")
    return CertificateRow(
        name=managed.name,
        title=display(managed.name),
        names=_others(managed.name, description.names),
        mark=_MARKS[managed.kind](),
        ends=ends,
        ends_tone="err" if ended else "warn" if soon else "",
        fate=fate,
        used_by=tuple(display(name) for name in row.used_by),
        shape="state-failed" if bad else "warning" if worth_a_look else "certificate",
        tone="err" if bad else "warn" if worth_a_look else "ok",
        state=state,
        problem=display(row.problem, limit=_MESSAGE),
        hint=display(row.hint, limit=_MESSAGE),
        renewable=managed.kind != "imported",
    )


def _renewal(on: date, now: datetime) -> str:
    if on <= local_day(now):
        return translate("Certificates", "renews itself next")
    return translate("Certificates", "renews itself on {0}").format(day(on, local_day(now)))


def _broken(broken: Broken) -> CertificateRow:
    return CertificateRow(
        name=broken.name,
        title=display(broken.name),
        names="",
        mark="",
        ends="–",
        ends_tone="dim",
        fate="",
        used_by=(),
        shape="state-failed",
        tone="err",
        state=translate("Certificates", "cannot be used"),
        problem=display(broken.problem.message, limit=_MESSAGE),
        hint=display(broken.problem.hint, limit=_MESSAGE),
        readable=False,
    )


_MARKS: Final[dict[str, Callable[[], str]]] = {
    "issued": lambda: "",
    "self-signed": lambda: translate("Certificates", "Self-signed"),
    "imported": lambda: translate("Certificates", "Imported"),
}


def _others(title: str, names: Sequence[str]) -> str:
    others = [display(name) for name in names if name != title]
    shown = ", ".join(others[:NAMES_SHOWN])
    left = len(others) - NAMES_SHOWN
    return translate("Certificates", "{0} and %n other(s)", None, left).format(shown) if left > 0 else shown


class Sight(enum.Enum):
    """What one trust store is to this computer's authorities."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StoreMark:
    """One trust store: the short name that people know, an icon, and what there is still to do."""

    name: str
    shape: str
    tone: str
    spoken: str
    to_do: str = ""


def store_marks(stores: Sequence[StoreState]) -> tuple[StoreMark, ...]:
    """The stores that there are on this computer."""
    return tuple(_mark(store) for store in stores if store.trust.state is not TrustState.ABSENT)


def _mark(store: StoreState) -> StoreMark:
    name = display(store.store).partition(" and ")[0]
    message = display(store.trust.message, limit=_MESSAGE)
    # What follows the first sentence is what to do: "Firefox trusts it. Restart Firefox."
    _, _, to_do = message.partition(". ")
    match store.trust.state:
        case TrustState.TRUSTED:
            return StoreMark(name, "check", "ok", translate("Certificates", "{0}: trusted").format(name), to_do)
        case TrustState.UNTRUSTED:
            return StoreMark(name, "close", "warn", translate("Certificates", "{0}: not trusted").format(name), to_do)
        case _:
            return StoreMark(name, "unknown", "dim", translate("Certificates", "{0}: not known").format(name), message)


@dataclass(frozen=True, slots=True)
class TrustView:
    """What the card "This computer" says."""

    marks: tuple[StoreMark, ...]
    words: str
    can_trust: bool
    can_untrust: bool

    @property
    def trusted(self) -> bool:
        return self.can_untrust and not self.can_trust


def trust_view(listing: Listing, *, known: bool = True) -> TrustView | None:
    """The card's content; None while there is no authority that could be trusted.

    Args:
        known: The stores have been looked at.
    """
    if not listing.authorities:
        return None
    if not known:
        return TrustView((), translate("Certificates", "Looking at the stores of trusted authorities…"), False, False)
    states = {store.trust.state for store in listing.stores} - {TrustState.ABSENT}
    trusted = TrustState.TRUSTED in states
    lacking = bool(states - {TrustState.TRUSTED})
    if not states:
        words = translate("Certificates", "There is no store of trusted authorities on this computer.")
    elif not lacking:
        words = translate("Certificates", "Browsers here connect without a warning.")
    elif trusted:
        words = translate("Certificates", "Some programs here still warn about your certificates.")
    else:
        words = translate("Certificates", "Browsers here warn about your certificates until they trust your authority.")
    return TrustView(store_marks(listing.stores), words, lacking, trusted)


@dataclass(frozen=True, slots=True)
class Undone:
    """What could not be done to a trust store here, and the command that does it."""

    store: str
    message: str
    command: str


def undone(outcomes: Sequence[Outcome]) -> tuple[Undone, ...]:
    """The outcomes that leave something to do by hand."""
    return tuple(
        Undone(display(outcome.store), display(outcome.message, limit=_MESSAGE), outcome.command)
        for outcome in outcomes
        if not outcome.done
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What was typed, one name a line."""

    names: tuple[str, ...]
    problem: str = ""
    hint: str = ""
    line: int = 0
    """Which line is wrong, from 1."""

    @property
    def words(self) -> str:
        """What stands below the field."""
        if self.problem:
            where = translate("Certificates", "Line {0}: {1}").format(self.line, self.problem)
            return f"{where} {self.hint}".rstrip()
        if not self.names:
            return translate("Certificates", "Write at least one host name or IP address.")
        return translate(
            "Certificates", "%n name(s). Others connect without a warning only by these.", None, len(self.names)
        )


def read_names(text: str) -> Names:
    """The names in `text`, in the order typed, each once; the first mistake in the words of the names' own rules."""
    names: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            name = certificate_name(line.strip())
        except CertificateError as error:
            problem, hint = display(error.message, limit=_MESSAGE), display(error.hint, limit=_MESSAGE)
            return Names(tuple(names), problem, hint, number)
        if name not in names:
            names.append(name)
    return Names(tuple(names))


def passphrase_place(reference: str) -> str:
    """Where a key's passphrase is, in words."""
    kind, _, place = reference.partition(":")
    match kind:
        case "keyring":
            return translate("Certificates", "in the keyring")
        case "env":
            return translate("Certificates", "in the environment variable {0}").format(display(place))
        case "file":
            return translate("Certificates", "in the file {0}").format(display(place))
        case _:
            return translate("Certificates", "nowhere: you are asked for it after each start of wsgui")


def keyring_state(error: WsguiError) -> KeyringState | None:
    """Which of the keyring's states stood in the way, if it was the keyring."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyringError):
            return cause.state
        cause = cause.__cause__
    return None


def error_notice(error: WsguiError, name: str = "") -> Notice:
    """A failure as the page shows it; `name` is the certificate whose key was wanted."""
    if keyring_state(error) is KeyringState.LOCKED and name:
        message = translate("Certificates", "The keyring is locked, so the key of “{0}” cannot be opened.")
        return Notice("warn", message.format(display(name)), translate("Certificates", "Unlock it and try again."))
    return Notice("err", display(error.message, limit=_MESSAGE), display(error.hint, limit=_MESSAGE))


def no_keyring_notice(error: WsguiError) -> Notice:
    """The keyring cannot keep the passphrase of a new key: what is the matter with it, and what else there is."""
    if keyring_state(error) is KeyringState.LOCKED:
        message = translate("Certificates", "The keyring is locked, so the key's passphrase cannot be kept in it.")
        hint = translate("Certificates", "Unlock it and try again, or use a passphrase of your own.")
        return Notice("warn", message, hint)
    message = display(error.message, limit=_MESSAGE)
    hint = translate("Certificates", "Mend that and try again, or use a passphrase of your own. No key lies open.")
    return Notice("warn", message, hint)


def in_use(used_by: Sequence[str]) -> tuple[str, str]:
    """Why a certificate cannot be removed: the profiles (as shown) that use it."""
    names = ", ".join(f"“{name}”" for name in used_by)
    return (
        translate("Certificates", "It is used by {0}.").format(names),
        translate("Certificates", "Choose another certificate there first."),
    )


def now() -> datetime:
    return datetime.now(UTC)
