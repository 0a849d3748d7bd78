"""Profiles that go from one person to another: nothing of the giver's secrets out, nothing at the taker's cost in."""

from __future__ import annotations

import ntpath
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from wsgui.display import display
from wsgui.errors import AddressError, UsageError
from wsgui.profiles.addresses import TcpAddress, UnixAddress, is_local, parse_listen, parse_target
from wsgui.profiles.editing import new_text
from wsgui.profiles.fields import WEB_KEYWORDS
from wsgui.profiles.formats import SAME_HOST, is_reference
from wsgui.profiles.model import DEFAULT_PORT, Profile
from wsgui.profiles.reading import build_profile, parse

Settings = dict[str, Any]
_Address = TypeVar("_Address")
_REMOVED: Final = object()

REFERENCES: Final = (
    "tls.key_password",
    "tokens.password",
    "access.basic",
    "remote.token",
    "remote.basic",
    "remote.bearer",
    "metrics.token",
)
"""Fields that refer to a secret."""
LEFT_OUT: Final = ("targets", "reverse.ids", "remote.headers", "remote.cookies", "command.environment")
"""Fields that are secrets or may well hold some, and that an export has not."""
_UNBOUND_FILES: Final = ("tls.certificate_file", "tls.key_file", "tls.client_authority")
"""Files that protect a tunnel: without them it must not start, so they are unbound and not taken away."""

_BORROWS = "It would use a secret of yours."
_FILE = "It names a file or folder of this computer."
_RUNS = "It runs a program."
_OPENS = "It lets more people or pages in."
_OFF: Final[Mapping[str, str]] = {
    "command": _RUNS,
    "access.plugin": _RUNS,
    "access.plugin_argument": _RUNS,
    "tokens.source": _FILE,
    "tokens.argument": _RUNS,
    "tokens.allow": _OPENS,
    "record.folder": _FILE,
    "remote.client_certificate": _FILE,
    "remote.authority": _FILE,
    "access.hosts": _OPENS,
    "access.anyone": _OPENS,
    "web.require_access": _OPENS,
    "web.frames": _OPENS,
    "tls.only": _OPENS,
    "tls.ciphers": "It may allow weak encryption.",
    "proxy.trusted": _OPENS,
    "reverse.addresses": _OPENS,
    "metrics.listen": _OPENS,
}
"""What an import takes away, and why."""
_HARMLESS: Final[Mapping[str, object]] = {
    "access.anyone": False,
    "web.require_access": True,
    "tls.only": True,
    "tls.ciphers": "",
    "access.hosts": [],
    "web.frames": [],
    "proxy.trusted": [],
}


@dataclass(frozen=True, slots=True)
class TurnedOff:
    """A field that does not arrive as it was given; `value` is fit to be shown."""

    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """An imported profile before anything of it is used: no path has been opened, no name resolved.

    `profile` is what arrives when nothing that was turned off is kept.
    """

    profile: Profile
    turned_off: tuple[TurnedOff, ...]
    _given: Settings
    _safe: Settings
    _source: str

    def accept(self, keep: Collection[str] = ()) -> Profile:
        """The profile with the fields of `keep` (dotted names out of `turned_off`) as they were given.

        Raises:
            UsageError: one of them was not turned off.
            ProfileError: what comes out is not valid.
        """
        known = {each.field for each in self.turned_off}
        settings = deepcopy(self._safe)
        for field in keep:
            if field not in known:
                hint = f"These were: {', '.join(sorted(known))}." if known else "Nothing was."
                raise UsageError(f'"{display(field)}" was not turned off.', hint, field=field)
            _set(settings, field, _get(self._given, field))
        return build_profile(settings, self._source)


def export_text(profile: Profile) -> str:
    """The TOML of `profile` for somebody else: references to secrets unbound, secrets left out and named."""
    settings = deepcopy(profile.settings())
    left_out = [field for field in LEFT_OUT if _get(settings, field) is not _REMOVED]
    for field in left_out:
        _set(settings, field, _REMOVED)
    for field in REFERENCES:
        value = _get(settings, field)
        if isinstance(value, str):
            _set(settings, field, _unbound(value))
    text = new_text(build_profile(settings, profile.name))
    return "".join(f"# Left out, as it may hold secrets: {field}\n" for field in left_out) + text


def preview(data: bytes, source: str, *, default_name: str = "") -> Preview:
    """What importing the TOML file in `data` would bring, and what is turned off in it.

    Raises:
        ProfileError: it is no valid profile.
    """
    given, text = parse(data, source)
    given = {"name": default_name} | given
    safe = deepcopy(given)
    turned_off = []
    for field, value, reason in _turned_off(given):
        shown = _get(given, field)
        turned_off.append(TurnedOff(field, "true" if shown is _REMOVED else _shown(shown), reason))
        _set(safe, field, value)
    return Preview(build_profile(safe, source, text=text), tuple(turned_off), given, safe, source)


def _turned_off(given: Settings) -> Iterator[tuple[str, object, str]]:
    """Field, what it becomes, and why. What is not even of the right kind is left for the validation to refuse."""
    if given.get("autostart", True) is True:
        yield "autostart", False, "It would start by itself."
    yield from _addresses(given)
    for field in REFERENCES:
        value = _get(given, field)
        if isinstance(value, str) and is_reference(value) and not value.startswith("unbound:"):
            yield field, _unbound(value), _BORROWS
    for field in _UNBOUND_FILES:
        value = _get(given, field)
        if isinstance(value, str) and value and not value.startswith("unbound:"):
            yield field, _unbound(f"file:{value}"), _FILE
    root = _get(given, "web.root")
    if isinstance(root, str) and root not in WEB_KEYWORDS:
        yield "web.root", "", _FILE
    origins = _get(given, "access.origins")
    if isinstance(origins, list) and any(origin != SAME_HOST for origin in origins):
        yield "access.origins", [origin for origin in origins if origin == SAME_HOST], _OPENS
    for field, reason in _OFF.items():
        value = _get(given, field)
        if value is not _REMOVED and value != _HARMLESS.get(field, _REMOVED):
            yield field, _REMOVED, reason


def _addresses(given: Settings) -> Iterator[tuple[str, object, str]]:
    listen = _parsed(parse_listen, given.get("listen"))
    if listen is not None and not is_local(listen):
        port = listen.port if isinstance(listen, TcpAddress) else DEFAULT_PORT
        yield "listen", f"127.0.0.1:{port}", "It listens beyond this computer."
    elif isinstance(listen, UnixAddress):
        yield "listen", f"127.0.0.1:{DEFAULT_PORT}", _FILE
    if isinstance(_parsed(parse_target, given.get("target")), UnixAddress):
        yield "target", "demo:", _FILE


def _parsed(parse_address: Callable[[str], _Address], value: object) -> _Address | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    try:
        return parse_address(value) if isinstance(value, str) else None
    except AddressError:
        return None


def _unbound(reference: str) -> str:
    """`reference` by its last name only: what it was called, not where it lay."""
    place = reference.partition(":")[2]
    return f"unbound:{ntpath.basename(place) or place}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{display(str(key))} = {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{display(value)}"' if isinstance(value, str) else display(str(value))


def _get(settings: Settings, field: str) -> Any:
    """The value at the dotted `field`, `_REMOVED` when there is none."""
    value: Any = settings
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            return _REMOVED
        value = value[step]
    return value


def _set(settings: Settings, field: str, value: object) -> None:
    *above, last = field.split(".")
    section = settings
    for step in above:
        section = section.setdefault(step, {})
    if value is _REMOVED:
        section.pop(last, None)
    else:
        section[last] = deepcopy(value)
