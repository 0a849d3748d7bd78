"""Which secrets a profile refers to."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from wsgui.profiles.model import Profile
from wsgui.profiles.sharing import REFERENCES

_JWT: Final = "jwt"


def references(profile: Profile) -> Iterator[tuple[str, str]]:
    """Each reference to a secret in `profile`, with the dotted field that has it."""
    for field in REFERENCES:
        if value := attrgetter(field)(profile):
            yield field, value
    # The key that tokens are signed with is written into the source itself.
    kind, _, rest = profile.tokens.source.strip().partition(":")
    if kind.lower() == _JWT and rest.startswith(("keyring:", "env:", "file:")):
        yield "tokens.source", rest


def keyring_names(profile: Profile) -> frozenset[str]:
    """The names of the keyring's secrets that `profile` refers to."""
    return frozenset(value.removeprefix("keyring:") for _, value in references(profile) if value.startswith("keyring:"))
