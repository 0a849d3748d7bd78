"""Changes to a profile's TOML text that leave comments, order and everything else as a person wrote it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import tomlkit
from pydantic import BaseModel
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from wsgui.errors import ProfileError, WsguiError
from wsgui.profiles.lines import Place, last_lines
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import read_profile

Change = tuple[Place, object, object]
"""Where, and the value before and after as TOML would hold it; None is no line."""

_ABSENT: Final = object()


def new_text(profile: Profile) -> str:
    """The TOML of `profile`: its name and what differs from the defaults."""
    text = ""
    for place, value in _leaves(profile):
        if value is not None and (place == ("name",) or value != _default(place)):
            text = _with_line(text, place, value)
    return text


def edited_text(text: str, before: Profile, after: Profile, *, folder: Path, source: str) -> str:
    """`text`, which reads as `before`, so changed that it reads as `after`.

    Raises:
        WsguiError: the text is laid out in a way in which that cannot be done without harming it.
    """
    cannot = WsguiError(f"{source} is laid out in a way that the program cannot edit.", "Edit the file by hand.")
    try:
        edited = _edited(text, list(_differences(before, after)))
        again = read_profile(edited.encode(), "the edited text", folder=folder, default_name=before.name)
    except (TOMLKitError, ProfileError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise cannot from error
    if again != after:
        raise cannot
    return edited


def _edited(text: str, changes: Sequence[Change]) -> str:
    document = tomlkit.parse(text)
    new: list[Change] = []
    for change in changes:
        place, _, value = change
        table = _table(document, place[:-1])
        if table is None or place[-1] not in table:
            new.append(change)
        elif value is None:
            del table[place[-1]]
        elif not _edit_array(table[place[-1]], change):
            table[place[-1]] = value
    edited = tomlkit.dumps(document)
    for place, _, value in new:
        if value is None:
            continue
        # New lines are put into the text, as tomlkit would put them between a table and the comment above it.
        table = _table(document, place[:-1])
        if table is None or place[:-1] in last_lines(edited):
            edited = _with_line(edited, place, value)
        else:  # a table written inline or by dotted keys
            document = tomlkit.parse(edited)
            _table(document, place[:-1])[place[-1]] = value  # type: ignore[index]
            edited = tomlkit.dumps(document)
    return edited


def _table(document: tomlkit.TOMLDocument, place: Place) -> MutableMapping[str, Any] | None:
    table: Any = document
    for step in place:
        if step not in table:
            return None
        table = table[step]
    return cast(MutableMapping[str, Any], table)


def _edit_array(array: object, change: Change) -> bool:
    """Make `array` the new value entry by entry, so that comments inside it stay; False when that cannot be done."""
    _, old, new = change
    if not (isinstance(array, Array) and isinstance(old, list) and isinstance(new, list) and len(array) == len(old)):
        return False
    kept = [entry for entry in old if entry in new]
    if kept != new[: len(kept)] or len(set(map(str, old))) != len(old):
        return False
    for index in reversed(range(len(old))):
        if old[index] not in new:
            del array[index]
    for entry in new[len(kept) :]:
        array.append(entry)
    return True


def _with_line(text: str, place: Place, value: object) -> str:
    """`text` with a line for a value that it does not have, below the last one of its table; a new table at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    line = tomlkit.dumps({place[-1]: value}).rstrip("\n").replace("\n", newline) + newline
    after = last_lines(text).get(place[:-1])
    if text and not text.endswith("\n"):
        text += newline
    if after is None:
        header = ".".join(tomlkit.key(step).as_string() for step in place[:-1])
        return f"{text}{newline}[{header}]{newline}{line}"
    lines = [f"{row}\n" for row in text.split("\n")[:-1]]
    lines.insert(after, line)
    return "".join(lines)


def _differences(before: Profile, after: Profile) -> Iterator[Change]:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for place, value in new.items():
        if old.get(place, _ABSENT) != value:
            yield place, old.get(place), value
    for place in old:
        if place not in new:
            yield place, old[place], None


def _leaves(profile: Profile) -> Iterator[tuple[Place, object]]:
    """Every value of `profile` as TOML would hold it (None: no line), by its place."""
    dumped = profile.model_dump(mode="json")

    def walk(place: Place, model: BaseModel, values: dict[str, Any]) -> Iterator[tuple[Place, object]]:
        for name in type(model).model_fields:
            value, here = values[name], (*place, name)
            inner = getattr(model, name)
            if isinstance(inner, BaseModel):
                yield from walk(here, inner, value)
            elif isinstance(value, dict):
                yield from (((*here, key), _plain(item)) for key, item in value.items())
            else:
                yield here, _plain(value)

    yield from walk((), profile, dumped)


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict) and not value.get("view_only", True):
        return value["target"]  # A token's target in its short form.
    return value


def _default(place: Place) -> object:
    model: type[BaseModel] = Profile
    for step in place[:-1]:
        kind = model.model_fields[step].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return _ABSENT  # An entry of a dict.
        model = kind
    if place[-1] not in model.model_fields:
        return _ABSENT
    default = model.model_construct().model_dump(mode="json")[place[-1]]
    return _plain(default)
