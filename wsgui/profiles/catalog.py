"""What the files of a folder say, taken together: which profile has which name, and what is wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wsgui.display import display
from wsgui.errors import FieldError, ProfileError, WsguiError
from wsgui.profiles.disk import Signature, read_regular
from wsgui.profiles.model import Profile
from wsgui.profiles.naming import SUFFIX, file_stem
from wsgui.profiles.reading import MAX_BYTES, build_profile, parse

_MAX_SHOWN_PATH: Final = 4096
_NAME_LINE: Final = re.compile(rb'^name[ \t]*=[ \t]*"([^"\\\r\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the profile in it, or what is wrong with it. `data` are its bytes, `digest` tells two contents apart.

    `name` is the profile's; of a broken file it is `valid_name`, else what can be made out, else the file's own.
    `valid_name` is the profile's name when the file was last valid, "" when it never was as far as is known.
    """

    path: Path
    name: str
    digest: bytes
    data: bytes = b""
    signature: Signature | None = None
    profile: Profile | None = None
    problem: ProfileError | None = None
    valid_name: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The profiles of a folder by name, and its other files by path; a name stands in one of the two or in both."""

    profiles: Mapping[str, Entry]
    broken: Mapping[Path, Entry]


def is_profile_file(name: str) -> bool:
    """Whether a file of this name is meant as a profile: ``*.toml``, not hidden."""
    return name.lower().endswith(SUFFIX) and not name.startswith(".")


def shown_path(path: Path) -> str:
    """`path` as errors name it; what has control characters in it is escaped."""
    return display(str(path), limit=_MAX_SHOWN_PATH)


def read_entry(path: Path, *, valid_name: str = "") -> Entry | None:
    """What the file at `path` says; None when there is none. Never raises.

    Args:
        valid_name: The profile's name when the file was last valid.
    """
    source = shown_path(path)
    stem = path.name[: -len(SUFFIX)] if is_profile_file(path.name) else path.stem
    try:
        data, signature = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or type(error).__name__
        wrong = FieldError(f"The file cannot be read: {why}.", "Make it readable for the user wsgui runs as.")
        return Entry(
            path, valid_name or stem, why.encode(), problem=ProfileError(source, [wrong]), valid_name=valid_name
        )
    except WsguiError as error:
        return Entry(path, valid_name or stem, b"", problem=ProfileError(source, [error]), valid_name=valid_name)
    digest = hashlib.sha256(data).digest()
    settings: Mapping[str, Any] = {}
    try:
        settings, text = parse(data, source)
        profile = build_profile({"name": stem} | settings, source, text=text, folder=path.parent)
    except ProfileError as error:
        given = settings.get("name") if settings else _name_in(data)
        name = valid_name or (given if isinstance(given, str) and given else stem)
        return Entry(path, name, digest, data, signature, problem=error, valid_name=valid_name)
    return Entry(path, profile.name, digest, data, signature, profile, valid_name=profile.name)


def _name_in(data: bytes) -> str:
    """The name in what is no TOML, so that whoever asks for the profile hears what is wrong with its file."""
    line = _NAME_LINE.search(data.partition(b"\n[")[0])
    return line[1].decode(errors="replace") if line else ""


def catalog_of(entries: Iterable[Entry]) -> Catalog:
    """The entries of a folder by name. Of two profiles with one name the second is reported as broken.

    The first is the one whose file is named after the profile, else by the order of the files' names.
    """
    profiles: dict[str, Entry] = {}
    broken: dict[Path, Entry] = {}
    for entry in sorted(entries, key=lambda each: (each.path.stem != file_stem(each.name), each.path.name)):
        if entry.profile is None:
            broken[entry.path] = entry
        elif entry.name in profiles:
            first = profiles[entry.name].path.name
            wrong = FieldError(
                f'{display(first)} is called "{entry.name}" too.', "Give one of them another name.", field="name"
            )
            broken[entry.path] = replace(entry, profile=None, problem=ProfileError(shown_path(entry.path), [wrong]))
        else:
            profiles[entry.name] = entry
    return Catalog(
        {name: profiles[name] for name in sorted(profiles, key=lambda each: profiles[each].path.stem)}, broken
    )
