"""A tunnel's settings while a person changes them: what is changed, what is wrong with it, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QCoreApplication

from wsgui.app.profile_edits import StoredProfile, candidate
from wsgui.display import display
from wsgui.engine.snapshot import ConnectionSnapshot
from wsgui.errors import ProfileError, WsguiError
from wsgui.gui.models.disconnects import Disconnects, disconnects
from wsgui.gui.models.settings_fields import FIELDS, FormField, Kind, Section
from wsgui.profiles.model import Profile

translate = QCoreApplication.translate
TOGETHER_SECONDS: Final = 1.0
"""Changes of one field that follow each other faster are undone together."""
_MESSAGE: Final = 400
_LISTS: Final = (Kind.LINES, Kind.OPTIONAL_LINES, Kind.CERTIFICATES)
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Edited:
    """One step that can be undone: the field, and what was changed in it before (`_ABSENT`: nothing)."""

    path: str
    before: Any
    at: float


@dataclass(frozen=True, slots=True)
class Applied:
    """One step that can be undone: the file's text before changes were written."""

    data: bytes


class SettingsForm:
    """Changes to the profile in `stored`, a valid one. Values are as TOML holds them; None is no line.

    Args:
        stored: The file that the changes are made to.
    """

    def __init__(self, stored: StoredProfile) -> None:
        self.stored = stored
        self.overtaken: tuple[str, ...] = ()
        """Changed fields that somebody else has changed in the file meanwhile."""
        self.moved = False
        """The file was changed by somebody else while there were changes."""
        self._changes: dict[str, Any] = {}
        self._history: list[Edited | Applied] = []
        self._profile: Profile | None = stored.profile
        self._problems: dict[str, str] = {}
        self._check()

    @property
    def changes(self) -> dict[str, Any]:
        """The changed fields and their values, in the order in which they were changed."""
        return dict(self._changes)

    @property
    def profile(self) -> Profile | None:
        """What the changes make; None while something is wrong with them."""
        return self._profile

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by field, in the model's words; also of fields that are not on the form."""
        return dict(self._problems)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What is wrong with fields that are not on the form, as sentences that name them."""
        return tuple(f"{path}: {words}" for path, words in self._problems.items() if path not in FIELDS)

    def value(self, path: str) -> Any:
        """What a field is now: changed, else as the file says, else by itself."""
        return self._told(path, self._changes[path]) if path in self._changes else self.stored_value(path)

    def stored_value(self, path: str) -> Any:
        """What a field is in the file, or by itself."""
        return self._told(path, _line(self.stored, path))

    def edit(self, path: str, value: Any, now: float) -> bool:
        """Change a field; returns whether that changed anything. `now` is in monotonic seconds."""
        field = FIELDS[path]
        value = _written(field, value)
        if value == self._written_now(path):
            return False
        last = self._history[-1] if self._history else None
        again = isinstance(last, Edited) and last.path == path and now - last.at < TOGETHER_SECONDS
        before = self._changes.get(path, _ABSENT)
        self._put(path, value)
        if again:
            assert isinstance(last, Edited)
            before = last.before
            self._history.pop()
        self._history.append(Edited(path, before, now))
        self._check()
        return True

    def undo(self) -> Edited | Applied | None:
        """Take the last step back; of an applied one only say what the file was (`applied` tells when that is done)."""
        if not self._history:
            return None
        step = self._history[-1]
        if isinstance(step, Edited):
            self._history.pop()
            if step.before is _ABSENT:
                self._changes.pop(step.path, None)
            else:
                self._put(step.path, step.before)
            self._check()
        return step

    @property
    def can_undo(self) -> bool:
        return bool(self._history)

    def revert(self) -> None:
        """Drop all changes."""
        self._changes.clear()
        self._history = [step for step in self._history if isinstance(step, Applied)]
        self._forget_others()
        self._check()

    def applied(self, after: StoredProfile, changes: dict[str, Any]) -> None:
        """`changes` are in the file, which is now `after`; what was changed since stays changed."""
        step = Applied(self.stored.data)
        self.stored = after
        left = {path: value for path, value in self._changes.items() if changes.get(path, _ABSENT) != value}
        self._changes.clear()
        for path, value in left.items():
            self._put(path, value)
        before = [each for each in self._history if isinstance(each, Applied)]
        self._history = [*before, step, *(each for each in self._history if self._is_of(each, left))]
        self._forget_others()
        self._check()

    def restored(self, after: StoredProfile) -> None:
        """The last applied step is undone, the file being `after` now."""
        applied = [number for number, step in enumerate(self._history) if isinstance(step, Applied)]
        if applied:
            del self._history[applied[-1] :]
        self._changes.clear()
        self.stored = after
        self._forget_others()
        self._check()

    def follow(self, stored: StoredProfile) -> None:
        """The file has been changed by somebody else: show that, and keep the changes upon it."""
        if stored.data == self.stored.data:
            return
        before = self.stored
        self.stored = stored
        # What was written before cannot be written back without undoing what the other has done.
        self._history = [step for step in self._history if isinstance(step, Edited)]
        theirs = [path for path in self._changes if _line(before, path) != _line(stored, path)]
        for path, value in tuple(self._changes.items()):
            self._put(path, value)
        self.overtaken = tuple(path for path in dict.fromkeys((*self.overtaken, *theirs)) if path in self._changes)
        self.moved = bool(self._changes)
        self._check()

    def mark(self, section: Section) -> tuple[int, int]:
        """How many fields of `section` are changed, and how many are wrong."""
        paths = [field.path for field in section.fields]
        return sum(path in self._changes for path in paths), sum(path in self._problems for path in paths)

    def disconnects(self, connections: Iterable[ConnectionSnapshot]) -> Disconnects:
        """Which of a running tunnel's `connections` end when it takes the changes over."""
        before, after = self.stored.profile, self._profile
        if before is None or after is None:
            return Disconnects()
        return disconnects(before, after, connections)

    def _put(self, path: str, value: Any) -> None:
        if self._told(path, value) == self.stored_value(path):
            self._changes.pop(path, None)
        else:
            self._changes[path] = value

    def _written_now(self, path: str) -> Any:
        return self._changes[path] if path in self._changes else _written(FIELDS[path], self.stored_value(path))

    def _told(self, path: str, line: Any) -> Any:
        """What a line means; None is no line."""
        field = FIELDS[path]
        if line is None:
            return field.default
        if field.kind in _LISTS:
            return [line] if isinstance(line, str) else list(line)
        return line

    def _is_of(self, step: Edited | Applied, left: dict[str, Any]) -> bool:
        return isinstance(step, Edited) and step.path in left

    def _forget_others(self) -> None:
        self.moved, self.overtaken = False, ()

    def _check(self) -> None:
        self._problems = {}
        try:
            self._profile = candidate(self.stored, self._changes)
        except ProfileError as error:
            self._profile = None
            for problem in error.problems:
                self._problems.setdefault(problem.field, words(problem))
        if not self._changes:
            self._forget_others()


def words(problem: WsguiError) -> str:
    """A problem as it stands beside its field."""
    return display(str(problem), limit=_MESSAGE)


def _line(stored: StoredProfile, path: str) -> Any:
    """What the file says; None where it says nothing."""
    values: Any = stored.settings
    for step in path.split("."):
        if not isinstance(values, dict) or step not in values:
            return None
        values = values[step]
    return values


def _written(field: FormField, value: Any) -> Any:
    """`value` as a line of the file; None where it needs none, as it is so by itself."""
    if field.kind in (Kind.LINE, Kind.PATH, Kind.SECRET) and not value:
        return None
    return None if value == field.default else value


def summary(section: Section, profile: Profile) -> str:
    """A section in a few words."""
    tls, access = profile.tls, profile.access
    if section.key == "security":
        if not tls.enabled:
            return translate("settings", "No certificate")
        shown = display(tls.certificate[0]) if tls.certificate else translate("settings", "Certificate from a file")
        return translate("settings", "{0}, only encrypted").format(shown) if profile.tls_only else shown
    asked = [
        *([translate("settings", "password")] if access.basic is not None else []),
        *([translate("settings", "client certificate")] if tls.client_authority is not None else []),
        *([translate("settings", "token")] if profile.targets or profile.tokens.source else []),
    ]
    if not asked:
        return translate("settings", "No password")
    return translate("settings", "Asks for {0}").format(", ".join(asked))
