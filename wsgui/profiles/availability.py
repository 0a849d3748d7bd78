"""Which fields of a profile this version cannot carry out yet: they are refused with a sentence, never ignored.

Whoever builds a feature removes its row here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from wsgui.profiles.addresses import DialAddress, ReverseAddress
from wsgui.profiles.findings import Finding, in_file

if TYPE_CHECKING:
    from wsgui.profiles.model import Profile

NOT_BUILT: Final = {
    "access.links_only": "Connecting by links is",
    "access.view_only": "Watching only is",
    "remote": "Dialling a WebSocket server is",
    "reverse": "Waiting for a server that calls in is",
    "proxy": "Working behind or before a proxy is",
    "record": "Recording is",
    "metrics": "Serving metrics is",
}
"""Field or whole section → what is not built yet, up to the verb."""

NOT_BUILT_TARGETS: Final = {
    DialAddress: "Dialling a WebSocket server is",
    ReverseAddress: "Waiting for a server that calls in is",
}


def not_built(profile: Profile) -> Iterator[Finding]:
    """A finding for each field of `profile` that asks for what this version does not have."""
    what = NOT_BUILT_TARGETS.get(type(profile.target))
    if what is not None:
        yield Finding(
            "target",
            f"{what} not built yet in this version.",
            "Choose another target, such as office:5901, or wait for the version that has it.",
        )
    for leads in profile.targets.values():
        what = NOT_BUILT_TARGETS.get(type(leads.target))
        if what is not None:
            yield Finding(
                "targets",
                f"{what} not built yet in this version.",
                "Let the tokens lead to targets such as office:5901, or wait for the version that has it.",
            )
        if leads.view_only:
            yield Finding(
                "targets",
                "Watching only is not built yet in this version.",
                "Remove view_only, or wait for the version that has it.",
            )
    for row, what in NOT_BUILT.items():
        for field in _changed(profile, row):
            yield Finding(
                field,
                f"{what} not built yet in this version.",
                f"Remove {in_file(field) if '.' in field else f'[{field}]'}, or wait for the version that has it.",
            )


def _changed(profile: Profile, row: str) -> Iterator[str]:
    """The fields that `row` covers and that are not at their default."""
    section: BaseModel = profile
    *above, name = row.split(".")
    for step in above:
        section = getattr(section, step)
    value = getattr(section, name)
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _changed(profile, f"{row}.{field}")
    elif value != type(section).model_fields[name].default:
        yield row
