"""Whom changed settings would disconnect: those whose user, certificate or token would no longer let them in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from wsgui.engine.program import needs_restart
from wsgui.engine.snapshot import ConnectionSnapshot
from wsgui.profiles.model import Profile

Kind = Literal["certificate", "user", "token"]
_NAMED: Final = "CN "
_TOKEN: Final = "token "  # noqa: S105  # how a token's label begins


@dataclass(frozen=True, slots=True)
class Disconnects:
    """How many connections end for certain, and how many more may, as what a reference or file holds is not known."""

    certain: int = 0
    possible: int = 0


def disconnects(before: Profile, after: Profile, connections: Iterable[ConnectionSnapshot]) -> Disconnects:
    """What taking over `after` in place of `before` does to `connections`, as `bridge.permissions` will decide it."""
    found = [_fate(before, after, connection.identity) for connection in connections]
    return Disconnects(found.count("ends"), found.count("may end"))


def _fate(before: Profile, after: Profile, identity: str) -> Literal["stays", "may end", "ends"]:
    if before.command.run and needs_restart(before, after):
        return "ends"
    rests_on = _rests_on(before, identity)
    asked = _asked(after)
    if rests_on and asked and not rests_on.keys() & asked:
        return "ends"  # it rests on nothing that is still asked for
    if "token" in rests_on and "token" not in asked:
        return "ends"
    names = after.access.client_names
    if "certificate" in rests_on and names is not None and rests_on["certificate"] not in names:
        return "ends"
    changed = {
        "certificate": after.tls.client_authority != before.tls.client_authority,
        "user": after.access.basic != before.access.basic,
        "token": (after.targets, after.tokens) != (before.targets, before.tokens),
    }
    return "may end" if any(changed[kind] for kind in rests_on.keys() & asked) else "stays"


def _rests_on(profile: Profile, identity: str) -> dict[Kind, str]:
    """What a session was let in by, and by which name; `identity` as its row has it (`CN lee, token 3fa9c1`)."""
    found: dict[Kind, str] = {}
    rest = identity
    if rest.startswith(_NAMED):
        name, _, rest = rest.removeprefix(_NAMED).partition(", ")
        found["certificate"] = name
    ahead, _, last = rest.rpartition(", ")
    if last.startswith(_TOKEN):
        found["token"], rest = last, ahead
    elif profile.tokens.by_host:
        found["token"] = ""  # the host's name, which is not shown
    if rest:
        found["user"] = rest
    return found


def _asked(profile: Profile) -> set[Kind]:
    """What clients are asked for."""
    asked: set[Kind] = set()
    if profile.tls.client_authority is not None or profile.access.client_names is not None:
        asked.add("certificate")
    if profile.access.basic is not None:
        asked.add("user")
    if profile.targets or profile.tokens.source:
        asked.add("token")
    return asked
