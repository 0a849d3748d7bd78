"""What the commands about profiles share: find one, refuse a name that is taken, answer programs."""

from __future__ import annotations

import json

from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.builtin import DEMO_NAME, demo_profile
from wsgui.profiles.catalog import shown_path
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore


def profile_of(name: str, store: ProfileStore) -> Profile:
    """Read a profile; the demo is built in, unless there is one of that name.

    Raises:
        ProfileError: its file is broken.
        UsageError: there is none.
    """
    return demo_profile() if name == DEMO_NAME and name not in store.names() else store.read(name)


def refuse_taken(name: str, store: ProfileStore, hint: str = "Choose another name, or remove that one first.") -> None:
    """Raise UsageError when there is a profile of that name."""
    if name in store.names():
        where = shown_path(store.path_of(name))
        raise UsageError(f'There is a profile named "{display(name)}" already: {where}.', hint)


def free_name(name: str, store: ProfileStore) -> str:
    """`name`, or with the first number behind it with which no profile has it."""
    taken = store.names()
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate


def print_json(value: object) -> None:
    """Print `value` for a program."""
    # ASCII: nothing in it can steer a terminal.
    print(json.dumps(value, indent=2, ensure_ascii=True))
