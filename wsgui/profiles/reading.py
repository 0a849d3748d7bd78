"""Text to profile: all problems of a file at once, each with its field, its line and what would be right."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wsgui.display import display
from wsgui.errors import FieldError, ProfileError
from wsgui.profiles.fields import FOLDER
from wsgui.profiles.findings import Finding
from wsgui.profiles.lines import key_lines, line_of
from wsgui.profiles.model import Profile

MAX_BYTES: Final = 1 << 20
"""Size of a profile file; more is no profile."""

_AT_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
_WRONG_TYPE: Final = {
    "bool_type": ("It must be true or false.", "Write true or false, without quotes."),
    "int_type": ("It must be a whole number.", "Write a number without quotes or point."),
    "float_type": ("It must be a number.", "Write a number without quotes."),
    "finite_number": ("It must be a number.", "Write a number such as 30."),
    "tuple_type": ("It must be a list.", 'Write it in brackets, such as ["first", "second"].'),
    "dict_type": ("It must be a section.", "Write it as [section], with key = value below it."),
    "model_type": ("It must be a section.", "Write it as [section], with key = value below it."),
    "missing": ("It is missing.", "Add it."),
}


def parse(data: bytes, source: str) -> tuple[dict[str, Any], str]:
    """The plain values in `data`, the bytes of a profile file, and its text.

    Raises:
        ProfileError: it is too long, no UTF-8, or no TOML.
    """
    if len(data) > MAX_BYTES:
        message = f"The file is longer than {MAX_BYTES // 1024} KiB, so it is no profile."
        raise ProfileError(source, [FieldError(message, "Remove it from the folder.")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProfileError(
            source, [FieldError("The file is not UTF-8 text.", "Save it as UTF-8.", line=line)]
        ) from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        why = display(_AT_LINE.sub("", str(error)))
        problem = FieldError(f"The file is not TOML: {why}.", "Correct this line.", line=line)
        raise ProfileError(source, [problem]) from None
    except RecursionError:
        problem = FieldError("The file is not a profile: it nests too deeply.", "Correct it.")
        raise ProfileError(source, [problem]) from None


def read_profile(data: bytes, source: str, *, folder: Path | None = None, default_name: str = "") -> Profile:
    """The profile in `data`, the bytes of a TOML file.

    Args:
        source: What to call the file in errors.
        folder: What relative paths count from; None leaves them as they are.
        default_name: The profile's name when the file gives none.

    Raises:
        ProfileError: with every problem of the file.
    """
    settings, text = parse(data, source)
    return build_profile({"name": default_name} | settings, source, text=text, folder=folder)


def build_profile(settings: Mapping[str, Any], source: str, *, text: str = "", folder: Path | None = None) -> Profile:
    """The profile that the plain values `settings` make; `text` is the TOML they stand in, for the lines of problems.

    Raises:
        ProfileError: with every problem.
    """
    context = {FOLDER: folder}
    try:
        return Profile.model_validate(dict(settings), context=context)
    except ValidationError as error:
        problems = list(_problems(error.errors(), settings))
        if not any(kind["type"] == "profile" for kind in error.errors()):
            problems += _further(settings, [kind["loc"] for kind in error.errors()], context)
    lines = key_lines(text)
    unique = {(problem.field, problem.message): problem for problem in problems}
    found = [
        FieldError(problem.message, problem.hint, field=problem.field, line=line_of(lines, _place(problem.field)))
        for problem in unique.values()
    ]
    found.sort(key=lambda problem: problem.line or 0)
    raise ProfileError(source, found)


def _further(
    settings: Mapping[str, Any], wrong: Sequence[tuple[int | str, ...]], context: dict[str, Any]
) -> Iterator[Finding]:
    """What else is wrong, seen by leaving out the fields that are `wrong` by themselves."""
    left: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in settings.items()}
    left_out = {_field(place) for place in wrong}
    for place in wrong:
        section = left.get(str(place[0]))
        if len(place) > 1 and isinstance(section, dict):
            section.pop(place[1], None)
        else:
            left.pop(str(place[0]), None)
    try:
        Profile.model_validate(left, context=context)
    except ValidationError as error:
        for finding in _problems(error.errors(), left):
            concerned = {finding.field, *finding.concerns}
            if not any(_touches(field, out) for field in concerned for out in left_out):
                yield finding


def _touches(field: str, other: str) -> bool:
    return field == other or field.startswith(f"{other}.") or other.startswith(f"{field}.")


def _problems(errors: Sequence[ErrorDetails], settings: Mapping[str, Any]) -> Iterator[Finding]:
    for error in errors:
        kind, context = error["type"], error.get("ctx", {})
        field = _field(error["loc"])
        if kind == "profile":
            yield from context["problems"]
        elif kind == "wsgui":
            yield Finding(field, context["message"], context["hint"])
        elif kind == "extra_forbidden":
            yield _unknown(error["loc"])
        elif kind in _WRONG_TYPE:
            yield Finding(field, *_WRONG_TYPE[kind])
        elif kind in ("greater_than_equal", "greater_than", "less_than_equal"):
            yield Finding(field, "The number is out of range.", _range(kind, context))
        elif kind == "literal_error":
            expected = str(context["expected"]).replace("'", '"')
            yield Finding(field, "It is none of the values that are known.", f"Write {expected}.")
        else:
            yield Finding(field, f"It is not valid: {display(error['msg'])}.", "Correct it.")


def _range(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "greater_than":
        return f"Write a number above {context['gt']:g}."
    if kind == "greater_than_equal":
        return f"Write {context['ge']:g} or more."
    return f"Write {context['le']:.0f} or less."


def _unknown(place: tuple[int | str, ...]) -> Finding:
    """A field that does not exist, and the one that was probably meant."""
    *above, last = (str(step) for step in place)
    name = display(last, limit=64)
    known = _fields(above)
    where = f"[{above[0]}]" if above else "a profile"
    near = difflib.get_close_matches(last.casefold(), known, n=1, cutoff=0.6)
    elsewhere = [section for section in ("", *Profile.model_fields) if last in _fields([section] if section else [])]
    if near:
        hint = f'Did you mean "{near[0]}"?'
    elif elsewhere:
        hint = f"It belongs into [{elsewhere[0]}]." if elsewhere[0] else "It belongs to the top, before any [section]."
    else:
        hint = f"Known are: {', '.join(known)}."
    return Finding(_field(place), f'There is no field "{name}" in {where}.', hint)


def _fields(above: Sequence[str]) -> list[str]:
    """The names of the fields of the profile, or of its section `above`; none when that is no section."""
    if not above:
        return list(Profile.model_fields)
    field = Profile.model_fields.get(above[0])
    kind = field.annotation if field else None
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _field(place: tuple[int | str, ...]) -> str:
    """The dotted path of a pydantic location; below `targets` nothing, as tokens are secrets."""
    if place and place[0] == "targets":
        return "targets"
    return ".".join(display(step, limit=64) for step in place if isinstance(step, str))


def _place(field: str) -> tuple[str, ...]:
    return tuple(field.split(".")) if field else ()
