"""The environment of a program that a tunnel runs: the usual variables, none of ours and no secret of the profile."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.model import Profile
from wsgui.profiles.sections import Command
from wsgui.profiles.withheld import withheld

OURS: Final = re.compile(r"WSGUI_.*|LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|CREDENTIALS_DIRECTORY")
"""What was meant for us: settings and secrets, and what systemd hands to the service itself.

sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3); systemd.exec(5), "Credentials".
"""

# "env:NAME" alone, or at the end of a source such as "jwt:env:NAME".
_VARIABLE: Final = re.compile(r"(?:.*:)?env:([A-Za-z_][A-Za-z0-9_]*)")


def environment_of(
    base: Mapping[str, str], command: Command, *, hidden: Collection[str], port: int | None
) -> dict[str, str]:
    """Return what a program of `command` gets as its environment.

    What `[command] environment` names is the user's own word, and comes after everything that is taken out; so are
    variables with passphrases of certificates.

    Args:
        base: Our own environment.
        command: Whose `environment` is added.
        hidden: Further variables that the program does not get, from `referenced_variables`.
        port: The port that the program is to bind, as PORT; None adds none.

    Raises:
        WsguiError: `[command] environment` has a name that no environment can hold.
    """
    for name, value in command.environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise WsguiError(
                f'The environment variable "{display(name)}" cannot be set.',
                "Give it a name of letters, digits and underscores, and a value without NUL.",
                field="command.environment",
            )
    secret = {_key(name) for name in (*hidden, *withheld())}
    kept = {name: value for name, value in base.items() if not OURS.fullmatch(_key(name)) and _key(name) not in secret}
    added = dict(command.environment)
    if port is not None:
        added["PORT"] = str(port)
    return kept | added


def arguments_of(command: Command, *, port: int | None) -> tuple[str, ...]:
    """Return the program and its arguments, with `{port}` in each of them replaced where there is a port to tell."""
    return command.run if port is None else tuple(argument.replace("{port}", str(port)) for argument in command.run)


def referenced_variables(profile: Profile) -> frozenset[str]:
    """Return the environment variables that hold secrets of `profile`: those that its `env:` references name."""
    # [command] refers to no secret: its texts are the program's own.
    values = profile.model_dump(mode="json", exclude_defaults=True, exclude={"command"})
    return frozenset(match[1] for text in _texts(values) if (match := _VARIABLE.fullmatch(text)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _key(name: str) -> str:
    """A variable's name as its system compares it: on Windows in either case."""
    return name.upper() if os.name == "nt" else name
